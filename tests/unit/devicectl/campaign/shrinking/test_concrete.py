"""Faults as they went: at the very places at which they began, each piece that was met by chance for itself."""

import pytest

from devicectl.campaign.shrinking.concrete import as_text, concrete
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.trigger import At, Moment
from protocols.language.units import Micros
from tests.unit.devicectl.campaign.trials import right


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (declare("reboot", "write(20)"), "write(20)"),
        (declare("log_full", "commit(3)"), "commit(3)"),
        (declare("disconnect", 'frame("PUNCH", 2)'), 'piece("host", 33)'),
        (declare("mute", 'piece("device", 30)'), 'piece("device", 30)'),
    ],
    ids=lambda value: value.kind.name if isinstance(value, Fault) else "",
)
def test_a_fault_is_at_the_event_by_which_it_began(fault: Fault, text: str) -> None:
    (found,) = concrete(right(fault).injector.firings)
    assert found.text == text
    assert found.values == fault.values


def test_a_fault_that_began_by_a_state_is_at_that_time() -> None:
    trial = right(declare("reboot", 'cycle == 3 and phase == "suction"'))
    (found,) = concrete(trial.injector.firings)
    assert found.text == f'at("{trial.verdict.fired[0].at_us} us")'
    assert right(found).verdict.fired[0].phase == "suction"


def test_each_piece_that_was_met_by_chance_is_a_fault_of_its_own() -> None:
    trial = right(declare("drop", 'at("0 s")', share=0.2, pieces=0, direction="host", for_ms=6_000))
    found = concrete(trial.injector.firings)
    assert len(found) == trial.injector.firings[0].effects > 1
    assert {fault.text[:14] for fault in found} == {'piece("host", '}
    again = right(*found)
    assert again.verdict.fired[0].at_us == trial.verdict.fired[0].at_us
    assert again.recording[-1] == trial.recording[-1]


def test_how_a_piece_is_spoiled_is_kept() -> None:
    (found,) = concrete(right(declare("insert", 'frame("PUNCH", 2)', bytes=9, share=1)).injector.firings)
    assert found.number("bytes") == 9


def test_what_never_fired_is_left_out() -> None:
    trial = right(declare("reboot", "write(20)"))
    trial.injector.firings[0].effects = 0
    assert concrete(trial.injector.firings) == ()


def test_each_place_is_a_trigger() -> None:
    places = (At(Micros(7)), Moment("write", "", 5), Moment("piece", "host", 3))
    assert [as_text(place) for place in places] == ['at("7 us")', "write(5)", 'piece("host", 3)']
