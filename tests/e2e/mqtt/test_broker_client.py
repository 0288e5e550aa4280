"""The client of a broker that dies, falls silent or says what is not MQTT leaves nothing open and nothing to print."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiomqtt
import pytest
from paho.mqtt.client import DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from handpiece_shell.broker_client import BrokerClient
from protocols.mqtt.broker import LostError, reason_code
from protocols.mqtt.wire import Publication
from tests.patience import patience
from tests.scripted_broker import CONNECT, PUBLISH, Answer, obliging, scripted, silent

SHORT_S: Final = 0.2


@asynccontextmanager
async def told_nothing() -> AsyncIterator[None]:
    """The event loop is told of no error, also of those that it finds when it is swept."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    yield
    await turns(5)
    assert told == []


async def turns(count: int) -> None:
    """The event loop comes by so many times."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        passed = loop.create_future()
        loop.call_soon(passed.set_result, None)
        await passed


@asynccontextmanager
async def broker(answer: Answer, patient: bool = True) -> AsyncIterator[tuple[BrokerClient, asyncio.Event]]:
    """A client of a scripted broker, and what is set once the client has hung up."""
    hung_up = asyncio.Event()
    async with told_nothing(), scripted(answer, gone=hung_up.set) as url:
        client = BrokerClient(url.host, url.port, protocol=aiomqtt.ProtocolVersion.V5)
        client.begin_entry(asyncio.get_running_loop().time() + (patience() if patient else SHORT_S))
        yield client, hung_up


async def is_set(event: asyncio.Event) -> None:
    async with asyncio.timeout(patience()):
        await event.wait()


@pytest.mark.asyncio
async def test_a_socket_that_is_closed_before_the_loop_comes_to_it() -> None:
    """By a broker that dies while the library connects: what its number is by then, is not watched."""
    async with told_nothing():
        client = BrokerClient("127.0.0.1", 1, protocol=aiomqtt.ProtocolVersion.V5)
        ours, other = socket.socketpair()
        client._on_socket_open(client._client, None, ours)
        client._on_socket_register_write(client._client, None, ours)
        number = ours.fileno()
        ours.close()
        other.close()
        await turns(2)
        assert not asyncio.get_running_loop().remove_reader(number)
        assert not asyncio.get_running_loop().remove_writer(number)


@pytest.mark.asyncio
async def test_a_broker_that_does_not_let_in_is_hung_up_on() -> None:
    async with broker(silent, patient=False) as (client, hung_up):
        with pytest.raises(aiomqtt.MqttError, match="it does not answer CONNECT"):
            async with client:
                raise AssertionError("it was let in")
        await is_set(hung_up)


@pytest.mark.asyncio
async def test_who_no_longer_wants_in_hangs_up() -> None:
    """And what comes of the broker then is nobody's error."""
    connected = asyncio.Event()

    def answer(kind: int, rest: bytes) -> bytes:
        connected.set()
        return b""

    async with broker(answer) as (client, hung_up):
        async with asyncio.TaskGroup() as group:
            entering = group.create_task(client.__aenter__())
            await is_set(connected)
            entering.cancel()
        await is_set(hung_up)


@pytest.mark.asyncio
async def test_who_no_longer_wants_in_while_the_library_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which it does in a thread, that nothing breaks off."""
    begun, may_go_on, connect = asyncio.Event(), threading.Event(), aiomqtt.Client._client_connect
    loop = asyncio.get_running_loop()

    def slow(self: aiomqtt.Client) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert may_go_on.wait(patience())
        connect(self)

    monkeypatch.setattr(aiomqtt.Client, "_client_connect", slow)
    async with broker(obliging) as (client, hung_up):
        async with asyncio.TaskGroup() as group:
            entering = group.create_task(client.__aenter__())
            await is_set(begun)
            entering.cancel()
        may_go_on.set()
        await is_set(hung_up)


NOT_MQTT: Final = {
    "a property that there is not": "40 05 00 01 00 01 ff",
    "a topic that is no text": "30 04 00 01 ff 00",
    "a packet that there is not": "00 00",
    "a length that has no end": "40 ff ff ff ff ff",
}


@pytest.mark.parametrize("kind", [CONNECT, PUBLISH], ids=["in place of CONNACK", "in place of PUBACK"])
@pytest.mark.parametrize("said", NOT_MQTT.values(), ids=NOT_MQTT)
@pytest.mark.asyncio
async def test_what_is_not_mqtt_ends_the_connection(said: str, kind: int) -> None:
    def answer(asked: int, rest: bytes) -> bytes:
        return bytes.fromhex(said) if asked == kind else obliging(asked, rest)

    # A topic that is no text comes in place of nothing: it answers no publication.
    answers = kind == PUBLISH and said != NOT_MQTT["a topic that is no text"]
    whose = r"its answer to a of \d+ bytes" if answers else "what it says"
    async with broker(answer) as (client, hung_up):
        with pytest.raises(aiomqtt.MqttError, match=f"{whose} is not MQTT 5"):
            async with client:
                client.end_entry()
                await client.send(Publication("a", b""))
        await is_set(hung_up)


NO_TEXT: Final = bytes.fromhex(NOT_MQTT["a topic that is no text"])


@pytest.mark.asyncio
async def test_a_topic_that_is_no_text_ends_a_connection_that_delivers() -> None:
    """Not by an error of whoever takes what comes."""

    async def say(client: BrokerClient) -> None:
        with pytest.raises(aiomqtt.MqttError):
            await client.send(Publication("a", b""))

    async with broker(lambda kind, rest: obliging(kind, rest) + NO_TEXT * (kind == PUBLISH)) as (client, hung_up):
        async with client, asyncio.TaskGroup() as group:
            group.create_task(say(client))
            with pytest.raises(aiomqtt.MqttError):
                await client.deliver(lambda publication: None)
        await is_set(hung_up)


@pytest.mark.asyncio
async def test_an_end_that_comes_with_the_yes_is_told_by_whoever_lets_in() -> None:
    async with broker(lambda kind, rest: obliging(kind, rest) + NO_TEXT) as (client, _):
        with pytest.raises(aiomqtt.MqttError, match="what it says is not MQTT 5"):
            async with client:
                raise AssertionError("it was let in")


@pytest.mark.asyncio
async def test_of_two_ends_the_first_one_is_told() -> None:
    """A broker says why it ends the connection, and then the system that it has."""
    client = BrokerClient("127.0.0.1", 1, protocol=aiomqtt.ProtocolVersion.V5)
    for identifier, by_broker in ((0x8E, True), (0x80, False)):
        code = ReasonCode(PacketTypes.DISCONNECT, identifier=identifier)
        client._on_disconnect(client._client, None, DisconnectFlags(by_broker), code)
    with pytest.raises(LostError) as raised, client._until_lost():
        pass
    assert reason_code(raised.value) == 0x8E


@pytest.mark.asyncio
async def test_an_end_that_nobody_waits_for_any_more_is_no_error() -> None:
    """As where the broker took too long to hear of a leave, and is hung up on."""
    client = BrokerClient("127.0.0.1", 1, protocol=aiomqtt.ProtocolVersion.V5)
    client._connected.set_result(None)
    client._disconnected.cancel()
    code = ReasonCode(PacketTypes.DISCONNECT, identifier=0x80)
    client._on_disconnect(client._client, None, DisconnectFlags(False), code)
