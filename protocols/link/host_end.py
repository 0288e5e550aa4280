"""The host's end of a link: it asks for the link, sends commands and repeats them until they are answered.

Law: each command that is handed in ends once, and the owner hears of it: a final `Answered`, or `Abandoned`.
"""

from typing import ClassVar, Final

from protocols.language.enums import ByeReason, Code, Kind, Lane
from protocols.language.errors import LocalError
from protocols.language.message import Message
from protocols.language.messages import (
    Aborted,
    Failed,
    Heartbeat,
    Hello,
    HostHeartbeat,
    Nak,
    Progress,
    Received,
    Refused,
    Welcome,
)
from protocols.language.schema import schema_id
from protocols.language.sides import Side
from protocols.language.units import SECOND, Micros
from protocols.language.version import MAJOR
from protocols.link.exchange import Exchange
from protocols.link.happenings import Abandoned, Answered, Denied, HostHappening, Linked, Told
from protocols.link.header import REPLAYED, REPLY_WANTED, RETRANSMIT, Header, fill
from protocols.link.pace import IDLE_PACE, Pace
from protocols.link.port import Data, Problem, Wire, sentence
from protocols.link.requests import MAX_TRIES, Request, Requests

_REPLY: Final = MAJOR << 4 | Kind.REPLY
_PROGRESS: Final = MAJOR << 4 | Kind.PROGRESS
_LINK: Final = MAJOR << 4 | Kind.LINK
_COMMON_ANSWERS: Final = frozenset((Received, Progress, Refused, Failed, Aborted))
"""May answer any command; a DONE answers only the command whose id it shares."""
_QUERY: Final = Lane.QUERY
_BEAT: Final = HostHeartbeat()


class HostEnd(Exchange[Data, Linked | Denied | Answered | Abandoned]):
    """The end that asks: `hello`, then `submit`.

    How it works: a command becomes a `Request`, which `Requests` keeps until its final answer. For example ARM, of
    which the first frame and the answer's last frame are lost:

        submit(Arm())       -> ARM, correlation 2                        requests: in flight, retry in 200 ms
        advance(200 ms)     -> ARM, correlation 2, RETRANSMIT            retry in 300 ms
        receive(RECEIVED)   => Answered(request, Received, False)        no retry before twice its expected time
        receive(Heartbeat, which says that nothing is running)           so the answer was lost: ask again
                            -> ARM, correlation 2, RETRANSMIT
        receive(ArmDone, REPLAYED)  => Answered(request, ArmDone, True)  requests: empty

    A link is lost when the lease expires, when five tries bring nothing, or when the device says so; `notice` and what
    came meanwhile become part of the reason.
    """

    SIDE: ClassVar[Side] = Side.HOST

    def __init__(self, wire: Wire[Data]) -> None:
        super().__init__(wire)
        self.notice = ""
        """Something that the transport saw, and that may be why no answer comes."""
        self._odd = ""
        """The last frame that answered nothing, in words."""
        self._heard = wire.heard
        self._requests = Requests(self.wire.line)
        self._correlation_id = 0
        self._rest_lease_us = IDLE_PACE.lease_us

    # --- for the owner ---------------------------------------------------------------------------------------

    def hello(self, hello: Hello, now: Micros) -> list[HostHappening]:
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
        if not self._state.link_id:
            raise LocalError(f"{command.__class__.__name__} was submitted without a link")
        request = Request(command)
        if self._requests.has_room(request.lane):
            self._launch(request, now)
        else:
            self.wire.encode(command, 0, 0, 0, 0)  # what cannot be encoded is to fail here, not when its turn comes
            self._requests.queue(request)
        return request

    def begin_listening(self) -> None:
        """Forget what might explain a silence: an answer has come, or nothing was asked."""
        self.notice = self._odd = ""
        if self._heard is not None:
            self._heard.clear()

    def next_deadline(self) -> Micros | None:
        """Return the time at which `advance` has something to do; None while there is no link and nothing is asked."""
        due, wake = self._requests.due, self._state.next_deadline()
        return due if wake is None or (due is not None and due < wake) else wake

    def advance(self, now: Micros) -> list[HostHappening]:
        """Do what is due: expire the lease, send a heartbeat, repeat commands."""
        self._keep_alive(now)
        due = self._requests.due
        if due is not None and now >= due:
            self._retry(self._requests.overdue(now), now)
        return self._drain()

    def explain(self, reason: str) -> str:
        """Return the reason for the loss of a link, with what came since the last answer and was none."""
        why = self.notice or self._odd
        if not why and self._heard is not None:
            why = self._heard.explain()
        return super().explain(f"{reason}: {why}; --trace FILE shows all that comes" if why else reason)

    # --- inside: frames of this link -------------------------------------------------------------------------

    def _take(self, header: Header, message: Message, now: Micros) -> None:
        """Take an answer to a command, or a message that answers none."""
        first = header[0]
        if first != _REPLY and first != _PROGRESS:
            if first == _LINK:
                self._take_link_message(header, message, now)
            else:
                self._happened.append(Told(message))
            return
        requests, correlation_id, model = self._requests, header[5], message.__class__
        request = requests.find(correlation_id)
        if request is None or (message.ID != request.message.ID and model not in _COMMON_ANSWERS):
            if header.flags & REPLAYED:
                requests.replayed(correlation_id)
            asked = "nothing that waits" if request is None else request.name
            self._stray(f"{model.__name__} came with the correlation id {correlation_id} of {asked}")
        elif isinstance(message, (Received, Progress)):
            if request.lane is _QUERY:
                request.unlawful = True
                text = f"{request.name} is a query: it is answered at once, and not by {model.__name__}"
                self._nak(header, Problem(Code.E_ARGUMENT, text), now)
                return
            heartbeat_us, lease_us = self._state.pace.heartbeat_us, self._rest_lease_us
            requests.received(request, header, now, message.expected_ms, heartbeat_us, lease_us)
            self._happened.append(fill(Answered, (request, message, False)))
        else:
            self._end(request, header, message, now)

    def _end(self, request: Request, header: Header, message: Message, now: Micros) -> None:
        """End a request; the command that waited for its place goes out."""
        if self._odd or self.notice or (self._heard is not None and self._heard.size):
            self.begin_listening()
        follower = self._requests.answered(request, header, now)
        self._happened.append(fill(Answered, (request, message, True)))
        if follower is not None:
            self._launch(follower, now)

    def _take_link_message(self, header: Header, message: Message, now: Micros) -> None:
        """Take a message about the link itself."""
        if isinstance(message, Heartbeat):
            self._happened.append(fill(Told, (message,)))
            # A motion that is not running any more has ended, so its last answer was lost.
            self._retry(self._requests.not_running(message.running_correlation_id), now)
        elif isinstance(message, Welcome):
            # The device's answer to a HELLO that was sent twice.
            self._state.statistics.strays += 1
            self._requests.replayed(header.correlation_id)
        elif not self._take_parting(message):
            self._be_refused(header, message, now)

    def _be_refused(self, header: Header, nak: Message, now: Micros) -> None:
        """Take a NAK: as good as a refusal if it is about a command."""
        request = self._requests.find(header.correlation_id)
        if request is not None:
            self._end(request, header, nak, now)
        else:
            self._state.statistics.strays += 1

    # --- inside: frames that are not plainly of this link ----------------------------------------------------

    def _take_of_other_link(self, header: Header, message: Message | None, now: Micros) -> None:
        asking = not self._state.link_id and self._requests.due is not None
        if isinstance(message, Welcome):
            self._be_welcomed(header, message, now)
        elif isinstance(message, Nak):
            request = self._requests.find(header.correlation_id)
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
            self._not_this_link(header, now)

    def _be_welcomed(self, header: Header, welcome: Welcome, now: Micros) -> None:
        """Take the link that a WELCOME grants, if it answers the HELLO that is in flight."""
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
        self.begin_listening()
        self._state.begin(welcome.link_id, now)
        minor = min(welcome.minor, request.message.minor)
        if request.message.schema_id and welcome.schema_id not in (0, ours := schema_id(minor)):
            text = f"schemas differ: host 0x{ours:08x}, device 0x{welcome.schema_id:08x} at minor {minor}"
            self._leave(ByeReason.CLOSING, now)
            self._happened.append(Denied(Code.E_SCHEMA, text))
            return
        self.pace = Pace.of_ms(welcome.heartbeat_idle_ms, welcome.lease_idle_ms)
        self._rest_lease_us = self._state.pace.lease_us
        if self.wire.beats_at_once:
            self._beat(now)
        self._happened.append(Linked(welcome))

    def _nak(self, header: Header, problem: Problem, now: Micros, expected: int = 0, actual: int = 0) -> None:
        self._odd = problem.sentence
        super()._nak(header, problem, now, expected, actual)

    def _stray(self, text: str) -> None:
        """Count a frame that answers nothing that is asked, and keep it in case that no answer comes."""
        self._state.statistics.strays += 1
        self._odd = text

    # --- inside: sending -------------------------------------------------------------------------------------

    def _beat(self, now: Micros) -> None:
        self._send(_BEAT, now)

    def _launch(self, request: Request, now: Micros) -> None:
        """Send a request for the first time."""
        request.correlation_id = self._next_correlation_id()
        self._send(request.message, now, request.correlation_id, REPLY_WANTED)
        request.seq = self._state.seq
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
            self._state.statistics.retries += 1
            flags = REPLY_WANTED | RETRANSMIT
            self._state.post(request.message, now, request.seq, self._state.link_id, request.correlation_id, flags)
            self._requests.retried(request, now)

    def _give_up(self, request: Request, now: Micros) -> None:
        """Leave with a BYE a device that is there and does not end a command: it then makes itself safe at once."""
        self._say_bye(ByeReason.CLOSING, now)
        ago = f"it was received {(now - request.received_at) / SECOND:.1f} s ago"
        self._lose(f"the device took {request.name} and never ended it: {ago}", request.message)

    def _next_correlation_id(self) -> int:
        """Return the next id: never 0, which means unsolicited, nor one that a long motion still has."""
        following = self._correlation_id % 0xFFFF + 1
        while self._requests.find(following) is not None:
            following = following % 0xFFFF + 1
        self._correlation_id = following
        return following

    # --- inside: the link ------------------------------------------------------------------------------------

    def _unlink(self, reason: str) -> None:
        super()._unlink(reason)
        self._happened += [Abandoned(request, reason) for request in self._requests.abandon()]
        self._requests = Requests(self.wire.line)
