"""Facts of a lesson, collected from the room in which it was executed."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from devicectl.session.count import Fold, reconcile, tally
from devicectl.simulation.scenario_form import LABELS
from devicectl.station.acts import REMARKS, Act
from devicectl.station.checks import Judged
from devicectl.station.debrief.drawings.cells import Cell, ZoneMap
from devicectl.station.debrief.execution.lanes import happened, lanes
from devicectl.station.debrief.execution.watching import Watched, watch
from devicectl.station.debrief.facts import (
    Attempt,
    Beside,
    CheckResult,
    Comparison,
    Ending,
    Facts,
    Heading,
    Remark,
    Response,
    Sample,
)
from devicectl.station.evidence import Evidence
from devicectl.station.lesson import Lesson
from devicectl.station.room import Room
from firmware_sim.commands.sessions import cycles_per_cell
from firmware_sim.memory.journal import JOURNAL_SLOTS
from firmware_sim.model.interlocks import ALARMS
from protocols.language.records import Cycle
from protocols.language.units import Micros

MAX_POINTS: Final = 240
"""Points of a chart: there are no more that an eye could tell apart."""
RESPONSES: Final = frozenset(
    (
        *("trigger_release", "stop", "pause", "disarm", "acknowledge", "silence", "purge", "reposition"),
        *("anesthesia_start", "anesthesia_confirm", "reset", "close"),
    )
)
"""Acts that can be a response to an alarm: to go on punching is none."""


class LessonRecord(NamedTuple):
    """All that repeats a lesson: its acts, and the time of its world at which it ended, or up to which it has come.

    Of one that is not `over`, no check has failed by its end.
    """

    lesson: Lesson
    seed: int
    acts: Sequence[Act]
    until: Micros
    over: bool = True


def facts_of(
    watched: Watched, heading: Heading, comparisons: Sequence[Comparison] = (), attempts: Sequence[Attempt] = ()
) -> Facts:
    """Return the facts of a lesson that was executed."""
    room = watched.room
    fold, cycles = _folded(room)
    step = -(-len(watched.samples) // MAX_POINTS)
    return Facts(
        heading=heading,
        ending=_ending(watched, fold),
        checks=[_check(one, room.began) for one in room.checks.judged],
        responses=list(_responses(room)),
        lanes=lanes(watched),
        happened=happened(watched),
        samples=_thinned(watched.samples, step),
        limits_kpa=_limits(room),
        zones=_zones(room, cycles),
        beside=_beside(room, fold),
        beliefs=watched.beliefs,
        comparisons=comparisons,
        questions=room.lesson.questions,
        remarks=[_remark(act, room.began) for act in room.acts if act.name in REMARKS],
        attempts=attempts,
    )


def watch_record(record: LessonRecord) -> Watched:
    """Execute a lesson as it was recorded."""
    watched = watch(record.lesson, record.seed, record.acts, record.until)
    if record.over:
        watched.room.checks.finish(watched.room.now)
    return watched


def _thinned(samples: Sequence[Sample], step: int) -> list[Sample]:
    """Return every so many samples, and the last."""
    return [*samples[:-1:step], *samples[-1:]]


def _folded(room: Room) -> tuple[Fold, list[Cycle]]:
    """Return the counts of the session by the device's journal, and its cycles.

    The host reads the journal every few seconds, and all of it at the close; the rest the device still has.
    """
    start, nvm = room.commits.start, room.bench.device.nvm
    if start is None:  # somebody else's host, which has opened none
        return Fold(room.bench.device.parameters.needles, nvm.last_cycle_no + 1), []
    fold = Fold(start.needles, start.first_cycle_no, first_event_no=start.first_event_no)
    found = [fold.add_raw(raw) for raw in room.commits.records]
    if nvm.epoch == start.epoch and fold.next_event_no is not None:
        found += [fold.add_raw(raw) for raw in nvm.read(fold.next_event_no, JOURNAL_SLOTS)[1]]
    return fold, [record for record in found if isinstance(record, Cycle)]


def _ending(watched: Watched, fold: Fold) -> Ending:
    room, finish = watched.room, watched.room.commits.finish
    how = room.controller.screen.ending
    truth = room.bench.device.plant.truth
    return Ending(
        state=f"The session was closed as {how}." if how else "The session was not closed.",
        lasts_us=watched.lasts_us,
        reconciled=None if finish is None else finish.reconciled,
        differences=[] if finish is None else reconcile(fold, finish.device_totals).differences,
        punctures=truth.punctures,
        cores_counted=fold.counts.cores_counted,
        cores_evacuated=truth.cores_evacuated,
        target=room.controller.plan.target_cores,
    )


def _check(one: Judged, began: int) -> CheckResult:
    override = one.override
    return CheckResult(
        words=one.check.words,
        critical=one.check.critical,
        outcome=one.outcome.value,
        began_us=None if one.after_us is None else one.after_us - began,
        at_us=None if one.at_us is None else one.at_us - began,
        within_us=one.check.within_us,
        override=None if override is None else override.passed,
        reason="" if override is None else override.reason,
    )


def _responses(room: Room) -> Iterator[Response]:
    for index, one in enumerate(room.evidence):
        if one.kind == "alarm" and one.at_us >= room.began:
            yield _response(one, room.evidence[index + 1 :], room.began)


def _response(alarm: Evidence, later: Sequence[Evidence], began: int) -> Response:
    """Return what was done about an alarm until it was over."""
    code = LABELS[alarm.name]
    over = next((one for one in later if (one.kind, one.name) == ("alarm_over", alarm.name)), None)
    until = [one for one in later if over is None or one.at_us <= over.at_us]
    acts = [one for one in until if one.kind == "act"]
    let_go = next((one for one in until if one.kind == "let_go"), None)
    first = next((one for one in acts if one.name in RESPONSES), None)
    seen = next((one for one in acts if one.name == "acknowledge" and one.number in (0, code)), None)
    return Response(
        at_us=alarm.at_us - began,
        label=alarm.name,
        words=ALARMS[code].sentence,
        priority=ALARMS[code].priority.name.lower(),
        first_us=None if first is None else first.at_us - began,
        first="" if first is None else first.name.replace("_", " "),
        acknowledged_us=None if seen is None else seen.at_us - began,
        over_us=None if over is None else over.at_us - began,
        let_go_us=None if let_go is None else let_go.at_us - began,
    )


def _limits(room: Room) -> dict[str, float]:
    parameters = room.bench.device.parameters
    return {
        "no new cycle below": -parameters.vacuum_low_kpa,
        "needles go home below": -parameters.vacuum_stop_kpa,
    }


def _zones(room: Room, cycles: Sequence[Cycle]) -> list[ZoneMap]:
    plan, parameters = room.controller.plan, room.bench.device.parameters
    limit = parameters.needles * cycles_per_cell(plan.coverage_bp, parameters.needles, parameters)
    done: dict[int, tuple[int, int]] = {}
    for cycle in cycles:
        punctures, cores, _ = tally(cycle.outcomes, cycle.needles)
        before = done.get(cycle.cell, (0, 0))
        done[cycle.cell] = before[0] + punctures, before[1] + cores
    zones, first = [], 0
    for zone in plan.zones:
        numbers = range(first, first + zone.area_cm2)
        begun = [Cell(number - first, *done[number], limit) for number in numbers if number in done]
        zones.append(ZoneMap(zone.name, zone.area_cm2, begun))
        first += zone.area_cm2
    return zones


def _beside(room: Room, fold: Fold) -> list[Beside]:
    counts, truth = fold.counts, room.bench.device.plant.truth
    return [
        Beside("cores", counts.cores_counted, truth.cores_evacuated),
        Beside("punctures", counts.punctures, truth.punctures),
        Beside("cycles completed", counts.completed, truth.cycles_completed),
        Beside("clogs of needles", None, truth.clogs),
    ]


def _remark(act: Act, began: int) -> Remark:
    return Remark(act.at_us - began, act.name, str(act.arguments["text"]))
