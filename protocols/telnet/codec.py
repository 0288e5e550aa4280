"""Bytes of Telnet: data in which a byte 0xFF is doubled, and commands between them that begin with one.

    data  0xFF 0xFF  data  0xFF DO 0x2C  data  0xFF SB 0x2C ... 0xFF SE  data

Law: what a peer sends never raises, in whatever pieces it comes, and no more than `MAX_BODY` bytes of it are kept.
Source: RFC 854 and RFC 855.
"""

from enum import IntEnum
from typing import Final, NamedTuple

IAC: Final = 0xFF
"""Interpret as command: begins each command, and stands for itself where it is doubled."""
SE: Final = 240
BREAK: Final = 243
SB: Final = 250
MAX_BODY: Final = 256
"""Bytes of a subnegotiation; a signature of some hundred characters is the longest that anybody sends."""

_IAC: Final = bytes([IAC])
_DOUBLED: Final = bytes([IAC, IAC])


class Verb(IntEnum):
    """Word of a negotiation: offers or refuses what this end does, asks for or forbids what the other does."""

    WILL = 251
    WONT = 252
    DO = 253
    DONT = 254


class Negotiation(NamedTuple):
    """A peer's word about an option."""

    verb: Verb
    option: int


class Subnegotiation(NamedTuple):
    """A peer's words about an option that was agreed on, without the doubling; None where they were too long."""

    option: int
    body: bytes | None


class Command(NamedTuple):
    """A command without an option, such as `BREAK`."""

    code: int


Item = bytes | Negotiation | Subnegotiation | Command


def escape(data: bytes) -> bytes:
    """Double each 0xFF, as data goes over Telnet."""
    return data.replace(_IAC, _DOUBLED) if IAC in data else data


def negotiate(verb: Verb, option: int) -> bytes:
    """Make the bytes of a negotiation."""
    return bytes([IAC, verb, option])


def subnegotiate(option: int, body: bytes) -> bytes:
    """Make the bytes of a subnegotiation."""
    return bytes([IAC, SB, option]) + escape(body) + bytes([IAC, SE])


class _At(IntEnum):
    """Place in the stream at which the next byte comes."""

    DATA = 0
    COMMAND = 1
    """After a 0xFF in data."""
    OPTION = 2
    """After WILL, WONT, DO or DONT."""
    BODY = 3
    """In a subnegotiation."""
    BODY_COMMAND = 4
    """After a 0xFF in one."""


class TelnetDecoder:
    """Splits one direction of a connection into data and commands, in order."""

    def __init__(self) -> None:
        """Begin with data."""
        self._at = _At.DATA
        self._verb = Verb.WILL
        self._body = bytearray()
        self._too_long = False

    @property
    def idle(self) -> bool:
        """True if what comes next is data, or begins a command."""
        return self._at is _At.DATA

    def feed(self, data: bytes) -> list[Item]:
        """Return everything that `data` brings, in order, data in pieces that are never empty."""
        if self._at is _At.DATA and IAC not in data:
            return [data] if data else []
        items: list[Item] = []
        plain: list[bytes] = []
        start, size = 0, len(data)
        while start < size:
            if self._at is _At.DATA or self._at is _At.BODY:
                end = data.find(_IAC, start)
                self._take(data[start : size if end < 0 else end], plain)
                if end < 0:
                    break
                self._at = _At.COMMAND if self._at is _At.DATA else _At.BODY_COMMAND
                start = end + 1
                continue
            item = self._step(data[start], plain)
            start += 1
            if item is not None:
                _end_plain(plain, items)
                items.append(item)
        _end_plain(plain, items)
        return items

    def _take(self, data: bytes, plain: list[bytes]) -> None:
        """Take bytes among which is no 0xFF: data, or a part of a body."""
        if self._at is _At.DATA:
            plain.append(data)
        else:
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        room = MAX_BODY - len(self._body)
        self._too_long = self._too_long or len(data) > room
        self._body += data[:room]

    def _step(self, byte: int, plain: list[bytes]) -> Item | None:
        """Take the byte after a 0xFF, or after a verb."""
        at = self._at
        if at is _At.BODY_COMMAND:
            return self._end_body(byte)
        self._at = _At.DATA
        if at is _At.OPTION:
            return Negotiation(self._verb, byte)
        if byte == IAC:
            plain.append(_IAC)
            return None
        if byte == SB:
            self._at = _At.BODY
            self._body.clear()
            self._too_long = False
            return None
        if Verb.WILL <= byte <= Verb.DONT:
            self._verb = Verb(byte)
            self._at = _At.OPTION
            return None
        return Command(byte)

    def _end_body(self, byte: int) -> Item | None:
        """Take the byte after a 0xFF in a body: SE ends it, and so does, by mistake, whatever else is no 0xFF."""
        if byte == IAC:
            self._keep(_IAC)
            self._at = _At.BODY
            return None
        self._at = _At.DATA
        if byte == SE and self._body:
            return Subnegotiation(self._body[0], None if self._too_long else bytes(self._body[1:]))
        if byte != SE:  # RFC 855 leaves this open; the command that was cut in is the likelier meaning
            self._at = _At.COMMAND
            return self._step(byte, [])
        return None


def _end_plain(plain: list[bytes], items: list[Item]) -> None:
    """Make one item of the data that came so far."""
    whole = b"".join(plain)
    plain.clear()
    if whole:
        items.append(whole)
