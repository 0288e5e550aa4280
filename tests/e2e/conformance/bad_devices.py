"""Devices that do everything wrong, on a TCP port: silent, floods, other people's text, ports that close.

Law: each is ended by the one who started it; nothing waits but for its peer.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from protocols.language.messages import EchoDone, Hello
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, encode_message
from tests.unit.devicectl.conformance.device.benches import a_welcome

Behave = Callable[[socket.socket], None]

TEXTS = {
    "modem": b"\r\nERROR\r\n",
    "boot": b"[    0.000000] Booting Linux on physical CPU 0x0\r\nU-Boot 2023.01\r\n",
    "nmea": b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n",
}


def silent(peer: socket.socket) -> None:
    """Take everything and say nothing."""
    while peer.recv(4096):
        pass


def says(text: bytes) -> Behave:
    """Answer whatever comes with a text, and say it first."""

    def behave(peer: socket.socket) -> None:
        peer.sendall(text * 20)
        while peer.recv(4096):
            peer.sendall(text)

    return behave


def floods(data: bytes) -> Behave:
    """Send without end, as fast as the peer takes it."""

    def behave(peer: socket.socket) -> None:
        block = data * (65_536 // len(data) + 1)
        while True:
            peer.sendall(block)

    return behave


def closes(peer: socket.socket) -> None:
    """Close as soon as something comes."""
    peer.recv(1)


def welcomes_alone(peer: socket.socket, *, frames: int | None = None) -> None:
    """Grant every link and answer nothing else; with `frames` close after so many."""
    decoder, link_id, count = FrameDecoder(), 0, 0
    while data := peer.recv(4096):
        for item in decoder.feed(data):
            if not isinstance(item, Frame):
                continue
            count += 1
            message = decode_message(item)
            if isinstance(message, Hello):
                link_id += 1
                peer.sendall(
                    encode_message(
                        a_welcome(minor=0, link_id=link_id, nonce=message.nonce), 1, link_id, item.header.correlation_id
                    )
                )
        if frames is not None and count >= frames:
            return


def welcomes_late(peer: socket.socket, *, after_s: float) -> None:
    """Grant each link when nobody waits for it any more."""
    decoder = FrameDecoder()
    while data := peer.recv(4096):
        for item in decoder.feed(data):
            if isinstance(item, Frame) and isinstance(message := decode_message(item), Hello):
                welcome = a_welcome(minor=0, nonce=message.nonce)
                frame = encode_message(welcome, 1, welcome.link_id, item.header.correlation_id)
                later = threading.Timer(after_s, _send, (peer, frame))
                later.daemon = True
                later.start()


def answers_late(peer: socket.socket, *, after_s: float) -> None:
    """Grant each link at once, and answer each command when nobody waits for that any more."""
    decoder, link_id = FrameDecoder(), 0
    while data := peer.recv(4096):
        for item in decoder.feed(data):
            if not isinstance(item, Frame):
                continue
            correlation, message = item.header.correlation_id, decode_message(item)
            if isinstance(message, Hello):
                link_id += 1
                welcome = a_welcome(minor=0, link_id=link_id, nonce=message.nonce)
                peer.sendall(encode_message(welcome, 1, link_id, correlation))
            elif correlation:
                frame = encode_message(EchoDone(data=b"late"), 1, link_id, correlation)
                later = threading.Timer(after_s, _send, (peer, frame))
                later.daemon = True
                later.start()


def _send(peer: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        peer.sendall(data)


@contextlib.contextmanager
def serving(behave: Behave, scheme: str = "tcp") -> Iterator[str]:
    """Serve a device that behaves so at every connection, while the context lasts; gives its URL."""
    peers: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = server.accept()
                peers.append(peer)
                threading.Thread(target=attend, args=(peer,), daemon=True).start()

    def attend(peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            behave(peer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for peer in peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
