"""Diagnosis of bytes that make no link, for the host's error and for the device's report.

    bytes --> FrameDecoder --> BadFrame --> Heard --> cause()

How it works: `Heard` keeps the first few pieces that are no frames. `cause` undoes, one after the other, what lines are
known to do to bytes (a dropped XON, a CR that came as LF, a doubled 0xFF) and looks at the checksum: where that is
right afterwards, it is proven that this was done. What nothing proves is described as what it looks like.

Law: pure. Kept are `MAX_SAMPLES` pieces of a frame's size; the search is made when somebody asks, never as bytes come.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, NamedTuple

from protocols.language.checksum import crc32c
from protocols.link.header import HEADER_SIZE
from protocols.link.port import BadFrame, BadReason
from protocols.serial.crc_mistakes import crc_mistake
from protocols.serial.framing import CRC_SIZE, RESIDUE, DecodeError, Frame, unstuff

MAX_SAMPLES: Final = 6
"""Pieces kept: all tries of a command, and one before."""
MAX_SHOWN: Final = 60
"""Characters of a text: enough to know who wrote it, in an error of one line."""
MIN_TEXT: Final = 4
"""Printable bytes in a row that are no accident."""
MIN_NARROW: Final = 12
"""Bytes that would not all be below 0x80 by chance: a frame's checksum alone is so once in sixteen."""
MIN_ZEROS: Final = 16
"""Zeros alone that say something: a few more of them between frames are lawful, and a break is read as one."""
MAX_TRANSLATED: Final = 8
"""Bytes of one value in a piece of which each may or may not have been translated: 256 ways."""
MAX_DROPPED_TWICE: Final = 110
"""Bytes of a piece that may lack two: 24,000 ways, some 30 ms. WELCOME is shorter."""


class Finding(NamedTuple):
    """A sentence about an end of a link, and the code that stays the same however it is worded."""

    code: str
    sentence: str


@dataclass(slots=True)
class Heard:
    """Bytes from one end that are no frame. `waiting` is what came last, without the zero that would end it."""

    size: int = 0
    """Bytes that came, zeros included, without those in which a frame was whole."""
    bad: Counter[BadReason] = field(default_factory=Counter)
    samples: list[BadFrame] = field(default_factory=list)
    waiting: bytes = b""

    def note(self, data: bytes, found: Sequence[Frame | BadFrame], waiting: bytes) -> None:
        """Take what a decoder `found` in `data`, and what it keeps for the next call."""
        self.waiting = waiting
        bad = [item for item in found if isinstance(item, BadFrame)]
        if len(bad) == len(found):
            self.size += len(data)
        for item in bad:
            self.bad[item.reason] += 1
            if len(self.samples) < MAX_SAMPLES:
                self.samples.append(item)

    def clear(self) -> None:
        """Forget all: what came before explains nothing any more."""
        self.size, self.waiting = 0, b""
        self.bad.clear()
        self.samples.clear()

    def explain(self) -> str:
        """The sentence of `cause`; empty where nothing is known."""
        found = cause(self)
        return found.sentence if found is not None else ""

    def absorb(self, other: "Heard") -> None:
        """Add what was heard on another connection."""
        self.size += other.size
        self.bad.update(other.bad)
        self.samples += other.samples[: MAX_SAMPLES - len(self.samples)]
        self.waiting = self.waiting or other.waiting

    @property
    def pieces(self) -> list[bytes]:
        """Samples, and what waits, in the order in which they came."""
        return [*(bad.raw for bad in self.samples), *filter(None, (self.waiting,))]


# --- what lines do to bytes ----------------------------------------------------------------------------------------

_Undo = Callable[[bytes], Iterator[bytes]]
"""A piece -> what it may have been."""


def _shrunk(twice: bytes, once: bytes) -> _Undo:
    def undo(piece: bytes) -> Iterator[bytes]:
        if twice in piece:
            yield piece.replace(twice, once)

    return undo


def _translated(came: int, was: int) -> _Undo:
    def undo(piece: bytes) -> Iterator[bytes]:
        places = [index for index, byte in enumerate(piece) if byte == came][:MAX_TRANSLATED]
        for count in range(1, len(places) + 1):
            for chosen in combinations(places, count):
                changed = bytearray(piece)
                for index in chosen:
                    changed[index] = was
                yield bytes(changed)

    return undo


def _insertions(piece: bytes, start: int, values: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:
    for index in range(start, len(piece) + 1):
        for value in values:
            yield index + 1, b"%b%c%b" % (piece[:index], value, piece[index:])


def _dropped(*values: int) -> _Undo:
    return lambda piece: (changed for _, changed in _insertions(piece, 0, values))


def _dropped_twice(*values: int) -> _Undo:
    def undo(piece: bytes) -> Iterator[bytes]:
        if len(piece) <= MAX_DROPPED_TWICE:
            for after, once in _insertions(piece, 0, values):
                yield from (twice for _, twice in _insertions(once, after, values))

    return undo


class Change(NamedTuple):
    """Something that a line does to bytes."""

    code: str
    sentence: str
    undo: _Undo
    samples: int = MAX_SAMPLES


_RAW: Final = "a raw line is needed"
_FLOW_CONTROL: Final = (
    "XON or XOFF (0x11, 0x13) was swallowed: the line has software flow control (IXON), switch it off"
)
CHANGES: Final = (
    Change(
        "doubled_ff",
        f"each byte 0xFF came twice, as over Telnet (or with PARMRK set): {_RAW}",
        _shrunk(b"\xff\xff", b"\xff"),
    ),
    Change(
        "lf_as_cr_lf", f"LF came as CR LF: the line translates ends of lines (ONLCR), {_RAW}", _shrunk(b"\r\n", b"\n")
    ),
    Change("cr_as_lf", f"CR came as LF: the line translates ends of lines (ICRNL), {_RAW}", _translated(0x0A, 0x0D)),
    Change("lf_as_cr", f"LF came as CR: the line translates ends of lines (INLCR), {_RAW}", _translated(0x0D, 0x0A)),
    Change("flow_control", _FLOW_CONTROL, _dropped(0x11, 0x13)),
    Change("cr_dropped", f"CR (0x0D) was swallowed: the line drops it (IGNCR), {_RAW}", _dropped(0x0D)),
    Change(
        "signal_byte",
        f"Ctrl-C, Ctrl-Z or Ctrl-\\ (0x03, 0x1A, 0x1C) was swallowed: the line makes signals of it (ISIG), {_RAW}",
        _dropped(0x03, 0x1A, 0x1C),
    ),
    Change("flow_control", _FLOW_CONTROL, _dropped_twice(0x11, 0x13), samples=2),
)
"""In the order in which they are tried: those with few ways first."""


def _changed(heard: Heard) -> Finding | None:
    """The change that, undone, makes a whole frame of a piece: a checksum is not right by accident."""
    for change in CHANGES:
        for bad in heard.samples[: change.samples]:
            if any(_is_whole(piece) for piece in change.undo(bad.raw)):
                return Finding(change.code, change.sentence)
    return None


def _is_whole(piece: bytes) -> bool:
    try:
        body = unstuff(piece)
    except DecodeError:
        return False
    return len(body) >= HEADER_SIZE + CRC_SIZE and crc32c(body) == RESIDUE


# --- what the pieces look like -------------------------------------------------------------------------------------


def _telnet(heard: Heard) -> Finding | None:
    """IAC and WILL, WONT, DO or DONT: what a Telnet server says before anything else."""
    first = next(iter(heard.pieces), b"")
    if first[:1] == b"\xff" and first[1:2] in (b"\xfb", b"\xfc", b"\xfd", b"\xfe"):
        needed = "a raw one, or rfc2217://, is needed"
        text = f"the first bytes are Telnet negotiation: this port speaks Telnet or RFC 2217, and {needed}"
        return Finding("telnet", text)
    return None


def crc_mistakes(heard: Heard) -> str:
    """The known mistakes in checksums, each once."""
    mistakes = [
        crc_mistake(unstuff(bad.raw)[:-CRC_SIZE], bad.crc_received)
        for bad in heard.samples
        if bad.crc_received is not None
    ]
    return ", ".join(dict.fromkeys(filter(None, mistakes)))


def as_text(piece: bytes) -> str:
    """The beginning of a piece, where it is a text, on one line and each line of it once; else empty."""
    whole = piece.decode("utf-8", errors="replace").removesuffix("\ufffd")  # which may be cut in a letter
    lines = whole.splitlines()
    new = (line for index, line in enumerate(lines) if not any(one.startswith(line) for one in lines[:index]))
    text = " ".join(" ".join(new).split())
    if len(text) < MIN_TEXT or not text.isprintable() or "\ufffd" in text:
        return ""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def shown(heard: Heard) -> str:
    """The first bytes that came and are no frame: as text where they are one, else in hexadecimal."""
    first = next(iter(heard.pieces), b"")
    return as_text(first) or f"hex {first[: MAX_SHOWN // 3].hex(' ')}"


def _text(heard: Heard) -> Finding | None:
    texts = [as_text(piece) for piece in heard.pieces]
    frames = any(bad.reason is BadReason.CRC and not as_text(bad.raw) for bad in heard.samples)
    found = next(filter(None, texts), "")
    return Finding("text", f"a text came: {found}") if found and not frames else None


def _seven_bits(heard: Heard) -> Finding | None:
    """Seven bits a byte: with the eighth cut off, or as the parity of the others."""
    came = b"".join(heard.pieces)
    if len(came) < MIN_NARROW:
        return None
    if max(came) < 0x80:
        return Finding("seven_bits", f"{heard.size} bytes came, all below 0x80: is the line set to 7 bits?")
    if not any(byte.bit_count() % 2 for byte in came):
        text = f"{heard.size} bytes came, each with an even number of ones: is the line set to 7 bits and even parity?"
        return Finding("seven_bits", text)
    return None


def _wrong_crc(heard: Heard) -> Finding | None:
    wrong, total = heard.bad[BadReason.CRC], heard.bad.total()
    if not wrong:
        return None
    mistakes = crc_mistakes(heard)
    which = "its CRC is wrong" if total == 1 else "the CRC of each is wrong"
    if wrong < total:
        which = f"the CRC of {wrong} is wrong"
    came = f"{total} {'frame' if total == 1 else 'frames'} came"
    return Finding("bad_crc", f"{came}, {which}{': ' if mistakes else ''}{mistakes}")


def _no_frame(heard: Heard) -> Finding | None:
    if not heard.pieces:
        zeros = f"{heard.size} bytes came, each of them 0: does something hold the line in break?"
        return Finding("zeros", zeros) if heard.size >= MIN_ZEROS else None
    bytes_came = f"{heard.size} {'byte' if heard.size == 1 else 'bytes'} came"
    ask = "are speed and parity right, and does another program read this port too?"
    return Finding("no_frame", f"{bytes_came}, and no frame among them: {ask}")


def line_change(heard: Heard) -> Finding | None:
    """Something between the ends that changes bytes; None where nothing shows it, or something else explains all."""
    proven = _telnet(heard) or _changed(heard)
    return proven if proven or crc_mistakes(heard) or _text(heard) else _seven_bits(heard)


def cause(heard: Heard) -> Finding | None:
    """The likeliest reason for what came to be no frames, the proven ones first; None where nothing came."""
    text = None if crc_mistakes(heard) else _text(heard)
    return line_change(heard) or text or _wrong_crc(heard) or _no_frame(heard)
