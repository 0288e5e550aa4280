"""The device in real time: one event loop, one timer, and a way out for the bytes of each port.

Law: after anything has been done to the device, what every port has to say is sent, since an alarm goes to all. The
timer is never later than the device's next deadline; it may be earlier, finds nothing to do then, and is set again:
a deadline that each frame moves back would else cost a timer a frame. The last `EARLY_US` are waited out awake.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from firmware_sim.clock import monotonic
from firmware_sim.device import Device
from firmware_sim.memory.steps import CountBirth
from firmware_sim.ports import Port
from protocols.language.enums import ByeReason
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.link.port import AnyWire
from protocols.serial.wire import SerialWire

if TYPE_CHECKING:
    from protocols.mqtt.wire import Publication

Write = Callable[[Any], None]
"""Sends what the port's wire made, in order: whole frames, or one publication a call; never raises, never blocks."""


class Tap(Protocol):
    """Listener to what goes over one port."""

    def heard(self, sender: str, data: "bytes | Publication", now: Micros) -> None:
        """Take what "host" or "device" sent: a piece of bytes, or a publication."""

    def line_set(self, left_on: Sequence[str], now: Micros) -> None:
        """A host has set its terminal: which settings that change bytes are on now."""

    def noted(self, what: str, now: Micros) -> None:
        """A host has done something with its line that no byte shows, in words."""

    def closed(self, now: Micros) -> None:
        """The port is gone."""


class Lines(Protocol):
    """Carrier of pieces between ports and transports, which may lose or delay them; see `line_faults`."""

    def carry(self, sender: str, port: Port, data: "bytes | Publication", deliver: Write, now: Micros) -> None:
        """Take a piece of "host" or "device"; `deliver` is called with what arrives, when it does."""

    def gone(self, port: Port) -> None:
        """The port is no more."""


OpenTap = Callable[[str, Micros], Tap]
"""Makes the tap of a port, from its name and the time."""

EARLY_US: Final = 1 * MILLISECOND
"""An event loop rounds a timer up to the next millisecond, by which a motion of 20 ms would end 5 % late."""
MAX_PLACES: Final = 16
"""Hosts at one transport: one controls and the others look; more are a host that connects and never closes."""
_NEVER: Final = Micros(2**63)


class Listener(Protocol):
    """Listener to what is done to a device, and that no tap hears."""

    def called(self, call: str, now: Micros, port: Port | None = None, **values: object) -> None:
        """Take a call of this name, of the port that it is about."""

    def at_host(self, sender: str, port: Port, data: "bytes | Publication", now: Micros) -> None:
        """Take what is at the host's end of a line with faults: of the host when it is sent, else when it arrives."""


class Kept:
    """A device whose memory has all that a broker shows of it."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def count_birth(self) -> int:
        """Count a connection to a broker, in the device's memory; its number."""
        self.device.nvm.keep(CountBirth())
        self.settle()
        return self.device.nvm.birth_no

    def settle(self) -> None:
        """Return when no loss of power can take away what is about to be shown.

        Raises:
            NvmFileError: it cannot be kept.
        """
        self.device.nvm.sync()


class RealTimeDevice(Kept):
    """A device and the ports at which it can be reached now. Made and used inside a running event loop."""

    places: Final = MAX_PLACES

    def __init__(self, device: Device, *, open_tap: OpenTap | None = None, listener: Listener | None = None) -> None:
        super().__init__(device)
        self._open_tap = open_tap
        self._listener = listener
        self._taps: dict[Port, Tap] = {}
        self._lines: Lines | None = None
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[Port, Write] = {}
        self._writers: dict[Port, Write] = {}
        """Ways out of each port, by whatever is between it and its transport's own in `_sockets`."""
        # Not the handle: that of uvloop is not of asyncio's class, which compiled code would insist on.
        self._cancel_timer: Callable[[], None] | None = None
        self._due = _NEVER
        self._closed = False
        self._after()

    def attach(self, name: str, write: Write, make_wire: Callable[[], AnyWire] = SerialWire) -> Port:
        """A transport is there; `write` takes what the device sends on it, as the wire of `make_wire` has it."""
        port = self.device.attach(name, make_wire)
        if self._listener is not None:
            self._listener.called("attach", monotonic(), port)
        tap = self.open_tap(name)
        if tap is not None:
            self._taps[port] = tap
        self._sockets[port] = write
        self._writers[port] = self._way_out(port)
        return port

    def put_between(self, lines: Lines) -> None:
        """Have `lines` carry what goes between ports and transports, from now on; taps hear the device's side."""
        self._lines = lines
        self._writers = {port: self._way_out(port) for port in self._writers}

    def _way_out(self, port: Port) -> Write:
        write, tap, lines = self._sockets[port], self._taps.get(port), self._lines
        if tap is None and lines is None:
            return write
        arrive = partial(self._arrive, port, write)

        def write_on(data: "bytes | Publication") -> None:
            now = monotonic()
            if tap is not None:
                tap.heard("device", data, now)
            if lines is None:
                write(data)
            else:
                lines.carry("device", port, data, arrive, now)

        return write_on

    def _arrive(self, port: Port, write: Write, data: "bytes | Publication") -> None:
        """Give a transport what has passed a line with faults."""
        if self._listener is not None:
            self._listener.at_host("device", port, data, monotonic())
        write(data)

    def refresh(self) -> None:
        """See to what the device has to say, and when it wants to be asked again."""
        self._after()

    def open_tap(self, name: str) -> Tap | None:
        """A place in the trace, for a port or for what belongs to none; None where nothing is traced."""
        return None if self._open_tap is None else self._open_tap(name, monotonic())

    def set_alarm(self, code: int, present: bool) -> None:
        """A transport found the cause of an alarm, or found it gone."""
        now = monotonic()
        if self._listener is not None:
            self._listener.called("set_alarm", now, code=code, present=present)
        self.device.set_alarm(code, present=present, now=now)
        self._after()

    def detach(self, port: Port) -> None:
        """A transport is gone."""
        now = monotonic()
        del self._writers[port], self._sockets[port]
        if self._lines is not None:
            self._lines.gone(port)
        tap = self._taps.pop(port, None)
        try:
            if not self._closed:
                self._detach(port, now)
                self._after()
        finally:
            if tap is not None:
                tap.closed(now)

    def note_settings(self, port: Port, left_on: Sequence[str]) -> None:
        """A transport saw how a host has set the terminal."""
        tap = self._taps.get(port)
        if tap is not None:
            tap.line_set(left_on, monotonic())

    def note_line(self, port: Port, what: str) -> None:
        """A transport saw what a host has done with its line, in words."""
        tap = self._taps.get(port)
        if tap is not None:
            tap.noted(what, monotonic())

    def receive(self, port: Port, data: "bytes | Publication") -> None:
        """A transport brought something for the port's wire."""
        now = monotonic()
        if self._lines is None:
            self._deliver(port, data, now)
        else:
            if self._listener is not None:
                self._listener.at_host("host", port, data, now)
            self._lines.carry("host", port, data, partial(self._deliver_late, port), now)
            self._after()

    def _deliver_late(self, port: Port, data: "bytes | Publication") -> None:
        if port in self._writers and not self._closed:
            self._deliver(port, data, monotonic())

    def _deliver(self, port: Port, data: "bytes | Publication", now: Micros) -> None:
        if now >= self._due:  # after a stall the loop reads before it rings: a lease that ran out has run out
            if self._closed:
                return
            self._advance(now)
            self._send()
        if self._taps:
            self._taps[port].heard("host", data, now)
        self.device.receive(port, data, now)
        self._after()

    def close(self) -> None:
        """Take leave of every host as if its transport went, and do nothing more; the transports still stand."""
        now = monotonic()
        if self._listener is not None:
            self._listener.called("close", now)
        for port in self._writers:
            port.exchange.bye(ByeReason.CLOSING, now)
        self._send()
        if self._cancel_timer is not None:
            self._cancel_timer()
        self._closed = True
        self._due = Micros(0)
        for port in self._writers:
            self._detach(port, now)

    def _detach(self, port: Port, now: Micros) -> None:
        if self._listener is not None:
            self._listener.called("detach", now, port)
        self.device.detach(port, now)

    def _advance(self, now: Micros) -> None:
        if self._listener is not None:
            self._listener.called("advance", now)
        self.device.advance(now)

    def _after(self) -> None:
        self._send()
        due = self.device.next_deadline()
        if due is not None and due < self._due:
            if self._cancel_timer is not None:
                self._cancel_timer()
            self._due = due
            self._cancel_timer = self._loop.call_at((due - EARLY_US) / SECOND, self._ring).cancel

    def _send(self) -> None:
        for port, write in self._writers.items():
            frames = port.exchange.take()
            if len(frames) == 1:
                write(frames[0])
            elif frames and isinstance(frames[0], bytes):
                write(b"".join(frames))
            else:
                for publication in frames:
                    write(publication)

    def _ring(self) -> None:
        now, due = monotonic(), self.device.next_deadline()
        if due is not None and now < due <= now + EARLY_US:
            self._due = due
            self._cancel_timer = self._loop.call_soon(self._ring).cancel
            return
        self._cancel_timer = None
        self._due = _NEVER
        self._advance(now)
        self._after()
