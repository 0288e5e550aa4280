"""Calls of the broker's client that hear a no.

The library, aiomqtt, drops the reason in a PUBACK, and raises nothing where the broker's access list forbids a
publication.

Law: it overrides the library's methods and opens nothing itself; `broker_client` watches the socket. Tests over a real
broker and over scripted ones fail where a release of the library changes what is overridden here: decision 13.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Final

import aiomqtt
from paho.mqtt import client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from protocols.mqtt.broker import (
    CONNECT_TIMEOUT_S,
    LAST_WORD_TIMEOUT_S,
    NOT_MQTT,
    SHUT_OUT,
    TIMEOUT_S,
    DeniedError,
    LostError,
    TooLargeError,
)
from protocols.mqtt.properties import denied, from_message, lacking, packet_size, to_properties
from protocols.mqtt.wire import Publication

_PROTOCOL_ERROR: Final = 0x82


class Calls(aiomqtt.Client):
    """Publishing and subscribing that hear a no, and the end of the connection.

    The library would wait for an answer where the broker has closed the connection in place of one, as it does to a
    client whose certificate it does not take. And it forgets the reason where that came with the answer to CONNECT, as
    it may when another client connects with the same identifier.
    """

    _last_puback = 0
    _max_packet_bytes: int | None = None
    _under_way = ""
    _lost: Exception | None = None
    _take: Callable[[Publication], None] | None = None
    _failed: Exception | None = None
    _ends: float | None = None
    _each_s = TIMEOUT_S

    # --- time ------------------------------------------------------------------------------------------------

    @property
    def timeout(self) -> float:
        """Seconds that the library gives its next call."""
        if self._ends is None:
            return self._each_s
        left = self._ends - self._loop.time()
        # An end that was neither let in nor gave up has waited for something else, and begins again.
        return max(left, LAST_WORD_TIMEOUT_S) if left > -LAST_WORD_TIMEOUT_S else self._each_s

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._each_s = seconds

    def begin_entry(self, ends: float) -> None:
        """Before it connects: all calls together end by `ends`, in the loop's time, until `end_entry`."""
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        self._ends = ends

    def end_entry(self) -> None:
        """It is let in: from now on each call has its own time."""
        self._ends = None

    # --- the library's own calls -----------------------------------------------------------------------------

    def _client_connect(self) -> None:
        try:
            super()._client_connect()
        except (OSError, aiomqtt.MqttError):
            raise
        except Exception as error:  # the library translates what it knows of; whatever it is, there is no connection
            raise aiomqtt.MqttError(str(error) or type(error).__name__) from error

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        missing = "" if reason_code.is_failure else lacking(properties)
        if missing:
            self._end_by(aiomqtt.MqttError(missing))
            return
        self._max_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        not_mqtt = reason_code.value == _PROTOCOL_ERROR and not flags.is_disconnect_packet_from_server
        self._end_by(aiomqtt.MqttError(self._not_mqtt()) if not_mqtt else LostError(reason_code))
        if not self._connected.cancelled():  # else nobody waits, and the library fails
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
            count_as_seen(self._disconnected)  # `_lost` is what tells

    def _not_mqtt(self) -> str:
        """Sentence for an answer that is not MQTT 5: Mosquitto gives one to a message larger than it takes."""
        if not self._under_way:
            return NOT_MQTT
        return f"its answer to {self._under_way} is not MQTT 5; is that more than its message_size_limit?"

    def _end_by(self, error: Exception) -> None:
        """End all that waits for the broker; the first reason is the one that counts."""
        self._lost = self._lost or error
        connected = self._connected
        if not connected.done():
            connected.set_exception(aiomqtt.MqttError(SHUT_OUT) if isinstance(error, LostError) else error)
            count_as_seen(connected)  # also where nobody waits for it any more
        for answer in self._pending_subscribes.values():
            if not answer.done():
                answer.set_exception(aiomqtt.MqttError(SHUT_OUT))
        for answered in self._pending_publishes.values():
            answered.set()

    @contextlib.contextmanager
    def _until_lost(self) -> Iterator[None]:
        """A call of the library, which ends with the connection, and then by the reason for that."""
        try:
            yield
        except aiomqtt.MqttError as error:
            raise self._lost or error from error
        if self._lost is not None:
            raise self._lost

    def _on_publish(
        self, client: mqtt.Client, userdata: object, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        self._last_puback = reason_code.value
        self._acknowledged(client)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_message(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        self._acknowledged(client)
        publication = from_message(message)  # which raises, here where it ends the connection, if the topic is no text
        if self._take is None:
            super()._on_message(client, userdata, message)
        else:  # not here, where the library would take an error of ours for one of the connection
            self._loop.call_soon(self._hand_on, self._take, publication)

    def _hand_on(self, take: Callable[[Publication], None], publication: Publication) -> None:
        try:
            take(publication)
        except Exception as error:  # noqa: BLE001 - `deliver` raises it
            self._take, self._failed = None, error
            self._queue.put_nowait(None)  # type: ignore[arg-type]  # wakes `deliver`, which looks at nothing

    def _acknowledged(self, client: mqtt.Client) -> None:
        opened = client.socket()
        if opened is not None:
            self.acknowledge(opened_socket(opened))

    def acknowledge(self, opened: socket.socket) -> None:
        """Have the system acknowledge at once what came in on this socket, where it can.

        A broker that leaves Nagle's algorithm on, as Mosquitto does by default, holds back each message after its
        PUBACK until then: 40 ms with every command.
        """
        if hasattr(socket, "TCP_QUICKACK"):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    async def deliver(self, take: Callable[[Publication], None]) -> None:
        """Hand each publication to `take` as it comes, in order; the library's iterator would make a task for each.

        Raises:
            aiomqtt.MqttError: the connection is gone.
            Exception: what `take` raised.
        """
        messages = self.messages
        while len(messages):
            take(from_message(await anext(messages)))
        self._take = take
        try:
            await anext(messages)  # nothing comes there any more, but the end of the connection or what `take` raised
        finally:
            self._take = None
        assert self._failed is not None
        raise self._failed

    # --- publishing and subscribing --------------------------------------------------------------------------

    async def send(self, publication: Publication) -> int:
        """Publish, and wait until the broker has it; the reason code of its PUBACK.

        One at a time, or the answers would be taken for each other's.

        Raises:
            DeniedError: the broker does not let this user, or takes nothing of this size.
            LostError: the connection is gone.
            aiomqtt.MqttError: there was no answer.
        """
        topic, body, qos, retain, *_ = publication
        properties = to_properties(publication)
        size = packet_size(publication, properties)
        if self._max_packet_bytes is not None and size > self._max_packet_bytes:
            raise TooLargeError(topic, size, self._max_packet_bytes)
        self._last_puback = 0
        self._under_way = f"{topic} of {size} bytes"
        with self._until_lost():
            await self.publish(topic, body, qos, retain, properties)
            self._under_way = ""
            if denied(self._last_puback):
                raise DeniedError(f"publish to {topic}", self._last_puback)
        return self._last_puback

    async def listen(self, topic: str, options: SubscribeOptions | None = None) -> None:
        """Subscribe, at QoS 1 where no options are given.

        Raises:
            DeniedError: the access list does not let this user.
            LostError: the connection is gone.
            aiomqtt.MqttError: there was no answer.
        """
        with self._until_lost():
            codes = await self.subscribe(topic, 1 if options is None else 0, options)
            code = codes[0] if isinstance(codes[0], int) else codes[0].value
            if denied(code):
                raise DeniedError(f"subscribe to {topic}", code)


def opened_socket(opened: object) -> socket.socket:
    """The system's socket in what the library calls one, which with WebSockets is an object of its own around that."""
    found = getattr(opened, "_socket", opened)
    assert isinstance(found, socket.socket)
    return found


def count_as_seen(future: asyncio.Future[None]) -> None:
    """Take the error of a future that nobody may wait for any more: else asyncio prints it."""
    if future.done() and not future.cancelled():
        future.exception()
