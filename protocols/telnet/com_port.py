"""Words of the COM-PORT option: settings of a serial port, its lines and its buffers, as requests and their answers.

    host --- SET-BAUDRATE 115200 --> gateway
    host <-- SET-BAUDRATE 9600 ----- gateway      what the port has now: a refusal, if it is not what was asked for

Law: names and layouts alone.
Source: RFC 2217.
"""

from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

from protocols.telnet.codec import subnegotiate
from protocols.telnet.options import Option


class Word(IntEnum):
    """First byte of a subnegotiation of a host; a gateway's is `ANSWER` more."""

    SIGNATURE = 0
    SET_BAUDRATE = 1
    SET_DATASIZE = 2
    SET_PARITY = 3
    SET_STOPSIZE = 4
    SET_CONTROL = 5
    NOTIFY_LINESTATE = 6
    NOTIFY_MODEMSTATE = 7
    FLOWCONTROL_SUSPEND = 8
    FLOWCONTROL_RESUME = 9
    SET_LINESTATE_MASK = 10
    SET_MODEMSTATE_MASK = 11
    PURGE_DATA = 12


ANSWER: Final = 100
SETTINGS: Final = (Word.SET_BAUDRATE, Word.SET_DATASIZE, Word.SET_PARITY, Word.SET_STOPSIZE)
"""Words whose value is a number of the port; 0 asks for it."""
NAMES: Final = {
    Word.SET_BAUDRATE: "baud",
    Word.SET_DATASIZE: "data bits",
    Word.SET_PARITY: "parity",
    Word.SET_STOPSIZE: "stop bits",
}


class Parity(IntEnum):
    """Values of SET-PARITY."""

    NONE = 1
    ODD = 2
    EVEN = 3
    MARK = 4
    SPACE = 5


class StopBits(IntEnum):
    """Values of SET-STOPSIZE."""

    ONE = 1
    TWO = 2
    ONE_AND_A_HALF = 3


class Control(IntEnum):
    """Values of SET-CONTROL. A `..._STATE` asks, and is answered with the value that holds."""

    FLOW_STATE = 0
    FLOW_NONE = 1
    FLOW_SOFTWARE = 2
    FLOW_HARDWARE = 3
    BREAK_STATE = 4
    BREAK_ON = 5
    BREAK_OFF = 6
    DTR_STATE = 7
    DTR_ON = 8
    DTR_OFF = 9
    RTS_STATE = 10
    RTS_ON = 11
    RTS_OFF = 12
    FLOW_IN_STATE = 13
    FLOW_IN_NONE = 14
    FLOW_IN_SOFTWARE = 15
    FLOW_IN_HARDWARE = 16
    FLOW_CARRIER = 17
    FLOW_IN_DTR = 18
    FLOW_DSR = 19

    @property
    def asks(self) -> bool:
        """True if it sets nothing."""
        return self.name.endswith("_STATE")


class Purge(IntEnum):
    """Values of PURGE-DATA: the buffer of what the device has said, of what the host has, or both."""

    RECEIVED = 1
    UNSENT = 2
    BOTH = 3


class ModemState(IntFlag):
    """Lines that a device drives, as NOTIFY-MODEMSTATE has them; the lower half says which have changed."""

    CTS_CHANGED = 1
    DSR_CHANGED = 2
    RING_ENDED = 4
    CARRIER_CHANGED = 8
    CTS = 16
    DSR = 32
    RING = 64
    CARRIER = 128


class LineState(IntFlag):
    """Errors and states of a line, as NOTIFY-LINESTATE has them."""

    DATA_READY = 1
    OVERRUN = 2
    PARITY_ERROR = 4
    FRAMING_ERROR = 8
    BREAK = 16
    HOLDING_EMPTY = 32
    SHIFT_EMPTY = 64
    TIMEOUT = 128


class LineSettings(NamedTuple):
    """Settings of a serial line, in RFC 2217's numbers."""

    baud: int = 9600
    data_bits: int = 8
    parity: int = Parity.NONE
    stop_bits: int = StopBits.ONE

    @property
    def bits_per_byte(self) -> float:
        """Bits that a byte takes, with its start, parity and stop bits."""
        stop = {StopBits.ONE: 1.0, StopBits.TWO: 2.0, StopBits.ONE_AND_A_HALF: 1.5}[StopBits(self.stop_bits)]
        return 1 + self.data_bits + (self.parity != Parity.NONE) + stop

    def __str__(self) -> str:
        """Return them as usual: `115200 8N1`."""
        parity = Parity(self.parity).name[0]
        stop = {StopBits.ONE: "1", StopBits.TWO: "2", StopBits.ONE_AND_A_HALF: "1.5"}[StopBits(self.stop_bits)]
        return f"{self.baud} {self.data_bits}{parity}{stop}"


_SIZES: Final = {Word.SET_BAUDRATE: 4}
"""Bytes of a value, where it is not one."""


def say(word: int, value: int | bytes = b"") -> bytes:
    """Make the bytes of a word with its value; a number takes its place's size."""
    if isinstance(value, int):
        value = value.to_bytes(_size_of(word % ANSWER), "big")
    return subnegotiate(Option.COM_PORT, bytes([word]) + value)


def value_of(word: int, body: bytes) -> int | None:
    """Return the number after the word, which is the first byte of `body`; None where its size is not a number's."""
    value = body[1:]
    return int.from_bytes(value, "big") if len(value) == _size_of(word % ANSWER) else None


def _size_of(word: int) -> int:
    return _SIZES.get(Word(word), 1) if word in Word.__members__.values() else 1


def name_of(word: int) -> str:
    """Return a word's name as the RFC has it: `SET-BAUDRATE`."""
    return Word(word % ANSWER).name.replace("_", "-")
