"""A gateway's end of a serial port over Telnet, by what a host says to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.telnet.codec import (
    Item,
    Negotiation,
    Subnegotiation,
    TelnetDecoder,
    Verb,
    escape,
    negotiate,
    subnegotiate,
)
from protocols.telnet.com_port import ANSWER, Control, LineState, ModemState, Parity, Purge, Word, say
from protocols.telnet.happenings import Break, Happening, Noted, Purged
from protocols.telnet.options import Option
from protocols.telnet.port import MAX_HELD_BYTES, MAX_SHOWN, POWERED, SerialPort

OFFER = negotiate(Verb.WILL, Option.COM_PORT)


WORDS = st.builds(say, st.sampled_from(Word), st.binary(max_size=5))
NOISE = st.binary(max_size=12) | WORDS | st.builds(negotiate, st.sampled_from(Verb), st.integers(0, 255))


def heard(port: SerialPort) -> list[Item]:
    return TelnetDecoder().feed(port.take())


def answer(word: Word, value: bytes) -> Subnegotiation:
    return Subnegotiation(Option.COM_PORT, bytes([word + ANSWER]) + value)


@pytest.fixture
def port() -> SerialPort:
    """A port whose host speaks RFC 2217."""
    port = SerialPort("nobody's")
    port.feed(OFFER)
    port.take()
    return port


def texts(happened: list[Happening]) -> list[str]:
    return [one.text for one in happened if isinstance(one, Noted)]


def test_it_says_first_what_it_wants_and_takes_an_offer() -> None:
    port = SerialPort("nobody's")
    assert {(item.verb, item.option) for item in heard(port) if isinstance(item, Negotiation)} == {
        (Verb.WILL, Option.BINARY),
        (Verb.WILL, Option.SUPPRESS_GO_AHEAD),
        (Verb.DO, Option.BINARY),
        (Verb.DO, Option.SUPPRESS_GO_AHEAD),
        (Verb.DO, Option.COM_PORT),
    }
    assert texts(port.feed(OFFER)) == ["the host speaks RFC 2217; the line is 9600 8N1"]
    assert heard(port) == [answer(Word.NOTIFY_MODEMSTATE, bytes([POWERED]))]
    assert port.feed(OFFER) == [] == heard(port)


def test_a_host_that_negotiates_nothing_is_served() -> None:
    port = SerialPort("nobody's")
    assert port.feed(b"a\xff\xffb") == [b"a\xffb"]
    port.set_modem(ModemState(0))
    port.note_line(LineState.OVERRUN)
    assert all(isinstance(item, Negotiation) for item in heard(port))


def test_a_request_without_an_offer_is_one() -> None:
    port = SerialPort("nobody's")
    port.take()
    assert texts(port.feed(say(Word.SET_PARITY, 2))) == [
        "the host speaks RFC 2217; the line is 9600 8N1",
        "parity ODD",
    ]
    assert heard(port) == [answer(Word.NOTIFY_MODEMSTATE, bytes([POWERED])), answer(Word.SET_PARITY, b"\x02")]


def test_a_request_after_a_refusal_is_ignored() -> None:
    port = SerialPort("nobody's")
    port.feed(negotiate(Verb.WONT, Option.COM_PORT))
    assert texts(port.feed(say(Word.SET_PARITY, 2))) == ["ignored SET-PARITY: the host has refused RFC 2217"]


@pytest.mark.parametrize("verb", [Verb.WONT, Verb.DONT])
def test_a_host_that_refuses_binary_transmission_is_noted(verb: Verb) -> None:
    (text,) = texts(SerialPort("nobody's").feed(negotiate(verb, Option.BINARY)))
    assert text.startswith("the host refuses binary transmission")


def test_other_options_are_refused_without_a_note(port: SerialPort) -> None:
    assert port.feed(negotiate(Verb.DO, Option.ECHO) + subnegotiate(24, b"\x00vt100")) == []
    assert heard(port) == [Negotiation(Verb.WONT, Option.ECHO)]


def test_a_setting_is_answered_with_what_the_port_has(port: SerialPort) -> None:
    assert port.feed(say(Word.SET_PARITY, Parity.ODD) + b"data" + say(Word.SET_PARITY, 9)) == [
        Noted("parity ODD"),
        b"data",
        Noted("refused parity 9: from 1 to 5 are possible; it stays at ODD"),
    ]
    assert heard(port) == [answer(Word.SET_PARITY, b"\x02")] * 2
    port.feed(say(Word.SET_BAUDRATE, 0) + say(Word.SET_CONTROL, Control.FLOW_STATE))
    assert heard(port) == [answer(Word.SET_BAUDRATE, b"\0\0\x25\x80"), answer(Word.SET_CONTROL, b"\x01")]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (subnegotiate(Option.COM_PORT, b""), "refused a request that RFC 2217 does not have: hex -"),
        (subnegotiate(Option.COM_PORT, b"\x4d\x01"), "refused a request that RFC 2217 does not have: hex 4d 01"),
        (subnegotiate(Option.COM_PORT, bytes(300)), "refused a request that RFC 2217 does not have: too long"),
        (say(Word.SET_BAUDRATE, b"\x01"), "refused SET-BAUDRATE: its value has the wrong size, hex 01"),
        (say(Word.PURGE_DATA, b""), "refused PURGE-DATA: its value has the wrong size, hex -"),
        (say(Word.PURGE_DATA, 4), "refused PURGE-DATA 4: 1, 2 and 3 are known"),
        (say(Word.SET_CONTROL, 20), "refused SET-CONTROL 20: RFC 2217 does not have it"),
    ],
)
def test_what_makes_no_sense_is_noted_and_not_answered(port: SerialPort, sent: bytes, text: str) -> None:
    assert port.feed(sent) == [Noted(text)]
    assert heard(port) == []


def test_data_of_a_line_in_break_is_lost(port: SerialPort) -> None:
    on, off = say(Word.SET_CONTROL, Control.BREAK_ON), say(Word.SET_CONTROL, Control.BREAK_OFF)
    happened = port.feed(b"a" + on + b"b\xff\xf3" + off + b"c")
    assert [one for one in happened if not isinstance(one, Noted)] == [b"a", Break(on=True), Break(on=False), b"c"]
    assert port.feed(b"\xff\xf3") == [Noted("a short break"), Break(on=True), Break(on=False)]


@given(st.lists(NOISE, max_size=6), st.binary(max_size=4))
def test_what_is_plain_is_returned_as_it_is(sent: list[bytes], data: bytes) -> None:
    port = SerialPort("nobody's")
    for piece in sent:
        port.feed(piece)
    if port.is_plain(data):
        assert port.feed(data) == ([data] if data else [])


def test_a_command_is_never_plain_and_neither_is_what_follows_its_beginning(port: SerialPort) -> None:
    assert port.is_plain(b"ab") and not port.is_plain(b"a\xffb")
    port.feed(b"\xff")
    assert not port.is_plain(b"\xfb") and port.feed(b"\xf1") == [] and port.is_plain(b"a")
    port.feed(say(Word.SET_CONTROL, Control.BREAK_ON))
    assert not port.is_plain(b"a")


@pytest.mark.parametrize(
    ("purge", "received", "unsent", "text"),
    [
        (Purge.RECEIVED, True, False, "what the device has said"),
        (Purge.UNSENT, False, True, "what the host has said"),
        (Purge.BOTH, True, True, "both directions"),
    ],
)
def test_a_purge_says_of_what(port: SerialPort, purge: Purge, received: bool, unsent: bool, text: str) -> None:
    assert port.feed(say(Word.PURGE_DATA, purge)) == [Purged(received, unsent), Noted(f"purged {text}")]
    assert heard(port) == [answer(Word.PURGE_DATA, bytes([purge]))]


def test_a_host_that_wants_no_data_is_sent_none(port: SerialPort) -> None:
    assert not port.holding
    assert texts(port.feed(say(Word.FLOWCONTROL_SUSPEND))) == ["the host wants no data"] and port.holding
    assert texts(port.feed(say(Word.FLOWCONTROL_RESUME))) == ["the host takes data again"] and not port.holding
    port.feed(say(Word.SET_CONTROL, Control.RTS_OFF))
    assert not port.holding
    port.feed(say(Word.SET_CONTROL, Control.FLOW_HARDWARE))
    assert port.holding
    port.feed(say(Word.SET_CONTROL, Control.RTS_ON))
    assert not port.holding


def test_signatures(port: SerialPort) -> None:
    port.feed(say(Word.SIGNATURE))
    assert heard(port) == [answer(Word.SIGNATURE, b"nobody's")]
    assert texts(port.feed(say(Word.SIGNATURE, b"me\x1b"))) == [r"the host is 'me\x1b'"]
    (long,) = texts(port.feed(say(Word.SIGNATURE, b"x" * 200)))
    assert len(long) == len("the host is ''") + MAX_SHOWN


def test_the_devices_lines(port: SerialPort) -> None:
    port.set_modem(POWERED | ModemState.RING)
    assert heard(port) == []  # that it begins to ring is no change that the RFC has
    port.set_modem(ModemState.CTS)
    gone = ModemState.DSR_CHANGED | ModemState.CARRIER_CHANGED | ModemState.RING_ENDED
    assert heard(port) == [answer(Word.NOTIFY_MODEMSTATE, bytes([ModemState.CTS | gone]))]
    port.feed(say(Word.NOTIFY_MODEMSTATE))
    assert heard(port) == [answer(Word.NOTIFY_MODEMSTATE, bytes([ModemState.CTS]))]
    port.feed(say(Word.SET_MODEMSTATE_MASK, ModemState.DSR))
    assert heard(port) == [answer(Word.SET_MODEMSTATE_MASK, bytes([ModemState.DSR]))]
    port.set_modem(ModemState(0))
    assert heard(port) == []
    port.set_modem(ModemState.DSR)
    assert heard(port) == [answer(Word.NOTIFY_MODEMSTATE, bytes([ModemState.DSR | ModemState.DSR_CHANGED]))]


def test_errors_of_the_line_are_reported_where_that_is_wanted(port: SerialPort) -> None:
    port.note_line(LineState.FRAMING_ERROR)
    assert heard(port) == []
    port.feed(say(Word.NOTIFY_LINESTATE) + say(Word.SET_LINESTATE_MASK, 255))
    assert heard(port) == [
        answer(Word.NOTIFY_LINESTATE, bytes([LineState.HOLDING_EMPTY | LineState.SHIFT_EMPTY])),
        answer(
            Word.SET_LINESTATE_MASK,
            bytes([LineState.OVERRUN | LineState.PARITY_ERROR | LineState.FRAMING_ERROR | LineState.BREAK]),
        ),
    ]
    port.note_line(LineState.FRAMING_ERROR | LineState.DATA_READY)
    assert heard(port) == [answer(Word.NOTIFY_LINESTATE, bytes([LineState.FRAMING_ERROR]))]


@given(st.lists(NOISE, max_size=20))
def test_no_peer_makes_it_raise_or_say_much(sent: list[bytes]) -> None:
    port = SerialPort("nobody's")
    first = len(port.take())
    for piece in sent:
        port.feed(piece)
    said = len(port.take())
    assert first and said <= 30 * sum(len(piece) + 1 for piece in sent)


@given(st.lists(st.binary(max_size=12) | WORDS.map(lambda word: (word,)), max_size=12), st.integers(1, 7))
def test_data_between_words_arrives_unchanged_however_it_is_split(parts: list[bytes | tuple[bytes]], size: int) -> None:
    port = SerialPort("nobody's")
    port.feed(OFFER + say(Word.SET_MODEMSTATE_MASK, 0))
    parts = [part for part in parts if isinstance(part, bytes) or part[0][3] != Word.SET_CONTROL]
    sent = b"".join(escape(part) if isinstance(part, bytes) else part[0] for part in parts)
    happened = [one for at in range(0, len(sent), size) for one in port.feed(sent[at : at + size])]
    data = b"".join(part for part in parts if isinstance(part, bytes))
    assert b"".join(one for one in happened if isinstance(one, bytes)) == data


def test_data_is_held_while_a_host_wants_none_and_comes_before_what_follows(port: SerialPort) -> None:
    port.feed(say(Word.FLOWCONTROL_SUSPEND, b""))
    assert port.carry(b"one ") == b"" and port.held_bytes == 4
    port.feed(say(Word.FLOWCONTROL_RESUME, b""))
    assert port.carry(b"two\xff") == b"one two\xff\xff"
    assert port.held_bytes == 0


def test_what_is_held_is_bounded_and_forgotten(port: SerialPort) -> None:
    port.feed(say(Word.SET_LINESTATE_MASK, bytes([LineState.OVERRUN])) + say(Word.FLOWCONTROL_SUSPEND, b""))
    port.take()
    assert port.carry(bytes(MAX_HELD_BYTES)) == b""
    assert port.carry(b"x") == subnegotiate(Option.COM_PORT, bytes([Word.NOTIFY_LINESTATE + ANSWER, LineState.OVERRUN]))
    port.forget()
    port.feed(say(Word.FLOWCONTROL_RESUME, b""))
    assert port.take() == b"" and port.held_bytes == 0
