"""A whole run against a command: the scenes that its cases need, some side by side, and what each case came to.

Law: it chooses and counts; what is true of the command comes from the judges. One scene is one run of the command.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from devicectl import clock
from devicectl.conformance.baseline import apply_baseline
from devicectl.conformance.case import Case
from devicectl.conformance.controller.bench import hold_run, since
from devicectl.conformance.controller.cases.declare import scene_of
from devicectl.conformance.controller.checks import NotShown
from devicectl.conformance.controller.scene import End, Run, Scene
from devicectl.conformance.device.probe import BrokenRule, Sent
from devicectl.conformance.outcome import Difference, Outcome, Word
from devicectl.errors import LinkError

JOBS: Final = 4
"""Runs of the command side by side: most of a run is waiting."""
RUN_LIMIT_S: Final = 900.0
Kept = Callable[[Outcome, Sequence[Sent]], Outcome]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run, as its command line has it. `way` is the transport between the kit and the command."""

    command: Sequence[str]
    cases: Sequence[Case]
    way: str = "tcp"
    jobs: int = JOBS
    limit_s: float = RUN_LIMIT_S
    known: Mapping[str, str] = field(default_factory=dict)
    lacks: Mapping[str, str] = field(default_factory=dict)


def hold(wanted: Wanted, keep: Kept) -> list[Outcome]:
    """Hold a run.

    Raises:
        LinkError: the command never says HELLO, in any of the first scenes.
    """
    return asyncio.run(_hold(wanted, keep))


async def _hold(wanted: Wanted, keep: Kept) -> list[Outcome]:
    began = clock.monotonic()
    tried = [scene_of(one) for one in wanted.cases if one.id not in wanted.lacks]
    scenes = list({scene.name: scene for scene in tried}.values())
    runs: dict[str, Run] = {}
    if scenes:
        first = await hold_run(scenes[0], wanted.command, wanted.way)
        if first.end is End.NOT_STARTED or not first.tape.greeted:
            raise LinkError(f"no controller that says HELLO: {first.told}{f'; {first.broken}' if first.broken else ''}")
        runs[scenes[0].name] = first
    places = asyncio.Semaphore(wanted.jobs)

    async def one(scene: Scene) -> None:
        async with places:
            if since(began) < wanted.limit_s:
                runs[scene.name] = await hold_run(scene, wanted.command, wanted.way)

    async with asyncio.TaskGroup() as group:
        for scene in scenes[1:]:
            group.create_task(one(scene))
    outcomes = []
    for case in wanted.cases:
        run = runs.get(scene_of(case).name)
        if run is None or case.id in wanted.lacks:
            missing = wanted.lacks.get(case.id, f"the limit of the run, {wanted.limit_s:g} s, was over")
            outcomes.append(keep(Outcome(case, Word.SKIPPED, missing), ()))
            continue
        (outcome,) = apply_baseline([judge(case, run)], wanted.known)
        outcomes.append(keep(outcome, run.tape.pieces))
    return outcomes


def judge(case: Case, run: Run) -> Outcome:
    """Judge a run by one case."""
    differences: tuple[Difference, ...] = ()
    word, reason = Word.PASSED, ""
    if run.broken:
        word, reason = Word.SKIPPED, f"the bench: {run.broken}"
    else:
        try:
            case.run(run)
        except NotShown as missing:
            word, reason = Word.SKIPPED, str(missing)
        except BrokenRule as broken:
            word, reason, differences = Word.FAILED, str(broken), (broken.difference,)
    if word is Word.PASSED and run.unfired:
        word, reason = Word.SKIPPED, f"{'; '.join(run.unfired)}; {run.told}"
    return Outcome(case, word, reason, differences, frames=run.tape.frames(), seconds=run.seconds)
