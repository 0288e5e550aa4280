"""The serial port that a gateway has: its settings, its flow control, and the lines that the host drives.

How it works: `set` and `control` take what a host asks for, and return what the port has afterwards, which is the
answer, with what has happened. What it cannot do it refuses: it stays as it is, and a sentence says which and why.

Law: pure, and of Telnet only the numbers.
"""

from enum import IntEnum
from typing import Final

from protocols.telnet.com_port import NAMES, SETTINGS, Control, LineSettings, Parity, StopBits, Word
from protocols.telnet.happenings import Break, Happening, Noted

MIN_BAUD: Final = 50
MAX_BAUD: Final = 4_000_000
"""Bits a second that the port can do."""
MIN_DATA_BITS: Final = 7
"""With fewer no text could pass either, by whatever mistake they were set."""

_FLOWS: Final = {Control.FLOW_NONE: "none", Control.FLOW_HARDWARE: "RTS/CTS"}
_INBOUND: Final = {Control.FLOW_IN_NONE: Control.FLOW_NONE, Control.FLOW_IN_HARDWARE: Control.FLOW_HARDWARE}
_SOFTWARE: Final = (Control.FLOW_SOFTWARE, Control.FLOW_IN_SOFTWARE)


class Uart:
    """One port. DTR and RTS are on, as most systems set them when they open a port."""

    def __init__(self, settings: LineSettings) -> None:
        self.settings = settings
        self.flow = Control.FLOW_NONE
        self.dtr = self.rts = True
        self.breaking = False

    def set(self, word: Word, value: int) -> tuple[int, list[Happening]]:
        """Set a number of the port; 0 only asks for it."""
        place = SETTINGS.index(word)
        had = self.settings[place]
        if value in (0, had):
            return had, []
        name, reason = f"{NAMES[word]} {_shown(word, value)}", _objection(word, value)
        if reason:
            return had, [Noted(f"refused {name}: {reason}; it stays at {_shown(word, had)}")]
        self.settings = LineSettings(*(value if at == place else one for at, one in enumerate(self.settings)))
        return value, [Noted(name)]

    def control(self, control: Control) -> tuple[Control, list[Happening]]:
        """Set a line or the flow control, or ask for it."""
        happened: list[Happening] = []
        match control:
            case Control.BREAK_ON | Control.BREAK_OFF:
                on = control is Control.BREAK_ON
                happened = [Noted(f"break {_on(on)}"), Break(on)] if on is not self.breaking else []
                self.breaking = on
            case Control.DTR_ON | Control.DTR_OFF:
                was, self.dtr = self.dtr, control is Control.DTR_ON
                happened = [Noted(f"DTR {_on(self.dtr)}")] if self.dtr is not was else []
            case Control.RTS_ON | Control.RTS_OFF:
                was, self.rts = self.rts, control is Control.RTS_ON
                happened = [Noted(f"RTS {_on(self.rts)}")] if self.rts is not was else []
            case _ if not control.asks:
                happened = self._set_flow(control)
        return self._state_of(control), happened

    def _set_flow(self, control: Control) -> list[Happening]:
        wanted = _INBOUND.get(control, control)
        if wanted not in _FLOWS:
            software = control in _SOFTWARE
            name = "XON/XOFF" if software else control.name
            why = "frames hold every byte" if software else "the port has RTS/CTS alone"
            return [Noted(f"refused flow control {name}: {why}; it stays at {_FLOWS[self.flow]}")]
        was, self.flow = self.flow, wanted
        return [Noted(f"flow control {_FLOWS[wanted]}")] if wanted is not was else []

    def _state_of(self, control: Control) -> Control:
        """Return the value that holds, of those among which `control` is one."""
        if Control.BREAK_STATE <= control <= Control.BREAK_OFF:
            return Control.BREAK_ON if self.breaking else Control.BREAK_OFF
        if Control.DTR_STATE <= control <= Control.DTR_OFF:
            return Control.DTR_ON if self.dtr else Control.DTR_OFF
        if Control.RTS_STATE <= control <= Control.RTS_OFF:
            return Control.RTS_ON if self.rts else Control.RTS_OFF
        if Control.FLOW_IN_STATE <= control <= Control.FLOW_IN_HARDWARE or control is Control.FLOW_IN_DTR:
            return Control.FLOW_IN_HARDWARE if self.flow is Control.FLOW_HARDWARE else Control.FLOW_IN_NONE
        return self.flow


def _objection(word: Word, value: int) -> str:
    """Return why the port cannot have a setting; "" where it can."""
    if word is Word.SET_BAUDRATE:
        return "" if MIN_BAUD <= value <= MAX_BAUD else f"from {MIN_BAUD} to {MAX_BAUD} are possible"
    if word is Word.SET_DATASIZE:
        return "" if MIN_DATA_BITS <= value <= 8 else f"{MIN_DATA_BITS} and 8 are possible"
    known: type[IntEnum] = Parity if word is Word.SET_PARITY else StopBits
    return "" if value in known.__members__.values() else f"from 1 to {len(known)} are possible"


def _shown(word: Word, value: int) -> str:
    if word is Word.SET_PARITY and value in Parity.__members__.values():
        return Parity(value).name
    if word is Word.SET_STOPSIZE and value == StopBits.ONE_AND_A_HALF:
        return "1.5"
    return str(value)


def _on(on: bool) -> str:
    return "on" if on else "off"
