"""A host, a device and the wire between them: what is carried when, and what a cut or a muted direction loses."""

from collections.abc import Sequence
from typing import Any

import pytest

from devicectl.errors import LinkError, LinkForbiddenError
from devicectl.session.context import Entry
from devicectl.session.engine import Engine
from devicectl.session.entries import Note
from devicectl.session.procedures import Task
from devicectl.simulation.world import SerialLine, World
from firmware_sim.device import Device
from firmware_sim.model.parameters import Parameters
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.serial.wire import SerialWire
from tests.world import IDENTITY, a_plan


class Delay:
    """A line on which each piece is under way for the same time."""

    def __init__(self, delay: int) -> None:
        self.delay = delay
        self.carried: list[tuple[str, Micros]] = []

    def arrivals(self, sender: str, data: bytes, now: Micros) -> Sequence[tuple[Micros, bytes]]:
        self.carried.append((sender, now))
        return [(Micros(now + self.delay), data)]


class Tap(list[tuple[str, Micros]]):
    """Who sent something, and when."""

    def __call__(self, sender: str, data: object, now: Micros) -> None:
        self.append((sender, now))


class Lab:
    """A world, what its tap heard, and what its log was given."""

    def __init__(self, **options: Any) -> None:
        self.written: list[Entry] = []
        self.engine = Engine(host_id=5, draw_nonce=lambda: 77)
        self.device = Device(seed=7, parameters=Parameters({}))
        self.world = World(self.engine, self.device, write=self.written.extend, **options)

    def connect(self) -> Task[Any]:
        task = self.engine.link.start(self.engine.connect(), self.world.now)
        self.world.refresh()
        return task

    def end(self, task: Task[Any]) -> Any:
        while not task.done:
            assert self.world.step()
        return task.outcome()


def test_without_a_line_an_answer_is_there_at_once() -> None:
    lab = Lab()
    assert lab.connect().done and lab.world.now == 0


def test_with_a_line_each_piece_arrives_when_the_line_says() -> None:
    line = Delay(3 * MILLISECOND)
    lab = Lab(line=line)
    task = lab.connect()
    assert not task.done
    lab.end(task)
    assert lab.world.now == 12 * MILLISECOND, "HELLO, WELCOME, DEVICE_INFO and its answer"
    assert line.carried == [("host", 0), ("device", 3_000), ("host", 6_000), ("device", 9_000)]


def test_a_tap_hears_what_both_send_when_they_send_it() -> None:
    tap = Tap()
    lab = Lab(tap=tap, line=Delay(MILLISECOND))
    lab.end(lab.connect())
    assert tap == [("host", 0), ("device", 1_000), ("host", 2_000), ("device", 3_000)]


def test_a_tap_hears_without_a_line_too() -> None:
    tap = Tap()
    lab = Lab(tap=tap)
    lab.end(lab.connect())
    assert tap == [("host", 0), ("device", 0), ("host", 0), ("device", 0)]


def test_an_entry_is_written_also_where_nothing_is_to_be_carried() -> None:
    lab = Lab()
    note = Note("action", 0, "alone", "", None)
    lab.engine.emit(note)
    lab.world.refresh()
    assert lab.written == [note] and lab.engine.backlog == 0


def test_what_is_logged_is_written_and_durable_before_anything_else_is_carried() -> None:
    lab = Lab()
    lab.end(lab.connect())
    task = lab.engine.link.start(lab.engine.open_session(a_plan(), IDENTITY), lab.world.now)
    lab.world.refresh()
    lab.end(task)
    assert len(lab.written) == 2 and lab.engine.backlog == 0 and lab.engine.entries == []


def test_both_ends_are_woken_at_their_deadlines() -> None:
    lab = Lab()
    lab.end(lab.connect())
    host, device = lab.engine.link.exchange.statistics, lab.world.port.exchange.statistics
    before = host.frames_sent, device.frames_sent
    while lab.world.now < 8 * SECOND:
        assert lab.world.step()
    assert host.frames_sent > before[0] and device.frames_sent > before[1]
    assert lab.engine.link.exchange.linked and host.leases_expired == device.leases_expired == 0


@pytest.mark.parametrize("tap", [None, Tap()])
def test_a_muted_host_is_not_heard_and_its_tap_is(tap: Tap | None) -> None:
    lab = Lab(tap=tap)
    lab.world.host_muted = True
    task = lab.connect()
    with pytest.raises(LinkError, match="the device does not answer"):
        lab.end(task)
    assert tap is None or {sender for sender, _ in tap} == {"host"}
    assert lab.world.port.exchange.statistics.frames_received == 0


def test_a_muted_device_hears_and_is_not_heard() -> None:
    lab = Lab()
    lab.world.device_muted = True
    with pytest.raises(LinkError, match="the device does not answer"):
        lab.end(lab.connect())
    assert lab.world.port.exchange.statistics.frames_received > 0
    assert lab.engine.link.exchange.statistics.frames_received == 0


def test_a_cut_ends_the_link_at_both_ends_with_its_reason() -> None:
    lab = Lab()
    lab.end(lab.connect())
    lab.world.cut("somebody tripped")
    assert not lab.engine.link.exchange.linked and not lab.engine.link.transport_up
    assert not lab.device.ports
    task = lab.connect()
    with pytest.raises(LinkError, match="no connection within 10 s: somebody tripped"):
        lab.end(task)


def test_a_final_cut_forbids_the_next_link() -> None:
    lab = Lab(line=Delay(MILLISECOND))
    task = lab.connect()
    lab.world.cut("kept out", final=True)
    with pytest.raises(LinkForbiddenError, match="^kept out$"):
        lab.end(task)


def test_what_was_on_the_wire_is_lost_with_a_cut() -> None:
    lab = Lab(line=Delay(MILLISECOND))
    lab.connect()
    lab.world.cut()
    lab.world.mend()  # and a second HELLO is sent at once
    assert lab.world.step() and lab.world.step() and lab.world.now == MILLISECOND
    assert lab.world.port.exchange.statistics.frames_received == 1


def test_a_mended_wire_leads_to_a_new_port_of_the_device() -> None:
    lab = Lab()
    lab.end(lab.connect())
    old = lab.world.port
    lab.world.cut()
    lab.world.mend()
    assert lab.end(lab.connect()) is not None
    assert lab.world.port is not old and list(lab.device.ports) == [lab.world.port]


def test_the_devices_end_of_the_wire_is_made_as_it_is_told() -> None:
    made: list[SerialWire] = []

    def make() -> SerialWire:
        made.append(SerialWire())
        return made[-1]

    lab = Lab(make_wire=make)
    assert len(made) == 1
    lab.world.cut()
    lab.world.mend()
    assert len(made) == 2


def test_nothing_is_left_to_happen_where_neither_end_waits() -> None:
    lab = Lab()
    lab.world.cut()
    while lab.world.step():
        assert lab.world.now < 60 * SECOND


# --- a serial line


def test_a_byte_takes_ten_bits() -> None:
    """docs/protocol.md: on a line of 9,600 baud 24 bytes take 25 ms."""
    line = SerialLine(9_600)
    assert line.arrivals("host", bytes(24), Micros(0)) == [(25 * MILLISECOND, bytes(24))]


def test_a_piece_goes_behind_the_one_before_it_and_each_direction_by_itself() -> None:
    line = SerialLine(1_000)
    assert line.arrivals("host", b"ab", Micros(0))[0][0] == 20 * MILLISECOND
    assert line.arrivals("host", b"c", Micros(5 * MILLISECOND))[0][0] == 30 * MILLISECOND
    assert line.arrivals("device", b"d", Micros(5 * MILLISECOND))[0][0] == 15 * MILLISECOND
    assert line.arrivals("host", b"e", Micros(90 * MILLISECOND))[0][0] == 100 * MILLISECOND
