"""MQTT: the device behind a broker.

A connection that breaks is made again for as long as the service lasts, with a new client and a new birth; the ports
of the old one go with it. What a broker loses or holds back, the leases see.

Law: what a broker can make this end keep is bounded: publications that it does not take. Of its clients, see `clients`.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from firmware_sim.clock import monotonic, pause
from firmware_sim.serve.errors import NoPlaceError, OptionError
from firmware_sim.serve.transports.clients import Clients
from firmware_sim.serve.transports.lives import Lives, NextStep
from firmware_sim.serve.transports.snapshots import Snapshots
from firmware_sim.serve.transports.table import Place, Served, Transport
from handpiece_shell import broker_files
from handpiece_shell.broker_client import BrokerClient, connection_options, stay_connected
from handpiece_shell.files import NamedFile, Use
from handpiece_shell.streams import say
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.mqtt.broker import (
    MAX_UNSENT,
    TIMEOUT_S,
    DeniedError,
    explain,
)
from protocols.mqtt.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from protocols.mqtt.properties import to_properties
from protocols.mqtt.wire import Publication
from protocols.text.addresses import is_loopback

MAX_WARNINGS: Final = 16
"""Different warnings in one run."""
RECONNECT_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Waits between attempts to reach the broker again; the last one repeats."""
SHOW_EVERY_S: Final = 0.1
"""Seconds between updates of the public topics: faster than anyone reads."""
CLOSE_TIMEOUT_S: Final = 1.0
"""Time for the broker to take the last publications."""


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """A device's place behind a broker; with `forget` nothing that is retained stays there at the end."""

    url: BrokerUrl
    forget: bool

    @property
    def host(self) -> str:
        """The broker's name or address."""
        return self.url.host

    @property
    def files(self) -> Sequence[NamedFile]:
        """Files that the URL names."""
        return [NamedFile(f"{name} of --mqtt", path, Use.READ) for name, path in self.url.files.items()]

    async def open_transport(self, device: Served) -> Transport:
        """Connect to the broker, or raise OptionError or NoPlaceError."""
        return await join(device, self.url, forget=self.forget)


def parse(text: str, extras: Mapping[str, str]) -> Place:
    """Check a broker's URL with site and device, and with files that can be used.

    Raises:
        OptionError: it is not that.
    """
    try:
        url = parse_broker_url(text)
    except BrokerUrlError as error:
        raise OptionError("--mqtt", f"{error}; for example mqtt://127.0.0.1:1883/bench/sim-7") from error
    try:
        broker_files.check_broker_files(url)
    except BrokerUrlError as error:
        raise OptionError("--mqtt", str(error)) from error
    return BrokerPlace(url, "forget" in extras)


class Broker:
    """The way to the device through a broker; with `forget` nothing that is retained stays there at the end."""

    def __init__(self, device: Served, url: BrokerUrl, *, forget: bool = False) -> None:
        self._device = device
        self._url = url
        self._forget = forget
        self._topics = url.topics
        self._loop = asyncio.get_running_loop()
        self._born: asyncio.Future[None] = self._loop.create_future()
        self._unsent: asyncio.Queue[Publication] = asyncio.Queue(MAX_UNSENT)
        self._snapshots = Snapshots(device, url.topics)
        self._online = False
        self._warned: set[str] = set()
        self._clients = Clients(device, url.topics, self._put, self._warn)
        self._closing = False
        self._client: BrokerClient | None = None
        self._broken_off = False
        """True once this end has broken the connection that there is."""
        self._whole = asyncio.Event()
        """Set unless a fault keeps the connection broken."""
        self._whole.set()

    @property
    def url(self) -> str:
        """The device URL that a host opens; its user and certificate are its own."""
        return str(self._url.for_others)

    @property
    def warning(self) -> str:
        """A sentence if others can read the traffic."""
        if self._url.tls or is_loopback(self._url.host):
            return ""
        scheme = self._url.scheme
        return f"{scheme}:// to {self._url.host} is not encrypted; {scheme}s:// is"

    async def open(self) -> None:
        """Connect, and wait until the broker has the birth.

        Raises:
            OptionError: a file of the URL cannot be used.
            NoPlaceError: the broker is not there, or keeps this device out.
        """
        try:
            self._options = connection_options(self._url, f"device-{self._topics.site}-{self._topics.device}")
        except BrokerUrlError as error:
            raise OptionError("--mqtt", str(error)) from error
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._keeper = self._group.create_task(self._keep_connected(), name="broker")
        try:
            await self._born
        except BaseException:
            await self._stop()
            raise

    async def close(self) -> None:
        """Say good-bye to the broker, if it is there, and disconnect."""
        self._closing = True  # a connection that ends now is not made again
        is_there, last = self._online, [self._snapshots.leave(), *(self._snapshots.forget() if self._forget else ())]
        for publication in last:
            self._put(publication)
        self._online = False  # nothing is shown after it
        if is_there:
            try:
                await asyncio.wait_for(self._unsent.join(), CLOSE_TIMEOUT_S)
            except TimeoutError:  # then the will says it
                is_there = False
        if self._forget and not is_there:
            _tell(f"--forget: broker {self._url.address} does not answer: what it retains of the device stays there")
        await self._stop()

    def cut(self, *, host_knows: bool, device_knows: bool) -> None:
        """Break the connection without a word, so that the broker says the will."""
        self._whole.clear()
        self._broken_off = True
        if self._client is not None:
            self._client.break_off()

    def mend(self) -> None:
        """Connect again."""
        self._whole.set()

    async def _stop(self) -> None:
        self._closing = True
        self._keeper.cancel()
        await self._group.__aexit__(None, None, None)
        self._clients.close()

    # --- connections -----------------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        lives = Lives()
        try:
            while True:
                self._broken_off = False
                began, error = monotonic(), await self._connection()
                born, self._online = self._online, False
                self._clients.drop()
                if self._closing:
                    return  # A task group that fails while it is cancelled forgets that it was.
                why = explain(error, self._url)
                lasted_us = monotonic() - began
                step = NextStep.AGAIN if self._broken_off else lives.ended(error, why, born=born, lasted_us=lasted_us)
                if step is NextStep.TWIN:
                    raise NoPlaceError("--mqtt", f"{why}: {self._twin()}") from error
                if step is NextStep.GIVE_UP:
                    raise NoPlaceError("--mqtt", why) from error
                if step is NextStep.TELL:
                    _tell(f"{why}; connecting again")
                await self._whole.wait()
                await pause(RECONNECT_S[min(lives.attempt, len(RECONNECT_S) - 1)])
        except Exception as error:  # noqa: BLE001 - the caller of `open` hears it, else the watcher of the service's end
            if self._born.done():
                self._loop.call_exception_handler({"message": "the broker's keeper ended", "exception": error})
            else:
                self._born.set_exception(error)

    def _twin(self) -> str:
        topics = self._topics
        return f"does another device serve {topics.site}/{topics.device}? each must have an id of its own"

    async def _connection(self) -> Exception:
        """One connection, from birth to its end; what ended it."""
        will = self._snapshots.begin()
        last_words = aiomqtt.Will(
            will.topic, will.body, will.qos, will.retain, to_properties(will, PacketTypes.WILLMESSAGE)
        )
        options = {**self._options, "will": last_words}
        error = await stay_connected(options, self._loop.time() + TIMEOUT_S, self._live)
        assert error is not None, "a connection ends with an error or a cancellation"
        return error

    async def _live(self, client: BrokerClient) -> None:
        self._client = client
        if self._broken_off:  # while it was being made
            raise aiomqtt.MqttError("the connection was broken off")
        self._device.set_alarm(RETAINED_COMMAND, present=False)  # if one still lies there, it comes now
        # Retained as published: one that is given now and retained is told from one that is not.
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        for topic in ("command", "heartbeat"):
            await client.listen(self._topics.of(topic, "+"), options=options)
        for publication in self._snapshots.birth():
            await client.send(publication)
        client.end_entry()
        self._unsent = asyncio.Queue(MAX_UNSENT)
        self._online = True
        if not self._born.done():
            self._born.set_result(None)
        async with asyncio.TaskGroup() as group:
            group.create_task(client.deliver(self._clients.take), name="broker: read")
            group.create_task(self._write(client), name="broker: write")
            group.create_task(self._show(), name="broker: show")

    # --- what is sent ----------------------------------------------------------------------------------------

    async def _write(self, client: BrokerClient) -> None:
        while True:
            publication = await self._unsent.get()
            try:
                await client.send(publication)
            except DeniedError as error:  # of one client's topic: the others still have their device
                self._warn(explain(error, self._url))
            self._unsent.task_done()

    async def _show(self) -> None:
        while not self._unsent.full():
            for publication in self._snapshots.changes():
                self._put(publication)
            await pause(SHOW_EVERY_S)
        raise aiomqtt.MqttError(f"the broker has not taken {MAX_UNSENT} publications")

    def _put(self, publication: Publication) -> None:
        """Queue a publication. One that finds no room is lost, and within `SHOW_EVERY_S` the connection is."""
        if self._online:
            with contextlib.suppress(asyncio.QueueFull):
                self._unsent.put_nowait(publication)

    def _warn(self, text: str) -> None:
        if text not in self._warned and len(self._warned) < MAX_WARNINGS:
            self._warned.add(text)
            _tell(text)


def _tell(text: str) -> None:
    say(f"firmware-sim: --mqtt: {text}")


async def join(device: Served, url: BrokerUrl, *, forget: bool = False) -> Broker:
    """Be reached through the broker of `url`; at the end `forget` clears what it retains of the device.

    Raises:
        OptionError: a file of the URL cannot be used.
        NoPlaceError: the broker is not there, or keeps this device out.
    """
    broker = Broker(device, url, forget=forget)
    await broker.open()
    return broker
