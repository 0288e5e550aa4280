"""Each ready lesson, played to a good and to a bad end, and left alone: its checks tell which it was."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

import pytest

from devicectl.session.machine import State
from devicectl.station.acts import INSTRUCTOR, PRESENTER, Act, act_of
from devicectl.station.checks import Outcome
from devicectl.station.debrief.execution.collecting import LessonRecord, watch_record
from devicectl.station.debrief.execution.what_if import compare
from devicectl.station.lesson_file import parse_lesson
from devicectl.station.moment import at_moment, lesson_as_yaml
from devicectl.station.rail import ItemState
from devicectl.station.ready import DEMONSTRATION, READY, find_lesson
from devicectl.station.room import Room
from protocols.language.units import SECOND, Micros
from tests.integration.station.trainee import Trainee, page_of

SEEDS: Final = (None, 5)
"""Seed of the file, and that of another station."""
Player = Callable[[Trainee], None]


@pytest.fixture(params=READY, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    """A lesson. Its tests follow each other, so that few processes play it more than once."""
    lesson: str = request.param
    return lesson


# --- to a good end ------------------------------------------------------------------------------------------------


def normal_well(one: Trainee) -> None:
    for zone in (0, 1):
        one.do("anesthesia_confirm", zone=zone)
    one.arm()
    one.treat()


def not_numb_well(one: Trainee) -> None:
    """Sees that the right cheek is not numb when the left one is done."""
    left = one.view["zones"][0]
    one.treat(until=lambda: one.view["zones"][0]["cells_done"] == left["area_cm2"] and not one.cycles_left)
    one.do("disarm")
    one.wait(2)
    one.numb(zone=1, age_s=0, wait_s=60)
    one.arm()
    one.treat()


def too_early_well(one: Trainee) -> None:
    one.do("anesthesia_confirm", zone=0)
    one.wait(60)
    one.do("anesthesia_confirm", zone=1)
    one.arm()
    one.treat()


def leak_well(one: Trainee) -> None:
    one.treat(until=lambda: one.seen("alarm(MC-0401)"))
    one.do("acknowledge")
    one.wait_for(lambda: one.seen("alarm_over(MC-0401)"))
    one.treat()


def clog_well(one: Trainee) -> None:
    """Purges at each alarm, until the needle is free."""
    while one.cores < one.target:
        one.treat(until=lambda: one.count("alarm(MC-0601)") > one.count("alarm_over(MC-0601)"))
        while one.count("alarm(MC-0601)") > one.count("alarm_over(MC-0601)"):
            one.do("purge")
            one.wait_for_new("state(armed)")


def used_well(one: Trainee) -> None:
    one.do("arm")
    one.do("acknowledge")
    one.wait(15)
    one.arm()
    one.treat()


def link_well(one: Trainee) -> None:
    one.treat(until=lambda: one.seen("link_lost"))
    one.wait_for(lambda: one.seen("link_back"))
    one.do("reset")
    one.wait_for_new("state(session_open)")
    one.numb(zone=0, age_s=360)
    one.arm()
    one.treat()


def frozen_well(one: Trainee) -> None:
    one.treat(until=lambda: one.seen("alarm(MC-0701)"))
    one.do("disarm")
    one.do("acknowledge")
    one.wait(15)
    one.arm()
    one.treat()


def counts_well(one: Trainee) -> None:
    one.treat(until=lambda: one.seen("alarm(MC-0701)"))
    one.do("acknowledge")
    one.wait(15)
    one.treat()


def frozen_gauge_alone(one: Trainee) -> None:
    """Vents the line, and asks for nothing else."""
    one.treat(until=lambda: one.seen("alarm(MC-0701)"))
    one.do("disarm")
    one.wait(15)
    one.arm()
    one.treat()


WELL: Final[dict[str, Player]] = {
    "normal-session": normal_well,
    "no-anesthesia": not_numb_well,
    "anesthesia-too-early": too_early_well,
    "suction-leak": leak_well,
    "clogged-needle": clog_well,
    "used-cartridge": used_well,
    "too-dense-a-spot": Trainee.treat,
    "link-loss": link_well,
    "frozen-sensor": frozen_well,
    "counts-disagree": counts_well,
}


@cache
def played_well(name: str, seed: int | None = None) -> Room:
    """The room of a lesson that was played well, for looking at."""
    one = Trainee(name, seed)
    WELL[name](one)
    one.close()
    return one.room


def failed(room: Room) -> set[str]:
    return {one.check.check for one in room.checks.judged if one.outcome is Outcome.FAILED}


@pytest.mark.parametrize("seed", SEEDS)
def test_played_well_no_check_fails_and_the_counts_agree(name: str, seed: int | None) -> None:
    room = played_well(name, seed)
    assert not failed(room)
    assert all(one.state is ItemState.FIRED for one in room.rail.items)
    assert room.commits.finish is not None and room.commits.finish.reconciled
    assert page_of(room)["end"]["state"] == "completed"
    assert room.now - room.began <= room.lesson.lasts_us


def test_a_critical_check_that_came_up_is_passed_and_one_at_least_did(name: str) -> None:
    critical = [one for one in played_well(name).checks.judged if one.check.critical]
    assert Outcome.PASSED in {one.outcome for one in critical} <= {Outcome.PASSED, Outcome.NOT_JUDGED}


# --- to a bad end -------------------------------------------------------------------------------------------------


def insist(one: Trainee) -> None:
    """Press the trigger again and again."""
    for _ in range(3):
        one.press(bool)


def normal_badly(one: Trainee) -> None:
    one.do("arm")
    for zone in (0, 1):
        one.do("anesthesia_confirm", zone=zone)
    one.arm()
    one.go_on()
    one.press(lambda: not one.cycles_left)
    one.press(bool)


def not_numb_badly(one: Trainee) -> None:
    one.treat()
    insist(one)


def too_early_badly(one: Trainee) -> None:
    for zone in (0, 1):
        one.do("anesthesia_confirm", zone=zone)
    one.do("arm")
    one.numb(zone=1, age_s=400)
    one.arm()


def hold_on(one: Trainee, pattern: str) -> None:
    """Work, and let nothing but the end of a cell take the hand off the trigger: not even what the pattern names."""
    while not one.seen(pattern):
        if not one.cycles_left:
            one.do("trigger_release")
            one.go_on()
        one.do("trigger_press")
        one.wait_for(lambda: one.seen(pattern) or not one.cycles_left)
    one.wait(10)
    one.do("trigger_release")


def leak_badly(one: Trainee) -> None:
    hold_on(one, "alarm(MC-0401)")
    insist(one)


def used_badly(one: Trainee) -> None:
    for _ in range(3):
        one.do("arm")


def dense_badly(one: Trainee) -> None:
    one.treat(until=lambda: one.cores > 100)
    one.go_on(zone=0, cell=0)
    insist(one)
    one.wait(15)


def link_badly(one: Trainee) -> None:
    hold_on(one, "link_lost")
    one.do("trigger_press")
    one.wait(60)


def to_the_stop(one: Trainee) -> None:
    """Go on over every warning until the handpiece refuses."""
    one.treat()
    insist(one)


BADLY: Final[dict[str, tuple[Player, set[str]]]] = {
    "normal-session": (normal_badly, {"confirms_first", "moves_on", "both_cheeks", "closes"}),
    "no-anesthesia": (not_numb_badly, {"sees_it", "no_second_try", "numbs", "closes"}),
    "anesthesia-too-early": (too_early_badly, {"waits", "honest", "no_arming", "closes"}),
    "suction-leak": (leak_badly, {"stops", "waits", "closes"}),
    "clogged-needle": (to_the_stop, {"purges", "not_two", "frees", "closes"}),
    "used-cartridge": (used_badly, {"no_second_try", "closes"}),
    "too-dense-a-spot": (dense_badly, {"stays_away", "leaves", "no_second_try", "closes"}),
    "link-loss": (link_badly, {"lets_go", "resets", "closes"}),
    "frozen-sensor": (to_the_stop, {"not_stopped", "closes"}),
    "counts-disagree": (to_the_stop, {"not_stopped", "closes"}),
}
"""Lesson -> who plays it badly, and the checks that fail by that."""


@cache
def played_badly(name: str) -> Room:
    """The room of a lesson that was played badly, for looking at."""
    one = Trainee(name)
    BADLY[name][0](one)
    one.close()
    return one.room


def test_played_badly_the_checks_say_so(name: str) -> None:
    assert failed(played_badly(name)) >= BADLY[name][1]


def test_each_other_course_is_about_the_good_or_the_bad_end_and_changes_what_it_is_about(name: str) -> None:
    rooms = played_well(name), played_badly(name)
    records = [LessonRecord(room.lesson, room.seed, room.acts, room.now) for room in rooms]
    runs = [(record, watch_record(record)) for record in records]
    for wanted in find_lesson(name).what_if:
        compared = [compare(record, was, wanted) for record, was in runs]
        changed = [one.parting is not None for one in compared if not one.why_not]
        assert changed and all(changed), [one.change for one in compared]


# --- left alone ---------------------------------------------------------------------------------------------------


def test_left_alone_a_lesson_waits_and_can_be_closed_with_every_check_judged(name: str) -> None:
    lesson = find_lesson(name)
    room = Room(lesson, lesson.scenario.seed)
    room.advance(Micros(room.began + lesson.lasts_us))
    assert not room.ended
    room.do(act_of({"name": "close", "at_us": room.now}, INSTRUCTOR))
    room.advance(Micros(room.now + 10 * SECOND))
    assert room.ended
    assert all(judged.outcome is not Outcome.OPEN for judged in room.checks.judged)


def test_there_is_something_to_do_at_once(name: str) -> None:
    lesson = find_lesson(name)
    room = Room(lesson, lesson.scenario.seed)
    controls = page_of(room)["controls"]
    assert any(controls[act]["enabled"] for act in ("anesthesia_confirm", "arm", "trigger_press", "reposition"))


def test_the_same_acts_do_the_same_again_in_however_small_steps(name: str) -> None:
    room = played_well(name)
    again = Room.execute(room.lesson, room.seed, room.acts, room.now)
    assert again.bench.recording == room.bench.recording
    assert again.evidence == room.evidence


@pytest.mark.parametrize("name", ["no-anesthesia", "suction-leak", "link-loss"])
def test_a_moment_that_was_saved_goes_on_as_the_lesson_did(name: str) -> None:
    """In a file: the first of these has acts before its beginning, the others a script."""
    room = played_well(name)
    half = Micros((room.began + room.now) // 2)
    before = [act for act in room.acts if act.at_us <= half]
    moment = at_moment(room.lesson, room.seed, before, room.began, half, "It goes on.")
    saved = parse_lesson(lesson_as_yaml(moment), name)
    again = Room(saved, saved.scenario.seed)
    assert again.began == again.now == half
    for act in room.acts[len(before) :]:
        again.do(act)
    again.advance(room.now)
    assert again.bench.recording == room.bench.recording
    assert [one.outcome for one in again.checks.judged] == [one.outcome for one in room.checks.judged]


def test_what_was_judged_before_a_moment_stays_judged_in_it_and_its_times_begin_there() -> None:
    room = played_well("suction-leak")
    over = next(one.at_us for one in room.evidence if one.kind == "alarm_over")
    before = [act for act in room.acts if act.at_us <= over]
    saved = at_moment(room.lesson, room.seed, before, room.began, over, "The leak is mended.")
    again = Room(saved, saved.scenario.seed)
    assert again.began == again.now == over
    outcomes = {one.check.check: one.outcome for one in again.checks.judged}
    assert (outcomes["stops"], outcomes["closes"]) == (Outcome.PASSED, Outcome.OPEN)


COMMENTS: Final = (
    ("note", {"text": "late"}),
    ("bookmark", {"text": "here"}),
    ("override", {"check": "closes", "passed": False, "reason": "he was told"}),
)


@pytest.mark.parametrize("name", ["suction-leak", "link-loss"])
def test_what_the_instructor_only_says_and_a_clock_that_is_held_change_nothing_of_the_recording(name: str) -> None:
    """Notes, bookmarks and overrides between all acts; and time that passes in other pieces, as after a hold."""
    room = played_well(name)
    again = Room(room.lesson, room.seed)
    for act in room.acts:
        again.advance(Micros((again.now + act.at_us) // 2))
        for comment, arguments in COMMENTS:
            again.do(act_of({"name": comment, "arguments": arguments, "at_us": again.now}, INSTRUCTOR))
        again.do(act)
    again.advance(room.now)
    assert again.bench.recording == room.bench.recording
    assert again.evidence == room.evidence
    assert [one.outcome for one in again.checks.judged] == [one.outcome for one in room.checks.judged]


def test_an_item_that_is_skipped_leaves_the_recording_as_it_is_without_that_item() -> None:
    lesson = find_lesson("clogged-needle")
    without, skipped = Room(replace(lesson, script=lesson.script[:1]), 5), Room(lesson, 5)
    skipped.do(act_of({"name": "skip", "arguments": {"item": "second"}, "at_us": skipped.now}, INSTRUCTOR))
    for room in (without, skipped):
        for at_s, act in ((1, "reposition"), (8, "trigger_press")):
            room.do(act_of({"name": act, "at_us": room.began + at_s * SECOND}, INSTRUCTOR))
        room.advance(Micros(room.began + 60 * SECOND))
    assert skipped.bench.recording == without.bench.recording


@pytest.mark.parametrize("name", READY)
def test_every_trainee_has_read_of_the_assistant(name: str) -> None:
    """Or a lesson in which an alarm is waited for would say so by that."""
    assert "An assistant stands by" in " ".join(find_lesson(name).prebrief.split())


def test_the_frozen_sensor_and_the_counts_that_disagree_cannot_be_told_apart_before_they_begin() -> None:
    frozen, counts = find_lesson("frozen-sensor"), find_lesson("counts-disagree")
    assert (frozen.prebrief, frozen.task, frozen.scenario.plan) == (counts.prebrief, counts.task, counts.scenario.plan)


@pytest.mark.parametrize(("name", "player"), [("frozen-sensor", counts_well), ("counts-disagree", frozen_gauge_alone)])
def test_what_mends_the_one_does_not_mend_the_other(name: str, player: Player) -> None:
    one = Trainee(name)
    player(one)
    one.close()
    assert "not_stopped" in failed(one.room)


def test_the_demonstration_begins_armed_and_is_carried_on_by_the_automatic_operator() -> None:
    room = Room(find_lesson(DEMONSTRATION), 7)
    screen = room.controller.screen
    assert (screen.state, screen.cores) == (State.ARMED, 0)
    room.do(Act(room.began, PRESENTER, "automatic", {"on": True}))
    room.advance(Micros(room.began + 60 * SECOND))
    assert screen.cores > 100
