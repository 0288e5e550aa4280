from types import SimpleNamespace
from typing import cast

from devicectl.station.console.screen import Phase
from devicectl.station.evidence import Evidence
from devicectl.station.room import Room
from devicectl.station.server.pace import Seen
from devicectl.station.server.progress import Progress
from protocols.language.units import Micros

BEGAN = Micros(1_000)


def room(*phases: Phase, evidence: tuple[str, ...] = ()) -> Room:
    made = SimpleNamespace(began=BEGAN, phases=list(phases), evidence=[Evidence(BEGAN, kind) for kind in evidence])
    return cast(Room, made)


def phase(at_us: int, name: str) -> Phase:
    return Phase(Micros(at_us), 1, name)


def test_what_was_before_the_lesson_is_not_counted() -> None:
    progress = Progress(room(phase(500, "punch"), phase(1_000, "punch"), phase(1_100, "suction")))
    assert progress.seen() == Seen(phases=2, punches=1, counts=0, alarms=0, refusals=0, closed=0)


def test_time_between_two_cycles_is_no_phase() -> None:
    assert Progress(room(phase(1_000, "count"), phase(1_100, "none"))).seen().phases == 1


def test_each_thing_is_counted_once() -> None:
    here = room(phase(1_000, "punch"), evidence=("start", "alarm", "refusal", "cores", "cores", "closed"))
    progress = Progress(here)
    expected = Seen(phases=1, punches=1, counts=2, alarms=1, refusals=1, closed=1)
    assert progress.seen() == progress.seen() == expected
    here.evidence.append(Evidence(BEGAN, "alarm"))
    here.phases.append(phase(1_200, "punch"))
    assert progress.seen() == expected._replace(phases=2, punches=2, alarms=2)


def test_change_is_what_was_not_shown() -> None:
    here = room()
    progress = Progress(here)
    assert not progress.changed()
    here.evidence.append(Evidence(BEGAN, "alarm"))
    assert progress.changed()
    progress.shown()
    assert not progress.changed()
