"""What if: one act elsewhere, and nothing before it and nothing beside it is changed."""

from collections.abc import Sequence

import pytest

from devicectl.station.acts import Act
from devicectl.station.debrief.drawings.axis import lasting
from devicectl.station.debrief.execution.collecting import watch_record
from devicectl.station.debrief.execution.what_if import NoEditError, compare, edit_acts
from devicectl.station.debrief.facts import Comparison
from devicectl.station.evidence import parse_pattern
from devicectl.station.lesson import WhatIf
from firmware_sim.memory.journal import JOURNAL_SLOTS
from protocols.language.records import Cycle, decode_record
from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.station.debrief.execution.lessons import acts, began, late_stop, lesson, record, watched

CALM = """
plan: {target_cores: 200, zones: [{name: cheek, area_cm2: 6}]}
start: {parameters: {miss_p: 0.3}}
lesson: {begin: {state: armed, cores: 9}}
"""
STOP = Act(Micros(0), "trainee", "stop", {})
PAUSE = Act(Micros(0), "trainee", "pause", {})


def what_if(act: Act | None = None, *, instead_of: str = "", at: str = "", delay_s: float = 0.0) -> WhatIf:
    return WhatIf(
        words="something else was done",
        instead_of=parse_pattern(instead_of) if instead_of else None,
        act=act,
        at=parse_pattern(at) if at else None,
        delay_us=round(delay_s * SECOND),
    )


def compared(wanted: WhatIf, done: Sequence[Act] | None = None) -> Comparison:
    if done is None:
        return compare(record(late_stop(), 15.0), watched(), wanted)
    was = record(done, 15.0)
    return compare(was, watch_record(was), wanted)


def alarm_us() -> int:
    return next(one.at_us for one in watched().room.evidence if one.kind == "alarm")


# --- the edit


def test_an_act_is_moved_to_the_moment_of_an_evidence() -> None:
    edit = edit_acts(watched().room, what_if(STOP, instead_of="act(stop)", at="alarm(MC-0401)", delay_s=0.5))
    assert [act.name for act in edit.acts[:3]] == ["trigger_press", "stop", "trigger_release"]
    assert edit.acts[1].at_us == alarm_us() + SECOND // 2
    assert edit.change == "The same lesson, but stop at 0:03.7 and no stop at 0:09.0."
    assert len(edit.acts) == len(late_stop())


def test_an_act_is_left_out_or_put_in() -> None:
    left_out = edit_acts(watched().room, what_if(instead_of="act(acknowledge) or act(stop)"))
    assert [act for act in late_stop() if act not in left_out.acts] == [late_stop()[2]]
    put_in = edit_acts(watched().room, what_if(PAUSE, at="act(trigger_release)"))
    names = [act.name for act in put_in.acts]
    assert names[1:3] == ["trigger_release", "pause"] and len(names) == len(late_stop()) + 1


def test_what_is_left_out_is_looked_for_from_the_evidence_on() -> None:
    done = acts(
        (1.0, "trainee", "trigger_press", {}),
        (1.5, "trainee", "trigger_release", {"why": "let_go"}),
        (2.0, "trainee", "trigger_press", {}),
        (6.0, "trainee", "trigger_release", {"why": "let_go"}),
    )
    room = watch_record(record(done, 8.0)).room
    edit = edit_acts(room, what_if(instead_of="act(trigger_release)", at="alarm(MC-0401)"))
    assert [act for act in done if act not in edit.acts] == [done[3]]
    assert edit_acts(room, what_if(instead_of="act(trigger_release)")).acts == [done[0], *done[2:]]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            what_if(instead_of="act(trigger_press)", at="alarm(MC-0401)"),
            "act(trigger_press) was never done from 0:03.2",
        ),
        (what_if(instead_of="act(purge)"), "act(purge) was never done in this lesson"),
        (what_if(STOP, at="link_lost"), "link_lost never came in this lesson"),
    ],
)
def test_without_its_evidence_there_is_no_other_run(wanted: WhatIf, said: str) -> None:
    with pytest.raises(NoEditError, match=said.replace("(", r"\(").replace(")", r"\)")):
        edit_acts(watched().room, wanted)
    found = compared(wanted)
    assert said in found.why_not and found.parting is None and not found.rows


def test_the_trigger_is_let_go_before_an_act_that_needs_that() -> None:
    wanted = what_if(PAUSE, at="alarm(MC-0401)", delay_s=0.5)
    refused = compared(wanted)
    assert "It would have been refused: wait: cycle is under way." in refused.change or refused.parting is not None
    edit = edit_acts(watched().room, wanted._replace(lets_go=True))
    assert [(act.name, act.at_us - alarm_us()) for act in edit.acts[1:3]] == [
        ("trigger_release", 0),
        ("pause", SECOND // 2),
    ]
    assert edit.change == "The same lesson, but trigger release at 0:03.2 and pause at 0:03.7."


def test_the_start_is_the_beginning_also_after_acts_that_were_before_it() -> None:
    earlier = CALM.replace(
        "lesson: {", "lesson: {acts_us: 3000000, acts: [{at_us: 1000000, view: trainee, name: pause}], "
    )
    room = watch_record(record((), 2.0, earlier)).room
    assert room.began - began(CALM) == 3 * SECOND
    (put_in,) = edit_acts(room, what_if(STOP, at="start", delay_s=1.0)).acts
    assert put_in.at_us == room.began + SECOND


# --- both runs


def outcomes(done: Sequence[Act], until_s: float) -> dict[int, int]:
    """Return the needles' outcomes by the cycle's number, out of the device's journal of a calm lesson."""
    run = watch_record(record(done, until_s, CALM)).room
    found = (decode_record(raw) for raw in run.bench.device.nvm.read(0, JOURNAL_SLOTS)[1])
    return {one.cycle_no: one.outcomes for one in found if isinstance(one, Cycle)}


def test_nothing_before_the_edit_is_another() -> None:
    wanted = what_if(STOP, instead_of="act(stop)", at="alarm(MC-0401)")
    edit = edit_acts(watched().room, wanted)
    other = watch_record(record(edit.acts, 15.0)).room
    at_us = alarm_us()
    before = [[one for one in room.bench.recording if one.at_us < at_us] for room in (watched().room, other)]
    assert before[0] == before[1] and len(before[0]) > 100
    parting = compared(wanted).parting
    assert parting is not None and parting.at_us == at_us - began()
    assert parting.becomes == "the host sends command Stop at 0:03.2"


@pytest.mark.parametrize("between", [("pause", "resume"), ("purge",)])
def test_cycles_that_the_edit_does_not_touch_draw_the_same(between: Sequence[str]) -> None:
    """Something is done between two pulls of the trigger: the cycles after it come as they did."""
    release: dict[str, object] = {"why": "let_go"}
    first = acts((1.0, "trainee", "trigger_press", {}), (1.4, "trainee", "trigger_release", release), text=CALM)
    last = acts((12.0, "trainee", "trigger_press", {}), text=CALM)
    put_in = acts(*((1.8 + index / 5, "trainee", name, {}) for index, name in enumerate(between)), text=CALM)
    was, becomes = outcomes([*first, *last], 13.0), outcomes([*first, *put_in, *last], 13.0)
    assert len(was) > 6 and was == becomes


def test_the_columns_say_what_both_come_to() -> None:
    found = compared(what_if(STOP, instead_of="act(stop)", at="alarm(MC-0401)"))
    rows = {name: (was, becomes) for name, was, becomes in found.rows}
    assert rows["Session"] == ("closed as aborted", "closed as aborted")
    assert rows["Response to the first alarm"] == (
        f"trigger release, after {lasting(3.8 * SECOND)}",
        f"stop, after {lasting(0)}",
    )
    assert rows["Punctures"] == ("36", "36") and rows["Alarms shown"] == ("MC-0401", "MC-0401")


def test_a_check_with_another_result_has_a_row() -> None:
    done = [act for act in late_stop() if act.name != "override"]
    found = compared(what_if(STOP, instead_of="act(stop)", at="alarm(MC-0401)"), done)
    assert ("Checks passed", "1 of 3", "2 of 3") in found.rows
    assert found.rows[-1] == ("Stops", "failed", "passed")


def test_what_could_not_be_done_any_more_is_said() -> None:
    close = Act(Micros(0), "trainee", "close", {})
    found = compared(what_if(close, at="start", delay_s=0.5))
    said = "Of what was done later this was not possible any more: acknowledge, close, stop, trigger press, trigger"
    assert said in found.change


def test_an_edit_without_an_effect_never_parts() -> None:
    found = compared(what_if(Act(Micros(0), "trainee", "silence", {}), at="start", delay_s=0.2))
    assert found.parting is None and all(was == becomes for _, was, becomes in found.rows)


def test_an_act_that_would_have_been_refused_says_why() -> None:
    arm = Act(Micros(0), "trainee", "arm", {})
    assert compared(what_if(arm, at="start", delay_s=0.2)).change == (
        "The same lesson, but arm at 0:00.2. It would have been refused: the handpiece is armed."
    )


def test_each_what_if_of_a_lesson_can_be_compared() -> None:
    assert [bool(compared(one).why_not) for one in lesson().what_if] == [False, False, True]
