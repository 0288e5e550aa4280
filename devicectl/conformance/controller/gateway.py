"""Ends of a connection of the command: a plain socket, and the serial port of a gateway that speaks RFC 2217.

    the command == socket == Gateway.hear ----> line
                          <= Gateway.say <---- line

Law: bytes in, bytes out. What a host may set is `protocols.telnet`'s to judge.
"""

from typing import Final

from protocols.telnet.happenings import Break, Purged
from protocols.telnet.port import SerialPort
from protocols.text.notice import NOTICE

SIGNATURE: Final = f"devicectl conform: {NOTICE}"
"""Answer to a host that asks whose port this is."""


class Socket:
    """A plain end: bytes are what they are."""

    def hear(self, data: bytes) -> bytes:
        """Take what the command has sent; returns what its line carries."""
        return data

    def say(self, data: bytes) -> bytes:
        """Return what is to be sent, so that the command hears `data`."""
        return data

    def take(self) -> bytes:
        """Return what this end has to say of its own."""
        return b""


class Gateway(Socket):
    """A serial port over Telnet: negotiation and settings stay here, data goes through."""

    def __init__(self) -> None:
        self._port = SerialPort(SIGNATURE)

    def hear(self, data: bytes) -> bytes:
        """Take what the command has sent. A break is a zero on the line, as to any UART."""
        carried = bytearray()
        for happening in self._port.feed(data):
            match happening:
                case bytes():
                    carried += happening
                case Break(on=True):
                    carried += b"\0"
                case Purged(received=True):
                    self._port.forget()
        return bytes(carried)

    def say(self, data: bytes) -> bytes:
        """Return what is to be sent; while the command wants no data it is held."""
        return self._port.take() + self._port.carry(data)

    def take(self) -> bytes:
        """Return answers to what the command has set, and what was held once it takes data again."""
        return self._port.take()
