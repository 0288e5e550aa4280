"""A host's end of a serial port over Telnet: against our own port, and against gateways that answer otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.telnet.codec import Subnegotiation, TelnetDecoder, Verb, escape, negotiate, subnegotiate
from protocols.telnet.com_port import ANSWER, Control, LineSettings, LineState, ModemState, Parity, Word, say
from protocols.telnet.happenings import Noted
from protocols.telnet.options import Option
from protocols.telnet.port import SerialPort
from protocols.telnet.remote import SIGNATURE, RemotePort

WANTED = LineSettings(115200)
AGREED = b"".join(
    negotiate(verb, option)
    for verb, option in ((Verb.DO, Option.COM_PORT), (Verb.DO, Option.BINARY), (Verb.WILL, Option.BINARY))
)
SET = (
    say(Word.SET_BAUDRATE + ANSWER, 115200)
    + say(Word.SET_DATASIZE + ANSWER, 8)
    + say(Word.SET_PARITY + ANSWER, 1)
    + say(Word.SET_STOPSIZE + ANSWER, 1)
)


def control(value: Control) -> bytes:
    return say(Word.SET_CONTROL + ANSWER, value)


def negotiated(remote: RemotePort, port: SerialPort) -> None:
    """Let both ends say all that they have to say."""
    for _ in range(10):
        port.feed(remote.take())
        remote.feed(port.take())


def test_our_own_port_is_set_as_it_is_wanted() -> None:
    port = SerialPort("nobody's")
    remote = RemotePort(LineSettings(57600, 7, Parity.EVEN, 2), (Control.FLOW_HARDWARE, Control.DTR_OFF))
    assert not remote.ready and remote.missing() == "WILL COM-PORT"
    negotiated(remote, port)
    assert remote.ready and remote.missing() == remote.refusal == ""
    assert port.uart.settings == LineSettings(57600, 7, Parity.EVEN, 2)
    assert port.uart.flow is Control.FLOW_HARDWARE and not port.uart.dtr and port.uart.rts
    assert remote.modem == port.modem
    assert remote.take() == port.take() == b""


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        (b"", "WILL COM-PORT"),
        (negotiate(Verb.DO, Option.COM_PORT), "WILL BINARY"),
        (negotiate(Verb.DO, Option.COM_PORT) + negotiate(Verb.DO, Option.BINARY), "DO BINARY"),
        (AGREED, "SET-BAUDRATE 115200"),
        (AGREED + say(Word.SET_BAUDRATE + ANSWER, 115200), "SET-DATASIZE 8"),
        (AGREED + SET, "SET-CONTROL DTR off"),
        (AGREED + SET + control(Control.FLOW_NONE) + control(Control.BREAK_OFF), "SET-CONTROL DTR off"),
        (AGREED + SET + control(Control.DTR_OFF), ""),
    ],
)
def test_what_nobody_has_answered_is_named(said: bytes, missing: str) -> None:
    remote = RemotePort(WANTED, (Control.DTR_OFF,))
    remote.feed(said)
    assert remote.missing() == missing and remote.ready == (missing == "") and not remote.refusal


def test_an_answer_about_lines_is_not_waited_for_where_that_is_not_wanted() -> None:
    remote = RemotePort(WANTED, (Control.DTR_OFF, Control.RTS_ON), ignore_control=True)
    remote.feed(AGREED + SET)
    assert remote.ready
    assert say(Word.SET_CONTROL, Control.DTR_OFF) + say(Word.SET_CONTROL, Control.RTS_ON) in remote.take()


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (negotiate(Verb.DONT, Option.COM_PORT), "it refuses RFC 2217 (COM-PORT-OPTION): is it a plain Telnet port?"),
        (negotiate(Verb.DONT, Option.BINARY), "it refuses binary transmission, and frames hold every byte"),
        (negotiate(Verb.WONT, Option.BINARY), "it refuses binary transmission, and frames hold every byte"),
        (AGREED + say(Word.SET_BAUDRATE + ANSWER, 9600), "it refuses baud 115200 and has 9600"),
        (AGREED + say(Word.SET_DATASIZE + ANSWER, 7), "it refuses data bits 8 and has 7"),
        (AGREED + SET + control(Control.RTS_ON), "it refuses RTS off and has RTS on"),
        (AGREED + SET + control(Control.FLOW_NONE), "it refuses RTS/CTS and has no flow control"),
    ],
)
def test_a_refusal_says_of_what(said: bytes, refusal: str) -> None:
    remote = RemotePort(WANTED, (Control.FLOW_HARDWARE, Control.RTS_OFF))
    remote.feed(said)
    assert remote.refusal == refusal and not remote.ready


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (control(Control.FLOW_SOFTWARE), "the gateway's line has XON/XOFF"),
        (say(Word.NOTIFY_LINESTATE + ANSWER, LineState.OVERRUN), "bytes were lost at the gateway"),
        (say(Word.NOTIFY_LINESTATE + ANSWER, LineState.FRAMING_ERROR), "framing errors"),
        (say(Word.NOTIFY_LINESTATE + ANSWER, LineState.PARITY_ERROR), "parity errors"),
        (say(Word.NOTIFY_LINESTATE + ANSWER, LineState.BREAK), "a break on"),
        (
            say(Word.NOTIFY_MODEMSTATE + ANSWER, ModemState.DSR) + say(Word.NOTIFY_MODEMSTATE + ANSWER, 0),
            "the device's DSR line went off",
        ),
    ],
)
def test_what_a_person_should_know_is_noted(said: bytes, text: str) -> None:
    remote = RemotePort(WANTED)
    (noted,) = remote.feed(AGREED + SET + said)
    assert isinstance(noted, Noted) and noted.text.startswith(text) and remote.ready


@pytest.mark.parametrize(
    "said",
    [
        say(Word.NOTIFY_LINESTATE + ANSWER, LineState.DATA_READY),
        say(Word.NOTIFY_MODEMSTATE + ANSWER, 0),
        say(Word.NOTIFY_MODEMSTATE + ANSWER, 0) + say(Word.NOTIFY_MODEMSTATE + ANSWER, ModemState.DSR),
        say(Word.SET_BAUDRATE + ANSWER, 300),
        say(Word.SET_BAUDRATE + ANSWER, b"\x01"),
        say(Word.PURGE_DATA + ANSWER, 3),
        say(Word.SIGNATURE + ANSWER, b"somebody's"),
        say(Word.SET_BAUDRATE, 300),
        control(Control.FLOW_DSR),
        subnegotiate(Option.COM_PORT, b""),
        subnegotiate(Option.COM_PORT, b"\xfe\x01"),
        subnegotiate(24, b"\x01"),
        b"\xff\xf3",
    ],
)
def test_what_else_a_gateway_says_changes_nothing(said: bytes) -> None:
    remote = RemotePort(WANTED)
    assert remote.feed(AGREED + SET) == []
    remote.take()
    assert remote.feed(said) == [] and remote.ready and remote.take() == b""


def test_it_says_whose_it_is_and_stops_where_it_is_asked_to() -> None:
    remote = RemotePort(WANTED)
    remote.take()
    remote.feed(say(Word.SIGNATURE + ANSWER) + say(Word.FLOWCONTROL_SUSPEND + ANSWER))
    assert remote.holding
    assert TelnetDecoder().feed(remote.take()) == [Subnegotiation(Option.COM_PORT, b"\0" + SIGNATURE)]
    remote.feed(say(Word.FLOWCONTROL_RESUME + ANSWER))
    assert not remote.holding


@given(st.binary(max_size=60), st.integers(1, 7), st.integers(1, 7))
def test_any_bytes_pass_both_ways_between_the_two_ends(data: bytes, there: int, back: int) -> None:
    port, remote = SerialPort("nobody's"), RemotePort(WANTED)
    negotiated(remote, port)
    sent = escape(data)
    at_device = [one for at in range(0, len(sent), there) for one in port.feed(sent[at : at + there])]
    at_host = [one for at in range(0, len(sent), back) for one in remote.feed(sent[at : at + back])]
    assert b"".join(one for one in at_device if isinstance(one, bytes)) == data
    assert b"".join(one for one in at_host if isinstance(one, bytes)) == data


@given(st.lists(st.binary(max_size=12) | st.builds(say, st.integers(100, 112), st.binary(max_size=5)), max_size=20))
def test_no_gateway_makes_it_raise(said: list[bytes]) -> None:
    remote = RemotePort(WANTED, (Control.DTR_OFF,))
    for piece in said:
        remote.feed(piece)
    assert isinstance(remote.ready, bool)
