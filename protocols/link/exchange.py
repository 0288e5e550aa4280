"""The part of an exchange that both ends share: frames in and out, heartbeat, lease, NAK, and the end of a link.

Law: no I/O and no clock. It knows links, not procedures: the owner decides what a command means and who may give it.

    owner   hello, submit | welcome, reply       happenings
              |                                      ^
    end     host_end.HostEnd (asks)    device_end.DeviceEnd (answers)
              |                                      |
    base    _send -> outbox     receive -> _take, _take_odd     advance -> heartbeat, lease
              |                                      |
    wire    encode                                  feed
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Final, Generic, TypeVar

from protocols.language.enums import ByeReason, Code, Kind
from protocols.language.message import Message
from protocols.language.messages import Bye, Nak
from protocols.language.sides import Side, only_sender
from protocols.language.units import MILLISECOND, Micros
from protocols.language.version import MAJOR
from protocols.link.budget import MAX_NAKS_PER_SECOND, Budget
from protocols.link.echoes import Echoes
from protocols.link.happenings import LinkLost, Told
from protocols.link.header import MUST_UNDERSTAND, Header
from protocols.link.link_state import NOBODY, LinkState
from protocols.link.pace import Pace
from protocols.link.port import BadFrame, Data, Problem, Wire, sentence
from protocols.link.statistics import Statistics

OwnHappening = TypeVar("OwnHappening")
"""Happenings of one kind of end only, beside `Told` and `LinkLost`."""


class Exchange(ABC, Generic[Data, OwnHappening]):
    """One end of one link at a time, over one wire.

    How it works: the owner hands in what came and the time, and reads three things afterwards: the happenings that the
    call returned, `outbox` with the frames to send, and `next_deadline()`, the time at which to call `advance`. For
    example, a host's owner with a link whose heartbeat is 200 ms and whose lease is 600 ms:

        exchange.submit(Arm(), now)        -> one frame in the outbox; next_deadline() is its first retry
        exchange.receive(data, now)        -> [Answered(request, ArmDone(...), final=True)]
        exchange.advance(now + 200 ms)     -> a heartbeat in the outbox, since nothing else was sent for so long
        exchange.advance(now + 600 ms)     -> [LinkLost("nothing heard for 600 ms")], unless a frame came meanwhile

    Every frame of this link renews the lease. A frame that is not plainly of this link goes through `_take_odd`, which
    renews nothing unless the peer must have sent it. Happenings gather in `_happened` until the call returns them, so
    that an owner never acts in the middle of a piece of bytes.
    """

    SIDE: ClassVar[Side]

    def __init__(self, wire: Wire[Data]) -> None:
        self._state = LinkState(wire)
        self._send = self._state.send
        self.take = self._state.take
        """Empties the outbox; returns what it held, in order."""
        self.outbox: Final = self._state.outbox
        """Frames to send, in order; the same list for good."""
        self.wire: Final = wire
        self._echoes = Echoes(self.SIDE)
        self._suspects = self._echoes.suspects
        self._naks = Budget(MAX_NAKS_PER_SECOND)
        self._happened: list[OwnHappening | Told | LinkLost] = []

    # --- for the owner ---------------------------------------------------------------------------------------

    @property
    def statistics(self) -> Statistics:
        """Counts of this end, for reports."""
        return self._state.statistics

    @property
    def link_id(self) -> int:
        """Number of the link, 0 without one."""
        return self._state.link_id

    @property
    def linked(self) -> bool:
        """True from WELCOME until the link is lost."""
        return self._state.link_id != 0

    @property
    def pace(self) -> Pace:
        """Heartbeat and lease of this link; `IDLE_PACE` again once it is lost."""
        return self._state.pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._state.pace = pace.bounded()

    def tell(self, message: Message, now: Micros) -> None:
        """Send a message that answers nothing: event, telemetry, alarm."""
        self._send(message, now)

    def bye(self, reason: ByeReason, now: Micros) -> list[OwnHappening | Told | LinkLost]:
        """Leave the link with a BYE; returns the end of each command that had none."""
        self._leave(reason, now)
        return self._drain()

    def drop(self, reason: str = "the transport is gone") -> list[OwnHappening | Told | LinkLost]:
        """Leave the link without a frame, as when the transport is gone; returns what `bye` returns."""
        self._unlink(reason)
        return self._drain()

    def receive(self, data: Data, now: Micros) -> list[OwnHappening | Told | LinkLost]:
        """Take what the wire brought."""
        state = self._state
        statistics = state.statistics
        for item in self.wire.feed(data):
            if isinstance(item, BadFrame):
                statistics.bad_frames += 1
                continue
            statistics.frames_received += 1
            header, message, problem = item
            first, flags, message_id, _, link_id, _, _, _ = header
            # Echoes first: one on this link would pass for a frame of the peer, and renew the lease of a dead link.
            if (key := first << 16 | message_id) in self._suspects and self._echoes.is_own(key, header, message):
                statistics.echoes += 1
            elif link_id != state.listens_to or message is None or flags & MUST_UNDERSTAND or first >> 4 != MAJOR:
                self._take_odd(header, message, problem, now)
            else:
                state.last_heard = now
                self._take(header, message, now)
        return self._drain()

    def next_deadline(self) -> Micros | None:
        """Return the time at which `advance` has something to do; None while there is nothing to wait for."""
        return self._state.next_deadline()

    def advance(self, now: Micros) -> list[OwnHappening | Told | LinkLost]:
        """Do what is due: end the link if its lease has expired, else send a heartbeat."""
        self._keep_alive(now)
        return self._drain()

    def explain(self, reason: str) -> str:
        """Return the reason for the loss of a link, with what may be behind it."""
        echoes = self.statistics.echoes
        # A line that echoes looks alive where nobody is.
        return f"{reason}; the line echoes: {echoes} frames of this end's own came back" if echoes else reason

    # --- for the two ends to fill in -------------------------------------------------------------------------

    @abstractmethod
    def _take(self, header: Header, message: Message, now: Micros) -> None:
        """Take a sound message of this link."""

    @abstractmethod
    def _take_of_other_link(self, header: Header, message: Message | None, now: Micros) -> None:
        """Take a frame of no link or another one; it renews nothing."""

    @abstractmethod
    def _beat(self, now: Micros) -> None:
        """Send this end's heartbeat."""

    # --- inside: frames that are not plainly of this link ----------------------------------------------------

    def _take_odd(self, header: Header, message: Message | None, problem: Problem | None, now: Micros) -> None:
        """Take a frame of no link or another one, or one that cannot be taken as it is."""
        # The major comes first: of another one, nothing below can be believed.
        if header.major != MAJOR:
            text = f"this end speaks major {MAJOR}, the frame is of major {header.major}"
            self._nak(header, Problem(Code.E_VERSION, text), now, MAJOR, header.major)
        elif header.flags & MUST_UNDERSTAND:
            self._nak(header, Problem(Code.E_UNSUPPORTED, "a must-understand flag is not known here"), now)
        elif problem is not None and header.link_id in (0, self._state.listens_to):
            # An echo of what this end cannot read itself must not keep a dead link alive, nor what a broker has kept.
            if header.link_id and problem.of_now and only_sender(header.kind, header.message_id) is not self.SIDE:
                self._state.last_heard = now
            self._take_unreadable(header, problem, now)
        else:
            self._take_of_other_link(header, message, now)

    def _take_unreadable(self, header: Header, problem: Problem, now: Micros) -> None:
        """Answer a frame of this link, or of none, whose message cannot be read."""
        self._nak(header, problem, now)

    def _take_parting(self, message: Message) -> bool:
        """Lose the link if the other end has left it, or does not know it; True if so."""
        if isinstance(message, Bye):
            self._lose(f"the other end said BYE ({message.reason.name})")
        elif isinstance(message, Nak) and message.code is Code.E_LINK:
            self._lose(message.sentence)
        else:
            return False
        return True

    def _not_this_link(self, header: Header, now: Micros) -> None:
        """Say that a frame's link is not this one, so that its sender asks for a new one."""
        text = f"link {header.link_id} is not the link of this end; send HELLO"
        self._nak(header, Problem(Code.E_LINK, text), now, self.link_id, header.link_id)

    # --- inside: sending -------------------------------------------------------------------------------------

    def _nak(self, header: Header, problem: Problem, now: Micros, expected: int = 0, actual: int = 0) -> None:
        """Say that a frame could not be taken, on the link that the frame named, so that its sender listens."""
        if header.kind == Kind.LINK and header.message_id == Nak.ID:
            self.statistics.strays += 1  # Two ends that do not understand each other would never stop.
        else:
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
        """Send a NAK about the frame with this header, unless a second's share of them is used up."""
        if not self._naks.spend(now):
            return  # A line that makes up frames would fill the wire with answers to nobody.
        self.statistics.naks += 1
        text = sentence(problem.sentence)
        nak = Nak(code=problem.code, seq=seq, expected=expected, actual=actual, sentence=text)
        state = self._state
        state.seq = own_seq = state.seq + 1 & 0xFFFF
        # Not `send`: its link id is that of the frame it is about, or its sender would not take it.
        state.post(nak, now, own_seq, link_id, correlation_id, 0)
        self._echoes.note(nak, own_seq, link_id, correlation_id)

    # --- inside: the link ------------------------------------------------------------------------------------

    def _keep_alive(self, now: Micros) -> None:
        state = self._state
        if state.link_id:
            pace = state.pace
            # The lease comes first: a heartbeat on a link that is lost would keep the other end from finding out.
            if pace.lease_us and now >= state.last_heard + pace.lease_us:
                state.statistics.leases_expired += 1
                self._lose(self.explain(f"nothing heard for {pace.lease_us // MILLISECOND} ms"))
            elif now >= state.last_sent + pace.heartbeat_us:
                self._beat(now)

    def _leave(self, reason: ByeReason, now: Micros) -> None:
        if self._state.link_id:
            self._say_bye(reason, now)
        self._unlink("this end has left the link")

    def _say_bye(self, reason: ByeReason, now: Micros) -> None:
        bye = Bye(reason=reason)
        self._send(bye, now)
        self._echoes.note(bye, self._state.seq, self._state.link_id, 0)

    def _lose(self, reason: str, unended: Message | None = None) -> None:
        # In this order: the owner hears of the loss before it hears which commands have no answer because of it.
        self._happened.append(LinkLost(reason, unended))
        self._unlink(reason)

    def _unlink(self, reason: str) -> None:
        """Forget the link and all that was said on it; what has no answer gets none, because of `reason`."""
        self._state.end()

    def _drain(self) -> list[OwnHappening | Told | LinkLost]:
        happened = self._happened
        if happened:
            self._happened = []
            # What followed a loss or a HELLO in the same bytes was passed over; from here on this end listens again.
            self._state.listens_to = self._state.link_id or NOBODY
        return happened
