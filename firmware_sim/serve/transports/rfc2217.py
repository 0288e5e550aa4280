"""RFC 2217: a serial port of the device for each connection, over Telnet, as a gateway has it.

    host == TCP == codec -- SerialPort -- held while the host wants no data -- the device's port

A break is a zero to the device, as it is to any UART: what was under way before it is no frame.

Law: what a host sets is `protocols.telnet`'s to judge; here it has its effect. What is kept for a host is bounded.
"""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from firmware_sim.ports import Port
from firmware_sim.serve.real_time import Write
from firmware_sim.serve.transports.table import Place, Served, Transport
from firmware_sim.serve.transports.tcp import Address, Connection, listen, parse_address
from handpiece_shell.files import NamedFile
from protocols.telnet.codec import escape
from protocols.telnet.com_port import LineState
from protocols.telnet.happenings import Break, Happening, Noted, Purged
from protocols.telnet.port import SerialPort
from protocols.text.notice import NOTICE

OPTION: Final = "--rfc2217"
SIGNATURE: Final = f"firmware-sim: {NOTICE}"
"""Answer to a host that asks whose port this is."""
MAX_HELD_BYTES: Final = 16 * 1024
"""Kept for a host that wants no data; what comes then is lost in whole frames, and the host may hear of an overrun."""
KEEPALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""Seconds of silence, seconds between questions, questions without an answer: after 25 seconds a host whose machine or
network went without a word is let go. Its link ended by its lease long before."""


@dataclass(frozen=True, slots=True)
class Rfc2217Place:
    """An address at which serial ports are to be had."""

    address: Address

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
        return await listen(device, self.address, "rfc2217", PortConnection)


def parse(text: str, extras: Mapping[str, str]) -> Place:
    """Check HOST:PORT.

    Raises:
        OptionError: it is not that.
    """
    return Rfc2217Place(parse_address(text, OPTION))


class PortConnection(Connection):
    """One host's connection, with a serial port of its own."""

    scheme: ClassVar = "rfc2217"

    def _way_out(self) -> Write:
        self._serial = SerialPort(SIGNATURE)
        self._held: list[bytes] = []
        self._held_bytes = 0
        keep_alive(self._transport.get_extra_info("socket"))
        self._transport.write(self._serial.take())
        return self._send

    def _send(self, frames: bytes) -> None:
        """Send what the device says, or hold it."""
        if not self._serial.holding:
            self._transport.write(escape(frames))
        elif self._held_bytes + len(frames) <= MAX_HELD_BYTES:
            self._held.append(frames)
            self._held_bytes += len(frames)
        else:
            self._serial.note_line(LineState.OVERRUN)
            self._transport.write(self._serial.take())

    def _received(self, data: bytes) -> None:
        if self.port is None:
            return
        for happening in self._serial.feed(data):
            self._happened(self.port, happening)
        if answer := self._serial.take():
            self._transport.write(answer)
        if self._held and not self._serial.holding:
            held = b"".join(self._held)
            self._forget()
            self._transport.write(escape(held))

    def _happened(self, port: Port, happening: Happening) -> None:
        match happening:
            case bytes():
                self._device.receive(port, happening)
            case Break(on=True):
                self._device.receive(port, b"\0")
            case Purged(received=True):
                self._forget()
            case Noted(text):
                self._device.note_line(port, text)

    def _forget(self) -> None:
        self._held.clear()
        self._held_bytes = 0


def keep_alive(sock: socket.socket) -> None:
    """Have the system ask a silent peer whether it is there; not every system can be told how often."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
