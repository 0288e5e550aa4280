"""The instructor's view: all that there is, and looking at it changes nothing."""

from typing import Any

from devicectl.campaign.scenario import MQTT
from devicectl.station.evidence import KINDS, parse_pattern
from devicectl.station.lesson import Check, Item
from devicectl.station.room import Room
from devicectl.station.views.instructor import AWAITED, MAX_LINES, MAX_MOMENTS
from devicectl.station.views.trainee import trainee_view
from firmware_sim.faults.fault import declare
from protocols.language.units import SECOND
from tests.unit.devicectl.station.rooms import a_lesson, at_a_cell, do, instructor_sees, wait

LEAK = Item(
    "hose", "the hose comes loose", parse_pattern("act(trigger_press)"), 2 * SECOND, declare("leak", kpa_per_s=30)
)
STOPS = Check("stops", "Stops", parse_pattern("alarm(MC-0401)"), do=parse_pattern("act(stop)"), within_us=3 * SECOND)
DRIFTS: list[dict[str, object]] = [
    {"fault": "pressure_drift", "kpa_min": -50},
    {"fault": "clock_drift", "ppm": 1_000},
    {"fault": "leak", "kpa_per_s": 5},
]


def _lesson_with_script() -> Room:
    return at_a_cell(script=(LEAK,), checks=(STOPS,))


def test_the_script_is_shown_from_waiting_to_fired() -> None:
    room = _lesson_with_script()
    rail: Any = instructor_sees(room)["rail"]
    assert rail[0] == {
        "item": "hose",
        "words": "the hose comes loose",
        "state": "waiting",
        "fault": "leak, kpa_per_s 30",
    }
    do(room, "trigger_press")
    rail = instructor_sees(room)["rail"]
    assert (rail[0]["state"], rail[0]["due_ms"]) == ("due", (room.now - room.began) // 1000 + 2_000)
    wait(room, 3)
    rail = instructor_sees(room)["rail"]
    assert rail[0]["state"] == "fired"
    faults: Any = instructor_sees(room)["faults"]
    assert [(fault["index"], fault["state"]) for fault in faults] == [(0, "acting")]
    do(room, "withdraw", fault=0)
    wait(room, 1)
    faults = instructor_sees(room)["faults"]
    assert faults[0]["state"] == "withdrawn"


def test_checks_are_shown_with_what_the_instructor_says_of_them() -> None:
    room = _lesson_with_script()
    do(room, "trigger_press")
    wait(room, 15)
    checks: Any = instructor_sees(room)["checks"]
    assert (checks[0]["state"], checks[0]["within_ms"]) == ("failed", 3_000)
    do(room, "override", check="stops", passed=True, reason="he asked me first")
    checks = instructor_sees(room)["checks"]
    assert checks[0]["state"] == "failed"
    assert checks[0]["overridden"] == {"passed": True, "reason": "he asked me first"}


def test_a_check_waits_for_its_alarm_and_then_has_a_time() -> None:
    room = _lesson_with_script()
    shown: Any = instructor_sees(room)["checks"]
    assert shown[0]["waits_for"] == "the alarm"
    do(room, "trigger_press")
    for _ in range(150):
        wait(room, 0.1)
        shown = instructor_sees(room)["checks"]
        if "waits_for" not in shown[0]:
            break
    assert shown[0]["state"] == "open"
    began_us = next(one.at_us for one in room.evidence if one.kind == "alarm")
    assert shown[0]["due_ms"] == (began_us + 3 * SECOND - room.began) // 1000


def test_every_kind_of_evidence_has_words_for_who_waits_for_it() -> None:
    assert set(AWAITED) == set(KINDS)


def test_faults_that_cannot_be_on_the_wire_of_a_lesson_are_named() -> None:
    impossible: Any = instructor_sees(at_a_cell())["impossible"]
    assert "broker_killed" in impossible
    assert not {"leak", "flip"} & set(impossible)
    on_mqtt: Any = instructor_sees(at_a_cell(scenario={"wire": MQTT}))["impossible"]
    assert "flip" in on_mqtt
    assert not {"leak", "broker_killed"} & set(on_mqtt)


def test_notes_and_bookmarks_have_their_times() -> None:
    room = at_a_cell()
    do(room, "note", text="looks at the gauge")
    do(room, "bookmark", 1.5, text="before the leak")
    view = instructor_sees(room)
    at_ms = (room.now - room.began) // 1000
    assert view["notes"] == [{"at_ms": at_ms - 1_500, "words": "looks at the gauge"}]
    assert view["bookmarks"] == [{"at_ms": at_ms, "words": "before the leak"}]


def test_the_truth_is_beside_what_is_shown() -> None:
    room = at_a_cell(2)
    truth: Any = instructor_sees(room)["truth"]
    assert truth["cores_evacuated"] == room.bench.device.plant.truth.cores_evacuated > 0
    assert truth["device_state"] in ("punching", "suctioning", "advancing", "counting", "armed")
    assert instructor_sees(room)["trainee"] == trainee_view(room)


def test_the_journal_is_shown_with_the_lessons_times() -> None:
    room = at_a_cell(2)
    journal: Any = instructor_sees(room)["journal"]
    cycles = [line for line in journal if line["words"].startswith("cycle ")]
    assert len(journal) <= MAX_LINES
    assert cycles[-1]["words"].endswith(f"{room.bench.device.nvm.totals.cores_counted} cores")
    ended = [phase.at_us for phase in room.phases if phase.phase == "none"][-1]
    assert abs(cycles[-1]["at_ms"] - (ended - room.began) // 1000) <= 1


def test_records_of_an_earlier_boot_have_the_time_of_the_last() -> None:
    room = at_a_cell(2)
    wait(room, 1)
    do(room, "inject", fault={"fault": "reboot"})
    wait(room, 3)
    journal: Any = instructor_sees(room)["journal"]
    boot = max(n for n, line in enumerate(journal) if line["words"].startswith("boot"))
    booted_ms = (room.bench.device.board.booted_at - room.began) // 1000
    assert {line["at_ms"] for line in journal[: boot + 1]} == {booted_ms}
    assert all(line["at_ms"] >= booted_ms for line in journal[boot:])


def test_the_log_is_what_the_hosts_have_committed() -> None:
    room = at_a_cell(2)
    do(room, "stop")
    wait(room, 1)
    do(room, "reset")  # which reads the journal
    wait(room, 2)
    log: Any = instructor_sees(room)["log"]
    assert log[0]["words"] == "session 1 begun, from cycle 1"
    assert any(line["words"].startswith("records ") for line in log)


def test_the_timeline_has_acts_faults_states_and_alarms_in_order() -> None:
    room = _lesson_with_script()
    do(room, "trigger_press")
    wait(room, 6)
    do(room, "stop")
    wait(room, 2)
    timeline: Any = instructor_sees(room)["timeline"]
    assert [moment["at_ms"] for moment in timeline] == sorted(moment["at_ms"] for moment in timeline)
    words = [(moment["lane"], moment["words"]) for moment in timeline]
    assert ("act", "trainee: pressed the trigger") in words
    assert ("fault", "leak has fired") in words
    assert ("alarm", "alarm MC-0401") in words
    assert ("state", "controller: recovering") in words
    assert not [word for _, word in words if "punching" in word], "what each cycle brings is left out"
    assert len(timeline) <= MAX_MOMENTS


def test_looking_changes_nothing() -> None:
    """A view is made 12 times a second or never: the run is the same to the byte, whatever drifts."""
    lesson = a_lesson(script=(LEAK,), checks=(STOPS,))
    watched, alone = Room(lesson, 3), Room(lesson, 3)
    for room, steps in ((watched, 40), (alone, 1)):
        do(room, "reposition")
        do(room, "trigger_press", 6)
        for drift in DRIFTS:  # a drift counts from when its sensor was asked last
            for _ in range(steps):
                if room is watched:
                    instructor_sees(room)
                wait(room, 3.28 / steps)  # 82 ms: beside the 200 ms at which the device is asked
            do(room, "inject", fault=drift)
        wait(room, 5)
    assert watched.now == alone.now
    assert watched.bench.recording == alone.bench.recording
