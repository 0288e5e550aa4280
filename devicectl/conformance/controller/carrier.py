"""The face behind a broker: the device has topics under one root, the command under another, and the kit carries.

Law: it carries, and keeps what the broker did wrong as a sentence for the bench. What becomes of a publication is
`publications.TopicsLine`'s to say.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Final

from paho.mqtt.subscribeoptions import SubscribeOptions

from devicectl import clock
from devicectl.conformance.brokers import BrokerGoneError, why_shut_out
from devicectl.conformance.controller.faces import TICK_S, Face, Taken
from devicectl.conformance.controller.publications import Passed, TopicsLine, item_of, moved
from handpiece_shell.broker_client import BrokerClient, connection_options, stay_connected
from protocols.mqtt.broker import TIMEOUT_S, explain
from protocols.mqtt.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, Publication

RETAINED: Final = ("status", "info", "state", "alarms", "params")
TO_ALL: Final = ("heartbeat", "telemetry")
"""Topics of the device that every host of it hears."""
BIRTH_LIMIT_S: Final = 10.0
"""Seconds until the device's birth has come through the broker."""
CLEAR_LIMIT_S: Final = 2.0
"""Seconds for what is retained on the command's side to be cleared."""
DEFAULT_PLACE: Final = "mqtt://{address}/conform/kit"


def place_at(address: str) -> BrokerUrl:
    """Return the place at a broker of the kit's own."""
    return parse_broker_url(DEFAULT_PLACE.format(address=address))


def place_of(place: BrokerUrl, number: int) -> BrokerUrl:
    """Return the place of one run: runs go side by side, each with a device of its own name."""
    return replace(place, topics=replace(place.topics, device=f"{place.topics.device}-{number}"))


def behind(place: BrokerUrl) -> BrokerUrl:
    """Return the place of the device itself, under a root that the command does not know."""
    return replace(place, topics=replace(place.topics, root=f"{place.topics.root}-behind"))


async def check_broker(place: BrokerUrl) -> None:
    """See that the broker lets the kit in.

    Raises:
        BrokerGoneError: it does not, or is not there.
    """
    try:
        reason = await why_shut_out(place, f"look-{place.topics.device}")
    except BrokerUrlError as error:
        raise BrokerGoneError(f"--broker: {error}") from error
    if reason:
        raise BrokerGoneError(reason)


class Carrier:
    """The kit's own client of the broker, between the topics of the command and those of the device."""

    def __init__(self, taken: Taken, place: BrokerUrl) -> None:
        self.url = str(place.for_others)
        self._born = asyncio.Event()
        self._taken = taken
        self._place = place
        self._front: DeviceTopics = place.topics
        self._back: DeviceTopics = behind(place).topics
        self._lines: dict[str, TopicsLine] = {}
        self._last = ""
        self._unsent: asyncio.Queue[Publication] = asyncio.Queue()
        self._kept: set[str] = set()
        self._closing = False

    async def run(self) -> None:
        """Carry until this is cancelled, or the broker has gone: then the run is told."""
        options = connection_options(self._place, f"kit-{self._front.device}")
        error = await stay_connected(options, asyncio.get_running_loop().time() + TIMEOUT_S, self._live)
        assert error is not None, "it carries until it is cancelled"
        self._taken.gone = explain(error, self._place)
        self._born.set()

    async def wait_for_birth(self) -> str:
        """Wait until the device is there for the command; returns why it is not, "" where it is."""
        try:
            await asyncio.wait_for(self._born.wait(), BIRTH_LIMIT_S)
        except TimeoutError:
            return f"--mqtt: no birth of the device within {BIRTH_LIMIT_S:g} s"
        return self._taken.gone

    async def clear(self) -> None:
        """Clear what the broker retains on the command's side."""
        self._closing = True  # the device, which is still there, would fill them again
        for topic in sorted(self._kept):
            self._unsent.put_nowait(Publication(topic, b"", retain=True))
        if not self._taken.gone:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._unsent.join(), CLEAR_LIMIT_S)

    async def _live(self, client: BrokerClient) -> None:
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        await client.listen(self._back.of("#"), options=options)
        for topic in ("command", "heartbeat"):
            await client.listen(self._front.of(topic, "+"), options=options)
        client.end_entry()
        async with asyncio.TaskGroup() as group:
            group.create_task(client.deliver(self._take), name="carrier: read")
            group.create_task(self._write(client), name="carrier: write")
            group.create_task(self._tick(), name="carrier: tick")

    async def _write(self, client: BrokerClient) -> None:
        while True:
            publication = await self._unsent.get()
            await client.send(publication)
            if publication.topic == self._front.of("status"):
                self._born.set()
            self._unsent.task_done()

    async def _tick(self) -> None:
        while True:
            await clock.pause(TICK_S)
            for line in self._lines.values():
                self._pass(line.later(self._taken.now))

    def _take(self, publication: Publication) -> None:
        if self._front.parse(publication.topic) is not None:
            self._of_host(publication)
            return
        levels = self._back.parse(publication.topic)
        if levels is not None and levels[0] not in ("command", *(("heartbeat",) if len(levels) > 1 else ())):
            self._of_device(levels, moved(publication, self._back, self._front))

    def _of_device(self, levels: tuple[str, ...], publication: Publication) -> None:
        changed = self._taken.scene.edit(levels[0], publication)
        if levels[0] == "status" and changed is None:
            self._born.set()
        if changed is None or self._closing:
            return
        if levels[0] in RETAINED:
            self._kept.add(changed.topic)
            self._send([changed._replace(retain=bool(changed.body))])
        elif levels[0] == "reply" and levels[-1] in self._lines:
            self._pass(self._lines[levels[-1]].from_device_topic(changed, self._taken.now))
        elif levels[0] in TO_ALL and self._lines:
            self._pass(self._line_of(changed).from_device_topic(changed, self._taken.now))
        else:
            self._send([changed])

    def _of_host(self, publication: Publication) -> None:
        levels = self._front.parse(publication.topic) or ()
        client = levels[-1] if levels[0] == "heartbeat" else self._front.client_of(publication.response_topic)
        self._last = client or self._last
        if self._last not in self._lines:
            wire = DeviceWire(self._front, self._last)
            self._lines[self._last] = self._taken.topics_line(wire)
        self._pass(self._lines[self._last].from_host_topic(publication, self._taken.now))

    def _line_of(self, publication: Publication) -> TopicsLine:
        """Return the client whose link a publication to all is of, or the one that spoke last."""
        header = item_of(publication).header
        of_link = [line for line in self._lines.values() if header is not None and line.link_id == header.link_id]
        return of_link[0] if of_link else self._lines[self._last]

    def _pass(self, passed: Passed) -> None:
        self._send(passed.to_host)
        self._send(moved(one, self._front, self._back) for one in passed.to_device)

    def _send(self, publications: Iterable[Publication]) -> None:
        for publication in publications:
            self._unsent.put_nowait(publication)


@contextlib.asynccontextmanager
async def mqtt_face(taken: Taken, place: BrokerUrl) -> AsyncIterator[Face]:
    """Carry between the two sides of a broker while the context lasts.

    Raises:
        BrokerGoneError: the broker does not let the kit in, or no birth comes.
    """
    carrier = Carrier(taken, place)
    async with asyncio.TaskGroup() as group:
        carrying = group.create_task(carrier.run(), name="carrier")
        missing = ""
        try:
            missing = await carrier.wait_for_birth()
            if not missing:
                yield carrier
                await carrier.clear()
        finally:
            carrying.cancel()
    if missing:
        raise BrokerGoneError(missing)
