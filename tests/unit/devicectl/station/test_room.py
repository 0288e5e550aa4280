"""A room: it begins where its lesson says, an act is done at its time, and the same acts give the same again."""

import pytest

from devicectl.campaign.scenario import MQTT
from devicectl.station.acts import Act, ActError, act_of
from devicectl.station.checks import Outcome
from devicectl.station.evidence import parse_pattern
from devicectl.station.lesson import Check, Item
from devicectl.station.room import LessonError, Room
from firmware_sim.faults.fault import declare
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.unit.devicectl.station.rooms import QUICK, a_lesson, a_room, do, seen, wait, words

STALL = Item("stall", "the pump stops", parse_pattern("act(arm)"), 2 * SECOND, declare("pump_stalled"))
STOPS = Check(
    "stops",
    "stops the treatment",
    parse_pattern("alarm(MC-0401)"),
    do=parse_pattern("act(stop)"),
    within_us=3 * SECOND,
)
CLOG = {"fault": "clog", "needle": 1}


@pytest.mark.parametrize("state", ["session_open", "anesthesia_wait", "anesthesia_confirmed", "armed", "paused"])
@pytest.mark.parametrize("wire", ["serial", "mqtt"])
def test_a_lesson_begins_in_the_state_that_it_names(state: str, wire: str) -> None:
    room = a_room(state, scenario={"wire": wire})
    assert room.controller.screen.state == state
    assert room.began == room.now and not room.ended
    assert seen(room, "start") == ["0"] and not seen(room, "state"), "what led there is no evidence"


def test_a_lesson_begins_with_its_cores_counted_or_a_few_more() -> None:
    for state in ("armed", "paused"):
        room = a_room(state, cores=20)
        assert 20 <= room.controller.screen.cores <= 22
        assert room.bench.device.nvm.totals.cores_counted == room.controller.screen.cores


def test_a_beginning_that_is_not_reached_is_an_error_that_says_why() -> None:
    faults = (declare("cartridge_missing", for_ms=0),)
    with pytest.raises(LessonError, match=r"beginning is not reached \(armed, 0 cores\): Arm: .*cartridge"):
        a_room("armed", scenario={"faults": faults})


def test_an_act_before_the_beginning_that_cannot_be_done_is_an_error_of_the_lesson() -> None:
    act = act_of({"at_us": 9, "name": "withdraw", "arguments": {"fault": 3}}, "instructor")
    with pytest.raises(LessonError, match=r"the lesson's acts: at 0\.000 s: withdraw: there is no fault 3") as caught:
        a_room(acts=(act,), acts_us=Micros(9))
    assert caught.value.exit_code == 2


def test_time_passes_to_where_it_is_advanced_and_no_further() -> None:
    room = a_room()
    do(room, "reposition")
    wait(room, 0.0305)
    assert room.now == room.began + 30_500
    assert room.controller.screen.state == "repositioning"
    wait(room, 10)
    assert room.controller.screen.state == "armed"


def test_an_act_is_done_at_its_time() -> None:
    room = a_room()
    do(room, "reposition", after_s=2)
    assert room.now == room.began + 2 * SECOND
    assert [one[1:] for one in room.evidence[-2:]] == [("act", "reposition", 0), ("state", "repositioning", 0)]
    assert room.acts == [Act(room.now, "trainee", "reposition", {})]


def test_an_act_whose_time_is_past_is_refused() -> None:
    room = a_room()
    wait(room, 1)
    with pytest.raises(ActError, match="purge: its time is past, 0.500 s ago"):
        room.do(act_of({"name": "purge", "at_us": room.now - 500 * MILLISECOND}, "trainee"))


def test_what_the_instructor_does_is_no_evidence_but_for_its_effect() -> None:
    room = a_room()
    before = len(room.evidence)
    do(room, "note", view="instructor", text="he hesitates")
    do(room, "automatic", view="instructor", on=False)
    do(room, "inject", fault={"fault": "emergency_stop", "when": 'at("1 s")'})
    do(room, "reposition", view="instructor")
    assert [one.kind for one in room.evidence[before:]] == ["state"]
    wait(room, 2)
    assert seen(room, "alarm") == ["MC-2001"] and not seen(room, "act")


def test_the_session_is_over_once_it_is_closed_and_only_a_judgement_can_follow() -> None:
    room = a_room(checks=(STOPS,))
    do(room, "close")
    wait(room, 2)
    assert room.ended and seen(room, "closed") == ["aborted"]
    with pytest.raises(ActError, match="arm: the lesson has ended"):
        do(room, "arm")
    do(room, "override", check="stops", passed=True, reason="it was said")
    do(room, "bookmark", text="the end")
    (judged,) = room.checks.judged
    assert judged.outcome is Outcome.NOT_JUDGED and judged.passed


# --- script, checks and faults -------------------------------------------------------------------------------


def test_an_item_of_the_script_injects_its_fault_at_its_time_and_checks_judge_what_follows() -> None:
    room = a_room("anesthesia_confirmed", script=(STALL,), checks=(STOPS,))
    do(room, "arm", after_s=1)
    armed = room.now
    wait(room, 1.9)
    assert not room.faults
    wait(room, 40)
    assert [(change.at_us, change.event) for change in room.faults] == [(armed + 2 * SECOND, "fired")]
    assert "MC-0401" in seen(room, "alarm")
    assert room.checks.judged[0].outcome is Outcome.FAILED


def test_each_item_fires_at_its_own_time_though_another_is_due_before_it() -> None:
    later = STALL._replace(item="later", delay_us=5 * SECOND, fault=declare("cartridge_missing"))
    room = a_room("anesthesia_confirmed", script=(STALL, later))
    do(room, "arm")
    armed = room.now
    wait(room, 10)
    assert [(one.at_us - armed) / SECOND for one in room.faults if one.event == "fired"] == [2, 5]


def test_an_item_is_fired_by_hand_or_skipped_and_not_both() -> None:
    room = a_room("anesthesia_confirmed", script=(STALL,))
    do(room, "fire", item="stall")
    wait(room, 0.1)
    assert [change.event for change in room.faults] == ["fired"]
    with pytest.raises(ActError, match="skip: stall was fired already"):
        do(room, "skip", item="stall")
    with pytest.raises(ActError, match="fire: there is no item leak: must be one of stall"):
        do(room, "fire", item="leak")
    assert [act.name for act in room.acts] == ["fire"], "what was refused was not done"


def test_a_fault_is_injected_now_and_withdrawn() -> None:
    room = a_room()
    do(room, "inject", fault={"fault": "pump_stalled", "when": 'at("1 s")'})
    wait(room, 0.9)
    assert not room.faults
    wait(room, 0.2)
    assert room.bench.device.plant.inputs.pump_stalled
    do(room, "withdraw", fault=0)
    wait(room, 0.1)
    assert not room.bench.device.plant.inputs.pump_stalled
    assert [(change.fault, change.event) for change in room.faults] == [(0, "fired"), (0, "ended")]
    with pytest.raises(ActError, match="withdraw: there is no fault 1: there are 1"):
        do(room, "withdraw", fault=1)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": "broker_killed"}, "inject: broker_killed cannot happen on a serial line"),
        ({"fault": "clog", "needle": 9}, "inject: clog must be from 0 to 2: this device has 3 needles"),
        ({"fault": "paused"}, "inject: paused is what the person at the controller does: do that act"),
        ({"fault": "closed_early"}, "inject: closed_early is what the person"),
    ],
)
def test_a_fault_that_cannot_happen_is_refused_in_a_sentence(fault: dict[str, object], said: str) -> None:
    room = a_room()
    with pytest.raises(ActError) as caught:
        do(room, "inject", fault=fault)
    assert str(caught.value).startswith(said)


def test_the_same_plan_over_a_broker_has_its_faults() -> None:
    room = a_room(scenario={"wire": MQTT})
    do(room, "inject", fault={"fault": "broker_killed", "for_ms": 500})
    wait(room, 10)
    assert [change.event for change in room.faults] == ["fired", "ended"]
    assert seen(room, "link_lost") and seen(room, "link_back")


# --- the same again ------------------------------------------------------------------------------------------


def played() -> Room:
    """A room in which some cycles were done, and something went wrong."""
    room = a_room("anesthesia_confirmed", script=(STALL,))
    do(room, "arm", after_s=1)
    do(room, "reposition", after_s=2.5)
    do(room, "trigger_press", after_s=4)
    do(room, "inject", after_s=0.31, fault=CLOG)
    do(room, "inject", after_s=0.5, fault={"fault": "host_crash"})
    do(room, "trigger_release", after_s=1)
    do(room, "acknowledge", after_s=9)
    do(room, "reset", after_s=0.5)
    wait(room, 3)
    return room


def test_the_same_acts_give_the_same_recording_in_one_go_and_in_small_steps() -> None:
    room = played()
    again = Room.execute(room.lesson, 7, room.acts, room.now)
    assert again.bench.recording == room.bench.recording
    assert (again.evidence, again.phases, again.faults) == (room.evidence, room.phases, room.faults)
    steps = Room(room.lesson, 7)
    for act in room.acts:
        while steps.now + 20 * MILLISECOND < act.at_us:
            steps.advance(Micros(steps.now + 20 * MILLISECOND))
        steps.do(act)
    steps.advance(room.now)
    assert steps.bench.recording == room.bench.recording and steps.evidence == room.evidence


def test_a_room_goes_on_from_an_earlier_moment_as_if_it_had_not_gone_back() -> None:
    room = played()
    earlier = Micros(room.acts[3].at_us + 100_000)
    back = Room.execute(room.lesson, 7, room.acts, earlier)
    assert back.now == earlier and back.acts == room.acts[:4]
    for act in room.acts[4:]:
        back.do(act)
    back.advance(room.now)
    assert back.bench.recording == room.bench.recording


def test_another_seed_gives_another_room() -> None:
    assert a_room(cores=20, seed=8).bench.recording != a_room(cores=20, seed=9).bench.recording


def test_a_lesson_may_begin_at_a_moment_of_another_one() -> None:
    room = played()
    began = room.began
    acts = tuple(act._replace(at_us=Micros(act.at_us - began)) for act in room.acts)
    later = a_lesson("anesthesia_confirmed", script=(STALL,), acts=acts, acts_us=Micros(room.now - began))
    moment = Room(later, 7)
    assert moment.bench.recording == room.bench.recording and moment.evidence == room.evidence
    assert moment.began == moment.now == room.now and not moment.acts


def test_phases_are_those_of_the_device_with_the_time_that_they_take() -> None:
    room = a_room(cores=3)
    phases = [(phase.cycle_no, phase.phase, phase.takes_us) for phase in room.phases]
    assert [one for one in phases if one[0] == 1 and one[1] != "none"] == [
        (1, "punch", 80_000),
        (1, "suction", 100_000),
        (1, "advance", 60_000),
        (1, "count", 20_000),
    ]
    assert all(later.at_us >= phase.at_us for phase, later in zip(room.phases, room.phases[1:], strict=False))


def test_what_went_wrong_at_the_beginning_is_evidence_when_the_lesson_begins() -> None:
    room = a_room(cores=3, scenario={"canister_ml": 85.0, "parameters": {**QUICK, "consumables_keep": 1.0}})
    assert [one[1:] for one in room.evidence] == [("start", "", 0), ("alarm", "MC-1801", 0)], words(room)
