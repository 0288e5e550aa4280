"""Lessons that cannot be: evidence that never comes, names twice, a beginning beyond the target.

Law: pure, and sound: what is refused here could happen in no run, and the sentence says why.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from devicectl.campaign import possible
from devicectl.campaign.possible import Misfit, room_of
from devicectl.campaign.scenario import Scenario
from devicectl.station.acts import Act
from devicectl.station.evidence import ACTS_WITH_ZONE, Pattern
from devicectl.station.lesson import Check, Item, Lesson, WhatIf
from firmware_sim.faults.fault import Fault, fault_of
from firmware_sim.faults.kind import Target
from protocols.text.values import Steps

_WITH_CORES: Final = ("armed", "paused")
"""Beginnings to which cycles may have led."""
OF_THE_PERSON: Final = ("paused", "closed_early")
"""Kinds of fault that are acts of whoever works at the controller: in a lesson a person does."""
_OF_ANOTHER: Final = ("stopped_by_viewer", "other_host")
"""Faults that are acts of one more host, at a port of its own."""
_NOT_FOREIGN: Final = {
    "begin": "somebody else's host opens the session itself, at a device that has just been started",
    "acts": "somebody else's host was not there for them",
    "what_if": "nobody knows what somebody else's host would have done",
}


def find_misfit(lesson: Lesson) -> Misfit | None:
    """Return the first thing in a lesson that cannot be; None where all can."""
    return next(_misfits(lesson), None)


def find_fault_misfit(scenario: Scenario, faults: Sequence[Fault]) -> Misfit | None:
    """Return the first of these faults that cannot happen in a lesson; None where all can."""
    for index, fault in enumerate(faults):
        if fault.kind.name in OF_THE_PERSON:
            reason = "is what the person at the controller does: do that act"
            return Misfit(("faults", index, "fault"), fault.kind.name, reason)
    found = possible.find_misfit(replace(scenario, faults=tuple(faults)))
    return found if found is not None and found.steps[0] == "faults" else None


def _misfits(lesson: Lesson) -> Iterator[Misfit]:
    found = find_fault_misfit(lesson.scenario, lesson.scenario.faults)
    if found is not None:
        yield found
    yield from _of_begin(lesson)
    yield from _of_script(lesson)
    yield from _of_checks(lesson)
    yield from _of_what_if(lesson)
    yield from _of_acts(lesson)
    if lesson.foreign:
        yield from _of_foreign(lesson)


def not_of_foreign(fault: Fault) -> str:
    """Say why a fault cannot happen while somebody else's host works; "" where it can."""
    ours = fault.kind.target is Target.HOST and fault.kind.name not in _OF_ANOTHER
    return "happens in a host of ours, and this lesson's is somebody else's" if ours else ""


def _of_foreign(lesson: Lesson) -> Iterator[Misfit]:
    part = lesson.values.get("lesson", {})
    assert isinstance(part, Mapping), "a lesson was read"
    for key in ("begin", "acts", "what_if"):
        if part.get(key):
            yield Misfit(("lesson", key), None, f"must be left out: {_NOT_FOREIGN[key]}")
    scripted = ((("lesson", "script", no, "fault"), one.fault) for no, one in enumerate(lesson.script) if one.fault)
    for steps, fault in (*((("faults", no), one) for no, one in enumerate(lesson.scenario.faults)), *scripted):
        if reason := not_of_foreign(fault):
            yield Misfit(steps, fault.kind.name, reason)


def _of_begin(lesson: Lesson) -> Iterator[Misfit]:
    begin, steps = lesson.begin, ("lesson", "begin", "cores")
    if begin.cores >= lesson.scenario.plan.target_cores:
        target = lesson.scenario.plan.target_cores
        yield Misfit(steps, begin.cores, f"must be below {target}, the plan's target: a session would be over")
    if begin.cores and begin.state not in _WITH_CORES:
        yield Misfit(steps, begin.cores, f"must be 0 in {begin.state}: cores come while the handpiece is armed")


def _of_script(lesson: Lesson) -> Iterator[Misfit]:
    yield from _twice([one.item for one in lesson.script], "script", "item")
    with_fault: dict[str, int] = {}
    for index, item in enumerate(lesson.script):
        steps: Steps = ("lesson", "script", index)
        yield from _of_pattern(lesson, item.after, (*steps, "after"))
        yield from _of_item(item, steps, with_fault)
        if item.fault is not None:
            with_fault[item.item] = index
    faults = [one.fault for one in lesson.script if one.fault is not None]
    found = find_fault_misfit(lesson.scenario, faults)
    if found is not None:
        place = list(with_fault.values())[int(found.steps[1])]
        yield Misfit(("lesson", "script", place, "fault", *found.steps[2:]), found.value, found.reason)


def _of_item(item: Item, steps: Steps, with_fault: dict[str, int]) -> Iterator[Misfit]:
    if (item.fault is None) == (not item.ends):
        yield Misfit(steps, None, "must have either `fault` or `ends`")
    if item.ends and item.ends not in with_fault:
        known = ", ".join(with_fault) or "there is none yet"
        yield Misfit((*steps, "ends"), item.ends, f"must be an earlier item with a fault: {known}")


def _of_checks(lesson: Lesson) -> Iterator[Misfit]:
    yield from _twice([one.check for one in lesson.checks], "checks", "check")
    for index, check in enumerate(lesson.checks):
        steps: Steps = ("lesson", "checks", index)
        for name in ("after", "do", "never", "until"):
            yield from _of_pattern(lesson, getattr(check, name), (*steps, name))
        yield from _of_check(lesson, check, steps)


def _of_check(lesson: Lesson, check: Check, steps: Steps) -> Iterator[Misfit]:
    if (check.do is None) == (check.never is None):
        yield Misfit(steps, None, "must have either `do` or `never`")
    if check.within_us is not None and check.within_us > lesson.lasts_us:
        reason = f"must be at most the {lesson.lasts_us / 1e6:g} s of the lesson"
        yield Misfit((*steps, "within_s"), check.within_us / 1e6, reason)


def _of_what_if(lesson: Lesson) -> Iterator[Misfit]:
    for index, change in enumerate(lesson.what_if):
        steps: Steps = ("lesson", "what_if", index)
        yield from _of_pattern(lesson, change.at, (*steps, "at"))
        yield from _of_pattern(lesson, change.instead_of, (*steps, "instead_of"))
        yield from _of_change(change, steps)


def _of_change(change: WhatIf, steps: Steps) -> Iterator[Misfit]:
    if change.instead_of is None and change.act is None:
        yield Misfit(steps, None, "must have `instead_of`, what is left out, or `act`, what is put in, or both")
    if change.act is not None and change.at is None:
        yield Misfit(steps, None, "must have `at`, the evidence at which `act` is put in")
    if change.lets_go and change.act is None:
        yield Misfit((*steps, "lets_go"), True, "must have `act`, for which the trigger is let go")
    if change.instead_of is not None and any(one.kind != "act" for one in change.instead_of.ones):
        yield Misfit((*steps, "instead_of"), change.instead_of.text, "must be a pattern of acts, such as act(stop)")


def _of_acts(lesson: Lesson) -> Iterator[Misfit]:
    last = 0
    for index, act in enumerate(lesson.acts):
        if act.at_us < last:
            yield Misfit(("lesson", "acts", index, "at_us"), act.at_us, f"must be at least {last}: acts are in order")
        last = act.at_us
        yield from _of_act(lesson, act, ("lesson", "acts", index, "arguments"))
    if lesson.acts_us < last:
        yield Misfit(("lesson", "acts_us"), lesson.acts_us, f"must be at least {last}, the time of the last act")


def _of_act(lesson: Lesson, act: Act, steps: Steps) -> Iterator[Misfit]:
    names: dict[str, Sequence[str]] = {
        "item": [one.item for one in lesson.script],
        "check": [one.check for one in lesson.checks],
    }
    for argument, known in names.items():
        name = act.arguments.get(argument)
        if name is not None and name not in known:
            there = f"there are {', '.join(known)}" if known else "there is none"
            yield Misfit((*steps, argument), name, f"must be one of this lesson's: {there}")
    given = act.arguments.get("fault")
    found = find_fault_misfit(lesson.scenario, (fault_of(given),)) if isinstance(given, dict) else None
    if found is not None:
        yield Misfit((*steps, "fault", *found.steps[2:]), found.value, found.reason)


def _twice(names: list[str], where: str, key: str) -> Iterator[Misfit]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Misfit(("lesson", where, index, key), name, "must be another name: an earlier one has it")


def _of_pattern(lesson: Lesson, pattern: Pattern | None, steps: Steps) -> Iterator[Misfit]:
    """Find evidence that never comes in this plan: a zone that it has not, more cores than it has room for."""
    plan, room = lesson.scenario.plan, room_of(lesson.scenario)
    for one in pattern.ones if pattern is not None else ():
        of_zone = one.kind == "cell" or (one.kind == "act" and one.name in ACTS_WITH_ZONE)
        if of_zone and one.number is not None and one.number >= len(plan.zones):
            yield Misfit(steps, one.number, f"never comes: this plan has zones 0 to {len(plan.zones) - 1}")
        if one.kind == "cores" and one.number is not None and one.number > room.cycles * room.needles:
            yield Misfit(steps, one.number, f"never comes: this plan has room for {room.cycles * room.needles} cores")
