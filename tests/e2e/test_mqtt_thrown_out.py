"""A broker that throws a client out while it is busy with it: both ends say why, and at once.

The broker is a script of its own: Mosquitto does so only when two clients happen to connect in the same millisecond.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from devicectl.errors import LinkError
from devicectl.transports.mqtt import open_mqtt
from firmware_sim.device import Device
from firmware_sim.serve.errors import NoBrokerError
from firmware_sim.serve.mqtt import join
from firmware_sim.serve.real_time import RealTimeDevice
from protocols.broker_url import BrokerUrl, parse_broker_url

CONNECT, PUBLISH, SUBSCRIBE = 1, 3, 8
"""Types of MQTT packets that a client sends. [MQTT 5.0, table 2-1]"""
CONNACK: Final = bytes.fromhex("20 03 00 00 00")
TAKEN_OVER: Final = bytes.fromhex("e0 02 8e 00")
"""DISCONNECT by reason of "session taken over"."""
BROKEN: Final = b""
"""No DISCONNECT: the connection ends without."""


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Type and the rest of one packet."""
    first = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return first >> 4, await reader.readexactly(size)


@asynccontextmanager
async def broker(until: int, last_words: bytes) -> AsyncIterator[BrokerUrl]:
    """Takes clients and their subscriptions; the first packet of type `until` is answered with the end.

    CONNECT is answered before that, in the same segment.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                kind, rest = await read_packet(reader)
                if kind == CONNECT:
                    writer.write(CONNACK + (last_words if until == CONNECT else b""))
                elif kind == SUBSCRIBE and until != SUBSCRIBE:
                    writer.write(bytes((0x90, 4)) + rest[:2] + bytes((0, 1)))
                elif kind == until:
                    writer.write(last_words)
                if kind == until:
                    return
        except asyncio.IncompleteReadError:
            return  # the client has gone
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield parse_broker_url(f"mqtt://127.0.0.1:{port}/bench/sim-7")


async def device(url: BrokerUrl) -> None:
    await join(RealTimeDevice(Device(seed=7)), url)


class Life:
    """Runs a transport as the host's driver does, and takes nothing from it."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work)

    def received(self, data: object) -> None:
        raise AssertionError(f"{data} was received")

    def closed(self, reason: str) -> None:
        raise AssertionError(f"closed after it was open: {reason}")


async def host(url: BrokerUrl) -> None:
    async with asyncio.TaskGroup() as group:
        try:
            await open_mqtt(url, "host-1", Life(group))
        except LinkError as error:
            raised = error
    raise raised


TWIN: Final = "another client has connected with the same identifier"
LOST: Final = "the connection was lost"


@pytest.mark.parametrize(("last_words", "sentence"), [(TAKEN_OVER, TWIN), (BROKEN, LOST)], ids=["told", "not told"])
@pytest.mark.parametrize(
    ("end", "until"),
    [(device, CONNECT), (device, SUBSCRIBE), (device, PUBLISH), (host, CONNECT), (host, SUBSCRIBE)],
    ids=["device connects", "device subscribes", "device is born", "host connects", "host subscribes"],
)
@pytest.mark.asyncio
async def test_why_is_said(
    end: Callable[[BrokerUrl], Awaitable[None]], until: int, last_words: bytes, sentence: str
) -> None:
    async with broker(until, last_words) as url:
        with pytest.raises((NoBrokerError, LinkError)) as raised:
            await end(url)
    assert f"broker {url.address}: {sentence}" in str(raised.value)
    assert ("does another device serve bench/sim-7?" in str(raised.value)) is (
        end is device and last_words is TAKEN_OVER
    )
