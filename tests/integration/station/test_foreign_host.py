"""A station with a transport for somebody else's host: what it keeps, what it breaks, and when it lets a host in."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from devicectl.campaign.scenario import MQTT, SERIAL
from devicectl.errors import DevicectlError
from devicectl.log.lessons.store import LessonLog
from devicectl.log.store import SessionLog
from devicectl.station.acts import BYTES
from devicectl.station.lesson_file import parse_lesson
from devicectl.station.moment import for_foreign_host
from devicectl.station.room import Room
from devicectl.station.server.attempt import Shelf
from devicectl.station.server.hub import Hub
from devicectl.station.server.projections import projections
from devicectl.station.server.station import Station
from devicectl.station.server.transports.far_device import MAX_HELD_BYTES, FarDevice
from firmware_sim.ports import Port
from firmware_sim.serve.errors import NoPlaceError
from firmware_sim.serve.transports.clients import Clients
from firmware_sim.serve.transports.snapshots import Snapshots
from protocols.language.enums import Role
from protocols.language.messages import Hello
from protocols.language.schema import schema_id
from protocols.language.units import MILLISECOND, Micros
from protocols.language.version import MAJOR, MINOR
from protocols.link.header import REPLY_WANTED
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import HostWire, Publication
from protocols.serial.payload import encode_message

LESSON = parse_lesson("lesson: {title: A lesson, begin: {state: armed}}", "a lesson")
GREETING = Hello(
    majors=1 << MAJOR,
    minor=MINOR,
    role=Role.CONTROLLER,
    features=0,
    schema_id=schema_id(MINOR),
    host_id=9,
    max_payload_size=219,
    nonce=1,
)
HELLO = encode_message(GREETING, 1, 0, 1, REPLY_WANTED)
TOPICS = DeviceTopics("bench", "sim-7")


class Cable:
    """A transport of one host: what it was sent, and whether it is cut."""

    url = "tcp://a.test:1"
    warning = ""

    def __init__(self, far_device: FarDevice) -> None:
        self.sent: list[bytes] = []
        self.is_cut = False
        self.broken = 0
        self.port: Port | None = None
        self._far_device = far_device

    def plug(self) -> Port:
        """A host connects."""
        self.port = self._far_device.attach("tcp:a.test:2", self.sent.append)
        return self.port

    def pull(self) -> None:
        """It goes."""
        assert self.port is not None
        port, self.port = self.port, None
        self._far_device.detach(port)

    def cut(self, *, host_knows: bool, device_knows: bool) -> None:
        """Break it."""
        self.is_cut, self.broken = True, self.broken + 1
        if self.port is not None:
            self.pull()

    def mend(self) -> None:
        """Let hosts in again."""
        self.is_cut = False

    async def close(self) -> None:
        """No-op."""


class Class:
    """A class of one station, whose host is somebody else's. `run(ms)` lets wall time pass."""

    def __init__(self, hub: Hub, station: Station) -> None:
        self.hub = hub
        self.station = station
        self.far_device = station.far_device = FarDevice(station, hub.wake)
        self.cable = Cable(self.far_device)
        self.far_device.opened(self.cable)
        self.now = 0

    def run(self, ms: int = 1_000) -> None:
        """Let the lesson run for so long."""
        self.station.set_pace(Micros(self.now), running=True)
        for _ in range(ms // 20):
            self.now += 20 * MILLISECOND
            self.hub.tick(Micros(self.now))

    def hold(self) -> None:
        """Hold it."""
        self.station.set_pace(Micros(self.now), running=False)

    def say_hello(self) -> None:
        """A host connects, and asks for a link."""
        self.far_device.receive(self.cable.plug(), HELLO)

    @property
    def connected(self) -> bool:
        return self.station.room.controller.screen.linked

    def acts(self) -> list[str]:
        """Names of the acts that the log has."""
        return [act.name for act in self.hub.attempts(self.station.attempt.key)[self.station.attempt.key].acts]


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with SessionLog.open("sqlite://") as log:
        yield Shelf(log, LessonLog(log))


async def held(shelf: Shelf, wire: str = SERIAL) -> Class:
    hub = Hub(shelf, projections(practice=False), lambda: 7)
    return Class(hub, await hub.start(for_foreign_host(LESSON, wire), name="a lesson"))


@pytest.mark.asyncio
async def test_the_log_has_what_a_host_has_sent_before_it_hears_an_answer(shelf: Shelf) -> None:
    room = await held(shelf)
    kept: list[list[str]] = []
    room.cable.sent = _Heard(lambda: kept.append(room.acts()))
    room.say_hello()
    room.run(200)
    assert kept[0] == ["host_connected", BYTES] and room.connected


class _Heard(list[bytes]):
    """What was sent, and a look at each time."""

    def __init__(self, look: Callable[[], None]) -> None:
        super().__init__()
        self._look = look

    def append(self, data: bytes) -> None:
        super().append(data)
        self._look()


@pytest.mark.asyncio
async def test_while_a_lesson_is_held_nothing_is_answered_and_what_was_sent_is_done_afterwards(shelf: Shelf) -> None:
    room = await held(shelf)
    room.say_hello()
    room.hub.tick(Micros(0))
    assert not room.cable.sent and room.acts() == ["host_connected"]
    room.run(100)
    assert room.cable.sent and room.connected


@pytest.mark.asyncio
async def test_a_host_that_connects_while_the_lesson_is_held_is_shown(shelf: Shelf) -> None:
    room = await held(shelf)
    page = _Page()
    room.station.join("instructor", page, 0)
    room.cable.plug()
    room.hub.tick(Micros(0))
    assert "the device is silent" in page.messages[-1]


class _Page:
    """A page, and what it was sent."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def take(self, message: str) -> None:
        """Take a message."""
        self.messages.append(message)


@pytest.mark.asyncio
async def test_a_host_that_sends_on_and_on_while_the_lesson_is_held_is_cut_off(shelf: Shelf) -> None:
    room = await held(shelf)
    port = room.cable.plug()
    room.far_device.receive(port, b"x" * MAX_HELD_BYTES)
    assert room.acts() == ["host_connected"]
    room.far_device.receive(port, b"x")
    assert room.cable.broken == 1 and not room.cable.is_cut and room.acts() == ["host_connected", "host_gone"]


@pytest.mark.asyncio
async def test_to_go_back_breaks_the_link_and_takes_a_host_again(shelf: Shelf) -> None:
    room = await held(shelf)
    room.say_hello()
    room.run(500)
    await room.hub.rewind(room.station, 300)
    assert room.cable.port is None and not room.cable.is_cut and not room.connected
    assert room.acts() == ["host_connected", BYTES, "host_gone"]
    room.cable.sent.clear()
    room.say_hello()
    room.run(200)
    assert room.cable.sent and room.connected


@pytest.mark.asyncio
async def test_a_pulled_cable_keeps_hosts_out_until_it_is_over(shelf: Shelf) -> None:
    room = await held(shelf)
    room.say_hello()
    room.run(200)
    fault: dict[str, Any] = {"fault": "disconnect", "for_ms": 300}
    assert room.station.act("instructor", "inject", {"fault": fault}, Micros(room.now)).ok
    room.run(100)
    assert room.cable.is_cut and room.cable.port is None
    room.run(400)
    assert not room.cable.is_cut


@pytest.mark.asyncio
async def test_a_cable_that_was_pulled_for_less_than_a_tick_is_broken_too(shelf: Shelf) -> None:
    room = await held(shelf)
    room.say_hello()
    room.run(200)
    fault: dict[str, Any] = {"fault": "disconnect", "for_ms": 1}
    assert room.station.act("instructor", "inject", {"fault": fault}, Micros(room.now)).ok
    room.run(100)
    assert room.cable.broken == 1 and not room.cable.is_cut and room.cable.port is None


@pytest.mark.asyncio
async def test_a_lesson_that_was_broken_off_goes_on_where_there_is_a_transport_for_its_host(shelf: Shelf) -> None:
    room = await held(shelf)
    room.say_hello()
    room.run(200)
    key = room.station.attempt.key
    without = Hub(shelf, projections(practice=False), lambda: 7)
    with pytest.raises(DevicectlError, match="begin the station with --tcp or --pty"):
        await without.go_on(key)
    again = await held(shelf)
    assert await again.hub.go_on(key) is again.station
    assert again.acts() == ["host_connected", BYTES, "host_gone"]


@pytest.mark.asyncio
async def test_each_lesson_of_that_station_is_for_somebody_elses_host(shelf: Shelf) -> None:
    room = await held(shelf)
    await room.hub.start(LESSON, name="another", number=1)
    assert room.station.room.lesson.foreign and not room.station.room.evidence[1:]
    room.say_hello()
    room.run(200)
    assert room.connected


@pytest.mark.asyncio
async def test_the_instructor_reads_what_the_host_sees_of_the_clock(shelf: Shelf) -> None:
    room = await held(shelf)
    assert "Waits for a host at tcp://a.test:1" in room.far_device.words()
    room.say_hello()
    assert "the device is silent" in room.far_device.words()
    room.run(20)
    assert room.far_device.words() == "A host is connected."
    for speed, words in ((4.0, "too slow"), (0.5, "may give up on a command")):
        room.station.set_pace(Micros(room.now), speed=speed)
        assert words in room.far_device.words()


@pytest.mark.asyncio
async def test_a_station_that_is_removed_takes_no_host(shelf: Shelf) -> None:
    room = await held(shelf)
    await room.hub.remove(1)
    assert room.cable.is_cut


class Behind:
    """A broker in place of the cable: hosts of that name there, and what it was given for them and for all."""

    def __init__(self, room: Class, name: str) -> None:
        self.room = room
        self.given: list[Publication] = []
        self.warnings: list[str] = []
        self.clients = Clients(room.far_device, TOPICS, self.given.append, self.warnings.append)
        self.snapshots = Snapshots(room.far_device, TOPICS)
        self._wire = HostWire(TOPICS, name)

    def say_hello(self) -> None:
        """The host publishes HELLO."""
        self.clients.take(self._wire.encode(GREETING, 1, 0, 1, REPLY_WANTED))

    def show(self) -> list[Publication]:
        """A connection begins."""
        return [self.snapshots.begin(), *self.snapshots.birth()]


@pytest.mark.asyncio
async def test_a_host_behind_a_broker_is_answered_by_its_own_name_and_the_lesson_has_none(shelf: Shelf) -> None:
    rooms: list[Room] = []
    for name in ("their-host", "another"):
        room = await held(shelf, MQTT)
        broker = Behind(room, name)
        broker.say_hello()
        room.run(6_000)
        assert room.connected and room.far_device.connected
        assert {one.topic for one in broker.given} == {TOPICS.of("reply", name), TOPICS.of("heartbeat")}
        assert room.acts() == ["host_connected", BYTES]
        rooms.append(room.station.room)
    assert list(rooms[0].bench.recording) == list(rooms[1].bench.recording) and rooms[0].acts == rooms[1].acts


@pytest.mark.asyncio
async def test_what_a_broker_shows_changes_nothing_of_the_lesson(shelf: Shelf) -> None:
    room = await held(shelf, MQTT)
    broker = Behind(room, "their-host")
    births = [broker.show()]
    broker.say_hello()
    for _ in range(10):
        room.run(100)
        broker.snapshots.changes()
    births.append(broker.show())
    ran = room.station.room
    again = Room.execute(ran.lesson, ran.seed, ran.acts, ran.now)
    assert list(again.bench.recording) == list(ran.bench.recording)
    assert again.bench.device.nvm.birth_no == ran.bench.device.nvm.birth_no == 0
    await room.hub.rewind(room.station, 300)
    births.append(broker.show())
    assert [b'"birth_no":%d,' % no in birth[-1].body for no, birth in enumerate(births, 1)] == [True, True, True]
    assert room.station.room.bench.device is room.far_device.device is not ran.bench.device


@pytest.mark.asyncio
async def test_the_next_host_behind_a_broker_takes_the_place_of_one_that_has_no_link(shelf: Shelf) -> None:
    room = await held(shelf, MQTT)
    first = Behind(room, "their-host")
    first.say_hello()
    room.run(200)
    wire = HostWire(TOPICS, "another")
    hello = wire.encode(GREETING, 1, 0, 1, REPLY_WANTED)
    first.clients.take(hello)
    assert list(first.clients.ports) == ["their-host"] and first.given[-1].topic == TOPICS.of("reply", "another")
    assert b"the places for hosts are taken, 1 in all" in first.given[-1].body
    room.run(60_000)
    assert not room.far_device.connected and "Waits for a host" in room.far_device.words()
    first.clients.take(hello)
    room.run(200)
    assert list(first.clients.ports) == ["another"] and room.far_device.connected
    assert room.acts() == ["host_connected", BYTES, "host_gone", "host_connected", BYTES]


@pytest.mark.asyncio
async def test_a_host_behind_a_broker_that_publishes_on_and_on_is_cut_off(shelf: Shelf) -> None:
    room = await held(shelf, MQTT)
    broker = Behind(room, "their-host")
    for _ in range(MAX_HELD_BYTES // 100):
        broker.say_hello()
    assert room.cable.broken == 1 and room.acts() == ["host_connected", "host_gone"]


@pytest.mark.asyncio
async def test_a_lesson_of_one_wire_does_not_go_on_at_another(shelf: Shelf) -> None:
    key = (await held(shelf, MQTT)).station.attempt.key
    other = await held(shelf)
    with pytest.raises(DevicectlError, match="begin the station with --mqtt"):
        await other.hub.go_on(key)


@pytest.mark.asyncio
async def test_a_transport_that_has_ended_for_good_is_told_and_the_class_goes_on(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    room = await held(shelf, MQTT)
    error = NoPlaceError("--mqtt", "another client has the identifier")
    room.far_device.failed(asyncio.get_running_loop(), {"message": "", "exception": error})
    assert "No host can come in any more: --mqtt: another client" in room.far_device.words()
    assert capsys.readouterr().err.count("\n") == 1
    room.run(100)
    assert room.station.room.now > room.station.room.began
