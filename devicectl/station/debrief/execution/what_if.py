"""Another course of a lesson: the same with one act elsewhere, beside the lesson as it was.

Law: what comes before the edit is the same to the byte; what chance does in a cycle is keyed by its number, so that an
act changes only what follows from it. Marked as a property of the model, since it is nothing more.
"""

from collections.abc import Sequence
from typing import NamedTuple

from devicectl.errors import DevicectlError
from devicectl.station.acts import TRAINEE, Act, act_of
from devicectl.station.debrief.drawings.axis import clock, lasting
from devicectl.station.debrief.execution.collecting import LessonRecord, facts_of, watch_record
from devicectl.station.debrief.execution.parting import part
from devicectl.station.debrief.execution.watching import Watched
from devicectl.station.debrief.facts import Comparison, Facts, Heading
from devicectl.station.evidence import Pattern
from devicectl.station.lesson import WhatIf
from devicectl.station.room import Room
from protocols.language.units import Micros


class Edit(NamedTuple):
    """A lesson's acts with one of them elsewhere, left out or put in, and that in words; `put_in` may be None."""

    acts: Sequence[Act]
    change: str
    put_in: Act | None


class NoEditError(DevicectlError):
    """There is nothing to be edited; the text says why."""


def compare(record: LessonRecord, was: Watched, wanted: WhatIf) -> Comparison:
    """Execute a lesson, which was watched as it was, with another act; return both beside each other."""
    try:
        edit = edit_acts(was.room, wanted)
    except NoEditError as error:
        return Comparison(words=wanted.words, why_not=str(error))
    becomes = watch_record(record._replace(acts=edit.acts))
    parting = part(was.room.bench.recording, becomes.room.bench.recording, was.room.began)
    change = edit.change
    if becomes.impossible:
        names = ", ".join(sorted({_named(act) for act in becomes.impossible}))
        change += f" Of what was done later this was not possible any more: {names}."
    if parting is None and edit.put_in is not None:
        change += _refusal(record, edit.acts, edit.put_in)
    rows = _rows(*(facts_of(one, Heading(title="")) for one in (was, becomes)))
    return Comparison(words=wanted.words, change=change, parting=parting, rows=rows)


def _refusal(record: LessonRecord, acts: Sequence[Act], put_in: Act) -> str:
    """Return the controller's reason where an act that was put in changes nothing."""
    before = [act for act in acts if act.at_us <= put_in.at_us]
    messages = Room.execute(record.lesson, record.seed, before, put_in.at_us).controller.screen.messages
    refused = [one.words for one in messages if (one.kind, one.at_us) == ("refusal", put_in.at_us)]
    return f" It would have been refused: {refused[-1]}." if refused else ""


# --- the edit ----------------------------------------------------------------------------------------------------


def edit_acts(room: Room, wanted: WhatIf) -> Edit:
    """Return the acts of a lesson that was executed with the change that is wanted.

    Raises:
        NoEditError: what it is about never came.
    """
    acts, put_in, said = list(room.acts), None, []
    since = _moment(room, wanted.at)
    if wanted.instead_of is not None:
        left_out = _find_act(room, wanted.instead_of, since)
        acts.remove(left_out)
        said.append(f"no {_named(left_out)} at {clock(left_out.at_us - room.began)}")
    if wanted.act is not None:
        put_in = wanted.act._replace(at_us=Micros(since + wanted.delay_us))
        _insert(acts, put_in)
        said.insert(0, f"{_named(put_in)} at {clock(put_in.at_us - room.began)}")
    if wanted.lets_go:
        release = act_of({"name": "trigger_release", "at_us": since}, TRAINEE)
        _insert(acts, release)
        said.insert(0, f"{_named(release)} at {clock(since - room.began)}")
    return Edit(acts, f"The same lesson, but {' and '.join(said)}.", put_in)


def _insert(acts: list[Act], put_in: Act) -> None:
    """Put an act in at its time, after those of the same time."""
    acts.insert(next((index for index, act in enumerate(acts) if act.at_us > put_in.at_us), len(acts)), put_in)


def _named(act: Act) -> str:
    return act.name.replace("_", " ")


def _moment(room: Room, pattern: Pattern | None) -> Micros:
    """Return when the lesson first came to what a pattern names; its beginning without one."""
    if pattern is None:
        return room.began
    for one in room.evidence:
        # What was before the lesson counts for nothing, but that it has begun.
        if pattern.matches(one) and (one.at_us >= room.began or one.kind == "start"):
            return max(one.at_us, room.began)
    raise NoEditError(f"There is no other run: {pattern.text} never came in this lesson.")


def _find_act(room: Room, pattern: Pattern, since: Micros) -> Act:
    """Return the first act from a time on that a pattern names."""
    seen = {(one.at_us, one.name) for one in room.evidence if one.kind == "act" and pattern.matches(one)}
    found = next((act for act in room.acts if act.at_us >= since and (act.at_us, act.name) in seen), None)
    if found is None:
        when = f"from {clock(since - room.began)} on" if since > room.began else "in this lesson"
        raise NoEditError(f"There is no other run: {pattern.text} was never done {when}.")
    return found


# --- the two columns ---------------------------------------------------------------------------------------------


def _rows(was: Facts, becomes: Facts) -> list[tuple[str, str, str]]:
    """Return what both runs come to: the same quantities of each, and every check whose result is another."""
    columns = zip(_results(was), _results(becomes), strict=True)
    rows = [(name, one, other) for (name, one), (_, other) in columns]
    for one, other in zip(was.checks, becomes.checks, strict=True):
        if one.passed != other.passed:
            rows.append((one.words, _verdict(one.passed), _verdict(other.passed)))
    return rows


def _results(facts: Facts) -> list[tuple[str, str]]:
    ending = facts.ending
    alarms = ", ".join(dict.fromkeys(one.label for one in facts.responses))
    passed = [one.passed for one in facts.checks].count(True)
    return [
        ("Session", ending.state.removeprefix("The session was ").removesuffix(".")),
        ("Cores counted", str(ending.cores_counted)),
        ("Cores that came out", str(ending.cores_evacuated)),
        ("Punctures", str(ending.punctures)),
        ("Alarms shown", alarms or "none"),
        ("Response to the first alarm", _first_response(facts)),
        ("Checks passed", f"{passed} of {len(facts.checks)}"),
    ]


def _first_response(facts: Facts) -> str:
    first = next(iter(facts.responses), None)
    if first is None:
        return "no alarm"
    return "none" if first.first_us is None else f"{first.first}, after {lasting(first.first_us - first.at_us)}"


def _verdict(passed: bool | None) -> str:
    return {True: "passed", False: "failed", None: "not judged"}[passed]
