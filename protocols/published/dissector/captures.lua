
-- --- frames, and where they come from ----------------------------------------------------------------------------

local function read_header(content)
  local first, flags = content:byte(1, 2)
  return {
    major = math.floor(first / 16),
    kind = first % 16,
    message_id = u16(content, 3),
    seq = u16(content, 5),
    link_id = u16(content, 7),
    correlation_id = u16(content, 9),
    retransmit = band(flags, RETRANSMIT) ~= 0,
    replayed = band(flags, REPLAYED) ~= 0,
    must_understand = band(flags, MUST_UNDERSTAND) ~= 0,
  }
end

local function add_header(tree, tvb, header)
  tree:add(shown.major, tvb(0, 1))
  tree:add(shown.kind, tvb(0, 1))
  local flags = tree:add(shown.flags, tvb(1, 1))
  for _, name in ipairs({"ignorable", "must_understand", "replayed", "retransmit", "reply_wanted", "signed"}) do
    flags:add(shown[name], tvb(1, 1))
  end
  tree:add_le(shown.message_id, tvb(2, 2))
  tree:add_le(shown.seq, tvb(4, 2))
  tree:add_le(shown.link_id, tvb(6, 2))
  tree:add_le(shown.correlation_id, tvb(8, 2))
  tree:add(shown.node, tvb(10, 1))
  tree:add(shown.payload_size, tvb(11, 1))
  if header.major ~= MAJOR then
    complain(tree, told.other_major, "major version " .. header.major .. ", and this is " .. MAJOR)
  end
  if header.must_understand then complain(flags, told.must_understand, "a flag that must be understood is set") end
end

local function add_crc(tree, range, expected, received)
  local item = tree:add_le(shown.crc, range)
  tree:add(shown.crc_good, range, expected == received):set_generated()
  if expected ~= received then
    tree:add(shown.crc_expected, range, expected):set_generated()
    complain(item, told.bad_crc, string.format("CRC-32C is 0x%08x, these bytes need 0x%08x", received, expected))
  end
end

local function sentence_of(message, tvb, start, finish)
  local at = start
  for _, spec in ipairs(message.fields) do
    if spec[1] == "sentence" and at + SIZES[spec[2]] <= finish then
      return printable(tvb(at, SIZES[spec[2]]):raw())
    end
    at = at + SIZES[spec[2]]
  end
  return message.name
end

local function add_good_frame(tree, tvb, pinfo, place, header)
  local finish = tvb:len() - CRC_SIZE
  local message = header.major == MAJOR and MESSAGES[header.kind * 65536 + header.message_id]
  if not message then
    if finish > HEADER_SIZE then tree:add(shown.payload, tvb(HEADER_SIZE, finish - HEADER_SIZE)) end
    local text = string.format("%s 0x%04X", ENUMS.kind[header.kind] or ("kind " .. header.kind), header.message_id)
    if header.major == MAJOR then complain(tree, told.unknown_message, text .. " is no message of minor " .. MINOR) end
    return "unknown " .. text
  end
  local range = finish > HEADER_SIZE and tvb(HEADER_SIZE, finish - HEADER_SIZE) or tvb(0, HEADER_SIZE)
  local item = tree:add(shown.message, range, message.name)
  add_links(item, pinfo, place, message, header)
  local words = add_payload(item, message, tvb, HEADER_SIZE, finish)
  if SAYS_NO[message.name] then
    complain(item, SAYS_NO[message.name], sentence_of(message, tvb, HEADER_SIZE, finish))
  end
  return headline(message.name, words)
end

local function add_bad_frame(tree, range, reason, content, expected, received)
  local item = tree:add(shown.bad_reason, range, reason)
  item:add(shown.bad_bytes, range)
  if reason == "crc" then
    local tvb = ByteArray.new(content, true):tvb("without stuffing")
    add_header(item, tvb, read_header(content))
    add_crc(item, tvb(#content - CRC_SIZE, CRC_SIZE), expected, received)
  else
    complain(item, told.malformed, "no frame: " .. reason)
  end
  return "no frame: " .. reason
end

-- What is between two zeros, of which `range` is what is to be shown as its bytes.
local function add_piece(tree, range, pinfo, place, stuffed)
  local reason, content, expected, received = judge(stuffed)
  local item = tree:add(hlp1, range, PROTOCOL .. " frame")
  if reason then
    item:set_text(PROTOCOL .. ", bytes that are no frame")
    return add_bad_frame(item, range, reason, content, expected, received)
  end
  local tvb = ByteArray.new(content, true):tvb("without stuffing")
  local header = read_header(content)
  add_header(item, tvb, header)
  local said = add_good_frame(item, tvb, pinfo, place, header)
  add_crc(item, tvb(#content - CRC_SIZE, CRC_SIZE), expected, received)
  item:append_text(": " .. said)
  return said
end

local function add_pieces(tree, tvb, pinfo, place, pieces)
  local words = {}
  for _, piece in ipairs(pieces) do
    local stuffed, at = piece[1], piece[2]
    local range
    if at >= 0 then
      range = tvb(at, #stuffed)
    else -- it began before: its bytes get a page of their own
      range = ByteArray.new(stuffed, true):tvb("with what came before")()
    end
    words[#words + 1] = add_piece(tree, range, pinfo, place, stuffed)
  end
  return words
end

-- --- pieces of bytes that are packets: a recording ---------------------------------------------------------------

-- None of these is there in the first of the two looks of `tshark -2`, unless a filter asks for it: so nothing but the
-- name of the port depends on them.
local get = {
  interface = Field.new("frame.interface_id"),
  topic = Field.new("mqtt.topic"),
}
local UNKNOWN_PORT = "?"

local function newest(field)
  local all = {field()}
  return #all > 0 and all[#all].value or nil
end

-- Direction of a port -> what is kept of its bytes, and whether they are being skipped; and the same before a packet.
local kept_bytes, before = {}, {}

local function carry(pinfo, key, data)
  local at = pinfo.number .. "|" .. key
  local was = before[at]
  if was == nil then
    was = kept_bytes[key] or {"", false}
    before[at] = was
    local _, kept, skipping = split(data, was[1], was[2])
    kept_bytes[key] = {kept, skipping}
  end
  return split(data, was[1], was[2])
end

local function add_recorded_bytes(tree, tvb, pinfo, port)
  local pieces, kept, skipping = carry(pinfo, port .. "|" .. pinfo.p2p_dir, tvb:raw())
  local words = add_pieces(tree, tvb, pinfo, port, pieces)
  local size = math.min(#kept, tvb:len())
  if size > 0 then tree:add(hlp1, tvb(tvb:len() - size)):add(shown.unfinished, tvb(tvb:len() - size)) end
  if #words == 0 then words[1] = skipping and "more of what is too long" or "a part of a frame" end
  return words
end

-- A publication of a recording: an object whose body is a text, with its properties.
local function add_publication(tree, tvb, pinfo, port, publication)
  local topic, body = publication.value.topic, publication.value.body
  local item = tree:add(hlp1, tvb(), PROTOCOL .. " publication")
  item:add(shown.topic, range_of(tvb, topic), topic.value)
  if body == nil or body.value == "" then return {"nothing on " .. topic.value} end
  local inner = ByteArray.new(body.value, true):tvb("body")
  return {add_body(item, inner, pinfo, port, topic.value)}
end

local function add_event(tree, tvb, event)
  local item = tree:add(hlp1, tvb(), PROTOCOL .. " recording")
  item:add(shown.event, range_of(tvb, event), event.value)
  item:add(shown.json, tvb(), printable(tvb:raw()))
  return {"event " .. event.value}
end

local function add_recorded(tree, tvb, pinfo)
  local port = tostring(newest(get.interface) or UNKNOWN_PORT)
  local text = tvb:raw()
  if text:sub(1, 1) == "{" then
    local object = read_json(text)
    if object and object.value.event then return add_event(tree, tvb, object.value.event) end
    if object and object.value.topic then return add_publication(tree, tvb, pinfo, port, object) end
  end
  return add_recorded_bytes(tree, tvb, pinfo, port)
end

local function show_direction(pinfo)
  if pinfo.p2p_dir == P2P_DIR_RECV then
    pinfo.cols.src, pinfo.cols.dst = "host", "device"
  elseif pinfo.p2p_dir == P2P_DIR_SENT then
    pinfo.cols.src, pinfo.cols.dst = "device", "host"
  end
end

-- --- TCP ---------------------------------------------------------------------------------------------------------

-- Stream and direction -> in the midst of what is too long; and the same before a segment.
local skipping_in, skipped_before = {}, {}

-- A connection by its two ends, and its direction by the sender's.
local function ends_of(pinfo)
  local sender = tostring(pinfo.src) .. ":" .. pinfo.src_port
  local receiver = tostring(pinfo.dst) .. ":" .. pinfo.dst_port
  if sender < receiver then return sender .. "-" .. receiver, sender end
  return receiver .. "-" .. sender, sender
end

local function add_segment(tree, tvb, pinfo)
  local place, sender = ends_of(pinfo)
  local key = place .. "|" .. sender
  local at = pinfo.number .. "|" .. key .. "|" .. tvb:offset()
  if skipped_before[at] == nil then skipped_before[at] = skipping_in[key] or false end
  local pieces, kept, skipping = split(tvb:raw(), "", skipped_before[at])
  skipping_in[key] = skipping
  if #kept > 0 and pinfo.can_desegment > 0 then
    pinfo.desegment_offset = tvb:len() - #kept
    pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
  end
  local words = add_pieces(tree, tvb, pinfo, place, pieces)
  if #words == 0 then words[1] = "a part of a frame" end
  return words
end

local function show_words(pinfo, words)
  pinfo.cols.protocol = PROTOCOL
  pinfo.cols.info = table.concat(words, "; ")
end

function hlp1.dissector(tvb, pinfo, tree)
  if tvb:len() == 0 then return 0 end
  if pinfo.src_port ~= 0 then
    show_words(pinfo, add_segment(tree, tvb, pinfo))
  else
    show_direction(pinfo)
    show_words(pinfo, add_recorded(tree, tvb, pinfo))
  end
  return tvb:len()
end

function hlp1.init()
  requests, notes, kept_bytes, before, skipping_in, skipped_before = {}, {}, {}, {}, {}, {}
end

-- A stream is taken for this protocol by its first segment that begins with a whole good frame.
local function begins_with_a_frame(tvb)
  local stuffed = tvb:raw():match("^%z+([^%z]+)%z")
  return stuffed ~= nil and judge(stuffed) == nil
end

hlp1:register_heuristic("tcp", function(tvb, pinfo, tree)
  if tvb:len() < HEADER_SIZE or not begins_with_a_frame(tvb) then return false end
  hlp1.dissector(tvb, pinfo, tree)
  pinfo.conversation = hlp1
  return true
end)

-- A body is known by the message that it names, and what names none by its topic.
local OTHER_LEVELS = {info = true, event = true, heartbeat = true, telemetry = true, command = true, reply = true}

local function is_body(tvb, first)
  local name = tvb:raw():match('^{"message":"(%w+)"')
  return BY_NAME[name] ~= nil or (first ~= nil and (SNAPSHOTS[first] ~= nil or OTHER_LEVELS[first] ~= nil))
end

hlp1:register_heuristic("mqtt.topic", function(tvb, pinfo, tree)
  local topic = newest(get.topic)
  local _, first = levels_of(topic)
  if not is_body(tvb, first) then return false end
  show_words(pinfo, {add_body(tree, tvb, pinfo, (ends_of(pinfo)), topic)})
  return true
end)

hlp1.prefs.tcp_ports = Pref.range("TCP ports", "", "Ports whose streams are " .. PROTOCOL .. " from their first byte", 65535)

local taken = ""
function hlp1.prefs_changed()
  local ports = DissectorTable.get("tcp.port")
  if taken ~= "" then ports:remove(taken, hlp1) end
  taken = hlp1.prefs.tcp_ports
  if taken ~= "" then ports:add(taken, hlp1) end
end

DissectorTable.get("tcp.port"):add_for_decode_as(hlp1)
DissectorTable.get("wtap_encap"):add(wtap.USER0, hlp1)
