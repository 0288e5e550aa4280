"""A whole run against a command: the scenes that its cases need, some side by side, and what each case came to.

Law: it chooses and counts; what is true of the command comes from the judges. One scene is one run of the command.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from devicectl import clock
from devicectl.conformance.baseline import apply_baseline
from devicectl.conformance.brokers import BrokerGoneError
from devicectl.conformance.case import Case
from devicectl.conformance.controller.bench import hold_run, since
from devicectl.conformance.controller.carrier import check_broker, place_at, place_of
from devicectl.conformance.controller.cases.declare import scene_of
from devicectl.conformance.controller.cases.plain import PLAIN
from devicectl.conformance.controller.catalogue import lacking
from devicectl.conformance.controller.checks import NotShown
from devicectl.conformance.controller.scene import SLACK_MS, End, Run, Scene
from devicectl.conformance.device.probe import BrokenRule, Sent
from devicectl.conformance.outcome import Difference, Outcome, Tell, Word, tell_nobody
from devicectl.errors import LinkError
from devicectl.simulation.broker import broker
from protocols.mqtt.broker_url import BrokerUrl

JOBS: Final = 4
"""Runs of the command side by side: most of a run is waiting."""
RUN_LIMIT_S: Final = 900.0
Kept = Callable[[Outcome, Sequence[Sent]], Outcome]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run, as its command line has it. `way` is the transport between the kit and the command.

    Where that is a broker, `broker` is the one to use; None for one of the kit's own.
    """

    command: Sequence[str]
    cases: Sequence[Case]
    way: str = "tcp"
    broker: BrokerUrl | None = None
    jobs: int = JOBS
    limit_s: float = RUN_LIMIT_S
    known: Mapping[str, str] = field(default_factory=dict)
    lacks: Mapping[str, str] = field(default_factory=dict)
    slack_ms: float = SLACK_MS
    tell: Tell = tell_nobody


def hold(wanted: Wanted, keep: Kept) -> list[Outcome]:
    """Hold a run.

    Raises:
        LinkError: the command never says HELLO; the bench does not come up; or there is no broker, or it has gone.
    """
    try:
        return asyncio.run(_hold_behind(wanted, keep))
    except BaseExceptionGroup as group:  # of runs side by side, each of which finds the broker gone
        gone, others = group.split(BrokerGoneError)
        if gone is None or others is not None:
            raise
        first: BaseException = gone
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


async def _hold_behind(wanted: Wanted, keep: Kept) -> list[Outcome]:
    """Hold a run, behind a broker where it is to be."""
    if wanted.way != "mqtt":
        return await _hold(wanted, keep, None)
    if wanted.broker is not None:
        await check_broker(wanted.broker)
        return await _hold(wanted, keep, wanted.broker)
    async with broker(asker="--mqtt") as address:
        return await _hold(wanted, keep, place_at(address))


async def _hold(wanted: Wanted, keep: Kept, place: BrokerUrl | None) -> list[Outcome]:
    began = clock.monotonic()
    lacks = {**wanted.lacks, **lacking(wanted.way, wanted.cases)}
    tried = [scene_of(one) for one in wanted.cases if one.id not in lacks]
    if tried and not any(scene.greets for scene in tried):
        tried.append(PLAIN)  # else a command that says nothing would be right, and one that does not start as well
    scenes = sorted({scene.name: scene for scene in tried}.values(), key=lambda scene: not scene.greets)
    runs: dict[str, Run] = {}
    if scenes:
        first = await hold_run(scenes[0], wanted.command, wanted.way, place and place_of(place, 0))
        if first.broken and not first.tape.greeted:
            raise LinkError(f"the command cannot be tried: {first.broken}")
        if first.end is End.NOT_STARTED or not first.tape.greeted:
            raise LinkError(f"no controller that says HELLO: {_why_silent(first)}")
        runs[scenes[0].name] = first
    places = asyncio.Semaphore(wanted.jobs)

    async def one(number: int, scene: Scene) -> None:
        async with places:
            if since(began) < wanted.limit_s:
                runs[scene.name] = await hold_run(scene, wanted.command, wanted.way, place and place_of(place, number))
                wanted.tell(len(runs), len(scenes), scene.name)

    async with asyncio.TaskGroup() as group:
        for number, scene in enumerate(scenes[1:], 1):
            group.create_task(one(number, scene))
    outcomes = []
    for case in wanted.cases:
        run = runs.get(scene_of(case).name)
        if run is None or case.id in lacks:
            missing = lacks.get(case.id, f"the limit of the run, {wanted.limit_s:g} s, was over")
            outcomes.append(keep(Outcome(case, Word.SKIPPED, missing), ()))
            continue
        (outcome,) = apply_baseline([judge(case, run, wanted.slack_ms)], wanted.known)
        outcomes.append(keep(outcome, run.tape.pieces))
    return outcomes


def _why_silent(run: Run) -> str:
    """Return why a command has said no HELLO, as far as the bench knows."""
    if run.end is End.NOT_STARTED:
        return run.told
    return f"{run.told}; the URL of its device is in HANDPIECE_URL, and {{url}} in its arguments"


def judge(case: Case, run: Run, slack_ms: float = SLACK_MS) -> Outcome:
    """Judge a run by one case."""
    run.slack_ms, run.timings = slack_ms, []
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
    return Outcome(case, word, reason, differences, tuple(run.timings), run.tape.frames(), run.seconds)
