
-- --- JSON: values with their places in the text ------------------------------------------------------------------

local MAX_DEPTH = 16
local ESCAPES = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}
local read_value

local function utf8_of(point)
  if point < 0x80 then return string.char(point) end
  if point < 0x800 then return string.char(0xC0 + math.floor(point / 64), 0x80 + point % 64) end
  local tail = string.char(0x80 + math.floor(point / 64) % 64, 0x80 + point % 64)
  if point < 0x10000 then return string.char(0xE0 + math.floor(point / 4096)) .. tail end
  return string.char(0xF0 + math.floor(point / 262144), 0x80 + math.floor(point / 4096) % 64) .. tail
end

local function skip_space(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

-- The character that `\u` and four digits at `at` stand for, together with a second one where it is half of a pair.
local function read_unicode(text, at)
  local point = tonumber(text:match("^%x%x%x%x", at + 2) or error("not four digits of hex", 0), 16)
  at = at + 6
  local low = point >= 0xD800 and point < 0xDC00 and text:match("^\\u([dD][c-fC-F]%x%x)", at)
  if low then
    return utf8_of(0x10000 + (point - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00), at + 6
  end
  return utf8_of(point), at
end

local function read_string(text, at)
  local parts, from = {}, at
  at = at + 1
  while true do
    local stop = text:find('["\\]', at)
    if stop == nil then error("a string without an end", 0) end
    parts[#parts + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then
      return {kind = "string", value = table.concat(parts), from = from, to = stop}
    end
    local letter = text:sub(stop + 1, stop + 1)
    if letter == "u" then
      parts[#parts + 1], at = read_unicode(text, stop)
    else
      parts[#parts + 1], at = ESCAPES[letter] or letter, stop + 2
    end
  end
end

-- What is between two brackets, comma by comma; `read_one` reads one and returns the place behind it.
local function read_many(text, node, close, read_one)
  local at = skip_space(text, node.from + 1)
  if text:sub(at, at) == close then
    node.to = at
    return node
  end
  while true do
    at = skip_space(text, read_one(at))
    local mark = text:sub(at, at)
    if mark == close then
      node.to = at
      return node
    end
    if mark ~= "," then error("no comma at " .. at, 0) end
    at = skip_space(text, at + 1)
  end
end

local function read_object(text, at, depth)
  local node = {kind = "object", from = at, names = {}, value = {}}
  return read_many(text, node, "}", function(place)
    if text:sub(place, place) ~= '"' then error("no name at " .. place, 0) end
    local name = read_string(text, place)
    place = skip_space(text, name.to + 1)
    if text:sub(place, place) ~= ":" then error("no colon at " .. place, 0) end
    local value = read_value(text, skip_space(text, place + 1), depth + 1)
    if value.kind ~= "null" then -- as if it were not there
      node.names[#node.names + 1] = name.value
      node.value[name.value] = value
    end
    return value.to + 1
  end)
end

local function read_array(text, at, depth)
  local node = {kind = "array", from = at, value = {}}
  return read_many(text, node, "]", function(place)
    local value = read_value(text, place, depth + 1)
    node.value[#node.value + 1] = value
    return value.to + 1
  end)
end

local WORDS = {["true"] = {"bool", true}, ["false"] = {"bool", false}, ["null"] = {"null", nil}}

function read_value(text, at, depth)
  if depth > MAX_DEPTH then error("deeper than " .. MAX_DEPTH, 0) end
  local first = text:sub(at, at)
  if first == '"' then return read_string(text, at) end
  if first == "{" then return read_object(text, at, depth) end
  if first == "[" then return read_array(text, at, depth) end
  local word = text:match("^%a+", at)
  if word and WORDS[word] then
    return {kind = WORDS[word][1], value = WORDS[word][2], from = at, to = at + #word - 1}
  end
  local digits = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local number = digits and tonumber(digits)
  if number == nil then error("no value at " .. at, 0) end
  return {kind = "number", value = number, digits = digits, from = at, to = at + #digits - 1}
end

-- The object that a text is, or nil and the reason.
local function read_json(text)
  local good, value = pcall(function()
    local node = read_value(text, skip_space(text, 1), 1)
    if skip_space(text, node.to + 1) <= #text then error("more behind its end", 0) end
    return node
  end)
  if not good then return nil, tostring(value) end
  if value.kind ~= "object" then return nil, "no object" end
  return value
end
