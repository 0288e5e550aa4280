"""The console of a station whose trainee is somebody else's host, at the far end of a real transport.

It has the face of `Controller`: a screen, and acts. Its acts are what the transport brings, so that the same lesson is
executed again to the byte with no host there.

    host_connected     the transport is there: the device has a port
    host_sent          bytes or one publication of that host, which arrive at the device as far as the faults of the
                       wire let them
    host_gone          the transport is gone

Law: nothing here comes from the device's inside, and no clock is read.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from devicectl.campaign.bench import CLIENT, TOPICS
from devicectl.campaign.scenario import MQTT
from devicectl.campaign.world import FaultyWorld
from devicectl.session.context import Identity
from devicectl.session.operators.anesthesia import ZoneState
from devicectl.session.plan import Plan
from devicectl.station.acts import ActError
from devicectl.station.console.commits import Commits
from devicectl.station.console.far_end import ABSENT, FarEnd
from devicectl.station.console.ledger import Ledger
from devicectl.station.console.overheard import Overheard
from devicectl.station.console.screen import Screen, See
from firmware_sim.faults.wire import Piece
from protocols.capture.contents import decode_publication_of
from protocols.capture.packet import TO_DEVICE, CaptureError, Packet
from protocols.language.units import SECOND, Micros
from protocols.link.port import BadFrame, Envelope
from protocols.mqtt.wire import DeviceWire, decode_publication
from protocols.serial.wire import SerialWire

Feed = Callable[[Any], Sequence[Envelope | BadFrame]]
"""Reads one direction: all that a piece completes."""
WORKS_HERE: Final = "somebody else's host works here"
FAREWELL_US: Final = 10 * SECOND
"""Time that a host has after the close to read the rest of the journal and to take leave."""


class ForeignConsole:
    """The console of one lesson on that wire. `far_end` is to be the host of the world in which it begins."""

    foreign: ClassVar[bool] = True
    alive: ClassVar[bool] = True
    led: ClassVar[bool] = True
    stuck: ClassVar[bool] = False
    automatic: ClassVar[bool] = False
    missed: ClassVar[bool] = False
    pulling: ClassVar[bool] = True
    let_go: ClassVar[str] = ""

    def __init__(
        self, screen: Screen, see: See, commits: Commits, plan: Plan, identity: Identity, *, wire: str
    ) -> None:
        self.screen = screen
        self.wire = wire
        self.far_end = FarEnd(self._arrived, self._lost)
        self.out: Callable[[Piece], None] | None = None
        """Takes what arrives at the far end; None where nobody is there, as when a lesson is executed again."""
        self._now = commits.now
        self._overheard = Overheard(screen, see, Ledger(commits, identity), plan, commits.now, self._later)
        self._heard_at = Micros(0)
        self._closed_at: Micros | None = None
        self._open_wires()

    def begin(self, world: FaultyWorld) -> None:
        """Take its place in a world: nobody is connected yet."""
        self._world = world
        world.unplug(ABSENT, ABSENT)

    # --- for views and for who has the transport ---------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """True while there is a host."""
        return self.far_end.transport_up

    @property
    def reachable(self) -> bool:
        """True unless a fault keeps the transport broken, or the lesson has ended."""
        return not (self.ended or self._world.is_cut(but=ABSENT))

    @property
    def ended(self) -> bool:
        """True once the session is closed, and its host has gone or has had its time to."""
        if self._closed_at is None:
            return False
        return not self.screen.linked or self._now() >= self._closed_at + FAREWELL_US

    @property
    def plan(self) -> Plan:
        """The plan of the session: as its host has opened it, and before that the lesson's."""
        return self._overheard.plan

    @property
    def zones(self) -> Mapping[int, ZoneState]:
        """The zones that were numbed."""
        return self._overheard.zones

    @property
    def place(self) -> tuple[int, int] | None:
        """Zone and cell of the hand; None where that is not known."""
        return self._overheard.place

    @property
    def cycles_left(self) -> int:
        """Cycles that the cell still takes."""
        return self._overheard.cycles_left

    @property
    def flagged(self) -> int:
        """Needles that may be clogged, a bit each."""
        return self._overheard.flagged

    @property
    def held(self) -> bool:
        """True while cycle follows cycle."""
        return self._overheard.held

    @property
    def under_way(self) -> str:
        """Act that has no answer yet; "" where there is none."""
        return self._overheard.under_way

    @property
    def core_diameter_um(self) -> int:
        """Diameter of a core."""
        return self._overheard.core_diameter_um

    def why_not(self, act: str) -> str:
        """Say why an act of a person cannot be passed on: none can."""
        return WORKS_HERE

    # --- what happens to it ------------------------------------------------------------------------------------------

    def guard(self, what: Callable[[], object]) -> bool:
        """Do something; True, since no host of ours can end in it."""
        what()
        return True

    def drive(self, on: bool) -> None:
        """Refuse the automatic operator.

        Raises:
            ActError: always.
        """
        raise ActError(f"automatic: {WORKS_HERE}")

    def act(self, name: str, arguments: Mapping[str, object]) -> None:
        """Do what the transport has brought.

        Raises:
            ActError: it is an act of a person, or cannot be now.
        """
        if name == "host_connected":
            self._connect()
        elif name not in _OF_TRANSPORT:
            raise ActError(f"{name}: {WORKS_HERE}")
        elif not self.connected:
            raise ActError(f"{name}: {ABSENT}")
        elif name == "host_gone":
            self._world.unplug(ABSENT, "the host is gone")
        else:
            self._send(self._piece(arguments))

    def _connect(self) -> None:
        if self.connected:
            raise ActError("host_connected: a host is connected already")
        if not self.reachable:
            raise ActError("host_connected: the transport is broken")
        self._open_wires()
        self._world.plug(ABSENT)

    def _send(self, piece: Piece) -> None:
        for one in self._from_host(piece):
            if isinstance(one, Envelope):
                self._overheard.host_said(one)
        self.far_end.outbox.append(piece)
        self._world.refresh()

    def _piece(self, arguments: Mapping[str, object]) -> Piece:
        try:
            data = base64.b64decode(str(arguments["data"]), validate=True)
        except binascii.Error as error:
            raise ActError("host_sent: data must be base64") from error
        if self.wire != MQTT:
            return data
        try:
            return decode_publication_of(Packet(self._now(), 0, TO_DEVICE, data))
        except CaptureError as error:
            raise ActError("host_sent: data must be a publication as a recording has it") from error

    def _arrived(self, piece: Piece) -> None:
        """Take what has arrived at the far end."""
        was_closed = bool(self.screen.ending)
        for one in self._from_device(piece):
            if isinstance(one, Envelope):
                self._hear()
                self._overheard.device_said(one)
        if self.screen.ending and not was_closed:
            self._closed_at = self._now()
        if self.out is not None:
            self.out(piece)

    def _lost(self, reason: str) -> None:
        self._world.unplug(ABSENT, reason)  # also when a fault has broken it: a host has to connect again
        self._overheard.lose(reason)

    # --- silence -----------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        """Take in that the device is there, and look again when its lease would have run out."""
        self._heard_at = heard_at = self._now()

        def look() -> None:
            if self._heard_at == heard_at and self.screen.linked:
                self._overheard.lose(f"nothing was heard for {self._overheard.lease_us / SECOND:g} s", silent=True)

        if self.screen.linked:
            self._later(Micros(heard_at + self._overheard.lease_us), look)

    def _later(self, at: Micros, act: Callable[[], None]) -> None:
        self._world.heap.at(at, act)

    def _open_wires(self) -> None:
        """Begin to read both directions: nothing is half received."""
        if self.wire == MQTT:
            self._from_host: Feed = DeviceWire(TOPICS, CLIENT).feed
            self._from_device: Feed = lambda publication: [decode_publication(publication)]
        else:
            self._from_host, self._from_device = SerialWire().feed, SerialWire().feed


_OF_TRANSPORT: Final = ("host_sent", "host_gone")
