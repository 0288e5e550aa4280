r"""A gateway's end of a serial port over Telnet: what a host sets is modelled here, and said back as the port has it.

How it works: `feed` takes what the host has sent and returns data for the device, in order with what happened to its
line; `take` gives what is to be sent back. Data for the host goes through `carry`, and is held while `holding`.

    port = SerialPort("whose it is")
    port.feed(b"\xff\xfb\x2c")                            the host speaks RFC 2217
    port.feed(b"\xff\xfa\x2c\x03\x02\xff\xf0 data")        [Noted("parity ODD"), b" data"]
    port.take()                                          ... what the port has now
    port.carry(b"answer")                                what the host is to get, held while it wants no data

Law: pure. A host that never negotiates is served all the same: it may be a plain Telnet client.
"""

from typing import Final

from protocols.telnet.codec import BREAK, IAC, Negotiation, Subnegotiation, TelnetDecoder, Verb, escape
from protocols.telnet.com_port import (
    ANSWER,
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
from protocols.telnet.happenings import Break, Happening, Noted, Purged
from protocols.telnet.options import Option, Options, State
from protocols.telnet.uart import Uart

MAX_HELD_BYTES: Final = 16 * 1024
"""Kept for a host that wants no data; what comes then is lost in whole frames, and the host may hear of an overrun."""
MAX_SHOWN: Final = 60
"""Characters of a host's signature that are noted."""
POWERED: Final = ModemState.CTS | ModemState.DSR | ModemState.CARRIER
"""Lines of a device that has power: it is there, and it takes bytes."""

_BOTH_WAYS: Final = (Option.BINARY, Option.SUPPRESS_GO_AHEAD)
_REPORTED: Final = LineState.OVERRUN | LineState.PARITY_ERROR | LineState.FRAMING_ERROR | LineState.BREAK
"""States of a line that a host can ask to be told of as they come."""
_PURGED: Final = {
    Purge.RECEIVED: "what the device has said",
    Purge.UNSENT: "what the host has said",
    Purge.BOTH: "both directions",
}


class SerialPort:
    """One serial port, for one host. `signature` says whose it is."""

    def __init__(self, signature: str, settings: LineSettings | None = None) -> None:
        self.uart = Uart(LineSettings() if settings is None else settings)
        self.suspended = False
        """True while the host wants no data: its own buffers are full."""
        self.modem = POWERED
        self._signature = signature
        self._modem_mask, self._line_mask = 255, 0
        self._held = bytearray()
        self._decoder = TelnetDecoder()
        self._options = Options(ours=_BOTH_WAYS, theirs=(*_BOTH_WAYS, Option.COM_PORT))
        self._unsent = self._options.ask(ours=_BOTH_WAYS, theirs=(*_BOTH_WAYS, Option.COM_PORT))

    @property
    def agreed(self) -> bool:
        """True if the host speaks RFC 2217."""
        return self._options.theirs(Option.COM_PORT) is State.ON

    @property
    def holding(self) -> bool:
        """True while data for the host has to wait."""
        return self.suspended or (self.uart.flow is Control.FLOW_HARDWARE and not self.uart.rts)

    @property
    def held_bytes(self) -> int:
        """Bytes that are held for the host; `MAX_HELD_BYTES` at most."""
        return len(self._held)

    def take(self) -> bytes:
        """Return what is to be sent to the host, and forget it; with what was held, once the host takes data again."""
        unsent, self._unsent = self._unsent, b""
        if self._held and not self.holding:
            unsent += escape(bytes(self._held))
            self._held.clear()
        return unsent

    def carry(self, data: bytes) -> bytes:
        """Return what is to be sent so that the host gets data of the device; while it wants none, that is held."""
        if not self.holding:
            return self.take() + escape(data) if self._held else escape(data)
        if len(self._held) + len(data) <= MAX_HELD_BYTES:
            self._held += data
            return b""
        return self.lose()

    def lose(self) -> bytes:
        """Lose a piece of the device's; returns what the host is to hear of that."""
        self.note_line(LineState.OVERRUN)
        return self.take()

    def forget(self) -> None:
        """Forget what is held, as a host has asked by PURGE-DATA."""
        self._held.clear()

    def is_plain(self, data: bytes) -> bool:
        """Return True if `feed` would return the data as it is, as it nearly always does."""
        return IAC not in data and self._decoder.idle and not self.uart.breaking

    def feed(self, data: bytes) -> list[Happening]:
        """Take what the host has sent; what comes of it, in order."""
        happened: list[Happening] = []
        for item in self._decoder.feed(data):
            if isinstance(item, bytes):
                if not self.uart.breaking:  # a line that is held at zero carries nothing
                    happened.append(item)
            elif isinstance(item, Negotiation):
                happened += self._negotiated(item)
            elif isinstance(item, Subnegotiation):
                if item.option == Option.COM_PORT:
                    happened += self._asked(item.body)
            elif item.code == BREAK and not self.uart.breaking:
                happened += [Noted("a short break"), Break(on=True), Break(on=False)]
        return happened

    def set_modem(self, lines: ModemState) -> None:
        """Set the device's lines; the host hears of a change that it wants to hear of."""
        was, self.modem = self.modem, lines
        turned = (was ^ lines) & (ModemState.CTS | ModemState.DSR | ModemState.CARRIER)
        changed = ModemState((turned | (was & ~lines & ModemState.RING)) >> 4)
        if self.agreed and (changed | changed << 4) & self._modem_mask:
            self._notify_modem(changed)

    def note_line(self, errors: LineState) -> None:
        """Report errors on the line, where the host has asked for them."""
        if self.agreed and errors & self._line_mask:
            self._answer(Word.NOTIFY_LINESTATE, errors & self._line_mask)

    # --- what the host says --------------------------------------------------------------------------------------

    def _negotiated(self, word: Negotiation) -> list[Happening]:
        spoke = self.agreed
        self._unsent += self._options.take(word)
        if self.agreed and not spoke:
            self._notify_modem(ModemState(0))
            return [Noted(f"the host speaks RFC 2217; the line is {self.uart.settings}")]
        binary = (self._options.ours(Option.BINARY), self._options.theirs(Option.BINARY))
        if word.option == Option.BINARY and State.REFUSED in binary:
            return [Noted("the host refuses binary transmission: its ends of lines may be changed on their way")]
        return []

    def _asked(self, body: bytes | None) -> list[Happening]:
        if not body or body[0] not in Word.__members__.values():
            code = "too long" if body is None else f"hex {body[:8].hex(' ') or '-'}"
            return [Noted(f"refused a request that RFC 2217 does not have: {code}")]
        word = Word(body[0])
        if self._options.theirs(Option.COM_PORT) is State.REFUSED:
            return [Noted(f"ignored {name_of(word)}: the host has refused RFC 2217")]
        if not self.agreed:  # its offer is left out by pyserial where this end's DO has come before it was made
            return [*self._negotiated(Negotiation(Verb.WILL, Option.COM_PORT)), *self._asked(body)]
        if word in _WITHOUT_NUMBER:
            return self._simple(word, body[1:])
        value = value_of(word, body)
        if value is None:
            return [Noted(f"refused {name_of(word)}: its value has the wrong size, hex {body[1:9].hex(' ') or '-'}")]
        return self._set(word, value)

    def _simple(self, word: Word, text: bytes) -> list[Happening]:
        """Take a word that has no number."""
        if word is Word.NOTIFY_MODEMSTATE:  # a host that polls
            self._notify_modem(ModemState(0))
        elif word is Word.NOTIFY_LINESTATE:
            self._answer(word, LineState.HOLDING_EMPTY | LineState.SHIFT_EMPTY)
        elif word is Word.SIGNATURE:
            if text:
                return [Noted(f"the host is {text[:MAX_SHOWN].decode(errors='replace')!a}")]
            self._answer(word, self._signature.encode())
        else:
            self.suspended = word is Word.FLOWCONTROL_SUSPEND
            return [Noted("the host wants no data" if self.suspended else "the host takes data again")]
        return []

    def _set(self, word: Word, value: int) -> list[Happening]:
        happened: list[Happening] = []
        if word in SETTINGS:
            value, happened = self.uart.set(word, value)
        elif word is Word.SET_CONTROL:
            if value not in Control.__members__.values():
                return [Noted(f"refused SET-CONTROL {value}: RFC 2217 does not have it")]
            value, happened = self.uart.control(Control(value))
        elif word is Word.PURGE_DATA:
            if value not in Purge.__members__.values():
                return [Noted(f"refused PURGE-DATA {value}: 1, 2 and 3 are known")]
            purge = Purge(value)
            both = Purged(received=purge is not Purge.UNSENT, unsent=purge is not Purge.RECEIVED)
            happened = [both, Noted(f"purged {_PURGED[purge]}")]
        elif word is Word.SET_MODEMSTATE_MASK:
            self._modem_mask = value
        else:
            self._line_mask = value = value & _REPORTED
        self._answer(word, value)
        return happened

    # --- what it is told -----------------------------------------------------------------------------------------

    def _answer(self, word: Word, value: int | bytes) -> None:
        self._unsent += say(word + ANSWER, value)

    def _notify_modem(self, changed: ModemState) -> None:
        self._answer(Word.NOTIFY_MODEMSTATE, (self.modem & 0xF0) | changed)


_WITHOUT_NUMBER: Final = frozenset(
    {
        Word.SIGNATURE,
        Word.NOTIFY_LINESTATE,
        Word.NOTIFY_MODEMSTATE,
        Word.FLOWCONTROL_SUSPEND,
        Word.FLOWCONTROL_RESUME,
    }
)
