"""A broker, or what is taken for one, that falls silent: each end says at what it waits no longer.

How long that takes is held by tests/architecture over the constants: here they are short, and those that must not
count are longer than any test.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import aiomqtt
import pytest

import devicectl
from devicectl.errors import LinkError
from devicectl.transports import mqtt as transport
from firmware_sim.device import Device
from firmware_sim.serve.errors import NoPlaceError
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports import mqtt as serve
from firmware_sim.serve.transports.mqtt import join
from handpiece_shell.broker_client import BrokerClient
from protocols.mqtt.broker_url import BrokerUrl, parse_broker_url
from protocols.mqtt.status import Status
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import Publication
from protocols.text.notice import NOTICE
from tests.scripted_broker import PUBLISH, SUBSCRIBE, Answer, given, obliging, scripted, silent

TOPICS: Final = DeviceTopics("bench", "sim-7")
LONG_S: Final = 3_600.0
SHORT_S: Final = 0.3
BORN: Final = Status(
    notice=NOTICE, simulated=True, online=True, birth_no=1, reason="", protocol="HLP/1", minor=0, schema_id=1,
    boot_count=1,
)  # fmt: skip


async def device(url: BrokerUrl) -> None:
    broker = await join(RealTimeDevice(Device(seed=7)), url)
    await broker.close()


async def host(url: BrokerUrl) -> None:
    async with devicectl.connect(str(url)):
        pass


def until(kind: int) -> Answer:
    """Falls silent at the packets of one type."""
    return lambda said, rest: b"" if said == kind else obliging(said, rest)


def online(kind: int, rest: bytes) -> bytes:
    """With a device that is there, and never hears anything."""
    asked = kind == SUBSCRIBE and TOPICS.of("status").encode() in rest
    return obliging(kind, rest) + (given(TOPICS.of("status"), BORN.to_body()) if asked else b"")


@pytest.mark.parametrize(
    ("end", "answer", "sentence"),
    [
        (device, silent, "it does not answer"),
        (host, silent, "it does not answer"),
        (device, until(SUBSCRIBE), "it does not answer"),
        (host, until(SUBSCRIBE), "it does not answer"),
        (device, until(PUBLISH), "it does not answer"),
        (host, obliging, "no device bench/sim-7"),
        (host, online, "the broker took HELLO"),
    ],
    ids=[
        "device connects",
        "host connects",
        "device subscribes",
        "host subscribes",
        "device is born",
        "host finds no device",
        "host is not answered",
    ],
)
@pytest.mark.asyncio
async def test_an_end_says_which_answer_of_the_broker_or_the_device_does_not_come(
    end: Callable[[BrokerUrl], Awaitable[None]],
    answer: Answer,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time for all together counts, whatever each step might take."""
    for name in ("BIRTH_TIMEOUT_S", "HELLO_TIMEOUT_S"):
        monkeypatch.setattr(transport, name, LONG_S)
    for module in (transport, serve):
        monkeypatch.setattr(module, "TIMEOUT_S", SHORT_S)
    async with scripted(answer) as url:
        with pytest.raises((NoPlaceError, LinkError)) as raised:
            await end(url)
    assert sentence in str(raised.value)


@pytest.mark.parametrize("end", [device, host])
@pytest.mark.asyncio
async def test_whatever_the_library_raises_when_it_connects_is_said(
    end: Callable[[BrokerUrl], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: aiomqtt.Client) -> None:
        raise UnicodeError("label empty or too long")

    monkeypatch.setattr(aiomqtt.Client, "_client_connect", fails)
    with pytest.raises((NoPlaceError, LinkError), match="broker h:1: label empty or too long"):
        await end(parse_broker_url("mqtt://h:1/bench/sim-7"))


@pytest.mark.asyncio
async def test_an_unforeseen_error_before_the_device_is_found_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: transport.MqttTransport, client: BrokerClient, publication: Publication) -> None:
        raise ZeroDivisionError("of the receiver")

    monkeypatch.setattr(transport.MqttTransport, "_received", fails)
    monkeypatch.setattr(transport, "BIRTH_TIMEOUT_S", LONG_S)
    async with scripted(online) as url:
        with pytest.raises(ZeroDivisionError, match="of the receiver"):
            await host(url)


@pytest.mark.asyncio
async def test_an_error_in_taking_what_came_is_raised_where_the_session_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that comes while the loop hands the publication on, where nobody awaits anything."""
    status, came, received = given(TOPICS.of("status"), BORN.to_body()), [], transport.MqttTransport._received

    def answer(kind: int, rest: bytes) -> bytes:
        hello = kind == PUBLISH and TOPICS.of("command", "hello").encode() in rest
        return online(kind, rest) + (status if hello else b"")

    def fails_later(self: transport.MqttTransport, client: BrokerClient, publication: Publication) -> None:
        came.append(publication)
        if len(came) > 1:
            raise ZeroDivisionError("of the receiver")
        received(self, client, publication)

    monkeypatch.setattr(transport.MqttTransport, "_received", fails_later)
    async with scripted(answer) as url:
        with pytest.raises(ZeroDivisionError, match="of the receiver"):
            await host(url)
    assert len(came) == 2
