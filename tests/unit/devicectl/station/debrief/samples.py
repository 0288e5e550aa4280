"""Facts of lessons that nobody held, for the tests of the page: one with all there can be, and one with nothing."""

from datetime import UTC, datetime

from devicectl.station.debrief.drawings.cells import Cell, ZoneMap
from devicectl.station.debrief.drawings.timeline import Lane, Row
from devicectl.station.debrief.facts import (
    Attempt,
    Belief,
    Beside,
    CheckResult,
    Comparison,
    Ending,
    Facts,
    Happened,
    Heading,
    Parting,
    Remark,
    Response,
    Sample,
)

S = 1_000_000


def full_facts(name: str = "Ada") -> Facts:
    """A lesson in which `name` is all that people have written."""
    return Facts(
        heading=Heading(
            title=name,
            objectives=(name,),
            trainee=name,
            station=3,
            lesson_no=12,
            began=datetime(2026, 3, 1, 10, 5, tzinfo=UTC),
            seed=7,
            other_version="0.0.9",
        ),
        ending=Ending(
            state="The session was closed as aborted.",
            lasts_us=300 * S,
            reconciled=False,
            differences=(name,),
            punctures=420,
            cores_counted=300,
            cores_evacuated=305,
            target=400,
        ),
        checks=(
            CheckResult(name, True, "failed", 100 * S, 109 * S, 5 * S),
            CheckResult("Waits", True, "passed", 100 * S, 103 * S),
            CheckResult("Acknowledges", False, "failed", 100 * S, 130 * S, 30 * S, True, name),
            CheckResult("Purges", False, "not_judged"),
        ),
        responses=(
            Response(100 * S, "MC-0401", name, "high", 109 * S, "stop", 130 * S, 160 * S),
            Response(180 * S, "MC-0302", "cartridge near its end", "low", None, "", None, None),
        ),
        lanes=(Lane(name, (Row(name, ((0, 20 * S),), "fault"),)),),
        happened=(Happened(20 * S, name, name),),
        samples=tuple(Sample(at * S, at, at + 1, 2 * at, None if at == 2 else 60.0, 50.0) for at in range(5)),
        limits_kpa={name: 38.0},
        zones=(ZoneMap(name, 70, (Cell(0, 60, 50, 60),)),),
        beside=(Beside(name, 300, 305), Beside("punctures", 420, 420), Beside("clogs", None, 1)),
        beliefs=(Belief(name, 150 * S, 300 * S, name, name),),
        comparisons=(
            Comparison(words=name, change=name, parting=Parting(100 * S, name, name), rows=((name, name, name),)),
            Comparison(words="nothing had changed", change="A stop.", rows=()),
            Comparison(words="he had purged", why_not=name),
        ),
        questions=(name,),
        remarks=(Remark(50 * S, name, name),),
        attempts=(Attempt(11, 200 * S, 90 * S), Attempt(10, None, 80 * S)),
    )


def empty_facts() -> Facts:
    """A lesson in which nothing was done."""
    return Facts(
        heading=Heading(title="Nothing"),
        ending=Ending(state="The session was never opened.", lasts_us=0, reconciled=None),
        checks=(),
        responses=(),
        lanes=(),
        happened=(),
        samples=(),
        limits_kpa={},
        zones=(),
        beside=(),
        beliefs=(),
        comparisons=(),
        questions=(),
        remarks=(),
        attempts=(),
    )
