
-- --- bytes: byte stuffing, checksum, texts -----------------------------------------------------------------------

-- Lua 5.1 and 5.2 have a library for this, which later versions have operators for that earlier ones cannot parse.
local bits = bit or bit32 or load([[return {
  band = function(a, b) return a & b end,
  bxor = function(a, b) return a ~ b end,
  rshift = function(a, n) return a >> n end,
}]])()
local band, bxor, rshift = bits.band, bits.bxor, bits.rshift

-- Some of these libraries have signed numbers, where others and the wire have not.
local function unsigned(number)
  return number % 4294967296
end

local CRC_TABLE = {}
for byte = 0, 255 do
  local crc = byte
  for _ = 1, 8 do
    local odd = crc % 2 == 1
    crc = rshift(crc, 1)
    if odd then crc = bxor(crc, 0x82F63B78) end
  end
  CRC_TABLE[byte] = crc
end

-- CRC-32C of the first `size` bytes.
local function crc32c(text, size)
  local crc = 0xFFFFFFFF
  for _, byte in ipairs({text:byte(1, size)}) do
    crc = bxor(rshift(crc, 8), CRC_TABLE[band(bxor(crc, byte), 0xFF)])
  end
  return unsigned(bxor(crc, 0xFFFFFFFF))
end

local function u16(text, at)
  local low, high = text:byte(at, at + 1)
  return low + 256 * high
end

local function u32(text, at)
  return u16(text, at) + 65536 * u16(text, at + 2)
end

-- COBS undone; nil where a code byte points past the end. There is no zero in `stuffed`.
local function unstuff(stuffed)
  local parts, at, size = {}, 1, #stuffed
  while at <= size do
    local code = stuffed:byte(at)
    if at + code > size + 1 then return nil end
    parts[#parts + 1] = stuffed:sub(at + 1, at + code - 1)
    at = at + code
    if code < 255 and at <= size then parts[#parts + 1] = "\0" end
  end
  return table.concat(parts)
end

-- The first reason why bytes between two zeros are no frame, or nil; and the bytes without their stuffing.
local function judge(stuffed)
  if #stuffed > MAX_ENCODED_SIZE then return "oversize" end
  local content = unstuff(stuffed)
  if content == nil then return "cobs" end
  if #content < HEADER_SIZE + CRC_SIZE then return "short", content end
  local received = u32(content, #content - CRC_SIZE + 1)
  local expected = crc32c(content, #content - CRC_SIZE)
  if received ~= expected then return "crc", content, expected, received end
  if content:byte(HEADER_SIZE) ~= #content - HEADER_SIZE - CRC_SIZE then return "length", content end
  return nil, content, expected, received
end

-- Least and greatest second byte of a character of UTF-8, where its first byte narrows them.
local SECOND = {[0xE0] = {0xA0, 0xBF}, [0xED] = {0x80, 0x9F}, [0xF0] = {0x90, 0xBF}, [0xF4] = {0x80, 0x8F}}

local function utf8_size(first)
  if first < 0x80 then return 1 end
  if first >= 0xC2 and first <= 0xDF then return 2 end
  if first >= 0xE0 and first <= 0xEF then return 3 end
  if first >= 0xF0 and first <= 0xF4 then return 4 end
  return nil
end

local function is_utf8(text)
  local at = 1
  while at <= #text do
    local first = text:byte(at)
    local size = utf8_size(first)
    if size == nil then return false end
    local range = SECOND[first] or {0x80, 0xBF}
    for place = at + 1, at + size - 1 do
      local byte = text:byte(place)
      if byte == nil or byte < range[1] or byte > range[2] then return false end
      range = {0x80, 0xBF}
    end
    at = at + size
  end
  return true
end

-- A text up to its NUL, as Wireshark may show it: where it is no UTF-8, without the bytes that make it none.
local function printable(text)
  text = text:match("^[^%z]*")
  if is_utf8(text) then return text end
  return (text:gsub("[\128-\255]", "?"))
end

-- What `data` completes, in the order of its bytes, after `kept` bytes that came before it: a list of { bytes between
-- two zeros, offset in `data` (below 0: it began before) }. Then what is kept, and whether it is being skipped since
-- it was too long.
local function split(data, kept, skipping)
  local found, start, from = {}, 1 - #kept, 1
  while true do
    local zero = data:find("\0", from, true)
    local piece = data:sub(from, (zero or #data + 1) - 1)
    if skipping then piece = "" else piece = kept .. piece end
    if zero == nil then
      kept = piece
      break
    end
    if #piece > 0 then found[#found + 1] = {piece, start - 1} end
    kept, skipping = "", false
    from, start = zero + 1, zero + 1
  end
  if #kept > MAX_ENCODED_SIZE then
    found[#found + 1] = {kept, start - 1}
    return found, "", true
  end
  return found, kept, skipping
end
