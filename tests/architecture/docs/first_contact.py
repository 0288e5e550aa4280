"""The generated parts of docs/first-contact.md: bytes, tables, a trace and a report, each off the code.

The page's prose is written by hand in the page. Between `<!-- made: NAME -->` and `<!-- end -->` stands what the
function of that name in `PARTS` returns. `page` gives the page as it should be; `python -m
tests.architecture.docs.generate_docs` writes it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from firmware_sim.model.parameters import PARAMETERS
from firmware_sim.serve.report.tally import REMEDIES
from firmware_sim.serve.trace import PortTrace
from protocols.language.checksum import crc32c
from protocols.language.enums import WireEnum
from protocols.language.message import Message
from protocols.language.messages import (
    Bye,
    Count,
    Hello,
    JournalAck,
    JournalRead,
    Punch,
    PunchDone,
    Received,
    Refused,
    SessionClose,
    Welcome,
)
from protocols.language.units import Micros
from protocols.link.header import HEADER_SIZE, REPLY_WANTED, Header, kind_name
from protocols.serial.framing import Frame, FrameDecoder, pack_crc, pack_header, stuff
from protocols.serial.payload import decode_message
from protocols.trace import HEADING
from tests.architecture.docs.first_contact_run import Piece, course

PATH: Final = Path(__file__).parents[3] / "docs" / "first-contact.md"

_PART: Final = re.compile(r"(<!-- made: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_IN_HEX: Final = frozenset(("majors", "features", "schema_id", "nonce", "host_id", "journal_epoch", "punctured"))
"""Fields that are bits or names, not amounts."""
_BYTES_WIDTH: Final = 26
_WIRE_BYTES_A_LINE: Final = 32
_RUN_WIDTH: Final = 34
_TRACE_WIDTH: Final = 150
_SHOWN: Final = (Punch, Count, JournalRead, JournalAck, SessionClose)
"""Commands that the page's trace has, with their answers."""


def page() -> str:
    """The whole page: its prose as it stands, its parts as the code makes them.

    Raises:
        KeyError: the page asks for a part that there is not.
    """
    return _PART.sub(lambda found: found[1] + PARTS[found[2]]() + found[3], PATH.read_text(encoding="utf-8"))


# --- frames --------------------------------------------------------------------------------------------------------


def _said(model: type[Message]) -> Piece:
    """The first piece that holds a message of this kind; of PUNCH the one that is carried out."""
    found = [piece for piece in course().pieces if _model(piece) is model]
    return found[-1] if model is Punch else found[0]


def _answers_of(model: type[Message], answer: type[Message]) -> Piece:
    """The answer of a kind to the command that `_said` gives."""
    correlation_id = _frame(_said(model)).header.correlation_id
    return next(
        piece
        for piece in course().pieces
        if _model(piece) is answer and _frame(piece).header.correlation_id == correlation_id
    )


def _frame(piece: Piece) -> Frame:
    (frame,) = FrameDecoder().feed(piece.data)
    assert isinstance(frame, Frame)
    return frame


def _model(piece: Piece) -> type[Message]:
    return type(_message(piece))


def _message(piece: Piece) -> Message:
    message = decode_message(_frame(piece))
    assert message is not None
    return message


def _body(piece: Piece) -> bytes:
    """Header and payload, before checksum and stuffing."""
    frame = _frame(piece)
    return pack_header(*frame.header) + frame.payload


def _dump(piece: Piece, *, whole_header: bool = False) -> str:
    """Every byte of a frame: header, payload, checksum; and then as they stand on the wire."""
    message, body, header = _message(piece), _body(piece), list(_header_rows(piece))
    lines = [_line("at", "bytes", "field", "value")]
    if whole_header:
        lines += [_line(str(at), _hex(raw), name, value) for at, raw, name, value in header]
    else:
        first, flags, message_id, seq, link_id, correlation_id, _, size = (value for _, _, _, value in header)
        named = f"seq {seq}, link {link_id}, correlation {correlation_id}, {size}"
        lines.append(_line("0", _hex(body[:6]), "header", f"{first}; flags {flags}; {message_id}"))
        lines.append(_line("6", _hex(body[6:HEADER_SIZE]), "", named))
    lines += [line for row in _payload_rows(message, body[HEADER_SIZE:]) for line in row]
    crc = crc32c(body)
    lines.append(_line(str(len(body)), _hex(pack_crc(crc)), "CRC-32C", f"0x{crc:08x}"))
    return _fenced([*lines, "", f"on the wire, {len(piece.data)} bytes:", *_wire_lines(piece.data)])


def _line(at: str, raw: str, name: str, value: str) -> str:
    return f"{at:>6}  {raw:{_BYTES_WIDTH}} {name:22} {value}".rstrip()


def _header_rows(piece: Piece) -> Iterator[tuple[int, bytes, str, str]]:
    header, raw = _frame(piece).header, _body(piece)[:HEADER_SIZE]
    name = type(_message(piece)).__name__
    flags = "REPLY_WANTED" if header.flags == REPLY_WANTED else str(header.flags)
    values = (
        f"major {header.major}, kind {header.kind} {kind_name(header.kind)}",
        flags,
        f"0x{header.message_id:04x} {name}",
        *(str(number) for number in (header.seq, header.link_id, header.correlation_id, header.node)),
        f"{header.payload_size} B",
    )
    at = 0
    for label, value, size in zip(Header._fields, values, (1, 1, 2, 2, 2, 2, 1, 1), strict=True):
        yield at, raw[at : at + size], label, value
        at += size


def _payload_rows(message: Message, payload: bytes) -> Iterator[list[str]]:
    at = 0
    for name, field in message.FIELDS.items():
        wire, unit = field.wire, f" {field.unit}" if field.unit else ""
        raw, value = payload[at : at + wire.size], _value(name, getattr(message, name), wire.size) + unit
        place = f"{HEADER_SIZE}+{at}"
        if isinstance(getattr(message, name), str):
            yield list(_text_lines(place, raw, name, value))
        else:
            yield [_line(place, _hex(raw), name, value)]
        at += wire.size


def _text_lines(place: str, raw: bytes, name: str, value: str) -> Iterator[str]:
    """A text, eight bytes a line, and how many NULs fill it up."""
    text = raw.rstrip(b"\0")
    pieces = [_hex(text[start : start + 8]) for start in range(0, len(text), 8)]
    filled = f"and {len(raw) - len(text)} times 00"
    first, *rest = [*pieces, filled]
    yield _line(place, first, name, value)
    for piece in rest:
        yield _line("", piece, "", "")


def _value(name: str, value: Any, size: int) -> str:
    if isinstance(value, WireEnum):
        return f"{value.value} {value.name}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"0x{value:0{2 * size}x}" if name in _IN_HEX else str(value)


def _hex(raw: bytes) -> str:
    return raw.hex(" ")


def _wire_lines(wire: bytes) -> Iterator[str]:
    for start in range(0, len(wire), _WIRE_BYTES_A_LINE):
        yield _hex(wire[start : start + _WIRE_BYTES_A_LINE])


def _fenced(lines: list[str]) -> str:
    return "```text\n" + "".join(f"{line}\n" for line in lines) + "```\n"


# --- checksum and stuffing -----------------------------------------------------------------------------------------


def _checksum() -> str:
    body = _body(_said(Hello))
    sealed = body + pack_crc(crc32c(body))
    rows = [
        ("`123456789`, 9 bytes of ASCII: the check value", f"0x{crc32c(b'123456789'):08X}"),
        ("no byte at all", f"0x{crc32c(b''):08X}"),
        (f"HELLO's header, {HEADER_SIZE} bytes", f"0x{crc32c(body[:HEADER_SIZE]):08X}"),
        (f"HELLO's header and payload, {len(body)} bytes", f"0x{crc32c(body):08X}"),
        (
            f"those and their checksum, {len(sealed)} bytes; it is the same for every good frame",
            f"0x{crc32c(sealed):08X}",
        ),
    ]
    return _table(("CRC-32C over", "is"), rows)


def _stuffing() -> str:
    """How each run up to a zero becomes a code byte and the run."""
    body = _body(_said(Hello))
    *runs, last = (body + pack_crc(crc32c(body))).split(b"\0")
    lines = [_run_line("a run and its zero", "becomes")]
    for run, group in groupby(runs):
        times = len(list(group))
        again = f"  {times} times" if times > 1 else ""
        lines.append(_run_line(f"{_hex(run)} [00]".lstrip() + again, _hex(stuff(run)) + again))
    return _fenced([*lines, _run_line(f"{_hex(last)} [end]", _hex(stuff(last)))])


def _run_line(before: str, after: str) -> str:
    return f"{before:{_RUN_WIDTH}} {after}"


# --- tables, trace, report -----------------------------------------------------------------------------------------


def _leases() -> str:
    names = ("heartbeat_armed_ms", "lease_armed_ms", "heartbeat_idle_ms", "lease_idle_ms")
    found = [parameter for parameter in PARAMETERS if parameter.name in names]
    rows = [
        (
            f"`{row.name}`",
            f"{row.default:,g} {row.unit}",
            f"{row.minimum:,g} to {row.maximum:,g}" + (", or 0: it never ends" if row.zero_is_off else ""),
        )
        for row in found
    ]
    return _table(("parameter", "from the start", "may be"), rows)


def _remedies() -> str:
    return _table(("code", "what to do next"), [(f"`{code.name}`", text) for code, text in REMEDIES.items()])


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _trace() -> str:
    """The refused PUNCH, the next one's way to its count, and how the session ends; long lines are cut."""
    lines: list[str] = []
    shown: list[str] = []
    port = PortTrace("pty", lines.extend, Micros(0), Micros(0))
    skipped = False
    for piece in course().pieces:
        lines.clear()
        port.heard(piece.sender, piece.data, piece.at)
        if _is_shown(piece):
            shown += ["..."] if skipped else []
            shown += [line if len(line) <= _TRACE_WIDTH else line[: _TRACE_WIDTH - 4] + " ..." for line in lines]
        skipped = not _is_shown(piece)
    return _fenced([HEADING, *shown])


def _is_shown(piece: Piece) -> bool:
    correlation_id = _frame(piece).header.correlation_id
    asked = next(
        (_message(one) for one in course().pieces if _frame(one).header.correlation_id == correlation_id), None
    )
    page = isinstance(asked, JournalRead) and asked.first == course().journal_tail
    return (correlation_id != 0 and isinstance(asked, _SHOWN) and not page) or _model(piece) is Bye


def _report() -> str:
    return _fenced(course().report.rstrip("\n").split("\n"))


PARTS: Final[dict[str, Callable[[], str]]] = {
    "checksum": _checksum,
    "hello": lambda: _dump(_said(Hello), whole_header=True),
    "stuffing": _stuffing,
    "welcome": lambda: _dump(_said(Welcome)),
    "punch": lambda: _dump(_said(Punch)),
    "received": lambda: _dump(_answers_of(Punch, Received)),
    "done": lambda: _dump(_answers_of(Punch, PunchDone)),
    "refused": lambda: _dump(_said(Refused)),
    "leases": _leases,
    "remedies": _remedies,
    "trace": _trace,
    "report": _report,
}
"""Name in the page -> what stands there."""
