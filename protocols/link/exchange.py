"""One end of a link, with no I/O and no clock: what to send, what has arrived, when to be woken.

`receive(data, now)` and `advance(now)` return what happened; `outbox` holds what to send, in order; `next_deadline()`
is when `advance` wants to be called. Both ends are this one class: a host asks (`hello`, `submit`), a device answers
(`welcome`, `reply`); heartbeat, lease, retry and never-twice are the same code on both.

Law: it knows links, not procedures. What a command means, and who may give it, is for the device above it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Self, TypeVar

from protocols.language.enums import ByeReason, Code, Kind, Lane, WireEnum
from protocols.language.errors import LocalError
from protocols.language.message import Message
from protocols.language.messages import (
    Aborted,
    Bye,
    Failed,
    Heartbeat,
    Hello,
    Nak,
    Progress,
    Received,
    Refused,
    Welcome,
)
from protocols.language.schema import schema_id
from protocols.language.sides import ONLY_SENT_BY, SENT_BY_EITHER, Side, only_sender
from protocols.language.units import MILLISECOND, SECOND, Micros, from_ms
from protocols.language.version import MAJOR, MINOR
from protocols.link.answers import Answers
from protocols.link.budget import MAX_NAKS_PER_SECOND, Budget
from protocols.link.header import MUST_UNDERSTAND, REPLAYED, REPLY_WANTED, RETRANSMIT, Header, fill
from protocols.link.line import NO_LINE
from protocols.link.port import BadFrame, Problem, Wire, sentence
from protocols.link.requests import MAX_TRIES, Request, Requests

REMEMBERED_OWN: Final = 16
"""NAKs and BYEs of this end that are known again when they come back: a second's NAKs, and some."""
MIN_HEARTBEAT_US: Final = 50 * MILLISECOND
"""However little a peer's WELCOME asks for: a heartbeat of 0 would be sent without end."""

WireIn = TypeVar("WireIn")
WireOut = TypeVar("WireOut")


class Linked(NamedTuple):
    """Host: the device granted the link."""

    welcome: Welcome


class Greeted(NamedTuple):
    """Device: a host asks for a link and may have it. Answer with `welcome`, or with `deny`."""

    hello: Hello
    correlation_id: int
    seq: int


class Denied(NamedTuple):
    """Host: the device grants this host no link, and says why."""

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
    """The link is gone. `Abandoned` follows for each command that was under way or waiting.

    `unended` is the command that the device took and did not end as it must: it is there, and to ask again is no use.
    """

    reason: str
    unended: Message | None = None


class Abandoned(NamedTuple):
    """Host: `request` has no final answer and will not get one."""

    request: Request
    reason: str


Happening = Linked | Greeted | Denied | Commanded | Answered | Told | LinkLost | Abandoned


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
    echoes: int = 0
    """Frames that this end had sent itself, as a line that echoes brings them back."""
    leases_expired: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long an end may be silent, and how long it bears the other's silence. A lease of 0 never expires."""

    heartbeat_us: Micros
    lease_us: Micros

    @classmethod
    def of_ms(cls, heartbeat_ms: int, lease_ms: int) -> Self:
        """From milliseconds, as WELCOME and the parameters have them."""
        return cls(from_ms(heartbeat_ms), from_ms(lease_ms))


IDLE_PACE: Final = Pace(Micros(5 * SECOND), Micros(15 * SECOND))
"""Before WELCOME has said otherwise."""


class Exchange(Generic[WireIn, WireOut]):
    """One end of one link at a time, over one wire.

    `side` is which end this is; `beat` makes its heartbeat. `pace` is set by the owner, who notes in `hurried` which
    one it set. Each command that is handed in has one end that is told: a final `Answered`, or `Abandoned`.
    """

    def __init__(self, wire: Wire[WireIn, WireOut], *, side: Side, beat: Callable[[Micros], Message]) -> None:
        self.outbox: list[WireOut] = []
        self.statistics = Statistics()
        self.link_id = 0
        self.hurried: bool | None = False
        self._wire = wire
        self._side = side
        self._own = ONLY_SENT_BY[side]
        self._maybe_own = self._own | SENT_BY_EITHER
        self._sent_lately: deque[tuple[Message, int, int, int]] = deque(maxlen=REMEMBERED_OWN)
        self._heard = wire.heard
        self._odd = ""
        self.notice = ""
        """Something that the transport saw, and that may be why no answer comes."""
        self._beat = beat
        self._pace = IDLE_PACE
        self._rest_lease_us = IDLE_PACE.lease_us
        self._listens_to = _NOBODY
        self._seq = 0
        self._correlation_id = 0
        self._line = wire.line
        self._requests = Requests(self._line)
        self._answers = Answers()
        self._greeting: tuple[int, Hello, Welcome] | None = None
        self._owes_beat = False
        self._last_sent = Micros(0)
        self._last_heard = Micros(0)
        self._naks = Budget(MAX_NAKS_PER_SECOND)
        self._happened: list[Happening] = []

    # --- what both ends do -----------------------------------------------------------------------------------

    @property
    def linked(self) -> bool:
        """True from WELCOME until the link is lost."""
        return self.link_id != 0

    @property
    def pace(self) -> Pace:
        """How often this end beats, and how long it bears silence."""
        return self._pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._pace = Pace(Micros(max(pace.heartbeat_us, MIN_HEARTBEAT_US)), pace.lease_us)

    def take(self) -> list[WireOut]:
        """What is to be sent now, in order; the outbox is empty afterwards."""
        outbox = self.outbox
        if outbox:
            self.outbox = []
        return outbox

    def tell(self, message: Message, now: Micros) -> None:
        """Send a message that answers nothing: event, telemetry, alarm."""
        self._send(message, now)

    def bye(self, reason: ByeReason, now: Micros) -> list[Happening]:
        """Leave the link in words; returns the end of what had none."""
        self._leave(reason, now)
        return self._drain()

    def drop(self, reason: str = "the transport is gone") -> list[Happening]:
        """Leave the link without a word, as when the transport is gone; returns the end of what had none."""
        self._unlink(reason)
        return self._drain()

    def receive(self, data: WireIn, now: Micros) -> list[Happening]:
        """Take what the wire brought."""
        statistics = self.statistics
        for item in self._wire.feed(data):
            if isinstance(item, BadFrame):
                statistics.bad_frames += 1
                continue
            statistics.frames_received += 1
            header, message, problem = item
            first, flags, message_id, _, link_id, _, _, _ = header
            if (key := first << 16 | message_id) in self._maybe_own and self._is_own(key, header, message):
                statistics.echoes += 1
                continue
            if link_id != self._listens_to or message is None or flags & MUST_UNDERSTAND or first >> 4 != MAJOR:
                self._take_odd(header, message, problem, now)
                continue
            self._last_heard = now
            if first in _ANSWERS:
                self._answer(header, message, now)
            elif first == _COMMAND:
                self._command(header, message, now)
            elif first == _LINK:
                self._told(header, message, now)
            else:
                self._happened.append(Told(message))
        return self._drain()

    def next_deadline(self) -> Micros | None:
        """When `advance` has something to do; None while there is no link and nothing is asked."""
        due = self._requests.due
        if not self.link_id:
            return due
        pace = self._pace
        wake = self._last_sent + pace.heartbeat_us
        if pace.lease_us:
            expiry = self._last_heard + pace.lease_us
            if expiry < wake:
                wake = expiry
        return due if due is not None and due < wake else Micros(wake)

    def advance(self, now: Micros) -> list[Happening]:
        """Do what is due: expire the lease, retry, beat."""
        if self.link_id:
            pace = self._pace
            if pace.lease_us and now >= self._last_heard + pace.lease_us:
                self.statistics.leases_expired += 1
                self._lose(self.explain(f"nothing heard for {pace.lease_us // MILLISECOND} ms"))
                return self._drain()
            if now >= self._last_sent + pace.heartbeat_us:
                self._send(self._beat(now), now)
        due = self._requests.due
        if due is not None and now >= due:
            self._retry(self._requests.overdue(now), now)
        return self._drain()

    def explain(self, reason: str) -> str:
        """Why there is no link, for a host with what has come since the last answer and was none."""
        why = self.notice or self._odd
        if self._side is Side.HOST and not why and self._heard is not None:
            why = self._heard.explain()
        hint = f": {why}; --trace FILE shows all that comes" if why and self._side is Side.HOST else ""
        return f"{reason}{hint}{self._echoing()}"

    def begin_listening(self) -> None:
        """Nothing has to be explained: an answer has come, or nothing was asked."""
        self.notice = self._odd = ""
        if self._heard is not None:
            self._heard.clear()

    # --- the host's half -------------------------------------------------------------------------------------

    def hello(self, hello: Hello, now: Micros) -> list[Happening]:
        """Ask for a link, which ends in `Linked`, `Denied` or `LinkLost`; returns the end of what had none before."""
        self._unlink("the host asks for a new link")
        self._odd = ""
        self._launch(Request(hello), now)
        return self._drain()

    def submit(self, command: Message, now: Micros) -> Request:
        """Send a command, or queue it until its lane has room.

        Raises:
            LocalError: there is no link.
            MessageError: its tail is too long for one frame.
        """
        if not self.link_id:
            raise LocalError(f"{command.__class__.__name__} was submitted without a link")
        request = Request(command)
        if self._requests.has_room(request.lane):
            self._launch(request, now)
        else:
            self._wire.encode(command, 0, 0, 0, 0)  # what cannot be encoded is to fail here, not when its turn comes
            self._requests.queue(request)
        return request

    # --- the device's half -----------------------------------------------------------------------------------

    def welcome(self, welcome: Welcome, greeted: Greeted, now: Micros) -> None:
        """Grant a link; whatever link there was is replaced without a word.

        Raises:
            LocalError: 0 is no link's id.
        """
        if not welcome.link_id:
            raise LocalError("link id 0 stands for no link")
        self._unlink("the link was replaced")
        self._link(welcome.link_id, now)
        self._greeting = (greeted.correlation_id, greeted.hello, welcome)
        self._send(welcome, now, greeted.correlation_id)
        self._owes_beat = self._wire.beats_at_once

    def deny(self, greeted: Greeted, code: Code, text: str, now: Micros) -> None:
        """Grant no link, for a reason of the owner's; whatever link there was stays."""
        self._complain(Problem(code, text), now, greeted.seq, 0, greeted.correlation_id)

    def reply(self, correlation_id: int, message: Message, now: Micros, *, replayed: bool = False) -> None:
        """Answer a command that was `Commanded`. RECEIVED and PROGRESS are not final; anything else is.

        `replayed` tells the host that nothing was done for it: the answer is an older command's outcome.
        """
        held = self._answers.known(correlation_id)
        if held is None or held.final:
            return  # The link on which it was asked is gone, and with it whoever would listen.
        self._send(message, now, correlation_id, REPLAYED if replayed else 0)
        if message.__class__ is Received:
            held.answer = message
        elif message.__class__ is not Progress:
            self._answers.finish(correlation_id, message)

    # --- inside: frames that are not plainly of this link ----------------------------------------------------

    def _take_odd(self, header: Header, message: Message | None, problem: Problem | None, now: Micros) -> None:
        """A frame of no link or another one, or one that cannot be taken as it is."""
        if header.major != MAJOR:
            text = f"this end speaks major {MAJOR}, the frame is of major {header.major}"
            self._nak(header, Problem(Code.E_VERSION, text), now, MAJOR, header.major)
        elif header.flags & MUST_UNDERSTAND:
            self._nak(header, Problem(Code.E_UNSUPPORTED, "a must-understand flag is not known here"), now)
        elif isinstance(message, Hello):
            self._greet(header, message, now)
        elif isinstance(message, Welcome):
            self._be_welcomed(header, message, now)
        elif problem is not None and header.link_id in (0, self._listens_to):
            from_peer = header.link_id and only_sender(header.kind, header.message_id) is not self._side
            if from_peer:
                self._last_heard = now
            if from_peer and header.kind == Kind.COMMAND:
                self._refuse(header, problem, now)
            else:
                self._nak(header, problem, now)
        else:
            self._wrong_link(header, message, now)

    def _be_welcomed(self, header: Header, welcome: Welcome, now: Micros) -> None:
        request = self._requests.find(header.correlation_id)
        if request is None or not isinstance(request.message, Hello) or request.message.nonce != welcome.nonce:
            asked = f", HELLO had {request.message.nonce}" if request and isinstance(request.message, Hello) else ""
            self._stray(f"a WELCOME came with nonce {welcome.nonce}{asked}")
            return
        if not welcome.link_id or welcome.link_id != header.link_id:
            text = f"WELCOME grants link {welcome.link_id} in a frame of link {header.link_id}"
            self._nak(header, Problem(Code.E_ARGUMENT, text), now, welcome.link_id, header.link_id)
            return
        self._requests.answered(request, header, now)
        self._link(welcome.link_id, now)
        minor = min(welcome.minor, MINOR)
        if request.message.schema_id and welcome.schema_id not in (0, ours := schema_id(minor)):
            text = f"schemas differ: host 0x{ours:08x}, device 0x{welcome.schema_id:08x} at minor {minor}"
            self._leave(ByeReason.CLOSING, now)
            self._happened.append(Denied(Code.E_SCHEMA, text))
            return
        self.pace = Pace.of_ms(welcome.heartbeat_idle_ms, welcome.lease_idle_ms)
        self._rest_lease_us = self._pace.lease_us
        if self._wire.beats_at_once:
            self._send(self._beat(now), now)
        self._happened.append(Linked(welcome))

    def _greet(self, header: Header, hello: Hello, now: Micros) -> None:
        known, greeted = self._greeting, Greeted(hello, header.correlation_id, header.seq)
        if known is not None and (known[0], known[1]) == (header.correlation_id, hello):
            self.statistics.replays += 1
            self._send(known[2], now, header.correlation_id, REPLAYED)
        elif not hello.majors >> MAJOR & 1:
            text = f"this device speaks major {MAJOR} only (bits 0x{1 << MAJOR:x}), the host 0x{hello.majors:x}"
            self._nak(header, Problem(Code.E_VERSION, text), now, 1 << MAJOR, hello.majors)
        elif hello.minor <= MINOR and hello.schema_id not in (0, ours := schema_id(hello.minor)):
            # What a newer host has at our minor stands in no HELLO: it compares for itself when WELCOME names ours.
            text = f"schemas differ: device 0x{ours:08x}, host 0x{hello.schema_id:08x} at minor {hello.minor}"
            self._nak(header, Problem(Code.E_SCHEMA, text), now, ours, hello.schema_id)
        elif not hello.host_id:
            text = "host_id 0 stands for no host: choose another number, and keep it"
            self._nak(header, Problem(Code.E_ARGUMENT, text), now, 1, 0)
        elif any(one[:2] == greeted[:2] for one in self._happened):
            self.statistics.replays += 1  # A retry in the same bytes: one WELCOME answers both.
        else:
            self._listens_to = _NOBODY  # What follows in these bytes is of the link that is being replaced.
            self._happened.append(greeted)

    def _wrong_link(self, header: Header, message: Message | None, now: Micros) -> None:
        """A frame of no link, or of another one. It renews nothing."""
        request = self._requests.find(header.correlation_id)
        asking = not self.link_id and self._requests.due is not None
        if isinstance(message, Nak):
            if asking and request is not None and not header.link_id:
                self._requests.answered(request, header, now)
                self._unlink("the device grants no link")
                self._happened.append(Denied(message.code, message.sentence))
            else:
                self._stray(f"a NAK came: {sentence(message.sentence)}")
        elif asking:
            # HELLO is on its way and settles it. A NAK might reach the device after it has granted this very link.
            what = f"message 0x{header.message_id:04x}" if message is None else message.__class__.__name__
            self._stray(f"{what} of link {header.link_id} came, and no WELCOME")
        else:
            text = f"link {header.link_id} is not the link of this end; send HELLO"
            self._nak(header, Problem(Code.E_LINK, text), now, self.link_id, header.link_id)

    # --- inside: frames of this link -------------------------------------------------------------------------

    def _command(self, header: Header, command: Message, now: Micros) -> None:
        correlation_id, answers = header.correlation_id, self._answers
        known = answers.known(correlation_id)
        if known is not None and known.command == command:
            self.statistics.replays += 1
            if known.answer is not None:
                self._send(known.answer, now, correlation_id, REPLAYED)
        elif not correlation_id:
            self._nak(header, Problem(Code.E_ARGUMENT, "a command needs a correlation id"), now)
        elif known is not None or answers.expired(correlation_id, command.LANE):
            text = f"correlation {correlation_id} is used up on this link; a new command needs a newer one"
            self._refuse(header, Problem(Code.E_EXPIRED, text), now)
        elif (name := _unknown_value(command)) is not None:
            text = f"{command.__class__.__name__}.{name} has a value that is not known to this version"
            self._refuse(header, Problem(Code.E_ARGUMENT, text), now)
        else:
            answers.begin(correlation_id, command)
            self._happened.append(fill(Commanded, (correlation_id, command)))

    def _answer(self, header: Header, message: Message, now: Micros) -> None:
        request, model = self._requests.find(header.correlation_id), message.__class__
        if request is None or (message.ID != request.message.ID and model not in _COMMON_ANSWERS):
            if header.flags & REPLAYED:
                self._requests.replayed(header.correlation_id)
            asked = "nothing that waits" if request is None else request.message.__class__.__name__
            self._stray(f"{model.__name__} came with the correlation id {header.correlation_id} of {asked}")
        elif isinstance(message, (Received, Progress)):
            if request.lane is Lane.QUERY:
                request.unlawful = True
                text = f"{request.name} is a query: it is answered at once, and not by {model.__name__}"
                self._nak(header, Problem(Code.E_ARGUMENT, text), now)
                return
            heartbeat_us, lease_us = self._pace.heartbeat_us, self._rest_lease_us
            self._requests.received(request, header, now, message.expected_ms, heartbeat_us, lease_us)
            self._happened.append(fill(Answered, (request, message, False)))
        else:
            self._end(request, header, message, now)

    def _end(self, request: Request, header: Header, message: Message, now: Micros) -> None:
        """The final answer is here; what waited for its place goes out."""
        if self._odd or self.notice or (self._heard is not None and self._heard.size):
            self.begin_listening()
        follower = self._requests.answered(request, header, now)
        self._happened.append(fill(Answered, (request, message, True)))
        if follower is not None:
            self._launch(follower, now)

    def _told(self, header: Header, message: Message, now: Micros) -> None:
        if isinstance(message, Heartbeat):
            self._happened.append(Told(message))
            self._retry(self._requests.not_running(message.running_correlation_id), now)
        elif isinstance(message, Bye):
            self._lose(f"the other end said BYE ({message.reason.name})")
        elif isinstance(message, Nak):
            self._naked(header, message, now)
        elif isinstance(message, Hello):
            self._greet(header, message, now)
        elif isinstance(message, Welcome):
            self.statistics.strays += 1
            self._requests.replayed(header.correlation_id)
        else:
            if self._owes_beat:
                self._owes_beat = False
                self._send(self._beat(now), now)
            self._happened.append(Told(message))

    def _naked(self, header: Header, nak: Nak, now: Micros) -> None:
        """The peer could not take a frame of ours: as good as a refusal if it was a command."""
        request = self._requests.find(header.correlation_id)
        if nak.code is Code.E_LINK:
            self._lose(nak.sentence)
        elif request is not None:
            self._end(request, header, nak, now)
        else:
            self.statistics.strays += 1

    def _stray(self, text: str) -> None:
        """A frame answers nothing that is asked: which one, in case that no answer comes."""
        self.statistics.strays += 1
        self._odd = text

    # --- inside: sending -------------------------------------------------------------------------------------

    def _launch(self, request: Request, now: Micros) -> None:
        """Send a request for the first time."""
        request.correlation_id = self._next_correlation_id()
        self._send(request.message, now, request.correlation_id, REPLY_WANTED)
        request.seq = self._seq
        self._requests.sent(request, now)

    def _retry(self, requests: list[Request], now: Micros) -> None:
        for request in requests:
            if request.over(now):
                self._give_up(request, now)
                return
            if request.tries >= MAX_TRIES:
                text = self.explain(f"no answer to {request.name} after {MAX_TRIES} tries")
                self._lose(text, request.message if request.unlawful else None)
                return
            self.statistics.retries += 1
            flags = REPLY_WANTED | RETRANSMIT
            self._post(request.message, now, request.seq, self.link_id, request.correlation_id, flags)
            self._requests.retried(request, now)

    def _give_up(self, request: Request, now: Micros) -> None:
        """The device is there and does not end the command: leave in words, so that it makes itself safe at once."""
        self._say_bye(ByeReason.CLOSING, now)
        ago = f"it was received {(now - request.received_at) / SECOND:.1f} s ago"
        self._lose(f"the device took {request.name} and never ended it: {ago}", request.message)

    def _refuse(self, header: Header, problem: Problem, now: Micros) -> None:
        refused = Refused(code=problem.code, interlock=0, expected=0, actual=0, sentence=sentence(problem.sentence))
        self._send(refused, now, header.correlation_id)

    def _nak(self, header: Header, problem: Problem, now: Micros, expected: int = 0, actual: int = 0) -> None:
        """Say that a frame could not be taken, on the link that the frame named, so that its sender listens.

        A NAK that cannot be taken is not answered, or two ends that do not understand each other would never stop.
        """
        self._odd = problem.sentence
        if header.kind == Kind.LINK and header.message_id == Nak.ID:
            self.statistics.strays += 1
            return
        self._complain(problem, now, header.seq, header.link_id, header.correlation_id, expected, actual)

    def _complain(
        self,
        problem: Problem,
        now: Micros,
        seq: int,
        link_id: int,
        correlation_id: int,
        expected: int = 0,
        actual: int = 0,
    ) -> None:
        """Send a NAK about the frame with this header, unless there were enough of late."""
        if not self._naks.spend(now):
            return
        self.statistics.naks += 1
        text = sentence(problem.sentence)
        nak = Nak(code=problem.code, seq=seq, expected=expected, actual=actual, sentence=text)
        self._seq = own_seq = self._seq + 1 & 0xFFFF
        self._post(nak, now, own_seq, link_id, correlation_id, 0)
        self._note_sent(nak, own_seq, link_id, correlation_id)

    def _send(self, message: Message, now: Micros, correlation_id: int = 0, flags: int = 0) -> None:
        """Send a new frame on this link."""
        seq = self._seq + 1 & 0xFFFF
        self._put(self._wire.encode(message, seq, self.link_id, correlation_id, flags), now)
        self._seq = seq
        self._last_sent = now

    def _post(self, message: Message, now: Micros, seq: int, link_id: int, correlation_id: int, flags: int) -> None:
        """Send a frame that is an old one again, or of another link, on which the peer of this one hears nothing."""
        self._put(self._wire.encode(message, seq, link_id, correlation_id, flags), now)
        if link_id == self.link_id:
            self._last_sent = now

    def _put(self, data: WireOut, now: Micros) -> None:
        self.outbox.append(data)
        self.statistics.frames_sent += 1
        if self._line is not NO_LINE:
            self._line.sent(len(data), now)  # type: ignore[arg-type]  # a wire with a speed carries bytes

    # --- inside: a line that echoes --------------------------------------------------------------------------

    def _is_own(self, key: int, header: Header, message: Message | None) -> bool:
        """True if this end has sent a frame itself; for what either end may send, only if it is the same to the bit."""
        if key in self._own:
            return message is not None
        return (message, header.seq, header.link_id, header.correlation_id) in self._sent_lately

    def _note_sent(self, message: Message, seq: int, link_id: int, correlation_id: int) -> None:
        """Remember a message that the other end might have sent as well."""
        self._sent_lately.append((message, seq, link_id, correlation_id))

    # --- inside: the link ------------------------------------------------------------------------------------

    def _link(self, link_id: int, now: Micros) -> None:
        self.begin_listening()
        self.link_id = self._listens_to = link_id
        self._last_heard = now

    def _leave(self, reason: ByeReason, now: Micros) -> None:
        if self.link_id:
            self._say_bye(reason, now)
        self._unlink("this end has left the link")

    def _say_bye(self, reason: ByeReason, now: Micros) -> None:
        bye = Bye(reason=reason)
        self._send(bye, now)
        self._note_sent(bye, self._seq, self.link_id, 0)

    def _lose(self, reason: str, unended: Message | None = None) -> None:
        self._happened.append(LinkLost(reason, unended))
        self._unlink(reason)

    def _unlink(self, reason: str) -> None:
        """Forget the link and all that was said on it; what has no answer gets none, because of `reason`."""
        self.link_id = 0
        self._listens_to = _NOBODY
        self._pace = IDLE_PACE
        self.hurried = False
        self._greeting = None
        self._owes_beat = False
        self._answers = Answers()
        self._happened += [Abandoned(request, reason) for request in self._requests.abandon()]
        self._requests = Requests(self._line)

    def _echoing(self) -> str:
        """Words to add to the loss of a link on a line that echoes: it looks alive where nobody is."""
        echoes = self.statistics.echoes
        return f"; the line echoes: {echoes} frames of this end's own came back" if echoes else ""

    def _drain(self) -> list[Happening]:
        happened = self._happened
        if happened:
            self._happened = []
            self._listens_to = self.link_id or _NOBODY
        return happened

    def _next_correlation_id(self) -> int:
        """Rising; never 0, which stands for unsolicited, nor one that a long motion still has."""
        following = self._correlation_id % 0xFFFF + 1
        while self._requests.find(following) is not None:
            following = following % 0xFFFF + 1
        self._correlation_id = following
        return following


_NOBODY: Final = -1
"""No link id of a frame: what an end listens to while it has no link."""
_COMMAND: Final = MAJOR << 4 | Kind.COMMAND
_ANSWERS: Final = (MAJOR << 4 | Kind.REPLY, MAJOR << 4 | Kind.PROGRESS)
_LINK: Final = MAJOR << 4 | Kind.LINK
_COMMON_ANSWERS: Final = frozenset((Received, Progress, Refused, Failed, Aborted))
"""What may answer any command; a DONE answers only the command whose id it shares."""


class _EnumFields(dict[type[Message], tuple[str, ...]]):
    """The fields of each message that are enumerations."""

    def __missing__(self, model: type[Message]) -> tuple[str, ...]:
        kinds = {name: field.annotation for name, field in model.model_fields.items()}
        made = tuple(name for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, WireEnum))
        self[model] = made
        return made


_enum_fields: Final = _EnumFields()


def _unknown_value(command: Message) -> str | None:
    """The field of a command that carries UNKNOWN, if one does. An answer may carry it, an order may not."""
    for name in _enum_fields[command.__class__]:
        if getattr(command, name).name == "UNKNOWN":
            return name
    return None
