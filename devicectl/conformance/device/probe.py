"""The pure end of the probe: what was heard on each channel and when, and what a case yields to its shell.

A case is a generator. It yields an effect and goes on when that is done:

    Until(due)      something came in, or it is `due`, whichever is first
    Open(channel)   a further way to the device, as a further host has it; Close ends it
    Power(off_ms)   the device's power goes and comes back

How it works: `wait` looks through what was heard since the case last looked, and yields `Until` for as long as nothing
fits and the limit is not over. Meanwhile it beats for each link that is to live, so that no case has to.

Law: no clock and no I/O; `now` is set by the shell before each step. Each wait has a limit with a name.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar

from devicectl.conformance.device.wires import Item, Piece, Wire, size_of
from devicectl.conformance.outcome import Difference, Frame, Timing
from protocols.language.enums import Kind
from protocols.language.message import Message
from protocols.language.messages import Nak, Refused
from protocols.language.units import MILLISECOND, Micros
from protocols.link.header import Header
from protocols.trace import Tracer

_T = TypeVar("_T")

MAX_FRAMES: Final = 400
"""Frames of one case that its report shows, the last ones: a device that floods sends any number."""
MAX_NAKS: Final = 100
MAX_REFUSED: Final = 100
MAX_PIECES: Final = 20_000
"""Pieces of one case that are kept for its recording."""
MAX_PIECE_BYTES: Final = 8 << 20
"""Bytes of them: a device that floods brings a quarter of a million in one."""


class Until(NamedTuple):
    """Effect: wait until something comes, or until `due`."""

    due: Micros


class Open(NamedTuple):
    """Effect: open a channel."""

    channel: int


class Close(NamedTuple):
    """Effect: close a channel."""

    channel: int


class Power(NamedTuple):
    """Effect: take the device's power away and give it back."""

    off_ms: int


Effect: TypeAlias = Until | Open | Close | Power
Steps: TypeAlias = Generator[Effect, None, _T]
"""A case, or a part of one."""


class Heard(NamedTuple):
    """Something that came in."""

    at: Micros
    channel: int
    item: Item

    @property
    def header(self) -> Header:
        """Its header, of one that has one."""
        assert self.item.header is not None, "asked of a frame alone"
        return self.item.header

    @property
    def message(self) -> Message | None:
        """Its message, None where it holds none."""
        return self.item.message


class Sent(NamedTuple):
    """A piece on its way over a channel, for a recording."""

    at: Micros
    channel: int
    by_host: bool
    piece: Piece


class BrokenRule(Exception):
    """The device did something that a rule forbids, or left something out."""

    def __init__(self, what: str, expected: str, found: str) -> None:
        self.difference = Difference(what, expected, found)
        super().__init__(f"{what}: expected {expected}, found {found}")


class GoneError(Exception):
    """The channel is closed, or cannot be opened."""


class UnmetError(Exception):
    """The device lacks something that a case turned out to need; names it."""


class Beating(Protocol):
    """A link that wants to live."""

    beats: bool

    def beat(self) -> Micros:
        """Send a heartbeat if one is due; returns the time of the next."""


class Channel:
    """One way to the device."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.link: Beating | None = None
        self.open = True
        self.closed_by = ""
        self.birth_no: int | None = None
        """Number of the birth that was found behind a broker."""
        self.tracer = Tracer()


class Probe:
    """All channels, what was heard on them, and what a case has found so far.

    `slack_ms` is what a measured time may be late by, for the way and for the machine that measures.
    """

    def __init__(self, make_wire: Callable[[int], Wire], slack_ms: float) -> None:
        self.now = Micros(0)
        self.slack_ms = slack_ms
        self.channels: dict[int, Channel] = {}
        self.outbox: list[tuple[int, Piece]] = []
        self.unread: list[Heard] = []
        self.frames: list[Frame] = []
        self.pieces: list[Sent] = []
        self._piece_bytes = 0
        self.timings: list[Timing] = []
        self.differences: list[Difference] = []
        self.refused: list[Refused] = []
        self.watch: Callable[[Heard], None] | None = None
        """Hears everything that comes in, read or not."""
        self._make_wire = make_wire
        self._naks: list[Micros] = []

    # --- for the shell ---------------------------------------------------------------------------------------

    def opened(self, channel: int) -> None:
        """Note that a channel is open."""
        self.channels[channel] = Channel(self._make_wire(channel))

    def closed(self, channel: int, reason: str) -> None:
        """Note that a channel is closed from the other side."""
        one = self.channels.get(channel)
        if one is not None and one.open:
            one.open, one.closed_by, one.link = False, reason, None

    def heard(self, channel: int, piece: Piece) -> None:
        """Take what a channel brought."""
        one = self.channels[channel]
        self._note(channel, one, piece, by_host=False)
        for item in one.wire.feed(piece):
            heard = Heard(self.now, channel, item)
            if isinstance(item.message, Nak):
                self._naks.append(self.now)
                del self._naks[:-MAX_NAKS]
            if isinstance(item.message, Refused):
                self.refused.append(item.message)
                del self.refused[:-MAX_REFUSED]
            if self.watch is not None:
                self.watch(heard)
            self.unread.append(heard)

    # --- for a case ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Forget what an earlier case has found and heard."""
        self.unread.clear()
        self.frames.clear()
        self.pieces.clear()
        self._piece_bytes = 0
        self.timings.clear()
        self.differences.clear()
        self.refused.clear()
        self.watch = None

    def send(self, channel: int, piece: Piece) -> None:
        """Send a piece as it is.

        Raises:
            GoneError: the channel is closed.
        """
        one = self.channels.get(channel)
        if one is None or not one.open:
            raise GoneError(self.why_closed(channel))
        self._note(channel, one, piece, by_host=True)
        self.outbox.append((channel, piece))

    def why_closed(self, channel: int) -> str:
        """Return a sentence about a channel that is closed."""
        one = self.channels.get(channel)
        return (
            f"the way to the device is closed: {one.closed_by}" if one is not None else "no way to the device is open"
        )

    def wait(self, what: str, fits: Callable[[Heard], bool], limit_ms: float, *, channel: int = 0) -> Steps[Heard]:
        """Wait for something that fits; what came before it and does not is passed over.

        Raises:
            BrokenRule: nothing has come within the limit.
            GoneError: the channel is closed.
        """
        found = yield from self.watch_for(fits, limit_ms, channel=channel)
        if found is None:
            raise BrokenRule(what, f"within {limit_ms:g} ms", "nothing of the kind")
        return found

    def watch_for(self, fits: Callable[[Heard], bool], limit_ms: float, *, channel: int = 0) -> Steps[Heard | None]:
        """Wait for something that fits; None where the limit is over first. Channel -1 is any, also none at all.

        Raises:
            GoneError: the channel is closed.
        """
        due = Micros(self.now + round(limit_ms * MILLISECOND))
        while True:
            while self.unread:
                heard = self.unread.pop(0)
                if heard.item.header is not None and fits(heard):
                    return heard
            if self.now >= due:
                return None
            if channel >= 0 and (channel not in self.channels or not self.channels[channel].open):
                raise GoneError(self.why_closed(channel))
            yield Until(self._beat(due))

    def naks_since(self, ms: int) -> int:
        """Count the NAKs of the last `ms` milliseconds."""
        return sum(at > self.now - ms * MILLISECOND for at in self._naks)

    def pause(self, ms: float, *, channel: int = 0) -> Steps[list[Heard]]:
        """Let time pass; returns all that came meanwhile."""
        came: list[Heard] = []

        def keep(heard: Heard) -> bool:
            came.append(heard)
            return False

        yield from self.watch_for(keep, ms, channel=channel)
        return came

    def timing(self, what: str, value_us: int, limit_ms: float) -> None:
        """Note a measured time.

        Raises:
            BrokenRule: it is above its limit and the slack.
        """
        self.timings.append(Timing(what, value_us / MILLISECOND, limit_ms + self.slack_ms))
        if value_us / MILLISECOND > limit_ms + self.slack_ms:
            raise BrokenRule(what, f"at most {limit_ms:g} ms", f"{value_us / MILLISECOND:.1f} ms")

    def noise(self) -> str:
        """Say what came that is no frame; empty where all was."""
        return next(filter(None, (one.wire.explain() for one in self.channels.values())), "")

    # --- inside ----------------------------------------------------------------------------------------------

    def _beat(self, due: Micros) -> Micros:
        """Send the heartbeats that are due; return when to come back."""
        for one in self.channels.values():
            if one.open and one.link is not None and one.link.beats:
                due = min(due, one.link.beat())
        return due

    def _note(self, channel: int, one: Channel, piece: Piece, *, by_host: bool) -> None:
        if len(self.pieces) < MAX_PIECES and self._piece_bytes < MAX_PIECE_BYTES:
            self._piece_bytes += size_of(piece)
            self.pieces.append(Sent(self.now, channel, by_host, piece))
        lines = one.tracer.describe("host" if by_host else "device", piece, self.now)
        self.frames += [Frame(self.now, channel, line) for line in lines]
        del self.frames[:-MAX_FRAMES]


def is_reply(heard: Heard) -> bool:
    """Return True for what answers: a reply, PROGRESS or a message about the link."""
    return heard.header.kind in (Kind.REPLY, Kind.PROGRESS, Kind.LINK)


def names(messages: Sequence[Heard]) -> str:
    """Name what came, for a report."""
    said = [type(one.message).__name__ if one.message is not None else one.item.problem for one in messages]
    return ", ".join(said) or "nothing"
