"""Whole sessions in real time for the tests: short ones, what is done to them at a chosen moment, and their judge."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import devicectl
from devicectl import Plan, clock
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.report import SessionReport
from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from devicectl.session.machine import State
from protocols.language import messages as M
from protocols.language.enums import Role, Stream
from protocols.language.records import Cycle, decode_record
from protocols.language.units import Micros
from tests.client import tcp

QUICK: Final = {
    "anesthesia_wait_s": "1",
    "reposition_mean_s": "0.5",
    "vacuum_tau_s": "0.1",
    "vent_tau_s": "0.05",
    "suction_ms": "40",
    "advance_ms": "40",
    "count_ms": "20",
}
"""Parameters that make a session short; everything else is the model's."""
PARAMETERS: Final = [f"--param={name}={value}" for name, value in QUICK.items()]
LONG_LEASE: Final = "--param=lease_armed_ms=2000"
"""The longest, where each loss of the link is counted: a busy machine is not to add one of its own."""
QUERY: Final = "&".join(f"{name}={value}" for name, value in QUICK.items())
VIEWER_ID: Final = 77
"""A host of its own: one that links again under a controller's id would take its link away."""
PLAN: Final = Plan(target_cores=60)
PHASES: Final = (
    State.ANESTHESIA_WAIT,
    State.PUNCHING,
    State.SUCTIONING,
    State.ADVANCING,
    State.COUNTING,
    State.REPOSITIONING,
    State.CLOSING,
)
EVERY_PHASE: Final = (
    State.SESSION_OPEN,
    *PHASES[:1],
    State.ANESTHESIA_CONFIRMED,
    State.ARMED,
    *PHASES[1:-1],
    State.PURGING,
    State.PAUSED,
    *PHASES[-1:],
)
"""Those too that need a clogged needle and somebody who pauses."""
CLOGS: Final = [f"--param={pair}" for pair in ("clog_hazard=0.05", "clog_empties=2", "purge_s=0.5", "purge_p=1")]
"""A needle clogs in every seventh cycle or so, is noticed soon and blown free at once."""
_ONCE: Final = (
    State.SESSION_OPEN,
    State.ANESTHESIA_WAIT,
    State.ANESTHESIA_CONFIRMED,
    State.PURGING,
    State.PAUSED,
    State.CLOSING,
)
"""Entered once in a session that nobody disturbs, or seldom."""


def assert_exact(path: Path, key: int = 1, state: str = "completed", cycles: int = 1) -> None:
    """Fold, device totals and, where one plant saw it all, truth agree; every cycle number ended once."""
    with SessionLog.open(path) as log:
        report = log.load(key)
    assert (report.summary.state, report.summary.reconciled) == (state, True), report.differences
    assert report.counts == report.device_totals
    numbers = [record.cycle_no for raw in report.records if isinstance(record := decode_record(raw), Cycle)]
    assert numbers == list(range(report.start.first_cycle_no, report.start.first_cycle_no + len(numbers)))
    assert len(numbers) == report.counts.cycles >= cycles
    if report.truth is not None:
        assert report.truth["cores_counted"] == report.counts.cores_counted
        assert report.truth["punctures"] == report.counts.punctures


def assert_retracted_and_vented(address: tuple[str, int]) -> M.Welcome:
    """What a viewer hears of a device that is left at rest: its WELCOME. Venting may still take its half second."""
    with tcp(address, host_id=VIEWER_ID, role=Role.VIEWER) as viewer:
        welcome = viewer.link()
        viewer.ask(M.StreamSet(stream=Stream.STATE, interval_ms=20))

        def vented() -> bool:
            told = [message for message in viewer.told if isinstance(message, M.TelemetryState)]
            return bool(told) and told[-1].depth_um == 0 and told[-1].vacuum_pa > -1_000

        viewer.pump(vented)
    return welcome


class When:
    """An observer that does each of its acts once, the `nth` time that its state is entered since the last one.

    The hand moves again after each recovery, and else seldom: its moves are counted from the beginning.
    """

    def __init__(self, *acts: tuple[State, Callable[[], None]], nth: int = 2) -> None:
        self.waiting = list(acts)
        self.seen: dict[State, int] = {}
        self._nth = nth

    def changed(self, before: State, after: State, now: Micros) -> None:
        self.seen[after] = self.seen.get(after, 0) + 1
        for act in self.waiting:
            if act[0] is after and (after in _ONCE or self.seen[after] >= self._nth):
                self.waiting.remove(act)
                self.seen = {State.REPOSITIONING: self.seen.get(State.REPOSITIONING, 0)}
                act[1]()
                return

    def noted(self, note: Note) -> None:
        pass


async def whole_session(
    url: str, path: Path, observer: When | None = None, *, pause_after: int | None = None, plan: Plan = PLAN
) -> devicectl.Summary:
    """One to its end; `pause_after` is a number of cycles after which there is a pause."""
    with SessionLog.open(path, wall_clock=clock.wall) as log:
        async with devicectl.connect(url, log=log, observer=observer) as handpiece:
            async with handpiece.open_session(plan) as session:
                await session.confirm_anesthesia()
                done = 0
                async for _ in session.run():
                    done += 1
                    if done == pause_after:
                        await session.pause()
            return session.summary


def reports_of(log: Path) -> list[SessionReport]:
    """All sessions of a log, in their order; none where there is no log yet."""
    found: list[SessionReport] = []
    if not log.exists():
        return found
    with SessionLog.open(log) as opened:
        try:
            while True:
                found.append(opened.load(len(found) + 1))
        except LogError as error:
            assert error.kind is LogErrorKind.MISSING, error
    return found
