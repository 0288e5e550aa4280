"""The kit's end of a gateway's port: data and what a host sets, told apart both ways."""

from devicectl.conformance.controller.gateway import SIGNATURE, Gateway, Socket
from protocols.telnet.codec import IAC, Negotiation, Subnegotiation, TelnetDecoder, Verb, escape, negotiate
from protocols.telnet.com_port import Control, LineState, Purge, Word, say
from protocols.telnet.options import Option
from protocols.telnet.port import MAX_HELD_BYTES

OFFER = negotiate(Verb.WILL, Option.COM_PORT)
NO_DATA, DATA = say(Word.FLOWCONTROL_SUSPEND, b""), say(Word.FLOWCONTROL_RESUME, b"")


def linked() -> Gateway:
    """A gateway whose host speaks RFC 2217, with nothing left to say."""
    gateway = Gateway()
    gateway.hear(OFFER)
    gateway.take()
    return gateway


def data_of(said: bytes) -> bytes:
    """Bytes of the line in what a host hears."""
    return b"".join(item for item in TelnetDecoder().feed(said) if isinstance(item, bytes))


def test_a_plain_socket_changes_nothing() -> None:
    end = Socket()
    assert (end.hear(b"\xff\0"), end.say(b"\xff\0"), end.take()) == (b"\xff\0", b"\xff\0", b"")


def test_it_asks_for_a_host_that_speaks_rfc_2217_before_the_first_word() -> None:
    asked = TelnetDecoder().feed(Gateway().say(b""))
    assert Negotiation(Verb.DO, Option.COM_PORT) in asked


def test_what_a_host_sets_is_answered_and_is_no_data() -> None:
    gateway = linked()
    assert gateway.hear(b"a" + say(Word.SET_BAUDRATE, (9600).to_bytes(4, "big")) + b"b" + escape(b"\xff")) == b"ab\xff"
    (answer,) = TelnetDecoder().feed(gateway.take())
    assert isinstance(answer, Subnegotiation)
    assert answer.body == bytes([Word.SET_BAUDRATE + 100]) + (9600).to_bytes(4, "big")


def test_data_that_looks_like_telnet_comes_as_it_is() -> None:
    said = linked().say(bytes([0, IAC, 1]))
    assert said != bytes([0, IAC, 1]) and data_of(said) == bytes([0, IAC, 1])


def test_a_break_is_a_zero() -> None:
    assert linked().hear(b"a" + say(Word.SET_CONTROL, bytes([Control.BREAK_ON]))) == b"a\0"


def test_data_is_held_while_the_host_wants_none() -> None:
    gateway = linked()
    gateway.hear(NO_DATA)
    assert gateway.say(b"one ") == gateway.say(b"two") == b""
    gateway.hear(DATA)
    assert gateway.take() == b"one two"
    assert gateway.take() == b""


def test_a_purge_takes_what_is_held() -> None:
    gateway = linked()
    gateway.hear(NO_DATA)
    gateway.say(b"one")
    gateway.hear(say(Word.PURGE_DATA, bytes([Purge.RECEIVED])) + DATA)
    assert data_of(gateway.take()) == b""


def test_what_is_held_is_bounded_and_a_host_hears_of_what_is_lost() -> None:
    gateway = linked()
    gateway.hear(say(Word.SET_LINESTATE_MASK, bytes([LineState.OVERRUN])) + NO_DATA)
    gateway.take()
    assert gateway.say(bytes(MAX_HELD_BYTES)) == b""
    (told,) = TelnetDecoder().feed(gateway.say(b"x"))
    assert isinstance(told, Subnegotiation)
    assert told.body == bytes([Word.NOTIFY_LINESTATE + 100, LineState.OVERRUN])
    gateway.hear(DATA)
    assert data_of(gateway.take()) == bytes(MAX_HELD_BYTES)


def test_it_says_whose_it_is() -> None:
    gateway = linked()
    gateway.hear(say(Word.SIGNATURE, b""))
    assert SIGNATURE.encode() in gateway.take()
