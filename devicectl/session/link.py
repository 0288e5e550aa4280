"""The host's end of the link as procedures see it: made by HELLO, kept while the transport lasts.

Law: no I/O. A shell says `connected` and `disconnected`, feeds bytes and drains the outbox.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, assert_never

from devicectl.errors import LinkDeniedError, LinkError, LinkForbiddenError, LinkLostError, UnendedError
from devicectl.session.procedures import Procedure, Procedures, Result, Task, Until
from protocols.language.enums import ByeReason, Role
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.message import Command, Message
from protocols.language.messages import Arm, Hello, Welcome
from protocols.language.schema import schema_id
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.language.version import MAJOR, MINOR
from protocols.link.happenings import Abandoned, Answered, Denied, HostHappening, Linked, LinkLost, Told
from protocols.link.host_end import HostEnd
from protocols.link.pace import Pace
from protocols.link.port import AnyWire
from protocols.link.requests import Request

Tap = Callable[[str, Any, Micros], None]
"""Hears everything that the link carries, as it is sent or received: whose it is, "host" or "device"; the bytes, or the
MQTT publication; the time."""

CONNECT_TIMEOUT_US: Final = 10 * SECOND
"""Time for a transport to come (back): a USB adapter that is plugged in again needs a few seconds."""
UNANSWERED_US: Final = SECOND
"""A transport that stood for so long, and brought no answer to HELLO before it went, would bring none again: a broker's
client breaks off after 1.9 s and says why. One that goes sooner is a port that closes as it is opened."""


HEADWAY_US: Final = Micros(1_500 * MILLISECOND)
"""Time after which a program that was asked to end leaves a device that has ended no command."""
ENDING_US: Final = Micros(10 * SECOND)
"""A device that does end its commands has this long. On a slow line a session is closed within three seconds."""


class HostLink:
    """One host's link and the procedures that run on it. `welcome` is the last one; `now` the time of the last call.

    `headway_at` is when a command was last ended by the device, or a link granted.

    `on_told(message)` gets messages that answer nothing; `on_lost(reason)` is called when a link is lost, before any
    procedure is.

    One piece from the transport may hold several answers and the end of the link after them. The answers are given out
    in order, and a procedure that continues by one may find the link gone already: the rest of the piece is taken in
    first, so that no procedure acts upon a loss before it was told of it.
    """

    def __init__(
        self,
        *,
        host_id: int,
        role: Role,
        draw_nonce: Callable[[], int],
        on_told: Callable[[Message], None],
        on_lost: Callable[[str], None],
        wire: AnyWire,
    ) -> None:
        self.exchange: HostEnd[Any] = HostEnd(wire)
        self.procedures = Procedures(self._submit)
        self.welcome: Welcome | None = None
        self.now = Micros(0)
        self.transport_up = False
        self._host_id = host_id
        self._role = role
        self._draw_nonce = draw_nonce
        self._on_told = on_told
        self._on_lost = on_lost
        self._greeting = False
        """HELLO is under way: how it ends goes to `_outcome`, and to nobody else."""
        self._outcome: Linked | Denied | LinkLost | None = None
        self._hurried: bool | None = False
        """The pace of this link is that of an armed device; None while ARM is under way."""
        self._forbidden = self._gone = ""
        self._greeted_at = self._welcomed_at = self.headway_at = self._booted_at = Micros(0)
        self._happenings: deque[HostHappening] = deque()

    # --- the sans-IO face ------------------------------------------------------------------------------------

    def connected(self, now: Micros, boot_us: Micros = Micros(0)) -> None:
        """Note that the transport is open. Opening it may have made the device boot, which takes up to `boot_us`."""
        self.now = now
        self.transport_up = True
        self._booted_at = Micros(now + boot_us)
        self.procedures.poll(now)

    def noticed(self, what: str) -> None:
        """Keep what is wrong with the transport: it may be the reason for a silence."""
        self.exchange.notice = what

    def disconnected(self, reason: str, now: Micros, *, final: bool = False) -> None:
        """Note that the transport is gone, and any link with it; `final` if another one would go as well."""
        self.now = now
        self.transport_up = False
        self._forbidden = reason if final else ""
        reason = reason if final else self.exchange.explain(reason)
        self._gone = f": {reason}"
        linked = self.exchange.linked
        self._happenings.extend(self.exchange.drop(reason))
        self.exchange.take()
        if linked or self._greeting:
            self._lost(LinkLost(reason), LinkForbiddenError if final else LinkLostError)
        self._catch_up()
        self.procedures.poll(now)

    def receive(self, data: object, now: Micros) -> None:
        """Take what the transport brought."""
        self.now = now
        happened = self.exchange.receive(data, now)
        if len(happened) == 1 and not self._happenings:
            self._take_in(happened[0])  # most frames are a piece of their own: nothing of it is left to take in
        else:
            self._happenings.extend(happened)
            self._catch_up()
        self.procedures.poll(now)

    def leave(self, reason: ByeReason, now: Micros) -> None:
        """Send BYE. A procedure that still waits for an answer hears that none will come."""
        self.now = now
        self._happenings.extend(self.exchange.bye(reason, now))
        self._catch_up()

    def advance(self, now: Micros) -> None:
        """Do what is due."""
        self.now = now
        self._happenings.extend(self.exchange.advance(now))
        self._catch_up()
        self.procedures.poll(now)

    def next_deadline(self) -> Micros | None:
        """Time at which `advance` has something to do."""
        link, procedure = self.exchange.next_deadline(), self.procedures.next_deadline()
        if link is None or procedure is None:
            return procedure if link is None else link
        return min(link, procedure)

    def start(self, procedure: Procedure[Result], now: Micros) -> Task[Result]:
        """Begin a procedure at `now`, so that its first command is not dated back to the last event."""
        self.now = now
        return self.procedures.start(procedure, now)

    def patience_ends(self, since: Micros) -> Micros:
        """Time until which the program waits for the device, once it was asked at `since` to end."""
        return Micros(min(max(since, self.headway_at) + HEADWAY_US, since + ENDING_US))

    # --- for procedures --------------------------------------------------------------------------------------

    def make(self) -> Procedure[Welcome]:
        """Wait for the transport, say HELLO and wait for WELCOME; again where the transport goes meanwhile.

        An existing link is given up for the new one: commands that wait for an answer on it are lost.

        Raises:
            LinkDeniedError: the device cannot speak with this host.
            LinkForbiddenError: what carries the link keeps this host out.
            LinkError: no transport that lasts, or nothing answers.
        """
        self.exchange.begin_listening()
        limit, why = Micros(self.now + CONNECT_TIMEOUT_US), ""
        self._forbidden = ""
        while True:
            yield Until(limit, lambda: self.transport_up or bool(self._forbidden))
            self._check_allowed()
            if not self.transport_up or (why and self.now >= limit):
                raise LinkError(f"no connection within {CONNECT_TIMEOUT_US // SECOND} s{why or self._gone}")
            outcome = yield from self._greet()
            self._check_allowed()
            if isinstance(outcome, Linked):
                return outcome.welcome
            if isinstance(outcome, Denied):
                raise LinkDeniedError(outcome.code, outcome.sentence)
            unanswered = self.transport_up or self.now >= self._greeted_at + UNANSWERED_US
            if unanswered and self.now >= self._booted_at:
                raise LinkError(f"the device does not answer: {outcome.reason}")
            why = f": {outcome.reason}"

    def _greet(self) -> Procedure[Linked | Denied | LinkLost]:
        """Send HELLO and return how it ended."""
        self._catch_up()
        hello = Hello(
            majors=1 << MAJOR,
            minor=MINOR,
            role=self._role,
            features=0,
            schema_id=schema_id(MINOR),
            host_id=self._host_id,
            max_payload_size=MAX_PAYLOAD_SIZE,
            nonce=self._draw_nonce(),
        )
        self._begin_greeting()
        try:
            self._happenings.extend(self.exchange.hello(hello, self.now))
            self._catch_up()
            yield lambda: self._outcome is not None
        finally:
            self._greeting = False
        assert self._outcome is not None
        return self._outcome

    def _begin_greeting(self) -> None:
        # Apart: a compiled generator would take the None for what is there after its `yield` as well.
        self._greeting, self._outcome, self._greeted_at = True, None, self.now

    def _check_allowed(self) -> None:
        if self._forbidden:
            raise LinkForbiddenError(self._forbidden)

    def hurry(self, armed: bool | None) -> None:
        """Keep the short lease while the device is armed, the long one otherwise.

        None while ARM is under way: this end beats as for an armed device, and bears silence as of one that is not,
        since the device may not have heard of it yet. Its answer makes it True.
        """
        welcome = self.welcome
        if self._hurried is armed or welcome is None or not self.exchange.linked:
            return
        self._hurried = armed
        heartbeat_ms = welcome.heartbeat_idle_ms if armed is False else welcome.heartbeat_armed_ms
        lease_ms = welcome.lease_armed_ms if armed else welcome.lease_idle_ms
        self.exchange.pace = Pace.of_ms(heartbeat_ms, lease_ms)

    def device_uptime_ms(self) -> int:
        """The device's uptime now, as far as WELCOME and this host's clock tell; modulo 2**32."""
        return self._uptime_ms(self._welcomed_at)

    def latest_uptime_ms(self) -> int:
        """The most that the device's uptime may be now: WELCOME was said at some time after HELLO."""
        return self._uptime_ms(self._greeted_at)

    def _uptime_ms(self, since: Micros) -> int:
        base = 0 if self.welcome is None else self.welcome.uptime_ms
        return base + (self.now - since) // MILLISECOND & 0xFFFF_FFFF

    # --- inside ----------------------------------------------------------------------------------------------

    def _submit(self, command: Command[Message]) -> Request:
        if not self.exchange.linked:
            self._catch_up()
            raise LinkLostError(f"there is no link to send {command.__class__.__name__} on")
        return self.exchange.submit(command, self.now)

    def _catch_up(self) -> None:
        """Take in what has happened and was not taken in yet."""
        while self._happenings:
            self._take_in(self._happenings.popleft())

    def _take_in(self, happening: HostHappening) -> None:
        match happening:
            case Answered():
                if self._hurried is None and happening.request.message.__class__ is Arm:
                    self.hurry(True)
                if happening.final:
                    self.headway_at = now = self.now
                    self.procedures.answered(happening.request, happening.message, now)
            case Told():
                self._on_told(happening.message)
            case Linked(welcome):
                self.welcome, self._welcomed_at, self._outcome = welcome, self.now, happening
                self.headway_at = self.now
                self._hurried = False
            case LinkLost():
                self._lost(happening)
            case Denied():
                self._outcome = happening
            case Abandoned(request, reason):
                self.procedures.abandoned(request, reason, self.now)
            case _:
                assert_never(happening)

    def _lost(self, loss: LinkLost, kind: Callable[[str], LinkError] = LinkLostError) -> None:
        """Tell every procedure that waits for an answer that the link, or the HELLO that asked for one, is lost."""
        if self._greeting:
            self._outcome = loss
        else:
            self._on_lost(loss.reason)
        kind = kind if loss.unended is None else partial(UnendedError, loss.unended)
        self.procedures.link_lost(loss.reason, self.now, kind)
