"""A wire's bytes as lines of text, for `--trace` of both commands.

Law: it only reads. It never raises on what either end sent, and text that came over the wire is printed with its
control characters escaped, so that a trace cannot write to anybody's terminal but what it says.

    3.204000 s host>device  COMMAND   Punch  seq=12 link=1 correlation=12 [REPLY_WANTED]  cycle_no=7 depth_um=3000 um
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

from protocols.language.enums import WireEnum
from protocols.language.errors import MessageError
from protocols.language.message import REGISTRY, Message
from protocols.language.messages import Event, JournalPage, Welcome
from protocols.language.records import KIND_OFFSET, decode_record, split_records
from protocols.language.sides import only_sender
from protocols.language.structs import Struct
from protocols.language.units import SECOND, Micros
from protocols.language.version import MAJOR
from protocols.link.header import Header, kind_name
from protocols.link.port import BadFrame
from protocols.mqtt.wire import Publication, decode_publication
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_payload
from protocols.text.notice import NOTICE

HEADING: Final = NOTICE
"""The first line of every trace. It is written when the file is opened, so that an empty trace has it too."""

_RECEIVER: Final = {"host": "device", "device": "host"}
_FLAGS: Final = (
    "SIGNED",
    "REPLY_WANTED",
    "RETRANSMIT",
    "REPLAYED",
    "MUST_UNDERSTAND_4",
    "MUST_UNDERSTAND_5",
    "IGNORABLE_6",
    "IGNORABLE_7",
)
_LEASES_OFF: Final = {
    "lease_armed_ms": "THE LEASE IS SWITCHED OFF: a lost link stops nothing",
    "lease_idle_ms": "THE LEASE AT REST IS SWITCHED OFF: a host that is gone keeps its link",
}
"""Field of WELCOME -> what is said of a 0 there."""
ECHO: Final = "THE LINE ECHOES: only the receiver sends this, and heard itself"
_RETAINED: Final = "retained, and so said to somebody else before"
_INDENT: Final = " " * 12
REMEMBERED: Final = 256
"""Payloads whose text is kept: those of heartbeats and receipts come again and again."""
MAX_SHOWN_BYTES: Final = 200
"""Bytes that are shown of a body that is no message: enough to see whose it is."""


class Tracer:
    """Describes both directions of one wire; each has a decoder of its own."""

    def __init__(self) -> None:
        """Start at the beginning of both directions."""
        self._decoders = {sender: FrameDecoder() for sender in _RECEIVER}

    def describe(self, sender: str, data: bytes | Publication, now: Micros) -> list[str]:
        """Return what `data`, sent by "host" or "device", completes: one line a frame, and further lines indented.

        Raises:
            KeyError: there is no such sender.
        """
        if isinstance(data, Publication):
            first, *more = _publication(data, sender)
            return [stamp_of(sender, now) + first, *[_INDENT + line for line in more]]
        items = self._decoders[sender].feed(data)
        if len(items) == 1:
            return self.describe_item(sender, items[0], now)
        return [line for item in items for line in self.describe_item(sender, item, now)]

    def describe_item(self, sender: str, item: Frame | BadFrame, now: Micros) -> list[str]:
        """Return the lines of what a decoder has found; the first has its time and direction.

        Raises:
            KeyError: there is no such sender.
        """
        stamp = stamp_of(sender, now)
        if isinstance(item, BadFrame):
            return [stamp + _bad_frame(item)]
        header, payload = item
        before, after, below = _around(sender, header.major_and_kind, header.flags, header.message_id, payload)
        first = stamp + _line(header, before, after)
        return [first, *[_INDENT + line for line in below]] if below else [first]


def stamp_of(sender: str, now: Micros) -> str:
    """Return time and direction, which a line begins with."""
    seconds, micros = divmod(now, SECOND)
    return f"{seconds:5d}.{micros:06d} s {sender}>{_RECEIVER[sender]}  "


def _bad_frame(bad: BadFrame) -> str:
    reason = bad.reason.value
    if bad.crc_expected is not None and bad.crc_received is not None:
        reason += f" (expected 0x{bad.crc_expected:08x}, received 0x{bad.crc_received:08x})"
    return f"BAD FRAME {reason}  hex {bad.raw.hex()}"


def _line(header: Header, before: str, after: str) -> str:
    """Return a message's line: what differs in each frame, between what is the same in frames that say the same."""
    return f"{before}  seq={header.seq} link={header.link_id} correlation={header.correlation_id}{after}"


@lru_cache(maxsize=REMEMBERED)
def _around(sender: str, first: int, flags: int, message_id: int, payload: bytes) -> tuple[str, str, Sequence[str]]:
    """Return what is before and after a frame's numbers, and further lines."""
    name, content, more = _payload(sender, first & 0x0F, message_id, payload)
    return *_parts(first, flags, name, content), more


def _parts(first: int, flags: int, name: str, content: str) -> tuple[str, str]:
    """Return what is before and after the numbers; `first` is the header's first byte."""
    return f"{_heading(first >> 4, first & 0x0F)} {name}", f"{_flags(flags)}  {content}" if content else _flags(flags)


def _payload(sender: str, kind: int, message_id: int, payload: bytes) -> tuple[str, str, Sequence[str]]:
    """Return a message's name, its fields and further lines."""
    model = REGISTRY.get((kind, message_id))
    if model is None:
        return f"UNKNOWN 0x{message_id:04x}", f"hex {payload.hex()}", ()
    try:
        message = decode_payload(model, payload)
    except MessageError as error:
        return error.message, f"BAD PAYLOAD {_quoted(str(error))}  hex {payload.hex()}", ()
    return model.__name__, _fields(message), _more(message, sender)


def _publication(publication: Publication, sender: str) -> Sequence[str]:
    """Lines as of a frame; below them where it went, and why nothing came of it. No command may be retained: marked."""
    header, message, problem = decode_publication(publication)
    below = [f"topic {_quoted(publication.topic)}{' RETAINED' if publication.retain else ''}"]
    if ignored := publication.ignored or (_RETAINED if sender == "device" and publication.retain else ""):
        below.append(f"IGNORED: {ignored}")
    if message is not None:
        parts = _parts(header.major_and_kind, header.flags, type(message).__name__, _fields(message))
        return [_line(header, *parts), *_more(message, sender), *below]
    text = problem.sentence if problem is not None else ""
    body = publication.body[:MAX_SHOWN_BYTES].decode(errors="replace")
    parts = _parts(header.major_and_kind, header.flags, "BAD BODY", f"{_quoted(text)}  {_quoted(body)}")
    return [_line(header, *parts), *below]


def _more(message: Message, sender: str) -> Sequence[str]:
    more = [ECHO] if _is_echo(message.KIND, message.ID, sender) else []
    if isinstance(message, JournalPage):
        more += _records(message.records)
    elif isinstance(message, Event):
        more += _records(message.record)
    elif isinstance(message, Welcome):
        more += [text for name, text in _LEASES_OFF.items() if getattr(message, name) == 0]
    return more


@cache
def _is_echo(kind: int, message_id: int, sender: str) -> bool:
    return only_sender(kind, message_id) not in (None, sender)


@lru_cache(maxsize=REMEMBERED)
def _heading(major: int, kind: int) -> str:
    return f"{'' if major == MAJOR else f'MAJOR {major} '}{kind_name(kind):9}"


@lru_cache(maxsize=REMEMBERED)
def _flags(flags: int) -> str:
    names = " ".join(flag for bit, flag in enumerate(_FLAGS) if flags >> bit & 1)
    return f" [{names}]" if names else ""


def _fields(message: Struct, *leave_out: str) -> str:
    """Return `name=value unit` of each field, in order."""
    template, in_words = _template(type(message), leave_out)
    values = message.as_dict()
    for name in in_words:
        values[name] = _value(values[name])
    return template % values


@cache
def _template(model: type[Struct], leave_out: tuple[str, ...]) -> tuple[str, Sequence[str]]:
    """Return what a message's values are filled in to, and the names of those that are not shown as they are."""
    fields = {name: field for name, field in model.FIELDS.items() if name not in leave_out}
    cells = []
    for name, field in fields.items():
        unit = f" {field.unit}".replace("%", "%%") if field.unit else ""
        cells.append(f"{name}=%({name})s{unit}")
    return " ".join(cells), [name for name, field in fields.items() if field.kind not in (int, bool)]


def _value(value: object) -> object:
    """Return a value as it is shown."""
    if isinstance(value, WireEnum):
        return value.name
    if isinstance(value, bytes):
        return value.hex() or "-"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    """Text between quotes, with whatever is not printable escaped."""
    return repr(text)


def _records(raw: bytes) -> list[str]:
    """One line a journal record."""
    return [_record(record) for record in split_records(raw)]


def _record(raw: bytes) -> str:
    try:
        record = decode_record(raw)
    except MessageError as error:
        return f"BAD RECORD {_quoted(str(error))}  hex {raw.hex()}"
    if record is None:
        return f"record UNKNOWN {raw[KIND_OFFSET]}  hex {raw.hex()}"
    return f"record {record.event_no} {type(record).__name__}  {_fields(record, 'event_no')}"
