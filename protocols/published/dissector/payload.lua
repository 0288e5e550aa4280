
-- --- payload: the values of a message or record ------------------------------------------------------------------

local function complain(item, what, text)
  item:add_proto_expert_info(what, text)
end

-- A value for people, where it is short enough for the list of packets.
local function brief(spec, value)
  local names = spec.enum and ENUMS[spec.enum]
  return spec[1] .. "=" .. tostring(names and names[value] or value)
end

local MAX_WORDS = 2

-- A name, and the first of the words about it.
local function headline(name, words)
  return table.concat({name, words[1], words[MAX_WORDS]}, " ")
end

-- The reason why a number is none that the field may have, or nil.
local function outside(spec, value)
  if spec[2] == "f64" and (value ~= value or value == math.huge or value == -math.huge) then
    return "is not a finite number"
  end
  if spec.low and (value < spec.low or value > spec.high) then
    return "is outside " .. spec.low .. ".." .. spec.high
  end
  return nil
end

local function add_text(tree, spec, range)
  local raw = range:raw()
  local text, rest = raw:match("^([^%z]*)(.*)$")
  local value = printable(raw)
  local item = tree:add(spec.field, range, value)
  local wrong
  if rest:find("[^%z]") then wrong = "text goes on after its NUL" end
  if not is_utf8(text) then wrong = "text is no utf-8" end
  return item, value, wrong
end

-- One value of a fixed size: the item, the value, and what is wrong with it.
local function add_value(tree, spec, range)
  local kind = spec[2]
  if is_text(kind) then return add_text(tree, spec, range) end
  local item = tree:add_le(spec.field, range)
  local value
  if kind == "f64" then
    value = range:le_float()
  elseif kind == "i32" then
    value = range:le_int()
  elseif kind == "u64" then
    value = range:le_uint64()
  else
    value = range:le_uint()
  end
  if spec.parts then
    for place = 0, 7 do item:add_le(spec.parts[place], range) end
  end
  return item, value, outside(spec, value)
end

local function add_zero(tree, spec)
  local item
  if is_text(spec[2]) then item = tree:add(spec.field, "") else item = tree:add(spec.field, 0) end
  item:set_generated()
  item:append_text(" (of a later minor version than its sender's)")
end

local function add_record(tree, range)
  local kind = range(RECORD_KIND_OFFSET, 1):uint()
  local record = RECORDS[kind]
  local item = tree:add(shown.record, range, record and record.name or ("kind " .. kind))
  if record == nil then
    item:add(shown.record_kind, range(RECORD_KIND_OFFSET, 1))
    item:add(shown.record_rest, range)
    return
  end
  local at = 0
  for _, spec in ipairs(record.fields) do
    if at == RECORD_KIND_OFFSET then
      item:add(shown.record_kind, range(at, 1))
      at = at + 1
    end
    local size = SIZES[spec[2]]
    local cell, _, wrong = add_value(item, spec, range(at, size))
    if wrong then complain(cell, told.bad_record, spec[1] .. " " .. wrong) end
    at = at + size
  end
end

local function add_records(tree, range)
  local at = 0
  while at + RECORD_SIZE <= range:len() do
    add_record(tree, range(at, RECORD_SIZE))
    at = at + RECORD_SIZE
  end
  if at < range:len() then
    local item = tree:add(shown.record_rest, range(at))
    complain(item, told.bad_record, "a record of " .. range:len() - at .. " B, needs " .. RECORD_SIZE .. " B")
  end
end

-- An array up to the payload's end.
local function add_tail(tree, spec, range)
  local size = SIZES[spec[2]]
  if spec[2] == "bytes" then
    local item = tree:add(spec.field, range)
    if spec.records then add_records(item, range) end
    return
  end
  local at = 0
  while at + size <= range:len() do
    tree:add_le(spec.field, range(at, size))
    at = at + size
  end
  if at < range:len() then
    local item = tree:add(shown.later, range(at))
    complain(item, told.bad_payload, spec[1] .. " has no whole elements")
  end
end

-- All fields of a message; returns some of them as words for the list of packets.
local function add_payload(tree, message, tvb, start, finish)
  local words = {}
  local size = finish - start
  if size < message.least then
    complain(tree, told.bad_payload, message.name .. " has " .. size .. " B, needs " .. message.least .. " B")
    if size > 0 then tree:add(shown.payload, tvb(start, size)) end
    return words
  end
  local at = start
  for _, spec in ipairs(message.fields) do
    if spec.tail then
      if at < finish then add_tail(tree, spec, tvb(at, finish - at)) end
      at = finish
    elseif at + SIZES[spec[2]] > finish then
      add_zero(tree, spec)
      at = finish
    else
      local item, value, wrong = add_value(tree, spec, tvb(at, SIZES[spec[2]]))
      if wrong then complain(item, told.bad_payload, spec[1] .. " " .. wrong) end
      words[#words + 1] = brief(spec, value)
      at = at + SIZES[spec[2]]
    end
  end
  if at < finish then tree:add(shown.later, tvb(at, finish - at)) end
  return words
end
