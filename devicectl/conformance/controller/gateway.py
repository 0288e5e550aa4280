"""Ends of a connection of the command: a plain socket, and the serial port of a gateway that speaks RFC 2217.

    the command == socket == Gateway.hear ----> line
                          <= Gateway.say <---- line

Law: bytes in, bytes out. What a host may set is `protocols.telnet`'s to judge.
"""

from typing import Final

from protocols.telnet.codec import escape
from protocols.telnet.com_port import LineState
from protocols.telnet.happenings import Break, Purged
from protocols.telnet.port import SerialPort
from protocols.text.notice import NOTICE

SIGNATURE: Final = f"devicectl conform: {NOTICE}"
"""Answer to a host that asks whose port this is."""
MAX_HELD_BYTES: Final = 16 * 1024
"""Kept for a host that wants no data; what comes then is lost, and the host may hear of an overrun."""


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
        self._held = bytearray()

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
                    self._held.clear()
        return bytes(carried)

    def say(self, data: bytes) -> bytes:
        """Return what is to be sent; while the command wants no data it is held."""
        if not self._port.holding:
            return self.take() + escape(data)
        if len(self._held) + len(data) <= MAX_HELD_BYTES:
            self._held += data
        else:
            self._port.note_line(LineState.OVERRUN)
        return self._port.take()

    def take(self) -> bytes:
        """Return answers to what the command has set, and what was held once it takes data again."""
        said = self._port.take()
        if self._held and not self._port.holding:
            said += escape(bytes(self._held))
            self._held.clear()
        return said
