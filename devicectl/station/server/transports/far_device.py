"""The device of a station, as a transport of `firmware_sim.serve` sees one: all that it brings is an act of the room.

    host == socket == transport -- FarDevice -- acts of the view `host` --> room
                                            <-- what arrives at the far end --

Law: what a host can make this end keep is bounded. The log has what came before the host hears an answer to it.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from devicectl.campaign.scenario import MQTT
from devicectl.station.console.foreign import ForeignConsole
from devicectl.station.room import Room
from devicectl.station.server.pace import Pace
from devicectl.station.server.transports.names import Names
from firmware_sim.device import Device
from firmware_sim.ports import Port
from firmware_sim.serve.errors import ServeError
from handpiece_shell.streams import say
from protocols.capture.contents import encode_data
from protocols.link.port import AnyWire
from protocols.mqtt.wire import DeviceWire
from protocols.serial.wire import SerialWire

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from firmware_sim.faults.wire import Piece
    from firmware_sim.serve.real_time import Tap, Write
    from firmware_sim.serve.transports.table import Transport

MAX_HELD_BYTES: Final = 16 * 1024
"""Bytes kept of a host while the lesson is held. One that waits for answers sends less than 2 KiB: one that goes on and
on is cut off."""


class Owner(Protocol):
    """The station as its transport needs it."""

    pace: Pace

    @property
    def room(self) -> Room:
        """The room of its lesson."""

    def take(self, name: str, arguments: Mapping[str, object]) -> bool:
        """Do an act of the host; True if it was done, and is kept."""


class FarDevice:
    """The device of one station. `wake` has the station looked at again."""

    places: ClassVar[int] = 1

    def __init__(self, station: Owner, wake: Callable[[], None]) -> None:
        self._station = station
        self._wake = wake
        self.trouble = ""
        """Reason for which no host can come in any more."""
        self._transport: Transport | None = None
        self._births = 0
        self._names: Names | None = None
        """Names of the host's topics, where it is behind a broker."""
        self._open = True
        self._port: Port | None = None
        self._write: Write | None = None
        self._held: list[Piece] = []
        self._held_bytes = 0
        self._arrived: list[Piece] = []
        self.begin()

    @property
    def device(self) -> Device:
        """The device of the lesson that runs now."""
        return self._station.room.bench.device

    @property
    def wire(self) -> str:
        """Wire of each lesson here."""
        return self._station.room.bench.scenario.wire

    @property
    def _console(self) -> ForeignConsole:
        console = self._station.room.controller
        assert isinstance(console, ForeignConsole), "each lesson of this station is for somebody else's host"
        return console

    @property
    def connected(self) -> bool:
        """True while a host is there; behind a broker, where nobody says that it has gone, while it has a link."""
        return self._console.screen.linked if self.wire == MQTT else self._port is not None

    @property
    def url(self) -> str:
        """URL at which a host on this machine finds it; "" while the transport is not open yet."""
        return "" if self._transport is None else self._transport.url

    def words(self) -> str:
        """Return how it is with the host, and what it sees of the lesson's clock."""
        pace = self._station.pace
        if self.trouble:
            return f"No host can come in any more: {self.trouble}"
        if not (self._console.connected and (self.connected or not pace.running)):
            return f"Waits for a host at {self.url}. The host opens the session itself."
        if not pace.running:
            return "Held: the device is silent, and its host takes the link for lost when the lease runs out."
        if pace.speed > 1:
            lease = "the device's lease runs out so much sooner, and an armed link may be lost"
            return f"At {pace.speed:g}x the host's clock is too slow: {lease}."
        if pace.speed < 1:
            return f"At {pace.speed:g}x the device is slow to its host, which may give up on a command."
        return "A host is connected."

    # --- for a transport ---------------------------------------------------------------------------------------------

    def attach(self, name: str, write: "Write", make_wire: Callable[[], AnyWire] = SerialWire) -> Port:
        """A host is there; `write` takes what arrives at it."""
        if self._station.take("host_connected", {}):
            self._write = write
        wire = make_wire()
        self._names = Names(wire) if isinstance(wire, DeviceWire) else None
        self._port = self._station.room.bench.world.port
        self._wake()
        return self._port

    def receive(self, port: Port, data: "Piece") -> None:
        """A transport brought something: it is an act at the next tick, or when the lesson goes on."""
        if port is not self._port:
            return
        piece = data if isinstance(data, bytes) or self._names is None else self._names.to_lesson(data)
        self._held.append(piece)
        self._held_bytes += len(encode_data(piece))
        if self._held_bytes > MAX_HELD_BYTES:
            self._break()

    def detach(self, port: Port) -> None:
        """A transport is gone."""
        if port is self._port:
            self._leave()
            self._wake()

    def count_birth(self) -> int:
        """Count a connection to a broker, here: the device of a lesson has in its memory what acts have brought."""
        self._births += 1
        return self._births

    def settle(self) -> None:
        """No-op: after each act and each tick the device has synced by itself what it shows."""

    def set_alarm(self, code: int, present: bool) -> None:
        """No-op: that a retained command lies at a broker is no part of the lesson; the command itself is refused."""

    def note_settings(self, port: Port, left_on: Sequence[str]) -> None:
        """No-op: there is no trace."""

    def note_line(self, port: Port, what: str) -> None:
        """No-op: there is no trace."""

    def open_tap(self, name: str) -> "Tap | None":
        """Return None: there is no trace."""
        return None

    # --- for a station -----------------------------------------------------------------------------------------------

    def opened(self, transport: "Transport") -> None:
        """Take the transport, which is open now."""
        self._transport = transport

    def failed(self, loop: "AbstractEventLoop", context: dict[str, Any]) -> None:
        """Take an error that nobody awaits: a transport that has ended for good says why, and the class goes on."""
        error = context.get("exception")
        if not isinstance(error, ServeError):
            loop.default_exception_handler(context)
            return
        self.trouble = str(error)
        say(f"devicectl: station 1: no host can come in any more: {error}")

    def begin(self) -> None:
        """Take the room of another lesson or attempt: whoever was connected has to connect again."""
        self._console.out = self._arrive
        self._leave()  # by its acts there is a host, which is not here
        self._break()

    def exchange(self) -> None:
        """Do what was brought, and send what has arrived."""
        if self._console.connected:
            held, self._held, self._held_bytes = self._held, [], 0
            for piece in _joined(held):
                if not self._station.take("host_sent", {"data": b64encode(encode_data(piece)).decode()}):
                    return
        arrived, self._arrived = self._arrived, []
        if self._write is not None:
            for piece in _joined(arrived):
                self._write(piece if isinstance(piece, bytes) or self._names is None else self._names.to_broker(piece))

    def _arrive(self, piece: "Piece") -> None:
        self._arrived.append(piece)

    def look(self) -> None:
        """Break the transport where the room has none, and mend it where it has again."""
        if not self._console.reachable:
            self.shut()
        elif not self._open:
            self._mend()
        elif self._port is not None and not self._console.connected:  # a fault that was over within a tick
            self._break()

    def shut(self) -> None:
        """Break the transport: nobody can connect."""
        if self._open and self._transport is not None:
            self._open = False
            self._leave()
            self._transport.cut(host_knows=True, device_knows=True)

    def _break(self) -> None:
        self.shut()
        if not self._open:
            self._mend()

    def _mend(self) -> None:
        assert self._transport is not None
        self._open = True
        self._transport.mend()

    def _leave(self) -> None:
        """Take in that nobody is connected, with nothing that was on its way."""
        self._port = self._write = None
        self._held.clear()
        self._held_bytes = 0
        self._arrived.clear()
        if self._console.connected:
            self._station.take("host_gone", {})


def _joined(pieces: "list[Piece]") -> "Sequence[Piece]":
    """Return bytes as one piece, which is one act and one write, and publications one by one."""
    parts = [piece for piece in pieces if isinstance(piece, bytes)]
    return [b"".join(parts)] if parts else pieces
