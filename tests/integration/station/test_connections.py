"""Connections that are opened and left, flooded or never read: each is dropped by its own limit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from devicectl import clock
from devicectl.station.server.admission import connections
from devicectl.station.server.serving import configured
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.patience import patience

SHORT = Micros(200 * MILLISECOND)
UPGRADE = b"GET "
HEADERS = (
    b" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _page(request: Request) -> Response:
    return PlainTextResponse("here")


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    with contextlib.suppress(Exception):
        while True:
            await websocket.send_text(await websocket.receive_text())


async def _long_page(request: Request) -> Response:
    for _ in _for_twice_the_limit():
        await clock.pause(SHORT / SECOND / 4)
    return PlainTextResponse("here")


async def _endless_page(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            await clock.pause(0)
            yield b"x" * 60_000

    return StreamingResponse(pieces())


async def _flood(websocket: WebSocket) -> None:
    await websocket.accept()
    with contextlib.suppress(Exception):
        while True:
            await websocket.send_text("x" * 60_000)


@contextlib.asynccontextmanager
async def _served() -> AsyncIterator[tuple[int, ServerState]]:
    pages = [Route("/", _page), Route("/long", _long_page), Route("/endless", _endless_page)]
    routes = [*pages, WebSocketRoute("/echo", _echo), WebSocketRoute("/flood", _flood)]
    config, state = configured(Starlette(routes=routes)), ServerState()
    config.ws_ping_interval = None  # which would drop a peer that answers none, in its own time
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: connections.HttpConnection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1], state
    finally:
        server.close()
        for task in state.tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def _opened(port: int, sent: bytes = b"") -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _end(reader: asyncio.StreamReader) -> bytes:
    """Read to the end of a connection that the server drops."""
    with contextlib.suppress(ConnectionResetError):
        return await asyncio.wait_for(reader.read(), patience())
    return b""


async def _until_dropped(state: ServerState) -> None:
    async with asyncio.timeout(patience()):
        while state.connections:
            await clock.pause(0.01)


def _for_twice_the_limit() -> Iterator[None]:
    begun = clock.monotonic()
    while clock.monotonic() < begun + 2 * SHORT:
        yield


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_US", SHORT)
    monkeypatch.setattr(connections, "STUCK_US", SHORT)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"]
)
@pytest.mark.asyncio
async def test_half_open_connection_is_dropped(short: None, sent: bytes) -> None:
    async with _served() as (port, state), _opened(port, sent) as (reader, _):
        await _end(reader)
        assert not state.connections


@pytest.mark.asyncio
async def test_request_that_drips_is_dropped(short: None) -> None:
    async with _served() as (port, state), _opened(port, b"GET / HTTP/1.1\r\n") as (reader, writer):
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_end(reader))
            while not reading.done():
                writer.write(b"X: x\r\n")
                await clock.pause(SHORT / SECOND / 20)
        assert reading.result() == b"" and not state.connections


@pytest.mark.asyncio
async def test_connection_in_use_is_kept(short: None) -> None:
    async with _served() as (port, _), _opened(port) as (reader, writer):
        for _ in _for_twice_the_limit():
            writer.write(REQUEST)
            await asyncio.wait_for(reader.readuntil(b"here"), patience())


@pytest.mark.asyncio
async def test_connection_whose_request_takes_long_is_kept_until_its_answer(short: None) -> None:
    request = REQUEST.replace(b"/ ", b"/long ", 1)
    async with _served() as (port, _), _opened(port, request) as (reader, _):
        await asyncio.wait_for(reader.readuntil(b"here"), patience())


@pytest.mark.asyncio
async def test_connection_whose_answer_nobody_reads_is_dropped(short: None) -> None:
    request = REQUEST.replace(b"/ ", b"/endless ", 1)
    async with _served() as (port, state), _opened(port, request) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await _until_dropped(state)


@pytest.mark.asyncio
async def test_socket_outlives_the_time_of_a_request(short: None) -> None:
    async with _served() as (port, _), connect(f"ws://127.0.0.1:{port}/echo") as page:
        for _ in _for_twice_the_limit():
            await page.send("x")
            assert await asyncio.wait_for(page.recv(), patience()) == "x"


@pytest.mark.asyncio
async def test_reader_that_does_not_read_is_dropped(short: None) -> None:
    async with _served() as (port, state), _opened(port, UPGRADE + b"/flood" + HEADERS) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await _until_dropped(state)


@pytest.mark.parametrize(
    ("frames", "times"),
    [
        ([Frame(Opcode.PING, b"x" * 125)], 10_000),
        ([Frame(Opcode.PONG, b"x" * 125)], 10_000),
        ([Frame(Opcode.TEXT, b"", fin=False), *[Frame(Opcode.CONT, b"", fin=False)] * 100], 1),
    ],
    ids=["pings", "pongs", "parts that never end"],
)
@pytest.mark.asyncio
async def test_flood_of_frames_that_are_no_messages_is_dropped(frames: list[Frame], times: int) -> None:
    async with _served() as (port, state), _opened(port, UPGRADE + b"/echo" + HEADERS) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(times):
                for frame in frames:
                    writer.write(frame.serialize(mask=True))
                await writer.drain()
        await _until_dropped(state)
