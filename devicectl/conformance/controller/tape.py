"""The tape of one run: each frame that the command sent or heard, decoded, at its time and on its connection.

Law: it only appends. The times are those at the command's own end of the line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from devicectl.conformance.device.probe import Sent
from devicectl.conformance.device.wires import Item, Piece, size_of
from devicectl.conformance.outcome import Frame
from protocols.language.enums import Kind
from protocols.language.message import Message
from protocols.language.messages import Hello, Welcome
from protocols.language.units import SECOND, Micros
from protocols.link.header import RETRANSMIT, Header, kind_name
from protocols.mqtt.wire import Publication

_M = TypeVar("_M", bound=Message)

MAX_SAID: Final = 100_000
"""Frames of one run that are kept: a command that floods is judged by the first ones."""
MAX_PIECES: Final = 100_000
MAX_PIECE_BYTES: Final = 8 << 20
"""Bytes of them; a whole session has some ten thousand."""
MAX_BAD: Final = 10_000


class Said(NamedTuple):
    """One frame of the command or to it. `put_in` names the tamper whose frame it is, "" for the device's own."""

    at: Micros
    line: int
    by_host: bool
    item: Item
    put_in: str = ""
    publication: Publication | None = None
    """Publication that carried it behind a broker."""

    @property
    def header(self) -> Header:
        """The header; only frames that have one are kept as said."""
        assert self.item.header is not None, "bytes that are no frame are counted, and not said"
        return self.item.header

    @property
    def message(self) -> Message | None:
        """The message, None where the frame holds none."""
        return self.item.message

    @property
    def is_command(self) -> bool:
        """True for a frame of kind COMMAND."""
        return self.header.kind == Kind.COMMAND

    @property
    def again(self) -> bool:
        """True for a frame that says that it was sent before."""
        return bool(self.header.flags & RETRANSMIT)

    @property
    def name(self) -> str:
        """Name of the message, for people."""
        if self.message is not None:
            return type(self.message).__name__
        return f"{kind_name(self.header.kind)} 0x{self.header.message_id:04x}"


class Closed(NamedTuple):
    """End of a connection, and which end has closed it."""

    at: Micros
    line: int
    by_host: bool


@dataclass(slots=True)
class Tape:
    """Frames of one run, in order."""

    said: list[Said] = field(default_factory=list)
    opened: list[Micros] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    bad: list[tuple[Micros, str]] = field(default_factory=list)
    """Bytes of the command that were no frame."""
    put_in: dict[str, Micros] = field(default_factory=dict)
    """Tampers that have acted, each with the first time."""
    pieces: list[Sent] = field(default_factory=list)
    piece_bytes: int = 0
    ended: Micros = Micros(0)
    """Time at which the command had ended, or was ended."""

    def add(self, said: Said) -> None:
        """Append a frame."""
        if len(self.said) < MAX_SAID:
            self.said.append(said)

    def spoilt(self, at: Micros, problem: str) -> None:
        """Append bytes of the command that are no frame."""
        if len(self.bad) < MAX_BAD:
            self.bad.append((at, problem))

    def carried(self, at: Micros, line: int, piece: Piece, *, by_host: bool) -> None:
        """Append a piece, for the recording; one that was Telnet's own words alone has no bytes of the line."""
        if piece and len(self.pieces) < MAX_PIECES and self.piece_bytes < MAX_PIECE_BYTES:
            self.piece_bytes += size_of(piece)
            self.pieces.append(Sent(at, line, by_host, piece))

    def by_host(self, model: type[_M]) -> Iterator[tuple[Said, _M]]:
        """Give what the command said, of one message."""
        for one in self.said:
            if one.by_host and type(one.message) is model:
                yield one, one.message

    def heard(self, model: type[_M]) -> Iterator[tuple[Said, _M]]:
        """Give what the command heard, of one message."""
        for one in self.said:
            if not one.by_host and type(one.message) is model:
                yield one, one.message

    @property
    def commands(self) -> list[Said]:
        """Return the commands that were sent, repetitions among them."""
        return [one for one in self.said if one.by_host and one.is_command]

    @property
    def greeted(self) -> bool:
        """True once the command has said HELLO."""
        return any(True for _ in self.by_host(Hello))

    @property
    def linked(self) -> bool:
        """True once it has heard a WELCOME."""
        return any(True for _ in self.heard(Welcome))

    def frames(self) -> tuple[Frame, ...]:
        """Return the frames as a report shows them."""
        return tuple(Frame(one.at, one.line, _text(one)) for one in self.said)


def _text(one: Said) -> str:
    header = one.header
    arrow = "host   ->" if one.by_host else "device <-"
    marks = " again" if one.again else ""
    put_in = f" [put in: {one.put_in}]" if one.put_in else ""
    problem = f" ({one.item.problem})" if one.item.problem else ""
    ids = f"seq {header.seq} link {header.link_id} correlation {header.correlation_id}"
    said = str(one.message) if one.message is not None else one.name
    return f"{one.at / SECOND:9.4f} s {arrow} {said[:200]} {ids}{marks}{problem}{put_in}"
