"""Faults of the wire: what becomes of each piece, when it arrives, and that a fault has fired by then."""

from typing import Any, Final

import pytest

from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.wire import WireFaults
from protocols.language.messages import Stop
from protocols.language.units import MILLISECOND, Micros
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import HostWire
from tests.unit.firmware_sim.faults.runs import Run

PIECE: Final = bytes(range(100, 120))


class Wire:
    """A wire with faults, on which each end sends pieces."""

    def __init__(self, *faults: Fault, carrier: Any = None) -> None:
        self.run = Run(*faults)
        self.faults = WireFaults(self.run.injector, carrier)
        self.run.injector.advance(Micros(0))

    def send(self, now: float = 0, sender: str = "host", data: Any = PIECE) -> list[tuple[float, Any]]:
        """Return what arrives, each with its time in milliseconds."""
        found = self.faults.arrivals(sender, data, self.run.at(now))
        return [(due / MILLISECOND, piece) for due, piece in found]


class Slow:
    """A wire that takes 3 ms and splits each piece."""

    def arrivals(self, sender: str, data: Any, now: Micros) -> list[tuple[Micros, Any]]:
        due = Micros(now + 3 * MILLISECOND)
        return [(due, data[:10]), (Micros(due + MILLISECOND), data[10:])]


def test_without_a_fault_a_piece_is_there_at_once() -> None:
    wire = Wire()
    assert wire.send(5) == [(5, PIECE)]
    assert wire.send(5, "device") == [(5, PIECE)]


def test_a_wire_has_its_own_delays_under_a_fault_too() -> None:
    halves = [(8, PIECE[:10]), (9, PIECE[10:])]
    assert Wire(carrier=Slow()).send(5) == halves
    late = Wire(declare("latency", added_ms=10), carrier=Slow())
    assert late.send(5) == [(due + 10, piece) for due, piece in halves]


def test_a_drop_swallows_one_piece_and_is_over() -> None:
    wire = Wire(declare("drop"))
    assert (wire.send(1), wire.send(2)) == ([], [(2, PIECE)])
    assert wire.run.done[-2:] == ["1 fired drop", "1 ended drop"]


def test_a_drop_of_two_swallows_two() -> None:
    wire = Wire(declare("drop", pieces=2))
    assert [bool(wire.send(now)) for now in (1, 2, 3)] == [False, False, True]


def test_a_drop_of_any_number_goes_on_until_its_time_is_over() -> None:
    wire = Wire(declare("drop", pieces=0, for_ms=10))
    assert [wire.send(now) for now in (1, 2, 3)] == [[], [], []]
    wire.run.injector.advance(wire.run.at(10))
    assert wire.send(10) == [(10, PIECE)]


def test_pieces_of_the_other_end_pass() -> None:
    wire = Wire(declare("drop", direction="device"))
    assert wire.send(1) == [(1, PIECE)] and wire.run.injector.unfired
    assert wire.send(2, "device") == [] and not wire.run.injector.unfired


def test_a_share_is_met_by_chance() -> None:
    wire = Wire(declare("drop", share=0.5, pieces=0))
    dropped = sum(not wire.send(now) for now in range(200))
    assert 70 < dropped < 130


def test_bits_are_flipped_and_no_more_than_there_are() -> None:
    ((_, piece),) = Wire(declare("flip", bits=5)).send()
    assert sum((a ^ b).bit_count() for a, b in zip(piece, PIECE, strict=True)) == 5
    assert Wire(declare("flip", bits=64)).send(data=b"\x0f") == [(0, b"\xf0")]
    assert Wire(declare("flip")).send(data=b"") == [(0, b"")]


def test_bytes_are_inserted_at_some_place() -> None:
    ((_, piece),) = Wire(declare("insert", bytes=7)).send()
    at = next(index for index in range(len(PIECE) + 1) if piece[:index] + piece[index + 7 :] == PIECE)
    assert len(piece) == len(PIECE) + 7 and 0 <= at <= len(PIECE)


def test_a_duplicate_comes_twice() -> None:
    assert Wire(declare("duplicate")).send(4) == [(4, PIECE)] * 2
    assert len(Wire(declare("duplicate"), declare("duplicate")).send()) == 4


def test_what_is_reordered_is_overtaken() -> None:
    wire = Wire(declare("reorder", by_ms=50))
    assert (wire.send(1), wire.send(2)) == ([(51, PIECE)], [(2, PIECE)])


def test_what_is_late_is_not_overtaken() -> None:
    wire = Wire(declare("latency", added_ms=50, for_ms=10))
    assert wire.send(1) == [(51, PIECE)]
    wire.run.injector.advance(wire.run.at(10))
    assert wire.send(11) == [(51, PIECE)] and wire.send(60) == [(60, PIECE)]
    assert wire.send(12, "device") == [(12, PIECE)], "each direction has its own order"


def test_delays_add_up() -> None:
    assert Wire(declare("latency", added_ms=5), declare("latency", added_ms=7)).send(1) == [(13, PIECE)]


def test_jitter_is_drawn_for_each_piece() -> None:
    wire = Wire(declare("jitter", most_ms=20))
    delays = [wire.send(100 * now)[0][0] - 100 * now for now in range(50)]
    assert min(delays) >= 0 and max(delays) <= 20 and len(set(delays)) > 40


def test_a_narrow_line_lets_pieces_queue() -> None:
    wire = Wire(declare("bandwidth", bytes_per_s=1_000))
    assert [wire.send(1)[0][0], wire.send(2)[0][0], wire.send(100)[0][0]] == [21, 41, 120]
    assert wire.send(1, "device") == [(21, PIECE)], "each direction has a line of its own"


def test_a_publication_takes_the_time_of_its_body() -> None:
    publication = HostWire(DeviceTopics("site", "device"), "host").encode(Stop(), 1, 1, 1, 0)
    ((due, piece),) = Wire(declare("bandwidth", bytes_per_s=1_000)).send(0, data=publication)
    assert (due, piece) == (len(publication.body), publication)


def test_a_mute_swallows_all_and_fires_at_the_first() -> None:
    wire = Wire(declare("mute", direction="device", for_ms=30))
    assert wire.run.injector.unfired
    assert [wire.send(1, "device"), wire.send(2, "device")] == [[], []] and not wire.run.injector.unfired
    assert wire.send(3) == [(3, PIECE)]


def test_a_frozen_broker_lets_all_go_at_once() -> None:
    wire = Wire(declare("broker_frozen", for_ms=100))
    assert (wire.send(1), wire.send(60)) == ([(100, PIECE)], [(100, PIECE)])
    wire.run.injector.advance(wire.run.at(100))
    assert wire.send(100) == [(100, PIECE)]


@pytest.mark.parametrize(("kind", "twin"), [("publish_doubled", "duplicate"), ("publish_reordered", "reorder")])
def test_a_broker_does_to_publications_as_a_wire_to_pieces(kind: str, twin: str) -> None:
    one, other = Wire(declare(kind)), Wire(declare(twin))
    assert [one.send(1), one.send(2)] == [other.send(1), other.send(2)]


def test_what_was_dropped_meets_no_other_fault() -> None:
    wire = Wire(declare("drop"), declare("duplicate"))
    assert wire.send(1) == [] and [one.fault.kind.name for one in wire.run.injector.unfired] == ["duplicate"]


def test_the_piece_that_begins_a_fault_is_met_by_it() -> None:
    wire = Wire(declare("drop", 'piece("host", 2)'))
    assert [bool(wire.send(now)) for now in (1, 2, 3)] == [True, False, True]


def test_the_same_seed_spoils_alike() -> None:
    faults = [declare("flip", pieces=0, bits=3), declare("insert", pieces=0), declare("jitter")]
    assert [Wire(*faults).send(now) for now in range(5)] == [Wire(*faults).send(now) for now in range(5)]
