"""Brokers that cannot carry the protocol, or not all of it: each end names the cause that the broker's codes tell."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import aiomqtt
import pytest

import devicectl
from devicectl.errors import LinkError
from devicectl.session import link
from devicectl.transports import mqtt as transport
from firmware_sim.device import Device
from firmware_sim.serve.errors import NoPlaceError
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports import mqtt as serve
from firmware_sim.serve.transports.mqtt import join
from protocols.mqtt.broker_url import BrokerUrl, parse_broker_url
from protocols.mqtt.mosquitto import loopback
from protocols.mqtt.properties import NO_QOS_1, NO_RETAIN
from protocols.mqtt.topics import DeviceTopics
from tests.brokers import Mosquitto, running
from tests.e2e.mqtt.test_mqtt_silence import online
from tests.patience import patience
from tests.scripted_broker import CONNECT, PUBLISH, SUBSCRIBE, Answer, LastWords, obliging, scripted

TOPICS: Final = DeviceTopics("bench", "sim-7")
HELLO: Final = TOPICS.of("command", "hello")
End = Callable[[BrokerUrl], Awaitable[None]]


async def device(url: BrokerUrl) -> None:
    broker = await join(RealTimeDevice(Device(seed=7)), url)
    await broker.close()


async def host(url: BrokerUrl) -> None:
    async with devicectl.connect(str(url)):
        pass


async def said_by(end: End, url: BrokerUrl, entry_s: float = 0.0) -> str:
    """Why it ends; of a host the first reason, however long a loaded machine takes to let it in."""
    with pytest.MonkeyPatch.context() as patched, pytest.raises((NoPlaceError, LinkError)) as raised:
        patched.setattr(link, "CONNECT_TIMEOUT_US", 0)
        patched.setattr(transport, "BIRTH_TIMEOUT_S", patience())
        for module in (transport, serve):
            patched.setattr(module, "TIMEOUT_S", entry_s or patience())
        await end(url)
    return str(raised.value)


# --- limits of Mosquitto -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "end", "sentence"),
    [
        ("max_packet_size 2000", device, "params takes a packet of # bytes, and the broker takes 2000 at most"),
        ("message_size_limit 1000", device, "its answer to handpiece/v1/bench/sim-7/params of # bytes is not MQTT"),
        ("max_qos 0", device, NO_QOS_1),
        ("max_qos 0", host, NO_QOS_1),
        ("retain_available false", device, NO_RETAIN),
        ("retain_available false", host, NO_RETAIN),
    ],
)
@pytest.mark.asyncio
async def test_a_limit_is_named(
    program: Callable[[str], str], tmp_path: Path, limit: str, end: End, sentence: str
) -> None:
    def configure(port: int) -> str:
        whole = "\n".join(line for line in loopback(port).splitlines() if limit.split()[0] not in line)
        before_listeners = not limit.startswith("max_qos")
        return f"{limit}\n{whole}\n" if before_listeners else f"{whole}\n{limit}\n"

    with running(program("mosquitto"), tmp_path, configure) as broker:
        said = await said_by(end, parse_broker_url(broker.url()))
    assert sentence in re.sub(r" \d{4} bytes", " # bytes", said) and "does another device serve" not in said


@pytest.mark.asyncio
async def test_nobody_listens_under_a_status_that_is_out_of_date(mosquitto: Mosquitto) -> None:
    url = parse_broker_url(mosquitto.url())
    async with aiomqtt.Client(url.host, url.port, protocol=aiomqtt.ProtocolVersion.V5) as other:
        broker = await join(RealTimeDevice(Device(seed=7)), url)
        async with asyncio.timeout(patience()):
            await other.subscribe(TOPICS.of("status"))
            birth = await anext(aiter(other.messages))
        await broker.close()
        await other.publish(TOPICS.of("status"), birth.payload, qos=1, retain=True)
        said = await said_by(host, url)
    assert f"the broker took HELLO for {HELLO}" in said and "nobody listens there" in said


@pytest.mark.asyncio
async def test_a_bridge_of_mqtt_3_is_named_at_both_ends(
    program: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is what Mosquitto makes where nobody says otherwise; of MQTT 5 it carries all."""
    (tmp_path / "far").mkdir()
    with running(program("mosquitto"), tmp_path) as near:
        for version in ("", "bridge_protocol_version mqttv50\n"):
            bridge = f"connection bridge\naddress 127.0.0.1:{near.port}\ntopic # both 1\n{version}"
            with running(program("mosquitto"), tmp_path / "far", lambda port, b=bridge: loopback(port) + b) as far:  # type: ignore[misc]
                broker = await join(RealTimeDevice(Device(seed=7)), parse_broker_url(near.url()))
                url = parse_broker_url(far.url())
                await is_born(url)
                if version:
                    await host(url)
                else:
                    said = await said_by(host, url)
                    assert "status came without any property of MQTT 5" in said and "a bridge" in said
                    told = capsys.readouterr().err
                    assert f"{HELLO} is ignored: it has no Response Topic" in told and "a bridge" in told
                    assert len(told.splitlines()) == 1, "once, however often a host asks"
                await broker.close()


async def is_born(url: BrokerUrl) -> None:
    """Wait until the device can be seen there."""
    async with (
        aiomqtt.Client(url.host, url.port, protocol=aiomqtt.ProtocolVersion.V5) as seen,
        asyncio.timeout(patience()),
    ):
        await seen.subscribe(TOPICS.of("status"))
        while b'"online":true' not in bytes((await anext(aiter(seen.messages))).payload):
            pass


# --- what a script says ------------------------------------------------------------------------------------------

NO_MQTT_5: Final = bytes.fromhex("20 02 00 01")
"""CONNACK as MQTT 3.1.1 has it: unacceptable protocol version."""
AT_MOST_100: Final = bytes.fromhex("20 08 00 00 05 27 00 00 00 64")
"""CONNACK with a Maximum Packet Size of 100 bytes."""


def at(kind: int, said: bytes) -> Answer:
    return lambda asked, rest: said if asked == kind else online(asked, rest)


def puback(code: int) -> Answer:
    """Refuses each publication by a reason code."""

    def answer(kind: int, rest: bytes) -> bytes:
        taken = obliging(kind, rest)
        return bytes((0x40, 3)) + taken[2:] + bytes((code,)) if kind == PUBLISH else online(kind, rest)

    return answer


def suback(code: int) -> Answer:
    return lambda kind, rest: obliging(kind, rest)[:-1] + bytes((code,)) if kind == SUBSCRIBE else online(kind, rest)


@pytest.mark.parametrize("end", [device, host])
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (at(CONNECT, NO_MQTT_5), "the broker does not speak MQTT 5"),
        (at(CONNECT, AT_MOST_100), "the broker takes 100 at most"),
        (puback(0x97), "the broker's quota for this client is used up"),
        (puback(0x87), "the broker's access list does not let this user publish to"),
        (puback(0x83), "the broker's access list does not let this user publish to"),
        (puback(0x90), "the broker does not take this name of a topic"),
        (at(SUBSCRIBE, bytes.fromhex("e0 01 82")), "the broker took what came for an error of the protocol"),
        (at(SUBSCRIBE, bytes.fromhex("e0 01 8b")), "the broker is shutting down"),
        (suback(0x80), "the broker's access list does not let this user subscribe to"),
        (suback(0xA2), "the broker takes no subscription with a wildcard"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.asyncio
async def test_the_code_is_told(end: End, answer: Answer, sentence: str) -> None:
    async with scripted(answer) as url:
        said = await said_by(end, url)
    assert sentence in said and "does another device serve" not in said


@pytest.mark.asyncio
async def test_nothing_that_is_too_large_is_sent() -> None:
    """A broker ends the connection of whoever sends it."""
    sent: list[int] = []

    def answer(kind: int, rest: bytes) -> bytes:
        sent.append(len(rest) + 2)
        return bytes.fromhex("20 08 00 00 05 27 00 00 04 00") if kind == CONNECT else online(kind, rest)

    async with scripted(answer) as url:
        said = await said_by(device, url)
    assert "the broker takes 1024 at most" in said
    assert max(sent[1:]) <= 1024, "CONNECT is said before anybody knows"


@pytest.mark.parametrize("end", [device, host])
@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.asyncio
async def test_a_port_that_is_another_ones(end: End, silent: bool) -> None:
    """Of TLS or WebSockets, or of a broker without MQTT 5: none of them says so in MQTT."""
    async with scripted(at(CONNECT, b"" if silent else LastWords(b""))) as url:
        said = await said_by(end, url, entry_s=0.3)
    assert "TLS (mqtts://) or WebSockets (ws://)" in said and "MQTT 5" in said
