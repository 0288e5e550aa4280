"""Lanes of a timeline, and the same as a list."""

from devicectl.station.debrief.drawings.timeline import Lane, Row
from devicectl.station.debrief.execution.collecting import watch_record
from devicectl.station.debrief.execution.lanes import happened, lanes
from protocols.language.units import SECOND
from tests.unit.devicectl.station.debrief.execution.lessons import acts, record, watched

S = SECOND


def lane(name: str, found: list[Lane]) -> dict[str, Row]:
    return {row.name: row for one in found if one.name == name for row in one.rows}


def test_states_are_rows_and_cycles_that_follow_each_other_are_one_bar() -> None:
    states = lane("State of the host", lanes(watched()))
    assert list(states) == ["armed", "cycle", "recovering", "aborted"]
    assert states["armed"].spans == [(0, 9 * S)]
    ((begins, ends),) = states["cycle"].spans
    assert begins == S and 3 * S < ends < 4 * S
    assert states["aborted"].spans == [(13 * S, 15 * S)]


def test_the_trigger_is_held_from_press_to_release_and_other_acts_are_moments() -> None:
    trainee = lane("Trainee", lanes(watched()))
    assert trainee["trigger held"].spans == [(S, 7 * S)]
    assert trainee["stop"].spans == [(9 * S, 9 * S)]
    assert list(lane("Instructor", lanes(watched()))) == ["note", "override", "bookmark"]


def test_a_trigger_that_is_never_let_go_is_held_to_the_end() -> None:
    done = acts((1.0, "trainee", "trigger_press", {}), (2.0, "trainee", "trigger_press", {}))
    found = lanes(watch_record(record(done, 4.0)))
    assert lane("Trainee", found)["trigger held"].spans == [(S, 4 * S)]


def test_a_fault_has_the_words_of_its_item_and_an_injected_one_its_kind() -> None:
    faults = lane("Faults", lanes(watched()))
    assert faults["the hose comes loose"].spans == [(3 * S, 15 * S)] and len(faults) == 1
    clog = {"fault": "clog", "needle": 1}
    done = acts((1.0, "instructor", "inject", {"fault": clog}), (2.0, "trainee", "trigger_press", {}))
    assert "clog" in lane("Faults", lanes(watch_record(record(done, 3.0))))


def test_an_alarm_is_a_bar_in_the_style_of_its_priority() -> None:
    (alarm,) = lane("Alarms shown", lanes(watched())).values()
    ((begins, ends),) = alarm.spans
    assert (alarm.name, alarm.style) == ("MC-0401", "medium") and 3 * S < begins < 4 * S and ends == 9 * S


def test_the_list_has_everything_in_order_but_no_cycle() -> None:
    found = happened(watched())
    assert [one.at_us for one in found] == sorted(one.at_us for one in found)
    assert [(one.kind, one.words) for one in found] == [
        ("trainee", "pressed the trigger"),
        ("fault", "the hose comes loose: has its first effect"),
        ("alarm", "MC-0401 The vacuum is low: no new cycle until it is stable again. Look for a leak."),
        ("refusal", "E_INTERLOCK, interlock 4"),
        ("trainee", "let the trigger go"),
        ("trainee", "stopped the handpiece"),
        ("alarm", "MC-0401 is over"),
        ("instructor", "noted: late"),
        ("trainee", "acknowledged all alarms"),
        ("instructor", "judged the check stops as passed: said it aloud"),
        ("instructor", "marked: before the close"),
        ("trainee", "closed the session"),
        ("session", "closed as aborted"),
    ]


def test_what_is_unusual_of_an_act_is_said() -> None:
    cut = {"fault": "disconnect", "for_ms": 3_000}
    done = acts(
        (1.0, "instructor", "automatic", {"on": False}),
        (2.0, "trainee", "trigger_press", {}),
        (2.5, "server", "trigger_release", {"why": "lease"}),
        (3.0, "instructor", "inject", {"fault": cut}),
    )
    found = happened(watch_record(record(done, 12.0)))
    words = [one.words for one in found if one.kind in ("server", "instructor")]
    assert words == [
        "switched the automatic operator off",
        "let the trigger go: the page was silent",
        "declared a fault: disconnect, for_ms 3000",
    ]
    assert [one.words for one in found if one.kind == "link"] == ["lost", "there again"]
