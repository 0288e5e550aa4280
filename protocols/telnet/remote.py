"""A host's end of a serial port over Telnet: it has the port set as it is wanted, and then carries data.

How it works: first the options, then the settings, all at once; when each is answered with what was asked for, it is
`ready`. Another answer, or a no to an option, is a `refusal`, which says of what; `missing` is what has no answer yet.

    asks WILL COM-PORT, WILL and DO BINARY --> DO, DO, WILL
    asks SET-BAUDRATE, SET-DATASIZE, ...   --> the same values: ready
    asks SET-CONTROL DTR off               --> waited for, unless `ignore_control`: not every gateway answers it

Law: pure.
"""

from typing import Final

from protocols.telnet.codec import Negotiation, Subnegotiation, TelnetDecoder
from protocols.telnet.com_port import (
    ANSWER,
    NAMES,
    SETTINGS,
    Control,
    LineSettings,
    LineState,
    ModemState,
    Purge,
    Word,
    name_of,
    say,
    value_of,
)
from protocols.telnet.happenings import Noted
from protocols.telnet.options import Option, Options, State

SIGNATURE: Final = b"devicectl"
"""Answer to a gateway that asks whose host this is."""

_BOTH_WAYS: Final = (Option.BINARY, Option.SUPPRESS_GO_AHEAD)
_FLOWS: Final = (Control.FLOW_NONE, Control.FLOW_SOFTWARE, Control.FLOW_HARDWARE)
_GROUPS: Final = (_FLOWS, (Control.BREAK_ON, Control.BREAK_OFF), (Control.DTR_ON, Control.DTR_OFF),
                  (Control.RTS_ON, Control.RTS_OFF))  # fmt: skip
"""Values of SET-CONTROL of which one holds at a time."""
_SHOWN: Final = {
    Control.FLOW_NONE: "no flow control",
    Control.FLOW_SOFTWARE: "XON/XOFF",
    Control.FLOW_HARDWARE: "RTS/CTS",
    Control.DTR_ON: "DTR on",
    Control.DTR_OFF: "DTR off",
    Control.RTS_ON: "RTS on",
    Control.RTS_OFF: "RTS off",
}
_ERRORS: Final = {
    LineState.OVERRUN: "bytes were lost at the gateway (overrun)",
    LineState.PARITY_ERROR: "parity errors on the gateway's line",
    LineState.FRAMING_ERROR: "framing errors on the gateway's line: is its speed right?",
    LineState.BREAK: "a break on the gateway's line",
}


class RemotePort:
    """One serial port of a gateway. `controls` are what else is asked for, each waited for unless `ignore_control`."""

    def __init__(
        self, wanted: LineSettings, controls: tuple[Control, ...] = (), *, ignore_control: bool = False
    ) -> None:
        self.refusal = ""
        self.holding = False
        """True while the gateway takes no data."""
        self.modem: ModemState | None = None
        """Lines of the device, once the gateway has said how they are."""
        self._wanted = wanted
        self._controls = controls
        self._ignore_control = ignore_control
        self._unset: dict[Word, int] = {}
        """Settings whose answer is waited for, and the value that it should have."""
        self._uncontrolled: list[Control] = []
        """Values of SET-CONTROL whose answer is waited for."""
        self._asked = False
        self._decoder = TelnetDecoder()
        self._options = Options(ours=(*_BOTH_WAYS, Option.COM_PORT), theirs=_BOTH_WAYS)
        self._unsent = bytearray(self._options.ask(ours=(*_BOTH_WAYS, Option.COM_PORT), theirs=_BOTH_WAYS))

    @property
    def ready(self) -> bool:
        """True once the port is as it is wanted, and data goes over it unchanged."""
        return self._asked and not self.refusal and not self.missing()

    def missing(self) -> str:
        """Name what has not been answered yet, "" if nothing is."""
        for option, of_peer in ((Option.COM_PORT, False), (Option.BINARY, False), (Option.BINARY, True)):
            state = self._options.theirs(option) if of_peer else self._options.ours(option)
            if state is State.ASKED:
                return f"{'DO' if of_peer else 'WILL'} {option.name.replace('_', '-')}"
        for word, value in self._unset.items():
            return f"{name_of(word)} {value}"
        for control in self._uncontrolled:
            return f"SET-CONTROL {_SHOWN[control]}"
        return ""

    def take(self) -> bytes:
        """Return what is to be sent to the gateway, and forget it."""
        unsent = bytes(self._unsent)
        self._unsent.clear()
        return unsent

    def feed(self, data: bytes) -> list[bytes | Noted]:
        """Take what the gateway has sent: data of the device, and what is to be noted."""
        found: list[bytes | Noted] = []
        for item in self._decoder.feed(data):
            if isinstance(item, bytes):
                found.append(item)
            elif isinstance(item, Negotiation):
                self._unsent += self._options.take(item)
                self._settle()
            elif isinstance(item, Subnegotiation) and item.option == Option.COM_PORT and item.body:
                found += self._told(item.body)
        return found

    def _settle(self) -> None:
        """See what has become of the options, and ask for the settings once the gateway takes them."""
        options = self._options
        if options.ours(Option.COM_PORT) is State.REFUSED:
            self.refusal = "it refuses RFC 2217 (COM-PORT-OPTION): is it a plain Telnet port?"
        elif State.REFUSED in (options.ours(Option.BINARY), options.theirs(Option.BINARY)):
            self.refusal = "it refuses binary transmission, and frames hold every byte"
        elif options.ours(Option.COM_PORT) is State.ON and not self._asked:
            self._asked = True
            self._ask()

    def _ask(self) -> None:
        for word, value in zip(SETTINGS, self._wanted, strict=True):
            self._unset[word] = value
            self._unsent += say(word, value)
        if not any(control in _FLOWS for control in self._controls):
            self._unsent += say(Word.SET_CONTROL, Control.FLOW_NONE)  # a gateway that has no other need not answer
        for control in self._controls:
            if not self._ignore_control:
                self._uncontrolled.append(control)
            self._unsent += say(Word.SET_CONTROL, control)
        reported = LineState.OVERRUN | LineState.PARITY_ERROR | LineState.FRAMING_ERROR | LineState.BREAK
        self._unsent += say(Word.SET_LINESTATE_MASK, reported) + say(Word.PURGE_DATA, Purge.BOTH)

    # --- what the gateway says -----------------------------------------------------------------------------------

    def _told(self, body: bytes) -> list[bytes | Noted]:
        if not ANSWER <= body[0] <= ANSWER + Word.PURGE_DATA:
            return []
        word = Word(body[0] - ANSWER)
        value = value_of(word, body)
        if word is Word.SIGNATURE and value is None and len(body) == 1:
            self._unsent += say(Word.SIGNATURE, SIGNATURE)
        elif word in (Word.FLOWCONTROL_SUSPEND, Word.FLOWCONTROL_RESUME):
            self.holding = word is Word.FLOWCONTROL_SUSPEND
        elif value is None:
            return []
        elif word in SETTINGS:
            self._is_set(word, value)
        elif word is Word.SET_CONTROL:
            return self._is_controlled(value)
        elif word is Word.NOTIFY_MODEMSTATE:
            return self._lines_are(ModemState(value))
        elif word is Word.NOTIFY_LINESTATE:
            return [Noted(text) for state, text in _ERRORS.items() if value & state]
        return []

    def _is_set(self, word: Word, value: int) -> None:
        wanted = self._unset.get(word)
        if wanted is None:
            return
        if value == wanted:
            del self._unset[word]
        else:
            self.refusal = f"it refuses {NAMES[word]} {wanted} and has {value}"

    def _is_controlled(self, value: int) -> list[bytes | Noted]:
        group = next((group for group in _GROUPS if value in group), ())
        wanted = next((control for control in group if control in self._uncontrolled), None)
        if wanted is not None and value == wanted:
            self._uncontrolled.remove(wanted)
        elif wanted is not None:
            self.refusal = f"it refuses {_SHOWN[wanted]} and has {_SHOWN[Control(value)]}"
        elif value == Control.FLOW_SOFTWARE:
            return [Noted("the gateway's line has XON/XOFF, which swallows bytes of frames: switch it off there")]
        return []

    def _lines_are(self, lines: ModemState) -> list[bytes | Noted]:
        was, self.modem = self.modem, lines
        if was is not None and was & ~lines & ModemState.DSR:
            return [Noted("the device's DSR line went off: has it lost its power?")]
        return []
