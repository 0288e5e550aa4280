"""A host of one's own: it greets a handpiece and asks who it is, with nothing but the protocol package and a port.

    firmware-sim exec --pty -- python examples/own_host.py
    firmware-sim exec --tcp 127.0.0.1:0 -- python examples/own_host.py

In another language it is the same: docs/protocol.md describes the frames, and protocols/published/vectors/frames.json
has them as hex with their meaning. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
"""

import os
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

import serial

from protocols.language.enums import Role
from protocols.language.message import Message
from protocols.language.messages import DeviceInfo, DeviceInfoDone, Hello, Welcome
from protocols.link.header import REPLY_WANTED
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, encode_message

REPLY_TIMEOUT_S = 2.0


def open_port(url: str) -> Any:
    """A device URL as a pyserial port; TCP through pyserial's `socket://`. %20 in a path is a space, as in any URL."""
    parts = urlsplit(url)
    name = f"socket://{parts.netloc}" if parts.scheme == "tcp" else unquote(parts.path)
    return serial.serial_for_url(name, timeout=0.05)


class Host:
    """Sends a command and waits for its answer: no retry, no heartbeat, one thing at a time."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._decoder = FrameDecoder()
        self._number = 0
        self.link_id = 0

    def ask(self, command: Message) -> Message:
        """The answer to `command`."""
        self._number += 1
        self._port.write(
            encode_message(
                command, seq=self._number, link_id=self.link_id, correlation_id=self._number, flags=REPLY_WANTED
            )
        )
        silent_s = 0.0
        while silent_s < REPLY_TIMEOUT_S:
            data = self._port.read(self._port.in_waiting or 1)
            if not data:
                silent_s += self._port.timeout
            for item in self._decoder.feed(data):
                if isinstance(item, Frame) and item.header.correlation_id == self._number:
                    answer = decode_message(item)
                    if answer is not None:
                        return answer
        raise TimeoutError(f"no answer to {type(command).__name__} within {REPLY_TIMEOUT_S} s")


def main() -> int:
    """HELLO, DEVICE_INFO."""
    url = os.environ.get("HANDPIECE_URL")
    if url is None:
        print("HANDPIECE_URL is not set; run this under `firmware-sim exec`", file=sys.stderr)
        return 2
    with open_port(url) as port:
        host = Host(port)
        # Schema 0: not compared. A host of one's own may send the one it was built for.
        hello = Hello(
            majors=1 << 1,
            minor=0,
            role=Role.VIEWER,
            features=0,
            schema_id=0,
            host_id=0x0BEE,
            max_payload_size=224,
            nonce=1,
        )
        welcome = host.ask(hello)
        assert isinstance(welcome, Welcome), welcome
        host.link_id = welcome.link_id
        info = host.ask(DeviceInfo())
        assert isinstance(info, DeviceInfoDone), info
    print("TRAINING SIMULATOR - NOT A MEDICAL DEVICE" if info.simulated else "a real device")
    print(
        f"{info.model} {info.serial}: {info.needles} needles of {info.core_diameter_um} um, state {welcome.state.name}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
