
-- --- bodies: messages as JSON, as MQTT's publications have them --------------------------------------------------

local NUMBER_OF = {}
for enum, names in pairs(ENUMS) do
  NUMBER_OF[enum] = {}
  for number, name in pairs(names) do NUMBER_OF[enum][name] = number end
end

local function range_of(tvb, node)
  return tvb(node.from - 1, node.to - node.from + 1)
end

local function wide_of(digits)
  local value = UInt64(0, 0)
  for digit in digits:gmatch("%d") do value = value * 10 + tonumber(digit) end
  return value
end

local function bytes_of(hex)
  if #hex % 2 == 1 or hex:find("%X") then return nil end
  return ByteArray.new(hex)
end

local EXPECTED = {
  bool = "bool", f64 = "number", bytes = "string", enum8 = "string", u64 = "string", text = "string", s16 = "string",
  s32 = "string", s120 = "string",
}

-- The value of a field as Wireshark takes it, or nil and what is wrong.
local function value_of(spec, node)
  local kind = spec[2]
  if kind == "u64" and node.kind == "number" then return wide_of(node.digits) end
  local expected = EXPECTED[kind] or "number"
  if node.kind ~= expected then return nil, "is no " .. expected end
  if kind == "enum8" then return NUMBER_OF[spec.enum][node.value] or 255 end
  if kind == "u64" then return wide_of(node.value) end
  if kind == "bytes" then return bytes_of(node.value), "has no bytes in hex" end
  if expected == "number" and kind ~= "f64" and node.value ~= math.floor(node.value) then
    return nil, "is no whole number"
  end
  return node.value
end

local add_members

local function add_json_record(tree, tvb, node)
  local name = node.kind == "object" and node.value.record
  local record = name and RECORD_BY_NAME[name.value]
  local item = tree:add(shown.record, range_of(tvb, node), record and record.name or "of a kind that is not known")
  if record then
    item:add(shown.record_kind, range_of(tvb, name), record.kind)
    add_members(item, tvb, record, node, told.bad_record)
  else
    item:add(shown.json, range_of(tvb, node), printable(range_of(tvb, node):raw()))
  end
end

local function add_list(tree, tvb, spec, node)
  if node.kind ~= "array" then return complain(tree, told.bad_payload, spec[1] .. " is no list") end
  for _, one in ipairs(node.value) do
    if spec.records then
      add_json_record(tree, tvb, one)
    elseif spec.items then
      local item = tree:add(hlp1, range_of(tvb, one), spec.items.name)
      add_members(item, tvb, spec.items, one, told.bad_payload)
    elseif one.kind == "number" then
      tree:add(spec.field, range_of(tvb, one), one.value)
    else
      complain(tree, told.bad_payload, spec[1] .. " has a " .. one.kind)
    end
  end
end

local function add_member(tree, tvb, spec, node, expert)
  if spec.records or spec.items or (spec.tail and spec[2] ~= "bytes") then return add_list(tree, tvb, spec, node) end
  local value, wrong = value_of(spec, node)
  if value == nil then return complain(tree, expert, spec[1] .. " " .. wrong) end
  if spec[2] == "bytes" then
    if value:len() > 0 then tree:add(spec.field, value:tvb(spec[1])()) end
    return value
  end
  local item = tree:add(spec.field, range_of(tvb, node), value)
  if spec.parts then
    for place = 0, 7 do item:add(spec.parts[place], range_of(tvb, node), value) end
  end
  wrong = outside(spec, value)
  if wrong then complain(item, expert, spec[1] .. " " .. wrong) end
  return value
end

-- The fields of an object by the table of a message, a record or a retained body; returns some as words.
function add_members(tree, tvb, struct, node, expert)
  local words = {}
  if node.kind ~= "object" then
    complain(tree, expert, struct.name .. " is no object")
    return words
  end
  for _, spec in ipairs(struct.fields) do
    local member = node.value[spec[1]]
    if member then
      local value = add_member(tree, tvb, spec, member, expert)
      if value ~= nil then words[#words + 1] = brief(spec, value) end
    elseif not spec.since then
      complain(tree, expert, spec[1] .. " is missing")
    end
  end
  return words
end

-- The levels of a topic behind those of its device, and the first of them.
local function levels_of(topic)
  local levels = topic and topic:match("^[^/]+/v" .. MAJOR .. "/[^/]+/[^/]+/(.+)$")
  return levels, levels and levels:match("^[^/]+")
end

local function message_of(body, levels)
  local said = body.value.message
  if said then return BY_NAME[said.value], said end
  local name = levels and levels:match("^command/(.+)$")
  for _, message in pairs(MESSAGES) do
    if message.snake == name then return message end
  end
  return nil
end

local JSON_FLAGS = {RETRANSMIT = "retransmit", REPLAYED = "replayed"}

local function add_json_header(tree, tvb, message, body)
  local header = {kind = message.kind}
  tree:add(shown.kind, message.kind):set_generated()
  for _, name in ipairs({"seq", "link_id", "correlation_id"}) do
    local node = body.value[name]
    header[name] = node and node.kind == "number" and node.value or 0
    if node and node.kind == "number" then tree:add(shown[name], range_of(tvb, node), node.value) end
  end
  local flags = body.value.flags
  for _, node in ipairs(flags and flags.kind == "array" and flags.value or {}) do
    local flag = JSON_FLAGS[node.value]
    if flag then
      header[flag] = true
      tree:add(shown[flag], range_of(tvb, node), flag == "retransmit" and RETRANSMIT or REPLAYED)
    end
  end
  return header
end

local function add_message_body(tree, tvb, pinfo, place, message, said, body)
  local item = tree:add(shown.message, said and range_of(tvb, said) or tvb(), message.name)
  local header = add_json_header(tree, tvb, message, body)
  add_links(item, pinfo, place, message, header)
  local payload = body.value.payload or {kind = "object", value = {}}
  local words = add_members(item, tvb, message, payload, told.bad_payload)
  local sentence = payload.kind == "object" and payload.value.sentence
  if SAYS_NO[message.name] then complain(item, SAYS_NO[message.name], sentence and sentence.value or message.name) end
  return words
end

-- A body by itself, of a topic or of none that is known; returns what the list of packets says of it.
local function add_body(tree, tvb, pinfo, place, topic)
  local text = tvb:raw()
  local levels, first = levels_of(topic)
  if text == "" then return "nothing retained on " .. (first or "a topic") end
  local item = tree:add(hlp1, tvb(), PROTOCOL .. " body" .. (levels and " of " .. levels or ""))
  local body, wrong = read_json(text)
  if body == nil then
    complain(item, told.bad_payload, "the body is not JSON: " .. wrong)
    return "a body that is not JSON"
  end
  local struct = first and SNAPSHOTS[first]
  if first == "info" then
    for _, message in pairs(MESSAGES) do struct = message.topic == first and message or struct end
  end
  if struct then
    item:add(shown.message, tvb(), struct.name):set_generated()
    return headline(first, add_members(item, tvb, struct, body, told.bad_payload))
  end
  local message, said = message_of(body, levels)
  if message == nil then
    complain(item, told.unknown_message, "no message of minor " .. MINOR)
    return "unknown message"
  end
  local words = add_message_body(item, tvb, pinfo, place, message, said, body)
  return headline(message.name, words)
end
