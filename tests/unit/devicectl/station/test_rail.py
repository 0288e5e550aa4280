"""The script of a lesson: each item fires once, at its time, and only after its evidence."""

import pytest

from devicectl.station.evidence import Evidence, parse_pattern
from devicectl.station.lesson import Item
from devicectl.station.rail import ItemState, Rail, RailError
from firmware_sim.faults.fault import Fault, declare
from protocols.language.units import SECOND, Micros

LEAK = Item("leak", "the hose comes loose", parse_pattern("act(trigger_press)"), 20 * SECOND, declare("pump_stalled"))
BACK = Item("back", "the hose is put back", parse_pattern("act(pause)"), 5 * SECOND, ends="leak")
CLOG = Item("clog", "a needle clogs", parse_pattern("start"), 0, declare("clog"))


class Injected:
    """What a rail has injected and taken away."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.withdrawn: list[int] = []

    def inject(self, fault: Fault) -> int:
        self.faults.append(fault)
        return 7 + len(self.faults)

    def rail(self, *items: Item) -> Rail:
        return Rail(items, self.inject, self.withdrawn.append)

    @property
    def names(self) -> list[str]:
        return [fault.kind.name for fault in self.faults]


@pytest.fixture
def injected() -> Injected:
    return Injected()


def at(seconds: float, kind: str, name: str = "") -> Evidence:
    return Evidence(Micros(round(seconds * SECOND)), kind, name)


def states(rail: Rail) -> list[str]:
    return [one.state.value for one in rail.items]


def test_an_item_waits_for_its_evidence_then_for_its_delay(injected: Injected) -> None:
    rail = injected.rail(LEAK)
    rail.saw(at(1, "act", "arm"))
    assert states(rail) == ["waiting"] and rail.next_deadline() is None
    rail.saw(at(2, "act", "trigger_press"))
    assert states(rail) == ["due"] and rail.next_deadline() == 22 * SECOND
    rail.advance(Micros(22 * SECOND - 1))
    assert not injected.faults
    rail.advance(Micros(22 * SECOND))
    assert states(rail) == ["fired"] and injected.names == ["pump_stalled"] and rail.next_deadline() is None


def test_the_first_evidence_counts_and_an_item_fires_once(injected: Injected) -> None:
    rail = injected.rail(LEAK)
    rail.saw(at(2, "act", "trigger_press"))
    rail.saw(at(9, "act", "trigger_press"))
    assert rail.next_deadline() == 22 * SECOND
    rail.advance(Micros(60 * SECOND))
    rail.saw(at(61, "act", "trigger_press"))
    rail.advance(Micros(120 * SECOND))
    assert injected.names == ["pump_stalled"]


def test_items_fire_in_the_order_of_their_times(injected: Injected) -> None:
    rail = injected.rail(LEAK._replace(after=parse_pattern("start")), CLOG)
    rail.saw(at(0, "start"))
    rail.advance(Micros(60 * SECOND))
    assert injected.names == ["clog", "pump_stalled"]


def test_one_that_ends_a_fault_waits_until_that_has_begun(injected: Injected) -> None:
    rail = injected.rail(LEAK, BACK)
    rail.saw(at(1, "act", "pause"))
    assert states(rail) == ["waiting", "waiting"]
    rail.saw(at(2, "act", "trigger_press"))
    rail.advance(Micros(22 * SECOND))
    rail.saw(at(30, "act", "pause"))
    rail.advance(Micros(35 * SECOND))
    assert states(rail) == ["fired", "fired"] and injected.withdrawn == [8]


def test_the_fault_of_an_item_that_was_skipped_is_never_ended(injected: Injected) -> None:
    rail = injected.rail(LEAK, BACK)
    rail.skip("leak", Micros(0))
    rail.saw(at(30, "act", "pause"))
    rail.advance(Micros(60 * SECOND))
    assert states(rail) == ["skipped", "waiting"] and not injected.withdrawn and not injected.faults


def test_by_hand_an_item_fires_before_its_time_and_not_again_at_it(injected: Injected) -> None:
    rail = injected.rail(LEAK)
    rail.saw(at(2, "act", "trigger_press"))
    rail.fire("leak", Micros(3 * SECOND))
    rail.advance(Micros(60 * SECOND))
    assert injected.names == ["pump_stalled"] and rail.items[0].at_us == 3 * SECOND


@pytest.mark.parametrize("first", ["fire", "skip"])
def test_what_is_over_is_neither_fired_nor_skipped(injected: Injected, first: str) -> None:
    rail = injected.rail(LEAK)
    getattr(rail, first)("leak", Micros(0))
    for act in (rail.fire, rail.skip):
        with pytest.raises(RailError, match="leak was .* already"):
            act("leak", Micros(1))
    assert states(rail) == [ItemState.FIRED if first == "fire" else ItemState.SKIPPED]


def test_what_was_skipped_does_not_come_with_its_evidence(injected: Injected) -> None:
    rail = injected.rail(LEAK)
    rail.skip("leak", Micros(0))
    rail.saw(at(2, "act", "trigger_press"))
    rail.advance(Micros(60 * SECOND))
    assert states(rail) == ["skipped"] and not injected.faults


def test_nothing_is_ended_by_hand_before_it_has_begun(injected: Injected) -> None:
    with pytest.raises(RailError, match="leak, which has not fired"):
        injected.rail(LEAK, BACK).fire("back", Micros(0))


def test_an_unknown_item_is_refused_with_those_that_there_are(injected: Injected) -> None:
    with pytest.raises(RailError, match="there is no item tsunami: must be one of leak, back"):
        injected.rail(LEAK, BACK).fire("tsunami", Micros(0))
