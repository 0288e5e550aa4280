"""A broker that throws a client out while it is busy with it: both ends say why, and at once.

The broker is a script of its own: Mosquitto does so only when two clients happen to connect in the same millisecond.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import aiomqtt
import pytest

from devicectl.errors import LinkError
from devicectl.transports.mqtt import open_transport
from devicectl.transports.urls import DeviceUrl
from firmware_sim.device import Device
from firmware_sim.serve.errors import NoPlaceError
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports.mqtt import join
from handpiece_shell.broker_client import BrokerClient
from protocols.mqtt.broker_url import BrokerUrl
from protocols.mqtt.wire import Publication
from tests.scripted_broker import CONNACK, CONNECT, PUBLISH, SUBSCRIBE, Answer, LastWords, obliging, scripted

TAKEN_OVER: Final = bytes.fromhex("e0 02 8e 00")
"""DISCONNECT by reason of "session taken over"."""
BROKEN: Final = b""
"""No DISCONNECT: the connection ends without."""


def until(kind: int, last_words: bytes) -> Answer:
    """Takes clients and their subscriptions; the first packet of type `kind` is answered with the end.

    CONNECT is answered before that, in the same segment.
    """

    def answer(said: int, rest: bytes) -> bytes:
        if said == kind:
            return LastWords((CONNACK if said == CONNECT else b"") + last_words)
        return obliging(said, rest)

    return answer


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

    def noticed(self, what: str) -> None:
        """Nothing of the kind."""

    def closed(self, reason: str, *, final: bool = False) -> None:
        raise AssertionError(f"closed after it was open: {reason}")


async def host(url: BrokerUrl) -> None:
    async with asyncio.TaskGroup() as group:
        try:
            await open_transport(DeviceUrl(str(url), "mqtt", broker=url), "host-1", Life(group))
        except LinkError as error:
            raised = error
    raise raised


TWIN: Final = "another client has connected with the same identifier"
LOST: Final = "the connection was lost"


@pytest.mark.parametrize(("last_words", "sentence"), [(TAKEN_OVER, TWIN), (BROKEN, LOST)], ids=["told", "not told"])
@pytest.mark.parametrize(
    ("end", "kind"),
    [(device, CONNECT), (device, SUBSCRIBE), (device, PUBLISH), (host, CONNECT), (host, SUBSCRIBE)],
    ids=["device connects", "device subscribes", "device is born", "host connects", "host subscribes"],
)
@pytest.mark.asyncio
async def test_why_is_said(
    end: Callable[[BrokerUrl], Awaitable[None]], kind: int, last_words: bytes, sentence: str
) -> None:
    async with scripted(until(kind, last_words)) as url:
        with pytest.raises((NoPlaceError, LinkError)) as raised:
            await end(url)
    assert f"broker {url.address}: {sentence}" in str(raised.value)
    assert ("does another device serve bench/sim-7?" in str(raised.value)) is (end is device)


# --- and an end that is asked to leave meanwhile -----------------------------------------------------------------


class Asked(BrokerClient):
    """Has `ask` called with each PUBACK."""

    ask: Callable[[], object]

    def _on_publish(self, *arguments: Any) -> None:
        super()._on_publish(*arguments)
        self.ask()


@pytest.mark.asyncio
async def test_a_cancellation_that_comes_with_an_answer_counts() -> None:
    """Or a device that is told to end while it is born goes on for ever."""

    async def send() -> None:
        async with Asked(url.host, url.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            client.ask = lambda: task.cancel()
            await client.send(Publication("a", b"", qos=1))
            raise AssertionError("it goes on")

    async with scripted(obliging) as url, asyncio.TaskGroup() as group:
        task = group.create_task(send())
    assert task.cancelled()
