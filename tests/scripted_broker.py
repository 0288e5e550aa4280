"""A broker that says what a test has it say: for what a real one does seldom, or never.

It reads packets of MQTT 5 and knows nothing of what is in them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from protocols.mqtt.broker_url import BrokerUrl, parse_broker_url

CONNECT, PUBLISH, SUBSCRIBE = 1, 3, 8
"""Types of MQTT packets that a client sends. [MQTT 5.0, table 2-1]"""
CONNACK: Final = bytes.fromhex("20 03 00 00 00")


class LastWords(bytes):
    """Said before the broker closes the connection."""


Answer = Callable[[int, bytes], bytes]
"""From a packet's type and the rest of it: what is said to that."""


def granted(subscribe: bytes) -> bytes:
    """SUBACK to one topic: yes, at QoS 1."""
    return bytes((0x90, 4)) + subscribe[:2] + bytes((0, 1))


def taken(publish: bytes) -> bytes:
    """PUBACK to a publication of QoS 1: the broker has it."""
    end = 2 + int.from_bytes(publish[:2], "big")
    return bytes((0x40, 2)) + publish[end : end + 2]


def given(topic: str, body: bytes) -> bytes:
    """PUBLISH to a client, at QoS 0, retained and without properties."""
    name = topic.encode()
    rest = len(name).to_bytes(2, "big") + name + b"\0" + body
    size = bytes((len(rest),)) if len(rest) < 0x80 else bytes((len(rest) & 0x7F | 0x80, len(rest) >> 7))
    return b"\x31" + size + rest


def obliging(kind: int, rest: bytes) -> bytes:
    """Takes every client, subscription and publication."""
    if kind == CONNECT:
        return CONNACK
    if kind == SUBSCRIBE:
        return granted(rest)
    return taken(rest) if kind == PUBLISH else b""


def silent(kind: int, rest: bytes) -> bytes:
    """Takes connections and says nothing."""
    return b""


@asynccontextmanager
async def scripted(answer: Answer, gone: Callable[[], None] = lambda: None) -> AsyncIterator[BrokerUrl]:
    """Runs while the context lasts; gives a URL of a device there. `gone` is called when a client has hung up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                said = answer(*await _packet(reader))
                writer.write(said)
                if isinstance(said, LastWords):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            gone()
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield parse_broker_url(f"mqtt://127.0.0.1:{port}/bench/sim-7")


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Type and the rest of one packet."""
    first = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return first >> 4, await reader.readexactly(size)
