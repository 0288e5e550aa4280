
-- --- links: a request and its answers, by place, link id and correlation id --------------------------------------

-- Key -> the newest request of it: { frame, time, received_in, response_in, answered_at }.
local requests = {}
-- Packet and message -> what was found of it when the packet was read first: { request, role, early }. Only what was
-- found early, before all packets had been read, can tell that an answer never came.
local notes = {}

-- Place of a message: what its answers come over as well. HELLO has no link id yet, and WELCOME brings it.
local function key_of(place, message, header)
  local link = header.link_id
  if message.name == "Hello" or message.name == "Welcome" then link = "HELLO" end
  return table.concat({place, link, header.correlation_id}, "|")
end

local function role_of(message, header)
  if header.correlation_id == 0 then return nil end
  local kind = ENUMS.kind[header.kind]
  if kind == "COMMAND" or message.name == "Hello" then return "request" end
  if message.name == "Received" then return "received" end
  if kind == "PROGRESS" then return "progress" end
  if kind == "REPLY" or message.name == "Welcome" or message.name == "Nak" then return "response" end
  return nil
end

local function note_request(pinfo, key, header)
  local request = requests[key]
  if request and header.retransmit then return {request = request, role = "again"} end
  request = {frame = pinfo.number, time = pinfo.rel_ts}
  requests[key] = request
  return {request = request, role = "request"}
end

local function note_answer(pinfo, place, key, message, header, role)
  local request = requests[key]
  if request == nil and message.name == "Nak" then
    request = requests[table.concat({place, "HELLO", header.correlation_id}, "|")]
  end
  if request == nil then return {role = "orphan"} end
  if role == "received" then request.received_in = request.received_in or pinfo.number end
  if role == "response" then request.response_in = request.response_in or pinfo.number end
  return {request = request, role = role, after = pinfo.rel_ts - request.time}
end

local function note_of(pinfo, place, message, header)
  local role = role_of(message, header)
  if role == nil then return nil end
  local key = key_of(place, message, header)
  local id = table.concat({pinfo.number, header.link_id, header.correlation_id, header.seq, message.key}, "/")
  local note = notes[id]
  if note == nil then
    if role == "request" then
      note = note_request(pinfo, key, header)
    else
      note = note_answer(pinfo, place, key, message, header, role)
    end
    note.early = not pinfo.visited
    notes[id] = note
  end
  return note
end

local function seconds(time)
  local micros = math.floor(time * 1000000 + 0.5)
  return NSTime.new(math.floor(micros / 1000000), micros % 1000000 * 1000)
end

local function add_frame(tree, field, number)
  if number then tree:add(field, number):set_generated() end
end

-- Show what a message answers, or what answers it.
local function add_links(tree, pinfo, place, message, header)
  local note = note_of(pinfo, place, message, header)
  if header.retransmit then complain(tree, told.retransmission, "sent before: RETRANSMIT") end
  if header.replayed then complain(tree, told.replayed, "answered before, nothing was done for it now: REPLAYED") end
  if note == nil then return end
  local request = note.request
  if note.role == "orphan" then
    complain(tree, told.no_request, "what it answers is not in this capture")
  elseif note.role == "request" or note.role == "again" then
    if note.role == "again" then add_frame(tree, shown.first_sent_in, request.frame) end
    add_frame(tree, shown.received_in, request.received_in)
    add_frame(tree, shown.response_in, request.response_in)
    if pinfo.visited and note.early and not request.response_in then
      complain(tree, told.no_response, "no answer is in this capture")
    end
  else
    add_frame(tree, shown.request_in, request.frame)
    tree:add(shown.response_time, seconds(note.after)):set_generated()
  end
end
