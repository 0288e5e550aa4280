"""The trainee's controller: one host after another, and the screen that all of them show.

A host that has ended is started again after a while, and goes on from what the one before has committed.

Law: what a view of the trainee shows comes from here, and nothing here comes from the device's inside.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

from devicectl.campaign.bench import Bench
from devicectl.campaign.world import Killed
from devicectl.log.errors import LogError
from devicectl.session.context import Identity
from devicectl.session.operators.anesthesia import ZoneState
from devicectl.session.plan import Plan
from devicectl.station.acts import OF_HOST, ActError
from devicectl.station.console.commits import Commits
from devicectl.station.console.hands import STARTING
from devicectl.station.console.host import Host
from devicectl.station.console.life import Life
from devicectl.station.console.screen import Screen
from devicectl.station.lesson import Begin
from protocols.language.units import SECOND, Micros

RESTART_US: Final = 5 * SECOND
"""Time until a controller that has ended is started again."""


class Controller:
    """The controller of one lesson, whose hosts are those of `bench`. `begin` is where it first leads the session."""

    foreign: ClassVar[bool] = False

    def __init__(
        self, bench: Bench, screen: Screen, commits: Commits, plan: Plan, identity: Identity, begin: Begin
    ) -> None:
        self.screen = screen
        self.plan = plan
        self._world = bench.world
        self._bench = bench
        self._commits = commits
        self._identity = identity
        self._begin: Begin | None = begin
        self.life = self._start_life()

    # --- for views -----------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """True once the session is closed."""
        return bool(self.screen.ending)

    @property
    def led(self) -> bool:
        """True once the session is where the lesson begins."""
        return self._begin is None or self.life.led

    @property
    def stuck(self) -> bool:
        """True if the session will never be where the lesson begins: a person would have to do something first."""
        return not self.led and self.alive and self.life.given_up

    @property
    def alive(self) -> bool:
        """True while there is a host; False while it is started again."""
        return self._world.host_alive

    @property
    def zones(self) -> Mapping[int, ZoneState]:
        """The zones that were numbed, as far as this host knows."""
        return self.life.manual.zones

    @property
    def place(self) -> tuple[int, int] | None:
        """Zone and cell of the hand; None where that is not known."""
        return self.life.manual.place

    @property
    def cycles_left(self) -> int:
        """Cycles that the cell still takes."""
        return self.life.manual.cycles_left

    @property
    def flagged(self) -> int:
        """Needles that may be clogged, a bit each."""
        return self.life.manual.flagged

    @property
    def under_way(self) -> str:
        """Act that has not ended; "" where there is none."""
        return self.life.manual.under_way

    @property
    def missed(self) -> bool:
        """True while a trigger is held that was pressed too early."""
        return self.life.hands.missed

    @property
    def pulling(self) -> bool:
        """True while cycles follow each other by the hand on the trigger."""
        return self.life.hands.pulling

    @property
    def held(self) -> bool:
        """True while the trigger is held."""
        return self.life.hands.held

    @property
    def let_go(self) -> str:
        """Reason for which the trigger was let go last; "" where there is none."""
        return self.life.hands.let_go

    @property
    def automatic(self) -> bool:
        """True while the automatic operator works."""
        return self.life.autopilot.on

    @property
    def core_diameter_um(self) -> int:
        """Diameter of a core."""
        return self.life.engine.core_diameter_um

    def why_not(self, act: str) -> str:
        """Say why an act of the person cannot be passed on now; "" where it can."""
        return self.life.hands.why_not(act) if self.alive else STARTING

    # --- what happens to it --------------------------------------------------------------------------------------

    def guard(self, what: Callable[[], object]) -> bool:
        """Do something in which the host's process may end; False where that has broken it off."""
        try:
            what()
        except Killed:
            self.bury()
        except LogError as error:
            self.guard(partial(self.fail_log, error))
        else:
            return True
        return False

    def act(self, name: str, arguments: Mapping[str, object]) -> None:
        """Do an act of the person.

        Raises:
            ActError: it is one of somebody else's host.
        """
        if name in OF_HOST:
            raise ActError(f"{name}: the host of this station is our own")
        if self.alive:
            self.life.hands.do(name, arguments)
            self._world.refresh()
        elif name == "silence":
            self.screen.silence()
        elif name != "trigger_release":
            self.screen.say("refusal", self.why_not(name))

    def drive(self, on: bool) -> None:
        """Let the automatic operator work, or stop it.

        Raises:
            ActError: there is no host now.
        """
        if not self.alive:
            raise ActError(f"automatic: {STARTING}")
        self.life.autopilot.switch(on)
        self._world.refresh()

    def interrupt(self) -> None:
        """End the host as by Ctrl-C."""
        self.life.host.start(self.life.interrupt(), by_hand=True)

    def fail_log(self, error: LogError) -> None:
        """End the host, since its log has failed."""
        self._world.write = lambda entries: None
        self.life.host.start(self.life.lose_log(str(error)), by_hand=True)
        self._world.refresh()

    def _end(self) -> None:
        """End the host's process, which has nothing more to do; no-op where it has ended in the same instant."""
        if self.alive:
            self._world.end_host(heard=True)
            self.bury()

    def bury(self) -> None:
        """Take in that the host's process has ended, and start the next one in a while."""
        self.life.host.end()
        self.screen.say("note", "the controller has ended, and is started again")
        self._world.heap.at(Micros(self._world.now + RESTART_US), self._restart)

    def _restart(self) -> None:
        self._world.end_host(heard=True)
        self._bench.begin_host()
        self._commits.life += 1
        self._begin = None if self.led else self._begin
        self.life = self._start_life()

    def _later(self, act: Callable[[], None]) -> None:
        """Do something at the same time, and not in the midst of what is being done."""
        self._world.heap.at(self._world.now, act)

    def _start_life(self) -> Life:
        host = Host(self._bench.engine, self.screen, self._commits, self.plan, self._later)
        life = Life(host, self._identity, self._begin, self._end)
        self._world.refresh()
        return life
