
-- --- fields: one for each value, by the tables -------------------------------------------------------------------

local hlp1 = Proto("hlp1", "Handpiece Link Protocol, " .. PROTOCOL .. ", " .. NOTICE)
local all_fields = {}

local function declare(field)
  all_fields[#all_fields + 1] = field
  return field
end

local NUMBERS = {
  u8 = ProtoField.uint8, u16 = ProtoField.uint16, u32 = ProtoField.uint32, u64 = ProtoField.uint64,
  i32 = ProtoField.int32, enum8 = ProtoField.uint8, int = ProtoField.uint32,
}
local SIZES = {
  u8 = 1, u16 = 2, u32 = 4, u64 = 8, i32 = 4, enum8 = 1, bool = 1, f64 = 8, bytes = 1, s16 = 16, s32 = 32, s120 = 120,
}

local function is_text(kind)
  return kind == "text" or kind:match("^s%d+$") ~= nil
end

local function new_field(abbreviation, spec)
  local name, kind = spec[1], spec[2]
  local unit = spec.unit and " " .. spec.unit
  if NUMBERS[kind] then
    if spec.enum then return NUMBERS[kind](abbreviation, name, base.DEC, ENUMS[spec.enum]) end
    if unit then return NUMBERS[kind](abbreviation, name, base.UNIT_STRING, {unit}) end
    return NUMBERS[kind](abbreviation, name, base.DEC)
  end
  if kind == "bool" then return ProtoField.bool(abbreviation, name) end
  if kind == "f64" then return ProtoField.double(abbreviation, name) end
  if kind == "bytes" then return ProtoField.bytes(abbreviation, name) end
  if is_text(kind) then return ProtoField.string(abbreviation, name, base.UNICODE) end
  error(abbreviation .. " has no type of Wireshark's: " .. kind)
end

-- Declare the fields of a struct, each as `spec.field`; the struct's own names of them begin with `prefix`.
local function declare_fields(struct, prefix)
  for _, spec in ipairs(struct.fields) do
    local abbreviation = prefix .. "." .. spec[1]
    if spec.items then
      declare_fields(spec.items, "hlp1." .. spec.items.snake)
    else
      spec.field = declare(new_field(abbreviation, spec))
    end
    if spec.nibbles then
      spec.parts = {}
      for place = 0, 7 do
        local mask = 0xF * 16 ^ place
        local label = "needle " .. place
        spec.parts[place] = declare(ProtoField.uint32(
          abbreviation .. ".needle_" .. place, label, base.DEC, ENUMS[spec.nibbles], mask))
      end
    end
  end
end

for _, message in pairs(MESSAGES) do declare_fields(message, "hlp1." .. message.snake) end
for _, record in pairs(RECORDS) do declare_fields(record, "hlp1.record." .. record.snake) end
for _, snapshot in pairs(SNAPSHOTS) do declare_fields(snapshot, "hlp1." .. snapshot.snake) end

local MESSAGE_NAMES, BY_NAME = {}, {}
for key, message in pairs(MESSAGES) do
  message.key = key
  MESSAGE_NAMES[key] = message.name
  BY_NAME[message.name] = message
end
local RECORD_BY_NAME = {}
for kind, record in pairs(RECORDS) do
  record.kind = kind
  RECORD_BY_NAME[record.name] = record
end

local shown = {
  message = ProtoField.string("hlp1.message", "message"),
  major = ProtoField.uint8("hlp1.major", "major version", base.DEC, nil, 0xF0),
  kind = ProtoField.uint8("hlp1.kind", "kind", base.DEC, ENUMS.kind, 0x0F),
  flags = ProtoField.uint8("hlp1.flags", "flags", base.HEX),
  signed = ProtoField.bool("hlp1.flags.signed", "SIGNED", 8, nil, 0x01),
  reply_wanted = ProtoField.bool("hlp1.flags.reply_wanted", "REPLY_WANTED", 8, nil, 0x02),
  retransmit = ProtoField.bool("hlp1.flags.retransmit", "RETRANSMIT", 8, nil, RETRANSMIT),
  replayed = ProtoField.bool("hlp1.flags.replayed", "REPLAYED", 8, nil, REPLAYED),
  must_understand = ProtoField.uint8("hlp1.flags.must_understand", "must-understand", base.HEX, nil, MUST_UNDERSTAND),
  ignorable = ProtoField.uint8("hlp1.flags.ignorable", "ignorable", base.HEX, nil, 0xC0),
  message_id = ProtoField.uint16("hlp1.message_id", "message id", base.HEX),
  seq = ProtoField.uint16("hlp1.seq", "seq", base.DEC),
  link_id = ProtoField.uint16("hlp1.link_id", "link id", base.DEC),
  correlation_id = ProtoField.uint16("hlp1.correlation_id", "correlation id", base.DEC),
  node = ProtoField.uint8("hlp1.node", "node", base.DEC),
  payload_size = ProtoField.uint8("hlp1.payload_size", "payload size", base.UNIT_STRING, {" B"}),
  payload = ProtoField.bytes("hlp1.payload", "payload"),
  later = ProtoField.bytes("hlp1.later", "fields of a later minor version"),
  crc = ProtoField.uint32("hlp1.crc", "CRC-32C", base.HEX),
  crc_expected = ProtoField.uint32("hlp1.crc.expected", "CRC-32C of these bytes", base.HEX),
  crc_good = ProtoField.bool("hlp1.crc.good", "CRC-32C is right"),
  record = ProtoField.string("hlp1.record", "journal record"),
  record_kind = ProtoField.uint8("hlp1.record.kind", "kind", base.DEC, ENUMS.record_kind),
  record_rest = ProtoField.bytes("hlp1.record.rest", "rest of the record"),
  bad_reason = ProtoField.string("hlp1.bad_frame", "no frame, reason"),
  bad_bytes = ProtoField.bytes("hlp1.bad_frame.bytes", "bytes between two zeros"),
  unfinished = ProtoField.bytes("hlp1.unfinished", "beginning of what is not finished here"),
  request_in = ProtoField.framenum("hlp1.request_in", "request in", base.NONE, frametype.REQUEST),
  received_in = ProtoField.framenum("hlp1.received_in", "RECEIVED in", base.NONE, frametype.ACK),
  response_in = ProtoField.framenum("hlp1.response_in", "response in", base.NONE, frametype.RESPONSE),
  response_time = ProtoField.relative_time("hlp1.response_time", "response time"),
  first_sent_in = ProtoField.framenum("hlp1.first_sent_in", "first sent in", base.NONE, frametype.RETRANS_PREV),
  event = ProtoField.string("hlp1.recorded_event", "event of the recording"),
  json = ProtoField.string("hlp1.json", "JSON", base.UNICODE),
  topic = ProtoField.string("hlp1.topic", "topic", base.UNICODE),
}
for _, field in pairs(shown) do declare(field) end
hlp1.fields = all_fields

local E, W, N, C = expert.severity.ERROR, expert.severity.WARN, expert.severity.NOTE, expert.severity.CHAT
local told = {
  bad_crc = ProtoExpert.new("hlp1.expert.bad_crc", "the checksum is not that of the rest", expert.group.CHECKSUM, E),
  malformed = ProtoExpert.new("hlp1.expert.malformed", "these bytes are no frame", expert.group.MALFORMED, E),
  bad_payload = ProtoExpert.new(
    "hlp1.expert.bad_payload", "the payload does not fit its message", expert.group.MALFORMED, E),
  bad_record = ProtoExpert.new("hlp1.expert.bad_record", "no journal record", expert.group.MALFORMED, W),
  unknown_message = ProtoExpert.new(
    "hlp1.expert.unknown_message", "kind and id name no message of minor " .. MINOR, expert.group.UNDECODED, W),
  other_major = ProtoExpert.new(
    "hlp1.expert.other_major", "another major version than " .. MAJOR, expert.group.PROTOCOL, W),
  must_understand = ProtoExpert.new(
    "hlp1.expert.must_understand", "a flag that must be understood", expert.group.PROTOCOL, W),
  refused = ProtoExpert.new("hlp1.expert.refused", "refused", expert.group.RESPONSE_CODE, N),
  failed = ProtoExpert.new("hlp1.expert.failed", "failed", expert.group.RESPONSE_CODE, W),
  aborted = ProtoExpert.new("hlp1.expert.aborted", "aborted", expert.group.RESPONSE_CODE, W),
  nak = ProtoExpert.new("hlp1.expert.nak", "NAK", expert.group.RESPONSE_CODE, W),
  retransmission = ProtoExpert.new("hlp1.expert.retransmission", "sent before", expert.group.SEQUENCE, N),
  replayed = ProtoExpert.new("hlp1.expert.replayed", "answered before", expert.group.SEQUENCE, N),
  no_request = ProtoExpert.new(
    "hlp1.expert.no_request", "what it answers is not in this capture", expert.group.SEQUENCE, C),
  no_response = ProtoExpert.new("hlp1.expert.no_response", "no answer is in this capture", expert.group.SEQUENCE, N),
}
local experts = {}
for _, one in pairs(told) do experts[#experts + 1] = one end
hlp1.experts = experts

-- Messages that say that something was not done -> what an expert is told of them.
local SAYS_NO = {Refused = told.refused, Failed = told.failed, Aborted = told.aborted, Nak = told.nak}
