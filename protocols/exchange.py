"""One end of a link, with no I/O and no clock: what to send, what has arrived, when to be woken.

`receive(data, now)` and `advance(now)` return what happened; `outbox` holds what to send, in order; `next_deadline()`
is when `advance` wants to be called. Both ends are this one class: a host asks (`hello`, `submit`), a device answers
(`welcome`, `reply`); heartbeat, lease, retry and never-twice are the same code on both.

Law: it knows links, not procedures. What a command means, and who may give it, is for the device above it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from protocols.answers import Answers
from protocols.enums import ByeReason, Code, Kind
from protocols.errors import LocalError
from protocols.framing import MAJOR, MUST_UNDERSTAND, REPLAYED, REPLY_WANTED, RETRANSMIT, BadFrame, Header
from protocols.message import Message
from protocols.messages import Bye, Heartbeat, Hello, Nak, Progress, Received, Refused, Welcome
from protocols.requests import MOST_TRIES, Request, Requests
from protocols.serial_wire import Envelope, Problem, Wire, sentence
from protocols.units import MILLISECOND, SECOND, Micros
from protocols.wire import schema_id

MINOR: Final = 0
"""The newest minor that this version speaks."""
MOST_NAKS_PER_SECOND: Final = 10
"""A peer that sends rubbish must not be answered with a storm."""

WireIn = TypeVar("WireIn")
WireOut = TypeVar("WireOut")


class Linked(NamedTuple):
    """Host: the device granted the link."""

    welcome: Welcome


class Greeted(NamedTuple):
    """Device: a host asks for a link and may have it. Answer with `welcome`."""

    hello: Hello
    correlation_id: int


class Denied(NamedTuple):
    """Host: the device cannot speak with this host."""

    code: Code
    sentence: str


class Commanded(NamedTuple):
    """Device: a command to carry out, once. Answer with `reply`."""

    correlation_id: int
    command: Message


class Answered(NamedTuple):
    """Host: an answer to `request`. It is the last one when `final`."""

    request: Request
    message: Message
    final: bool


class Told(NamedTuple):
    """A message that answers nothing: heartbeat, alarm, event, telemetry."""

    message: Message


class LinkLost(NamedTuple):
    """The link is gone; `abandoned` commands have no answer and will not get one."""

    reason: str
    abandoned: list[Request]


Happening = Linked | Greeted | Denied | Commanded | Answered | Told | LinkLost


@dataclass(slots=True)
class Statistics:
    """What one end has seen since it was made; for reports, never for decisions."""

    frames_sent: int = 0
    frames_received: int = 0
    bad_frames: int = 0
    retries: int = 0
    replays: int = 0
    naks: int = 0
    strays: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long an end may be silent, and how long it bears the other's silence. A lease of 0 never expires."""

    heartbeat_us: Micros
    lease_us: Micros


IDLE_PACE: Final = Pace(Micros(5 * SECOND), Micros(15 * SECOND))
"""Before WELCOME has said otherwise."""


class Exchange(Generic[WireIn, WireOut]):
    """One end of one link at a time, over one wire.

    `beat` makes the heartbeat of this end. `pace` is set by the owner, who notes in `hurried` which one it set.
    """

    def __init__(self, wire: Wire[WireIn, WireOut], *, beat: Callable[[Micros], Message]) -> None:
        self.outbox: list[WireOut] = []
        self.statistics = Statistics()
        self.link_id = 0
        self.pace = IDLE_PACE
        self.hurried = False
        self._wire = wire
        self._beat = beat
        self._seq = 0
        self._correlation_id = 0
        self._requests = Requests()
        self._answers = Answers()
        self._greeting: tuple[int, Hello, Welcome] | None = None
        self._last_sent = Micros(0)
        self._last_heard = Micros(0)
        self._nak_second = -1
        self._naks = 0
        self._happened: list[Happening] = []

    # --- what both ends do -----------------------------------------------------------------------------------

    @property
    def linked(self) -> bool:
        """True from WELCOME until the link is lost."""
        return self.link_id != 0

    def take(self) -> list[WireOut]:
        """What is to be sent now, in order; the outbox is empty afterwards."""
        outbox = self.outbox
        if outbox:
            self.outbox = []
        return outbox

    def tell(self, message: Message, now: Micros) -> None:
        """Send a message that answers nothing: event, telemetry, alarm."""
        self._send(message, now)

    def bye(self, reason: ByeReason, now: Micros) -> None:
        """Leave the link in words. What was in flight is forgotten."""
        if self.linked:
            self._send(Bye(reason=reason), now)
            self._unlink()

    def drop(self) -> list[Request]:
        """Leave the link without a word, as when the transport is gone; returns what had no answer."""
        return self._unlink()

    def receive(self, data: WireIn, now: Micros) -> list[Happening]:
        """Take what the wire brought."""
        for item in self._wire.feed(data):
            if item.__class__ is BadFrame:
                self.statistics.bad_frames += 1
            else:
                self.statistics.frames_received += 1
                self._take_in(item, now)  # type: ignore[arg-type]
        return self._drain()

    def next_deadline(self) -> Micros | None:
        """When `advance` has something to do; None while there is no link and nothing is asked."""
        deadline = self._requests.due
        if not self.link_id:
            return deadline
        pace = self.pace
        wake = self._last_sent + pace.heartbeat_us
        if pace.lease_us:
            wake = min(wake, self._last_heard + pace.lease_us)
        return Micros(wake if deadline is None else min(wake, deadline))

    def advance(self, now: Micros) -> list[Happening]:
        """Do what is due: expire the lease, retry, beat."""
        if self.link_id:
            pace = self.pace
            if pace.lease_us and now >= self._last_heard + pace.lease_us:
                self._lose(f"nothing heard for {pace.lease_us // MILLISECOND} ms")
                return self._drain()
            if now >= self._last_sent + pace.heartbeat_us:
                self._send(self._beat(now), now)
        self._retry(now)
        return self._drain()

    # --- the host's half -------------------------------------------------------------------------------------

    def hello(self, hello: Hello, now: Micros) -> None:
        """Ask for a link. Ends in `Linked`, `Denied` or `LinkLost`."""
        self._unlink()
        self._requests.submit(hello)
        self._flush(now)

    def submit(self, command: Message, now: Micros) -> Request:
        """Send a command, or queue it until its lane has room.

        Raises:
            LocalError: there is no link.
        """
        if not self.link_id:
            raise LocalError(f"{command.__class__.__name__} was submitted without a link")
        request = self._requests.submit(command)
        self._flush(now)
        return request

    # --- the device's half -----------------------------------------------------------------------------------

    def welcome(self, welcome: Welcome, greeted: Greeted, now: Micros) -> None:
        """Grant a link; whatever link there was is replaced without a word."""
        self._unlink()
        self.link_id = welcome.link_id
        self._greeting = (greeted.correlation_id, greeted.hello, welcome)
        self._last_heard = now
        self._send(welcome, now, correlation_id=greeted.correlation_id)

    def reply(self, correlation_id: int, message: Message, now: Micros, *, replayed: bool = False) -> None:
        """Answer a command that was `Commanded`. RECEIVED and PROGRESS are not final; anything else is.

        `replayed` tells the host that nothing was done for it: the answer is an older command's outcome.
        """
        if not self._answers.running(correlation_id):
            return  # The link on which it was asked is gone, and with it whoever would listen.
        if isinstance(message, Received):
            self._answers.progress(correlation_id, message)
        elif not isinstance(message, Progress):
            self._answers.finish(correlation_id, message)
        self._send(message, now, correlation_id=correlation_id, flags=REPLAYED if replayed else 0)

    # --- inside ----------------------------------------------------------------------------------------------

    def _take_in(self, envelope: Envelope, now: Micros) -> None:
        header, message, problem = envelope
        if header.major_and_kind >> 4 != MAJOR:
            self._nak(header, Problem(Code.E_VERSION, "this major version is not spoken here"), now, MAJOR, header.major)
        elif header.flags & MUST_UNDERSTAND:
            self._nak(header, Problem(Code.E_UNSUPPORTED, "a must-understand flag is not known here"), now)
        elif message.__class__ in _LINK_SETUP:
            self._set_up(header, message, now)
        elif header.link_id != self.link_id or not self.link_id:
            self._wrong_link(header, message, now)
        else:
            self._last_heard = now
            if header.kind == Kind.COMMAND:
                self._command(header, message, problem, now)
            elif problem is not None:
                self._nak(header, problem, now)
            elif header.correlation_id and header.kind != Kind.LINK:
                self._answer(header, message, now)  # type: ignore[arg-type]
            else:
                self._told(header, message, now)  # type: ignore[arg-type]

    def _set_up(self, header: Header, message: Message | None, now: Micros) -> None:
        if isinstance(message, Hello):
            self._greet(header, message, now)
        elif isinstance(message, Welcome):
            self._be_welcomed(header, message, now)

    def _be_welcomed(self, header: Header, welcome: Welcome, now: Micros) -> None:
        request = self._requests.find(header.correlation_id)
        if request is None or not isinstance(request.message, Hello) or request.message.nonce != welcome.nonce:
            self.statistics.strays += 1
            return
        self._requests.answered(request, now, final=True)
        self.link_id = header.link_id
        self._last_heard = now
        self.pace = Pace(Micros(welcome.heartbeat_idle_ms * MILLISECOND), Micros(welcome.lease_idle_ms * MILLISECOND))
        self._happened.append(Linked(welcome))

    def _greet(self, header: Header, hello: Hello, now: Micros) -> None:
        known = self._greeting
        if known is not None and self.link_id and (known[0], known[1]) == (header.correlation_id, hello):
            self.statistics.replays += 1
            self._send(known[2], now, correlation_id=known[0], flags=REPLAYED)
        elif not hello.majors >> MAJOR & 1:
            self._nak(header, Problem(Code.E_VERSION, f"this device speaks major {MAJOR} only"), now, 1 << MAJOR, hello.majors)
        elif hello.schema_id not in (0, ours := schema_id(min(hello.minor, MINOR))):
            text = f"schemas differ: device 0x{ours:08x}, host 0x{hello.schema_id:08x} at minor {min(hello.minor, MINOR)}"
            self._nak(header, Problem(Code.E_SCHEMA, text), now, ours, hello.schema_id)
        else:
            self._happened.append(Greeted(hello, header.correlation_id))

    def _wrong_link(self, header: Header, message: Message | None, now: Micros) -> None:
        """A frame of no link, or of another one. It renews nothing."""
        request = self._requests.find(header.correlation_id)
        if isinstance(message, Nak) and request is not None and isinstance(request.message, Hello):
            self._unlink()
            self._happened.append(Denied(message.code, message.sentence))
        elif header.kind in (Kind.COMMAND, Kind.LINK) and not isinstance(message, Nak):
            text = f"link {header.link_id} is not the link of this end; send HELLO"
            self._nak(header, Problem(Code.E_LINK, text), now, self.link_id, header.link_id)
        else:
            self.statistics.strays += 1

    def _command(self, header: Header, command: Message | None, problem: Problem | None, now: Micros) -> None:
        correlation_id = header.correlation_id
        known = self._answers.known(correlation_id)
        if problem is not None or not correlation_id:
            self._refuse(header, problem or Problem(Code.E_ARGUMENT, "a command needs a correlation id"), now)
        elif known is not None and known.command == command:
            self.statistics.replays += 1
            if known.answer is not None:
                self._send(known.answer, now, correlation_id=correlation_id, flags=REPLAYED)
        elif known is not None or self._answers.expired(correlation_id, command.LANE):  # type: ignore[union-attr]
            text = f"correlation {correlation_id} is used up on this link; a new command needs a newer one"
            self._refuse(header, Problem(Code.E_EXPIRED, text), now)
        else:
            self._answers.begin(correlation_id, command)  # type: ignore[arg-type]
            self._happened.append(Commanded(correlation_id, command))  # type: ignore[arg-type]

    def _answer(self, header: Header, message: Message, now: Micros) -> None:
        request = self._requests.find(header.correlation_id)
        if request is None:
            self.statistics.strays += 1
            return
        final = not isinstance(message, (Received, Progress))
        self._requests.answered(request, now, final=final)
        self._happened.append(Answered(request, message, final))
        if final:
            self._flush(now)

    def _told(self, header: Header, message: Message, now: Micros) -> None:
        if isinstance(message, Bye):
            self._lose(f"the other end said BYE ({message.reason.name})")
            return
        if isinstance(message, Nak):
            self._naked(header, message, now)
            return
        if isinstance(message, Heartbeat):
            for request in self._requests.not_running(message.running_correlation_id):
                request.due = now
            self._retry(now)
        self._happened.append(Told(message))

    def _naked(self, header: Header, nak: Nak, now: Micros) -> None:
        """The peer could not take a frame of ours: as good as a refusal if it was a command."""
        if nak.code is Code.E_LINK:
            self._lose(nak.sentence)
        elif (request := self._requests.find(header.correlation_id)) is not None:
            self._requests.answered(request, now, final=True)
            self._happened.append(Answered(request, nak, True))
            self._flush(now)

    def _flush(self, now: Micros) -> None:
        for request in self._requests.sendable():
            request.correlation_id = self._next_correlation_id()
            request.seq = self._next_seq()
            self._transmit(request, now)
            self._requests.sent(request, now)

    def _transmit(self, request: Request, now: Micros, flags: int = REPLY_WANTED) -> None:
        self.statistics.frames_sent += 1
        self._last_sent = now
        self.outbox.append(
            self._wire.encode(request.message, request.seq, self.link_id, request.correlation_id, flags)
        )

    def _retry(self, now: Micros) -> None:
        for request in self._requests.overdue(now):
            if request.tries >= MOST_TRIES:
                self._lose(f"no answer to {request.message.__class__.__name__} after {MOST_TRIES} tries")
                return
            self.statistics.retries += 1
            self._transmit(request, now, REPLY_WANTED | RETRANSMIT)
            self._requests.sent(request, now)

    def _refuse(self, header: Header, problem: Problem, now: Micros) -> None:
        refused = Refused(code=problem.code, interlock=0, expected=0, actual=0, sentence=sentence(problem.sentence))
        self._send(refused, now, correlation_id=header.correlation_id)

    def _nak(self, header: Header, problem: Problem, now: Micros, expected: int = 0, actual: int = 0) -> None:
        """Say that a frame could not be taken, on the link that the frame named, so that its sender listens."""
        second = now // SECOND
        if second != self._nak_second:
            self._nak_second, self._naks = second, 0
        if self._naks >= MOST_NAKS_PER_SECOND:
            return
        self._naks += 1
        self.statistics.naks += 1
        text = sentence(problem.sentence)
        nak = Nak(code=problem.code, seq=header.seq, expected=expected, actual=actual, sentence=text)
        self._send(nak, now, correlation_id=header.correlation_id, link_id=header.link_id)

    def _send(
        self, message: Message, now: Micros, *, correlation_id: int = 0, flags: int = 0, link_id: int | None = None
    ) -> None:
        self.statistics.frames_sent += 1
        self._last_sent = now
        link_id = self.link_id if link_id is None else link_id
        self.outbox.append(self._wire.encode(message, self._next_seq(), link_id, correlation_id, flags))

    def _lose(self, reason: str) -> None:
        self._happened.append(LinkLost(reason, self._unlink()))

    def _unlink(self) -> list[Request]:
        """Forget the link and all that was said on it; returns what had no answer."""
        self.link_id = 0
        self.pace = IDLE_PACE
        self.hurried = False
        self._greeting = None
        self._answers = Answers()
        abandoned = self._requests.abandon()
        self._requests = Requests()
        return abandoned

    def _drain(self) -> list[Happening]:
        happened = self._happened
        if happened:
            self._happened = []
        return happened

    def _next_seq(self) -> int:
        self._seq = self._seq + 1 & 0xFFFF
        return self._seq

    def _next_correlation_id(self) -> int:
        """Rising, and never 0, which stands for unsolicited."""
        self._correlation_id = self._correlation_id % 0xFFFF + 1
        return self._correlation_id


_LINK_SETUP: Final = (Hello, Welcome)
