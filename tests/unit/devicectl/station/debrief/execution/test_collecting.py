"""Facts of a lesson that was executed."""

from dataclasses import replace

import pytest

from devicectl.station.debrief.execution.collecting import MAX_POINTS, facts_of, watch_record
from devicectl.station.debrief.facts import Facts, Heading
from devicectl.station.debrief.page import debrief_page
from protocols.language.units import SECOND
from tests.unit.devicectl.station.debrief.execution.lessons import acts, record, watched

S = SECOND


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_of(watched(), Heading(title="Suction leak"))


def test_it_ends_as_the_session_was_closed(facts: Facts) -> None:
    ending = facts.ending
    assert (ending.state, ending.lasts_us) == ("The session was closed as aborted.", 15 * S)
    assert ending.reconciled is True and not ending.differences
    assert (ending.punctures, ending.target) == (36, 200)


def test_a_session_that_is_open_has_no_reconciliation() -> None:
    ending = facts_of(watch_record(record((), 2.0)), Heading(title="")).ending
    assert (ending.state, ending.reconciled) == ("The session was not closed.", None)


def test_checks_have_times_of_the_lesson_and_the_judgement_of_the_instructor(facts: Facts) -> None:
    stops, waits, purges = facts.checks
    assert (stops.outcome, stops.override, stops.reason, stops.critical) == ("failed", True, "said it aloud", True)
    assert stops.began_us is not None and 3 * S < stops.began_us < 4 * S and stops.at_us == stops.began_us + 5 * S
    assert (waits.outcome, waits.override) == ("passed", None)
    assert (purges.outcome, purges.began_us) == ("not_judged", None)


def test_a_check_that_is_open_at_the_end_is_judged() -> None:
    done = acts((1.0, "trainee", "trigger_press", {}))
    found = facts_of(watch_record(record(done, 4.0)), Heading(title=""))
    assert [one.outcome for one in found.checks] == ["not_judged", "passed", "not_judged"]


def test_a_response_is_the_first_act_that_can_be_one(facts: Facts) -> None:
    (response,) = facts.responses
    assert (response.label, response.priority, response.first) == ("MC-0401", "medium", "trigger release")
    assert (response.first_us, response.acknowledged_us, response.over_us) == (7 * S, None, 9 * S)


def test_to_go_on_punching_is_no_response_and_an_acknowledgement_is_of_its_alarm() -> None:
    done = acts(
        (1.0, "trainee", "trigger_press", {}),
        (4.0, "trainee", "trigger_press", {}),
        (5.0, "trainee", "acknowledge", {"code": 1901}),
        (6.0, "trainee", "acknowledge", {"code": 401}),
    )
    (response,) = facts_of(watch_record(record(done, 8.0)), Heading(title="")).responses
    assert (response.first_us, response.acknowledged_us, response.over_us) == (5 * S, 6 * S, None)


def test_what_the_station_does_for_a_page_that_has_gone_is_no_response_of_the_trainee() -> None:
    done = acts(
        (1.0, "trainee", "trigger_press", {}),
        (5.0, "server", "trigger_release", {"why": "connection"}),
        (6.0, "trainee", "stop", {}),
    )
    (response,) = facts_of(watch_record(record(done, 8.0)), Heading(title="")).responses
    assert (response.first, response.first_us, response.let_go_us) == ("stop", 6 * S, 5 * S)


def test_counts_are_beside_the_truth(facts: Facts) -> None:
    truth = watched().room.bench.device.plant.truth
    assert {one.quantity: (one.counted, one.truth) for one in facts.beside} == {
        "cores": (facts.ending.cores_counted, truth.cores_evacuated),
        "punctures": (36, 36),
        "cycles completed": (12, 12),
        "clogs of needles": (None, truth.clogs),
    }


def test_the_map_has_each_puncture_of_the_session(facts: Facts) -> None:
    cheek, chin = facts.zones
    assert (cheek.name, cheek.cells, chin.cells, chin.begun) == ("cheek", 6, 2, [])
    assert [(cell.cell, cell.punctures, cell.limit) for cell in cheek.begun] == [(0, 36, 48)]
    assert sum(cell.cores for cell in cheek.begun) == facts.ending.cores_counted


def test_a_cell_is_numbered_within_its_zone() -> None:
    done = acts((1.0, "trainee", "reposition", {"zone": 1, "cell": 1}), (8.0, "trainee", "trigger_press", {}))
    _, chin = facts_of(watch_record(record(done, 10.0)), Heading(title="")).zones
    assert [cell.cell for cell in chin.begun] == [1]


def test_remarks_limits_and_questions_are_there(facts: Facts) -> None:
    assert [(one.kind, one.words) for one in facts.remarks] == [("note", "late"), ("bookmark", "before the close")]
    assert facts.limits_kpa == {"no new cycle below": 40, "needles go home below": 30}
    assert facts.questions == ("Where is the leak?",)


def test_charts_have_no_more_points_than_can_be_seen_and_the_last_one(facts: Facts) -> None:
    assert facts.samples == watched().samples
    samples = [watched().samples[0]._replace(at_us=at) for at in range(1_003)]
    found = facts_of(watched()._replace(samples=samples), Heading(title="")).samples
    assert len(found) <= MAX_POINTS + 1 and found[-1] is samples[-1]


def test_all_of_it_becomes_a_page(facts: Facts) -> None:
    page = debrief_page(replace(facts, heading=Heading(title="Suction leak", seed=7)))
    assert "the hose comes loose" in page and "MC-0401" in page and "said it aloud" in page
