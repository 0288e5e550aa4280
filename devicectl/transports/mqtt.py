"""MQTT: one connection to a broker, on which the device's birth has been seen.

It ends when the broker is lost, when the device is lost (its will), and when the device is born again: its ports went
with the old connection. The driver then opens the next one, with a new client.

Law: it carries publications, reads `status`, and holds a link that begins to its heartbeats; all else that host and
device say to each other is the exchange's.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from devicectl.errors import LinkError, LinkForbiddenError, UrlError
from devicectl.transports.heartbeat_gate import HeartbeatGate
from devicectl.transports.port import Receiver, Transport
from devicectl.transports.urls import SCHEMES, DeviceUrl, Scheme
from handpiece_shell.broker_client import ROUTINE, BrokerClient, connection_options, stay_connected
from protocols.language.errors import MessageError
from protocols.language.units import Micros
from protocols.link.port import AnyWire
from protocols.mqtt.broker import MAX_UNSENT, TIMEOUT_S, DeniedError, explain
from protocols.mqtt.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from protocols.mqtt.properties import NO_MATCHING_SUBSCRIBERS
from protocols.mqtt.status import Status
from protocols.mqtt.wire import HostWire, Publication

BIRTH_TIMEOUT_S: Final = 2.0
"""Time for the retained `status` to come: the broker has it, or nobody does."""
HELLO_TIMEOUT_S: Final = 1.9
"""Time for an online device to answer HELLO, once the broker has handed it over: each try of it is made by then."""
HEARTBEAT_TIMEOUT_S: Final = 0.5
"""Time after WELCOME for the device's first heartbeat, which answers this host's. Answers to commands wait for it,
and the exchange gives up after 0.8 s.

All this together ends after `TIMEOUT_S`, from the first step towards the broker.
"""


_BRIDGE: Final = "is there a bridge or a device of MQTT 3.1.1 between? (Mosquitto: bridge_protocol_version mqttv50)"


class _EndError(Exception):
    """This end breaks the connection off."""


class MqttTransport:
    """A connection to a broker. `run` is its life; `ready` is done with its birth, or with why there was none."""

    boot_us: Final = Micros(0)

    def __init__(self, url: BrokerUrl, client: str, receiver: Receiver) -> None:
        self._url = url
        self._client = client
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self._unsent: asyncio.Queue[Publication | None] = asyncio.Queue(MAX_UNSENT)
        self._status_topic = url.topics.of("status")
        self._reply_topic = url.topics.of("reply", client)
        self._hello_topic = url.topics.of("command", "hello")
        self._gate = HeartbeatGate(url.topics, client)
        self.birth_no: int | None = None
        """Number of the birth that this connection has found."""
        self._absent = ""
        self._bare = False
        self._unheard = False
        self._entry_ends = self._loop.time() + TIMEOUT_S
        self._patience: asyncio.TimerHandle | None = None
        self._broken = ""
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def write(self, publication: Publication) -> None:
        """Send a publication, in order."""
        if publication.topic == self._hello_topic and self._gate.open:
            self._gate.close()
        self._queue(publication)

    def close(self) -> None:
        """Leave the broker once what was written has gone out."""
        self._closing = True
        self._stop_patience()
        self._queue(None)

    def give_up(self) -> None:
        """Leave at once, in the midst of connecting: nobody waits for it any more."""
        self._closing = True
        self._stop_patience()
        assert self._task is not None, "it began before anybody could wait for it"
        self._task.cancel()

    async def run(self, options: dict[str, object]) -> None:
        """Connect, and carry publications to the end of the connection, which the receiver hears of."""
        self._task = asyncio.current_task()
        try:
            routine = (*ROUTINE, _EndError)
            error = await stay_connected(options, self._entry_ends, self._live, routine) or _EndError("it was closed")
        except Exception as unforeseen:  # the one who opens hears it, else the one who awaits the session
            if self.ready.done():
                raise
            self.ready.set_exception(unforeseen)
            return
        self._stop_patience()
        reason = str(error) if isinstance(error, _EndError) else explain(error, self._url)
        forbidden = isinstance(error, DeniedError)
        if not self.ready.done():
            self.ready.set_exception(LinkForbiddenError(reason) if forbidden else LinkError(reason))
        elif not self._closing:
            self._receiver.closed(reason, final=forbidden)

    async def _live(self, client: BrokerClient) -> None:
        topics = self._url.topics
        for topic in (self._reply_topic, topics.of("heartbeat"), topics.of("telemetry", "+"), self._status_topic):
            await client.listen(topic)
        self._expect(BIRTH_TIMEOUT_S, self._not_born)
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(
                client.deliver(lambda publication: self._received(client, publication)), name="broker: read"
            )
            await self._write(client)
            reader.cancel()

    # --- what is sent ----------------------------------------------------------------------------------------

    def _queue(self, publication: Publication | None) -> None:
        """Queue a publication, or the end. Where there is no room the broker is gone, and the rest with it."""
        try:
            self._unsent.put_nowait(publication)
        except asyncio.QueueFull:
            self._break_off(f"the broker has not taken {MAX_UNSENT} publications")

    async def _write(self, client: BrokerClient) -> None:
        while (publication := await self._unsent.get()) is not None:
            if self._broken:
                raise _EndError(self._broken)
            code = await client.send(publication)
            if publication.topic == self._hello_topic:
                self._unheard = code == NO_MATCHING_SUBSCRIBERS
                if self._patience is None:
                    self._expect(HELLO_TIMEOUT_S, self._not_answered)

    def _break_off(self, reason: str) -> None:
        """End the connection for a reason; what is still queued is not sent."""
        self._broken = reason
        while not self._unsent.empty():
            self._unsent.get_nowait()
        self._unsent.put_nowait(_NOTHING)

    # --- what comes in ---------------------------------------------------------------------------------------

    def _received(self, client: BrokerClient, publication: Publication) -> None:
        if publication.topic == self._status_topic:
            self._bare = publication.bare
            self._take_status(publication.body)
        elif self.ready.done():
            for one in self._pass_gate(client, publication):
                self._receiver.received(one)

    def _pass_gate(self, client: BrokerClient, publication: Publication) -> list[Publication]:
        """Pass a publication through the gate, and start or stop the patience that its outcome asks for."""
        gate, waited = self._gate, self._gate.welcomed
        passed = gate.take(publication)
        if gate.welcomed:
            if not waited:
                self._expect(HEARTBEAT_TIMEOUT_S, self._not_beaten)
        elif waited or publication.topic == self._reply_topic:
            self._stop_patience()
            client.end_entry()
        return passed

    def _take_status(self, body: bytes) -> None:
        """Births and wills. What is none, and a will of another birth, says nothing."""
        try:
            status = Status.from_body(body)
        except MessageError:
            return
        if not self.ready.done():
            self._absent = "" if status.online else f"it went offline ({status.reason})"
            if status.online:
                self.birth_no = status.birth_no
                self._stop_patience()
                self.ready.set_result(None)
        elif status.online and status.birth_no != self.birth_no:
            self._break_off("the device has connected to its broker again")
        elif not status.online and status.birth_no == self.birth_no:
            self._break_off(f"the device has gone from its broker ({status.reason})")

    # --- what does not come in -------------------------------------------------------------------------------

    def _expect(self, seconds: float, complain: Callable[[], None]) -> None:
        """Have `complain` called in so many seconds, or earlier, where the time for all together is over before."""
        now = self._loop.time()
        end = now + seconds
        self._stop_patience()
        self._patience = self._loop.call_at(min(end, self._entry_ends) if now < self._entry_ends else end, complain)

    def _not_born(self) -> None:
        where = f"no device {self._url.topics.site}/{self._url.topics.device} at broker {self._url.address}"
        kept_out = f"nothing on {self._status_topic}, or this user may not read it"
        self._break_off(f"{where}: {self._absent or kept_out}")

    def _not_answered(self) -> None:
        status, command = self._status_topic, self._url.topics.of("command", "+")
        if self._unheard:
            why = f"the broker says that nobody listens there: is {status} out of date, may the device read {command}?"
        elif self._bare:
            why = f"{status} came without any property of MQTT 5, and so may HELLO: {_BRIDGE}"
        else:
            why = f"may this user read {self._reply_topic}, and the device publish there?"
        self._break_off(f"the broker took HELLO for {self._hello_topic}, and no reply came; {why}")

    def _not_beaten(self) -> None:
        heartbeat = self._url.topics.of("heartbeat")
        may = f"may this user read {heartbeat}, and the device publish there and read {heartbeat}/+?"
        self._break_off(f"the device granted a link, and no heartbeat came; {may}")

    def _stop_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


_NOTHING: Final = Publication("", b"")
"""Wakes the writer, which then finds that the connection is broken off."""


def parse(text: str, row: Scheme) -> DeviceUrl:
    """Check the URL of a device behind a broker.

    Raises:
        UrlError: it is none.
    """
    try:
        broker = parse_broker_url(text)
    except BrokerUrlError as error:
        raise UrlError(text, error.part, error.reason, row.example) from error
    return DeviceUrl(text, row.scheme, host=broker.host, port=broker.port, broker=broker)


def make_wire(url: DeviceUrl, client: str) -> AnyWire:
    """Make the wire of publications; answers go to the topic of `client`."""
    return HostWire(_broker_of(url).topics, client)


def _broker_of(url: DeviceUrl) -> BrokerUrl:
    assert url.broker is not None, "parse has found one"
    return url.broker


async def open_transport(url: DeviceUrl, client: str, receiver: Receiver) -> Transport:
    """Connect to the broker and find the device there.

    Raises:
        UrlError: a file that the URL names cannot be used.
        LinkError: no broker, no device, or the broker keeps this host out.
    """
    broker = _broker_of(url)
    try:
        options = connection_options(broker, client)
    except BrokerUrlError as error:
        raise UrlError(url.text, error.part, error.reason, SCHEMES["mqtts"].example) from error
    transport = MqttTransport(broker, client, receiver)
    receiver.start(transport.run(options))
    try:
        await transport.ready
    except BaseException:
        transport.give_up()
        raise
    return transport
