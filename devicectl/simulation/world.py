"""A host, a device and the wire between them, on one heap.

The wire is a delay: nothing, or a `Line`'s. `cut` and `mute` break it for tests and scenarios, each direction by
itself.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from devicectl.session.engine import Entry
from devicectl.session.link import Tap
from devicectl.simulation.heap import Actor, Heap
from firmware_sim.device import Device
from protocols.language.enums import ByeReason
from protocols.language.units import SECOND, Micros
from protocols.link.port import AnyWire
from protocols.serial.line import BITS_PER_BYTE
from protocols.serial.wire import SerialWire

if TYPE_CHECKING:
    from protocols.mqtt.wire import Publication


class Outlet(Protocol):
    """Outbox of a host: all that it has to say, until that is carried."""

    @property
    def outbox(self) -> "Sequence[bytes | Publication]":
        """Pieces that wait."""

    def take(self) -> "Sequence[bytes | Publication]":
        """Return the pieces that wait, which then wait no more."""

    def bye(self, reason: ByeReason, now: Micros) -> object:
        """Take leave of the device."""

    def drop(self) -> object:
        """Forget the link."""


class HostLink(Protocol):
    """The host's end of the wire."""

    @property
    def exchange(self) -> Outlet:
        """Its outbox."""

    @property
    def transport_up(self) -> bool:
        """True while it can be heard."""

    def connected(self, now: Micros) -> None:
        """Take in that the transport is there."""

    def disconnected(self, reason: str, now: Micros, *, final: bool = False) -> None:
        """Take in that it is gone; `final` if another one would go as well."""

    def receive(self, data: "bytes | Publication", now: Micros) -> None:
        """Take what the transport brought."""

    def advance(self, now: Micros) -> None:
        """Do what is due."""

    def next_deadline(self) -> Micros | None:
        """Return the time at which something is due; None: never."""


class HostProgram(Protocol):
    """A host, as a world needs it: an engine, or whatever is in the place of one."""

    @property
    def link(self) -> HostLink:
        """Its end of the wire."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Entries that wait for the log."""

    def take_entries(self) -> list[Entry]:
        """Return the entries that wait for the log, which then wait no more."""

    def logged(self, count: int, now: Micros) -> None:
        """Take in that so many entries are stored."""


class Line(Protocol):
    """A wire's delays, and whatever else it does to bytes."""

    def arrivals(
        self, sender: str, data: "bytes | Publication", now: Micros
    ) -> "Sequence[tuple[Micros, bytes | Publication]]":
        """Times at which `data` of `sender` reaches the other end, each with what arrives."""


class SerialLine:
    """A serial line: ten bits a byte at `baud`, each direction by itself."""

    def __init__(self, baud: int) -> None:
        self._us_per_byte = BITS_PER_BYTE * SECOND / baud
        self._free = {"host": 0.0, "device": 0.0}

    def arrivals(
        self, sender: str, data: "bytes | Publication", now: Micros
    ) -> "Sequence[tuple[Micros, bytes | Publication]]":
        """One piece, when its last bit is there."""
        assert isinstance(data, bytes), "a publication has no line"
        self._free[sender] = free = max(self._free[sender], float(now)) + len(data) * self._us_per_byte
        return [(Micros(round(free)), data)]


class World:
    """One host and one device. `write` takes what the host logs; it is called at the time it is emitted.

    `make_wire` makes the device's end of the wire. Without a `line` what is sent is there at once.
    """

    def __init__(
        self,
        engine: HostProgram,
        device: Device,
        *,
        write: Callable[[list[Entry]], None],
        line: Line | None = None,
        tap: Tap | None = None,
        make_wire: Callable[[], AnyWire] = SerialWire,
    ) -> None:
        self.heap = Heap()
        self.engine: HostProgram = engine
        self.device = device
        self.host_muted = False
        self.device_muted = False
        self.write = write
        self.line = line
        self._tap = tap
        self._plugged = 0
        self._make_wire = make_wire
        self.port = device.attach("sim", make_wire)
        self.heap.actors = (
            Actor(engine.link.next_deadline, self._advance_host),
            Actor(device.next_deadline, self._advance_device),
        )
        engine.link.connected(self.heap.now)

    @property
    def now(self) -> Micros:
        """Virtual time."""
        return self.heap.now

    def refresh(self) -> None:
        """Let both ends' outboxes out; after anything was done to either from outside."""
        self._settle()

    def step(self) -> bool:
        """Run one event; False when nothing is left to happen."""
        return self.heap.run_next()

    def cut(self, reason: str = "the cable was pulled", *, final: bool = False) -> None:
        """The transport goes away, with what was on the wire; `final` where another one would go as well."""
        self._plugged += 1
        self.device.detach(self.port, self.now)
        self.engine.link.disconnected(reason, self.now, final=final)
        self.refresh()

    def mend(self) -> None:
        """The transport is back."""
        self._plugged += 1
        self.port = self.device.attach("sim", self._make_wire)
        self.engine.link.connected(self.now)
        self.refresh()

    # --- inside ----------------------------------------------------------------------------------------------

    def _advance_host(self) -> None:
        self.engine.link.advance(self.heap.now)
        self._settle()

    def _advance_device(self) -> None:
        self.device.advance(self.heap.now)
        self._settle()

    def _settle(self) -> None:
        """Carry what both ends have to say until neither has more; without a delay, that is all of this instant."""
        engine, now = self.engine, self.heap.now
        carried = self._tap is not None or self.line is not None  # else a piece is there as soon as it is sent
        host, receive = engine.link.exchange, engine.link.receive
        while host.outbox or engine.entries or self.port.exchange.outbox:
            while engine.entries:
                self._log(engine.take_entries())
            for data in host.take():
                if carried or self.host_muted:
                    self._carry("host", data, self.host_muted)
                else:
                    self.device.receive(self.port, data, now)
            for data in self.port.exchange.take():
                if carried or self.device_muted:
                    self._carry("device", data, self.device_muted)
                else:
                    receive(data, now)

    def _log(self, entries: list[Entry]) -> None:
        self.write(entries)
        self.engine.logged(len(entries), self.heap.now)

    def _carry(self, sender: str, data: "bytes | Publication", muted: bool) -> None:
        now = self.heap.now
        if self._tap is not None:
            self._tap(sender, data, now)
        if muted:
            return
        if self.line is None:
            self._deliver(sender, data)
            return
        plugged = self._plugged

        def arrive(piece: "bytes | Publication") -> None:
            if plugged == self._plugged:
                self._deliver(sender, piece)
                self._settle()

        for due, piece in self.line.arrivals(sender, data, now):
            self.heap.at(due, partial(arrive, piece))

    def _deliver(self, sender: str, data: "bytes | Publication") -> None:
        if sender == "host":
            self.device.receive(self.port, data, self.heap.now)
        else:
            self.engine.link.receive(data, self.heap.now)
