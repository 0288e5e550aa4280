"""What both ends' shells ask of a broker alike: who they are, what they send, and what a no means.

The client library drops the reason in a PUBACK and raises nothing where the broker's access list forbids a publication;
`Calls` puts that right for either shell's client: `class BrokerClient(Calls, aiomqtt.Client)`.

Law: it imports no client, opens nothing, touches no socket and reads no file. That it knows the inside of a client at
all is an exception among the modules of this package: see decision 13.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from protocols.language.errors import ProtocolError
from protocols.mqtt.broker_url import BrokerUrl
from protocols.mqtt.properties import denial, denied, from_message, lacking, packet_size, to_properties, why
from protocols.mqtt.wire import MAX_PACKET_BYTES, Publication

TIMEOUT_S: Final = 4.0
"""How long the broker may take for any one thing; and for all together, from the first step towards it, until an end is
let in: one that is kept out has to be told so within five seconds."""
CONNECT_TIMEOUT_S: Final = 2.0
"""How long the connection may take, and as long again TLS: the library makes both in a thread, which nothing breaks
off."""
LAST_WORD_TIMEOUT_S: Final = 0.5
"""What a call is given where the time for all together is over: as much as a DISCONNECT needs."""
KEEPALIVE_S: Final = 10
"""After one and a half of these the broker gives up a silent connection and speaks its will. No safety hangs on it."""
MAX_UNSENT: Final = 256
"""Publications that wait for the broker: one that has not taken the first of so many is not there."""
UNANSWERED: Final = "it does not answer CONNECT"
SHUT_OUT: Final = "it closed the connection without a word"
NOT_MQTT: Final = "what it says is not MQTT 5; is this its port for MQTT?"
_PROTOCOL_ERROR: Final = 0x82

_TLS_NOISE: Final = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$")
"""What stands around the sentence in an error of the system, or of TLS."""


class DeniedError(ProtocolError):
    """The broker forbids `what`, such as "publish to a/b", by a reason code; it would forbid that again."""

    def __init__(self, what: str, code: int = 0x87) -> None:
        self.what = what
        super().__init__(denial(code, what))


class TooLargeError(DeniedError):
    """The broker has said that it takes no packet of this size."""

    def __init__(self, topic: str, size: int, limit: int) -> None:
        ProtocolError.__init__(
            self,
            f"{topic} takes a packet of {size} bytes, and the broker takes {limit} at most; "
            f"this protocol needs {MAX_PACKET_BYTES} (Mosquitto: max_packet_size)",
        )


class LostError(ProtocolError):
    """The connection is gone; `rc` is the reason that the broker, or else the library, gave for that."""

    def __init__(self, rc: Any) -> None:
        self.rc = rc
        super().__init__("the connection was lost")


class Calls:
    """Publishing and subscribing that hear a no, and the end of the connection. Mixed in before the library's client.

    `acknowledge` has the system acknowledge what it has received, where it can; a shell's own. A broker that leaves
    Nagle's algorithm on, as Mosquitto does by default, holds back each message after its PUBACK until then: 40 ms with
    every command.

    `broken` is the library's error. It would wait for an answer where the broker has closed the connection in place
    of one, as it does to a client whose certificate it does not take. And it forgets why that was where it came with
    the answer to CONNECT, as it may when another client connects with the same identifier.
    """

    broken: ClassVar[type[Exception]]
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
        left = self._ends - self._loop.time()  # type: ignore[attr-defined]
        # Who was neither let in nor gave up has waited for something else, and begins anew.
        return max(left, LAST_WORD_TIMEOUT_S) if left > -LAST_WORD_TIMEOUT_S else self._each_s

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._each_s = seconds

    def begin_entry(self, ends: float) -> None:
        """Before it connects: all calls together end by `ends`, in the loop's time, until `end_entry`."""
        self._client.connect_timeout = CONNECT_TIMEOUT_S  # type: ignore[attr-defined]
        self._ends = ends

    def end_entry(self) -> None:
        """It is let in: from now on each call has its own time."""
        self._ends = None

    # --- the library's own calls -----------------------------------------------------------------------------

    def _client_connect(self) -> None:
        try:
            super()._client_connect()  # type: ignore[misc]
        except (OSError, self.broken):
            raise
        except Exception as error:  # the library translates what it knows of; whatever it is, there is no connection
            raise self.broken(str(error) or type(error).__name__) from error

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        missing = "" if reason_code.is_failure else lacking(properties)
        if missing:
            self._end_by(self.broken(missing))
            return
        self._max_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        super()._on_connect(client, userdata, flags, reason_code, properties)  # type: ignore[misc]

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        not_mqtt = reason_code.value == _PROTOCOL_ERROR and not flags.is_disconnect_packet_from_server
        self._end_by(self.broken(self._not_mqtt()) if not_mqtt else LostError(reason_code))
        if not self._connected.cancelled():  # type: ignore[attr-defined]  # else nobody waits, and the library fails
            super()._on_disconnect(client, userdata, flags, reason_code, properties)  # type: ignore[misc]
            count_as_seen(self._disconnected)  # type: ignore[attr-defined]  # `_lost` is what tells

    def _not_mqtt(self) -> str:
        """Sentence for an answer that is not MQTT 5: Mosquitto gives one to a message larger than it takes."""
        if not self._under_way:
            return NOT_MQTT
        return f"its answer to {self._under_way} is not MQTT 5; is that more than its message_size_limit?"

    def _end_by(self, error: Exception) -> None:
        """End whatever waits for the broker; the first reason is the one that is told."""
        self._lost = self._lost or error
        connected = self._connected  # type: ignore[attr-defined]
        if not connected.done():
            connected.set_exception(self.broken(SHUT_OUT) if isinstance(error, LostError) else error)
            count_as_seen(connected)  # also where nobody waits for it any more
        for answer in self._pending_subscribes.values():  # type: ignore[attr-defined]
            if not answer.done():
                answer.set_exception(self.broken(SHUT_OUT))
        for answered in self._pending_publishes.values():  # type: ignore[attr-defined]
            answered.set()

    @contextlib.contextmanager
    def _until_lost(self) -> Iterator[None]:
        """A call of the library, which ends with the connection, and then by the reason for that."""
        try:
            yield
        except self.broken as error:
            raise self._lost or error from error
        if self._lost is not None:
            raise self._lost

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        self._last_puback = reason_code.value
        self._acknowledged(client)
        super()._on_publish(client, userdata, mid, reason_code, properties)  # type: ignore[misc]

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        self._acknowledged(client)
        publication = from_message(message)  # which raises, here where it ends the connection, if the topic is no text
        if self._take is None:
            super()._on_message(client, userdata, message)  # type: ignore[misc]
        else:  # not here, where the library would take an error of ours for one of the connection
            self._loop.call_soon(self._hand_on, self._take, publication)  # type: ignore[attr-defined]

    def _hand_on(self, take: Callable[[Publication], None], publication: Publication) -> None:
        try:
            take(publication)
        except Exception as error:  # noqa: BLE001 - `deliver` raises it
            self._take, self._failed = None, error
            self._queue.put_nowait(None)  # type: ignore[attr-defined]  # wakes `deliver`

    def _acknowledged(self, client: Any) -> None:
        opened = client.socket()
        if opened is not None:
            self.acknowledge(opened_socket(opened))

    def acknowledge(self, opened: Any) -> None:
        """Have the system acknowledge what came in on this socket."""

    async def deliver(self, take: Callable[[Publication], None]) -> None:
        """Hand each publication to `take` as it comes, in order; the library's iterator would make a task for each.

        Raises:
            aiomqtt.MqttError: the connection is gone.
            Exception: what `take` raised.
        """
        messages: Any = self.messages  # type: ignore[attr-defined]
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
        publish: Any = self.publish  # type: ignore[attr-defined]
        properties = to_properties(publication)
        size = packet_size(publication, properties)
        if self._max_packet_bytes is not None and size > self._max_packet_bytes:
            raise TooLargeError(topic, size, self._max_packet_bytes)
        self._last_puback = 0
        self._under_way = f"{topic} of {size} bytes"
        with self._until_lost():
            await publish(topic, body, qos, retain, properties)
            self._under_way = ""
            if denied(self._last_puback):
                raise DeniedError(f"publish to {topic}", self._last_puback)
        return self._last_puback

    async def listen(self, topic: str, **options: Any) -> None:
        """Subscribe, at QoS 1 where no other options are given.

        Raises:
            DeniedError: the access list does not let this user.
            LostError: the connection is gone.
            aiomqtt.MqttError: there was no answer.
        """
        subscribe: Any = self.subscribe  # type: ignore[attr-defined]
        with self._until_lost():
            codes = await subscribe(topic, **(options or {"qos": 1}))
            code = codes[0] if isinstance(codes[0], int) else codes[0].value
            if denied(code):
                raise DeniedError(f"subscribe to {topic}", code)


def opened_socket(opened: Any) -> Any:
    """The system's socket in what the library calls one, which with WebSockets is an object of its own around that."""
    return getattr(opened, "_socket", opened)


def count_as_seen(future: Any) -> None:
    """Take the error of a future that nobody may wait for any more: else asyncio prints it."""
    if future.done() and not future.cancelled():
        future.exception()


def client_options(url: BrokerUrl, identifier: str, credentials: tuple[str, str]) -> dict[str, Any]:
    """Arguments of the library's client, but for protocol, TLS and will; an empty name or password is none."""
    username, password = credentials
    return {
        "hostname": url.host,
        "port": url.port,
        "identifier": identifier,
        "username": username or None,
        "password": password or None,
        "timeout": TIMEOUT_S,
        "keepalive": KEEPALIVE_S,
        "clean_start": True,
        **({} if url.path is None else {"transport": "websockets", "websocket_path": url.path}),
    }


def reason_code(error: BaseException) -> int:
    """The broker's reason code in an error of the client library, or in what caused it; -1 where there is none."""
    for one in (error, error.__cause__):
        code = getattr(one, "rc", None)
        number = getattr(code, "value", code)
        if isinstance(number, int):
            return number
    return -1


def explain(error: BaseException, url: BrokerUrl) -> str:
    """Why a connection to the broker is not there or not of use, in one sentence."""
    if isinstance(error, DeniedError):
        return str(error)
    where = f"broker {url.address}"
    if text := why(reason_code(error)):
        return f"{where}: {text}"
    text = _TLS_NOISE.sub("", str(error))
    if "iteration" in text:  # in the library's words: it was iterating over messages
        text = "the connection was lost"
    elif "handshake" in text and "timed out" in text:
        text = "it took the connection and does not answer in TLS; is this its port for mqtts://?"
    elif "timed out" in text:
        text = "it does not answer"
    elif "WebSocket handshake" in text:
        text = f"it has no WebSockets for MQTT at {url.path}; path=/... names another place"
    elif "certificate verify failed" in text:
        reason = text.rpartition("failed: ")[2]
        text = f"its certificate is not accepted: {reason}; ca=FILE names the authority that it has to be from"
    elif text in (SHUT_OUT, UNANSWERED):
        text += _why_shut_out(url)
    elif url.tls and ("reset by peer" in text or "wrong version" in text):
        text += "; does it speak TLS at this port?"
    return f"{where}: {text}"


def _why_shut_out(url: BrokerUrl) -> str:
    if not url.tls:
        return "; is this its port for TLS (mqtts://) or WebSockets (ws://), or is it a broker without MQTT 5, or full?"
    if url.cert is None:
        return "; does it ask for a client's certificate (cert=FILE&key=FILE)?"
    return f"; does it take the certificate in {url.cert}?"
