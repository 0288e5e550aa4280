"""Gateways that negotiate badly: they refuse, never answer, answer without end, cut a word short, or close.

Law: each is what `bad_devices.serving` serves at a connection.
"""

import contextlib
import socket
import threading
from typing import Final

from protocols.telnet.codec import IAC, SB, Verb, negotiate, subnegotiate
from protocols.telnet.com_port import ANSWER, Word
from protocols.telnet.options import Option
from protocols.telnet.port import SerialPort
from tests.e2e.conformance.bad_devices import Behave, silent

_AGREES: Final = (
    negotiate(Verb.DO, Option.COM_PORT) + negotiate(Verb.DO, Option.BINARY) + negotiate(Verb.WILL, Option.BINARY)
)
_CUT: Final = _AGREES + bytes([IAC, SB, Option.COM_PORT, Word.SET_BAUDRATE + ANSWER, 0, 0])
"""Agrees, and begins to answer."""
_OPTIONS: Final = b"".join(negotiate(Verb.DO, name) + negotiate(Verb.WILL, name) for name in range(256)) * 20


def says_once(data: bytes) -> Behave:
    """Say this, and then nothing."""

    def behave(peer: socket.socket) -> None:
        peer.sendall(data)
        silent(peer)

    return behave


def refuses_all(peer: socket.socket) -> None:
    """Say no to each option."""
    words = [negotiate(verb, option) for option in (44, 0, 3) for verb in (Verb.DONT, Verb.WONT)]
    says_once(b"".join(words))(peer)


def refuses_binary(peer: socket.socket) -> None:
    """Speak RFC 2217, and no binary transmission."""
    agrees = negotiate(Verb.DO, Option.COM_PORT)
    says_once(agrees + negotiate(Verb.DONT, Option.BINARY) + negotiate(Verb.WONT, Option.BINARY))(peer)


def has_another_speed(peer: socket.socket) -> None:
    """Answer the speed with 9,600 baud."""
    answer = bytes([Word.SET_BAUDRATE + ANSWER]) + (9_600).to_bytes(4, "big")
    says_once(_AGREES + subnegotiate(Option.COM_PORT, answer))(peer)


def negotiates_without_end(peer: socket.socket) -> None:
    """Ask for every option there is, again and again, and read what is said to that."""
    threading.Thread(target=_drain, args=(peer,), daemon=True).start()
    while True:
        peer.sendall(_OPTIONS)


def never_ends_a_word(peer: socket.socket) -> None:
    """Begin an answer, and send bytes of it without end."""
    threading.Thread(target=_drain, args=(peer,), daemon=True).start()
    peer.sendall(_CUT)
    while True:
        peer.sendall(b"A" * 60_000)


def closes_in_a_word(peer: socket.socket) -> None:
    """Begin an answer, and close."""
    peer.sendall(_CUT)
    peer.recv(1)


def wants_no_data(peer: socket.socket) -> None:
    """Set the port right, and suspend the host as soon as it has data."""
    port = SerialPort("a gateway that is full")
    while data := peer.recv(4096):
        carries = any(isinstance(one, bytes) for one in port.feed(data))
        peer.sendall(port.take())
        if carries:
            peer.sendall(subnegotiate(Option.COM_PORT, bytes([Word.FLOWCONTROL_SUSPEND + ANSWER])))


def _drain(peer: socket.socket) -> None:
    with contextlib.suppress(OSError):
        silent(peer)
