"""One host of the controller, as those who work at it share it: its engine, its screen, and the procedures that run.

Law: no error of a procedure is lost. What the device or the session says is on the screen; a defect is raised.
"""

from collections.abc import Callable
from functools import partial

from devicectl.errors import CommandError, DevicectlError
from devicectl.session.engine import CycleResult, Engine
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure, Task
from devicectl.station.console.commits import Commits
from devicectl.station.console.screen import Screen
from protocols.language.enums import CloseReason

Later = Callable[[Callable[[], None]], None]
"""Does something at the same time, when nothing else is being done."""


class Host:
    """One host from its start to its end."""

    def __init__(self, engine: Engine, screen: Screen, commits: Commits, plan: Plan, later: Later) -> None:
        self.engine = engine
        self.manual = engine.manual
        self.screen = screen
        self.commits = commits
        self.plan = plan
        self.later = later
        self._began = engine.link.now
        self._tasks: list[Task[None]] = []
        self._by_hand: list[Task[None]] = []

    # --- procedures ----------------------------------------------------------------------------------------------

    def start(self, procedure: Procedure[None], *, by_hand: bool = False) -> Task[None]:
        """Begin a procedure, which may be an act of the person; what it raises is on the screen."""
        self._tasks = [task for task in self._tasks if not task.done]
        self._by_hand = [task for task in self._by_hand if not task.done]
        task = self.engine.link.start(self._shown(procedure), self.commits.now())
        self._tasks.append(task)
        if by_hand:
            self._by_hand.append(task)
        return task

    def idle(self) -> bool:
        """Return True while no act of the person is under way, and no link is being made."""
        return not self.manual.under_way and all(task.done for task in self._by_hand)

    def cancel(self, task: Task[None]) -> None:
        """End a procedure where it is."""
        self.engine.link.procedures.cancel(task)

    def end(self) -> None:
        """End every procedure where it is: the process is gone."""
        for task in self._tasks:
            self.cancel(task)
        self.screen.lose_link("the controller has ended")

    def _shown(self, procedure: Procedure[None]) -> Procedure[None]:
        try:
            yield from procedure
        except CommandError as error:
            self.screen.answered(error)
        except DevicectlError as error:
            self.screen.say("refusal", str(error))
        except Exception as error:  # noqa: BLE001 - a defect, which must not stay in its task unseen
            self.later(partial(_raise, error))

    # --- what all of them do -------------------------------------------------------------------------------------

    def total(self) -> None:
        """Show what the session has come to, as far as this host knows."""
        engine = self.engine
        if engine.opened is not None:
            self.screen.total(engine.counted, engine.last_cycle_no - engine.opened.first_cycle_no + 1)

    def worked(self, cycle: CycleResult) -> None:
        """Show what a cycle has brought."""
        self.total()
        self.screen.worked((cycle.zone, cycle.cell), self.manual.cycles_left)

    @property
    def reached(self) -> bool:
        """True once the plan's target is counted."""
        return self.engine.counted >= self.plan.target_cores

    def close(self) -> Procedure[None]:
        """Close the session: as completed if its target is reached, else as aborted."""
        yield from self.close_as(CloseReason.COMPLETED if self.reached else CloseReason.ABORTED)

    def close_as(self, reason: CloseReason) -> Procedure[None]:
        """Close the session for that reason."""
        yield from self.manual.close(reason, self.wall_seconds)
        self.screen.close(self.engine.machine.now.value)

    @property
    def wall_seconds(self) -> float:
        """Seconds since this host began, for the log."""
        return round((self.engine.link.now - self._began) / 1e6, 3)


def _raise(error: Exception) -> None:
    raise error
