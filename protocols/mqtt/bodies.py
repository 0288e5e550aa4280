"""Messages as JSON: the bodies of MQTT, from the same fields as the bytes of the serial wire.

{"message":"Punch","seq":12,"link_id":1,"correlation_id":12,"payload":{"cycle_no":7,"depth_um":3000,"deadline_ms":0}}

Enumerations are written by name, bytes as hex, journal records as objects with their kind in `record`. A key that is
missing beside `message` and `payload` is 0; an unknown key is ignored, as a longer payload is on the serial wire. A
value that is null is missing: generated code writes null for what it does not set.

Law: a body is bounded before it is parsed; what comes out is a valid message or a `Problem`, never an exception.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import from_json, to_json

from protocols.language import messages as M
from protocols.language.enums import Code, Kind, WireEnum
from protocols.language.errors import MessageError
from protocols.language.fields import Field
from protocols.language.layouts import LAYOUTS
from protocols.language.message import REGISTRY, Message
from protocols.language.records import RECORD_SIZE, RECORDS, decode_record, encode_record, split_records
from protocols.language.structs import Struct
from protocols.language.version import MAJOR
from protocols.link.header import REPLAYED, RETRANSMIT, Header
from protocols.link.port import Envelope, Problem, sentence

MAX_BODY_BYTES: Final = 8192
"""Bytes. The longest lawful body is a journal page: six records of some 350 bytes each."""
_FLAGS: Final = {"RETRANSMIT": RETRANSMIT, "REPLAYED": REPLAYED}
"""Those that JSON carries; that a reply is wanted is said by MQTT's Response Topic."""
_NOT_KNOWN_FLAG: Final = 0x10
"""A must-understand bit: what the sender meant by a flag of another name cannot be passed over."""
WIDE: Final = "Q"
"""The `struct` code of a u64, which JSON has as text."""
MAX_WIDE_DIGITS: Final = 20
RECORD_FIELDS: Final = {(M.JournalPage, "records"), (M.Event, "record")}
"""(message, field) whose bytes are whole journal records: JSON has them as a list of objects."""
_RECORDS_BY_NAME: Final = {model.__name__: model for model in RECORDS.values()}

BY_NAME: Final[Mapping[str, type[Message]]] = {model.__name__: model for model in REGISTRY.values()}
"""A message's name in a body -> its model."""

_Convert = Callable[[Any], object]


# --- to JSON -------------------------------------------------------------------------------------------------------


def encode_body(message: Message, seq: int, link_id: int, correlation_id: int, flags: int = 0) -> bytes:
    """One message with what a frame's header has.

    Raises:
        MessageError: its tail array is too long for one frame.
    """
    _check_tail(message)
    body: dict[str, object] = {"message": message.__class__.__name__, "seq": seq}
    if link_id:
        body["link_id"] = link_id
    if correlation_id:
        body["correlation_id"] = correlation_id
    if shown := [name for name, bit in _FLAGS.items() if flags & bit]:
        body["flags"] = shown
    body["payload"] = payload_of(message)
    return to_json(body)


def payload_of(message: Message) -> dict[str, object]:
    """A message's fields as JSON has them."""
    shown = _shown[message.__class__]
    return {name: shown[name](value) for name, value in message.as_dict().items()}


class _Shown(dict[type[Message], dict[str, _Convert]]):
    """For each model: a field's name -> what makes JSON of its value.

    A u64 is a text: many a reader of JSON makes a double of every number, which is not exact above 2^53.
    """

    def __missing__(self, model: type[Message]) -> dict[str, _Convert]:
        made: dict[str, _Convert] = {}
        for name, field in model.FIELDS.items():
            shown = str if field.wire.code == WIDE else plain
            made[name] = _records_of if (model, name) in RECORD_FIELDS else shown
        self[model] = made
        return made


_shown: Final = _Shown()


def record_of(raw: bytes) -> dict[str, object]:
    """A journal record as JSON has it; one that this version cannot show without loss as its 32 bytes in hex."""
    try:
        record = decode_record(raw)
    except MessageError:
        record = None
    if record is None or encode_record(record) != raw:
        return {"raw": raw.hex()}
    return {"record": record.__class__.__name__, **{name: plain(value) for name, value in record.as_dict().items()}}


def plain(value: object) -> object:
    """A field's value as JSON has it."""
    if isinstance(value, WireEnum):
        return value.name
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def _records_of(raw: bytes) -> list[dict[str, object]]:
    return [record_of(record) for record in split_records(raw)]


def _check_tail(message: Message) -> None:
    """Refuse what no frame holds: an end behind a broker then sees what one behind a serial line sees."""
    found = LAYOUTS[message.__class__]
    if found.tail is not None:
        found.encode(message)


# --- from JSON -----------------------------------------------------------------------------------------------------


def decode_body(raw: bytes, model: type[Message] | None, name: str) -> Envelope:
    """The message in a body: of `model`, or where that is None of the one that the body names.

    `name` says in an error what was looked for. Where there is a problem, the header has what could be read.
    """
    try:
        body, numbers = _read(raw)
    except ValueError as error:
        return _problem(_header(model, 0, 0, 0, 0), str(error))
    said = body.get("message", name)
    if model is None:
        model = BY_NAME.get(said) if isinstance(said, str) else None
    header = _header(model, _flags(body.get("flags", [])), *numbers)
    if model is None:
        return _problem(header, f"message {str(said)[:40]} is not known to this version", Code.E_UNKNOWN_MESSAGE)
    if said not in (name, model.__name__):
        return _problem(header, f"the topic is of {model.__name__}, the body of {str(said)[:40]}")
    try:
        return Envelope(header, _message(model, body.get("payload", {})), None)
    except MessageError as invalid:
        return _problem(header, str(invalid))


def _read(raw: bytes) -> tuple[dict[str, object], list[int]]:
    """A body's object, and its seq, link id and correlation id."""
    check_size(raw)
    try:
        body = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")
    body = _present(body)
    return body, [_number(body.get(key, 0)) for key in ("seq", "link_id", "correlation_id")]


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 0xFFFF:  # True is an int as well
        raise ValueError("seq, link_id and correlation_id are whole numbers from 0 to 65535")
    return value


def _present(given: dict[str, object]) -> dict[str, object]:
    """An object without the keys that are null."""
    return {key: value for key, value in given.items() if value is not None}


def check_size(raw: bytes) -> None:
    """Hold a body against the bound on its size, before it is parsed.

    Raises:
        ValueError: it is too long.
    """
    if len(raw) > MAX_BODY_BYTES:
        raise ValueError(f"a body has at most {MAX_BODY_BYTES} bytes, this one {len(raw)}")


def _header(model: type[Message] | None, flags: int, seq: int, link_id: int, correlation_id: int) -> Header:
    kind, message_id = (Kind.COMMAND, 0) if model is None else (model.KIND, model.ID)
    return Header(MAJOR << 4 | kind, flags, message_id, seq, link_id, correlation_id, 0, 0)


def _problem(header: Header, text: str, code: Code = Code.E_ARGUMENT) -> Envelope:
    return Envelope(header, None, Problem(code, sentence(text)))


def _flags(names: object) -> int:
    if not isinstance(names, list):
        return _NOT_KNOWN_FLAG
    bits = 0
    for name in names:
        bits |= _FLAGS.get(name, _NOT_KNOWN_FLAG) if isinstance(name, str) else _NOT_KNOWN_FLAG
    return bits


def _message(model: type[Message], payload: object) -> Message:
    if not isinstance(payload, dict):
        raise MessageError(model.__name__, None, "the payload is not a JSON object")
    payload, values = _present(payload), {}
    for name, (convert, zero) in _fields[model].items():
        if name in payload:
            try:
                values[name] = convert(payload[name])
            except (ValueError, TypeError) as error:
                raise MessageError(model.__name__, name, str(error)) from error
        elif zero is not None:
            values[name] = zero
    message = model(**values)
    _check_tail(message)
    return message


class _Fields(dict[type[Struct], dict[str, tuple[_Convert, object]]]):
    """For each model: a field's name -> what turns its JSON into a value, and its zero if a later minor added it."""

    def __missing__(self, model: type[Struct]) -> dict[str, tuple[_Convert, object]]:
        made = self[model] = {}
        for name, field in model.FIELDS.items():
            convert = _from_records if (model, name) in RECORD_FIELDS else _converter(field)
            made[name] = (convert, None if field.since == 0 else convert(_zero(field.kind)))
        return made


def _converter(field: Field) -> _Convert:
    kind, wire = field.kind, field.wire
    if issubclass(kind, WireEnum):
        return lambda value: kind.__members__.get(_text(value), kind["UNKNOWN"])
    if kind is bytes:
        return lambda value: bytes.fromhex(_text(value))
    if wire.tail:
        return lambda value: tuple(value) if isinstance(value, list) else value
    if wire.code == WIDE:
        return _wide
    return lambda value: value


_fields: Final = _Fields()
_ZEROS: Final[Mapping[object, object]] = {int: 0, float: 0.0, bool: False, str: "", bytes: "", tuple: []}


def _zero(kind: type) -> object:
    """Return the JSON of what the serial wire makes of a field that did not come."""
    return kind(0).name if issubclass(kind, WireEnum) else _ZEROS[kind]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is needed")
    return value


def _wide(value: object) -> object:
    """The digits of a u64, or as earlier hosts say it: a whole number, whose range the message checks."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdecimal() and len(value) <= MAX_WIDE_DIGITS):
            raise ValueError(f"at most {MAX_WIDE_DIGITS} decimal digits are needed")
        return int(value)
    return value


def _from_records(value: object) -> bytes:
    if not isinstance(value, list):
        raise ValueError("a list of records is needed")
    return b"".join(_record(item) for item in value)


def _record(item: object) -> bytes:
    if not isinstance(item, dict):
        raise ValueError("a record is an object")
    item = _present(item)
    if "raw" in item:
        raw = bytes.fromhex(_text(item["raw"]))
        if len(raw) != RECORD_SIZE:
            raise ValueError(f"a record has {RECORD_SIZE} bytes, this one {len(raw)}")
        return raw
    model = _RECORDS_BY_NAME.get(_text(item.get("record")))
    if model is None:
        raise ValueError(f"record {str(item.get('record'))[:40]} is not known to this version")
    fields = _fields[model]
    values: dict[str, Any] = {name: convert(item[name]) for name, (convert, _) in fields.items() if name in item}
    return encode_record(model(**values))
