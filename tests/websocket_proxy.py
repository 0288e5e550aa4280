"""WebSockets before a broker, for tests: Debian's Mosquitto has none.

It speaks as much of RFC 6455 as a client of MQTT needs: the handshake, and frames of bytes one way and the other.
"""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

HOST: Final = "127.0.0.1"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FINAL_BYTES: Final = 0x82
_CLOSE: Final = 0x8


@asynccontextmanager
async def websockets(broker_port: int, path: str = "/mqtt", tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Runs while the context lasts; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not await _shaken_hands(reader, writer, path):
                return
            to_reader, to_writer = await asyncio.open_connection(HOST, broker_port)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_unwrap(reader, to_writer))
                    group.create_task(_wrap(to_reader, writer))
            finally:
                to_writer.close()
        except (*_GONE, ExceptionGroup):
            return
        finally:
            writer.close()

    async with await asyncio.start_server(serve, HOST, 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]


_GONE: Final = (OSError, asyncio.IncompleteReadError)


async def _shaken_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bool:
    request = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in request[1:])}
    if request[0] != f"GET {path} HTTP/1.1" or fields.get("sec-websocket-protocol") != "mqtt":
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return False
    accept = base64.b64encode(hashlib.sha1(fields["sec-websocket-key"].encode() + _GUID).digest()).decode()
    head = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
    lines = (*head, "Sec-WebSocket-Protocol: mqtt", f"Sec-WebSocket-Accept: {accept}", "", "")
    writer.write("\r\n".join(lines).encode())
    return True


async def _unwrap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Frames of the client, which are masked, as bytes."""
    while True:
        first, second = await reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        mask = await reader.readexactly(4)
        data = await reader.readexactly(size)
        if first & 0xF == _CLOSE:
            raise ConnectionResetError("the client has taken its leave")
        writer.write(bytes(byte ^ mask[place % 4] for place, byte in enumerate(data)))


async def _wrap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes of the broker as frames, several packets in one where they come together."""
    while data := await reader.read(65_535):
        size = bytes((len(data),)) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
        writer.write(bytes((_FINAL_BYTES,)) + size + data)
        with suppress(ConnectionError):
            await writer.drain()
    raise ConnectionResetError("the broker has gone")
