"""RFC 2217: a serial port of the device for each connection, over Telnet, as a gateway has it.

    host == TCP == codec -- SerialPort -- held while the host wants no data -- line -- the device's port

With `--paced` a byte takes the time of its bits on the line, at the rate that its host has set. A break is a zero to
the device, as it is to any UART: what was under way before it is no frame.

Law: what a host sets is `protocols.telnet`'s to judge; here it has its effect. What is kept for a host is bounded.
"""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from firmware_sim.serve.real_time import Write
from firmware_sim.serve.transports.slow_line import SlowLine
from firmware_sim.serve.transports.table import Place, Served, Transport
from firmware_sim.serve.transports.tcp import Address, Connection, listen, parse_address
from handpiece_shell.files import NamedFile
from protocols.language.units import SECOND
from protocols.telnet.com_port import ModemState
from protocols.telnet.happenings import Break, Happening, Noted, Purged
from protocols.telnet.port import MAX_HELD_BYTES, POWERED, SerialPort
from protocols.text.notice import NOTICE

OPTION: Final = "--rfc2217"
SIGNATURE: Final = f"firmware-sim: {NOTICE}"
"""Answer to a host that asks whose port this is."""
LOOK_EVERY_S: Final = 0.2
"""Seconds after which a host sees from DSR, CTS and CD that the device has lost its power, or has it again."""
KEEPALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""Seconds of silence, seconds between questions, questions without an answer: after 25 seconds a host whose machine or
network went without a word is let go. Its link ended by its lease long before."""


@dataclass(frozen=True, slots=True)
class Rfc2217Place:
    """An address at which serial ports are to be had."""

    address: Address
    paced: bool = False
    """True if the line takes the time of its bits."""

    @property
    def host(self) -> str:
        """Name or address by which others would reach it."""
        return self.address.host

    @property
    def files(self) -> Sequence[NamedFile]:
        """No file."""
        return ()

    async def open_transport(self, device: Served) -> Transport:
        """Listen there, or raise OptionError or NoPlaceError."""
        return await listen(device, self.address, "rfc2217", PacedConnection if self.paced else PortConnection)


def parse(text: str, extras: Mapping[str, str]) -> Place:
    """Check HOST:PORT.

    Raises:
        OptionError: it is not that.
    """
    return Rfc2217Place(parse_address(text, OPTION), "paced" in extras)


class PortConnection(Connection):
    """One host's connection, with a serial port of its own."""

    scheme: ClassVar = "rfc2217"

    def _way_out(self) -> Write:
        self._serial = SerialPort(SIGNATURE)
        self._look()
        keep_alive(self._transport.get_extra_info("socket"))
        return self._send

    def _look(self) -> None:
        """Set the device's lines by its power, now and again."""
        self._serial.set_modem(POWERED if self._device.device.powered else ModemState(0))
        if said := self._serial.take():
            self._transport.write(said)
        self._looking = self._loop.call_later(LOOK_EVERY_S, self._look)

    def _leave(self) -> None:
        if self.port is not None:
            self._looking.cancel()
        super()._leave()

    def _send(self, frames: bytes) -> None:
        """Send what the device says, or hold it."""
        if data := self._serial.carry(frames):
            self._transport.write(data)

    def _received(self, data: bytes) -> None:
        if self.port is None:
            return
        if self._serial.is_plain(data):
            self._bring(data)
            return
        for happening in self._serial.feed(data):
            self._happened(happening)
        if answer := self._serial.take():
            self._transport.write(answer)

    def _happened(self, happening: Happening) -> None:
        match happening:
            case bytes():
                self._bring(happening)
            case Break(on=True):
                self._bring(b"\0")
            case Purged():
                self._purge(happening)
            case Noted(text):
                if self.port is not None:
                    self._device.note_line(self.port, text)

    def _bring(self, data: bytes) -> None:
        """Give the device what its line has brought."""
        if self.port is not None:  # a fault may have cut the connection meanwhile
            self._device.receive(self.port, data)

    def _purge(self, purged: Purged) -> None:
        if purged.received:
            self._serial.forget()


class PacedConnection(PortConnection):
    """The same, with a line that takes its time."""

    def _way_out(self) -> Write:
        way_out = super()._way_out()
        self._to_device = SlowLine(self._arrive)
        self._to_host = SlowLine(way_out)
        return self._put

    def _put(self, frames: bytes) -> None:
        if self._to_host.size + len(frames) > MAX_HELD_BYTES:
            self._transport.write(self._serial.lose())
        else:
            self._to_host.us_per_byte = self._us_per_byte()
            self._to_host.carry(frames)

    def _bring(self, data: bytes) -> None:
        self._to_device.us_per_byte = self._us_per_byte()
        self._to_device.carry(data)
        if self._to_device.size > MAX_HELD_BYTES:  # the host has to wait, as for any gateway whose buffer is full
            self._transport.pause_reading()

    def _arrive(self, data: bytes) -> None:
        if self._to_device.size <= MAX_HELD_BYTES and not self._transport.is_closing():
            self._transport.resume_reading()
        super()._bring(data)

    def _purge(self, purged: Purged) -> None:
        super()._purge(purged)
        if purged.received:
            self._to_host.clear()
        if purged.unsent:
            self._to_device.clear()

    def _leave(self) -> None:
        if self.port is not None:
            self._to_device.clear()
            self._to_host.clear()
        super()._leave()

    def _us_per_byte(self) -> float:
        settings = self._serial.uart.settings
        return settings.bits_per_byte * SECOND / settings.baud


def keep_alive(sock: socket.socket) -> None:
    """Have the system ask a silent peer whether it is there; not every system can be told how often."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
