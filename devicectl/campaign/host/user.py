"""The host's user within a session: confirms the anesthesia, lets it cycle, holds it or closes it early.

Law: all of it by the product's own API. A user who closes leaves what is awaited at once, as a cancelled task does.
"""

from collections.abc import Callable

from devicectl.campaign.world import FaultyWorld
from devicectl.handpiece import Session
from devicectl.session.engine import CycleResult
from devicectl.session.plan import Operator
from devicectl.session.procedures import Procedure, Until
from devicectl.simulation.virtual_time import VirtualTimeDriver
from firmware_sim.faults.injector import Firing
from protocols.language.units import MILLISECOND, Micros


class _Left(BaseException):
    """The user does not wait any longer for what is awaited."""


class User:
    """The users of one host after the other, and the faults that are theirs."""

    def __init__(self, world: FaultyWorld) -> None:
        self._world = world
        self._within = False
        """True while a session is worked through: before, and at its close, nobody leaves."""
        self._pauses: list[Firing] = []
        self._closes: list[Firing] = []
        world.injector.acts["paused"] = lambda firing, now: self._pauses.append(firing)
        world.injector.acts["closed_early"] = world.put_off(self._want_close)

    async def treat(
        self, session: Session, driver: VirtualTimeDriver, operator: Operator, done: Callable[[CycleResult], object]
    ) -> None:
        """Work through a session that is open; `done` hears of each cycle."""
        self._within = True
        try:
            if self._closes:
                raise _Left
            await session.confirm_anesthesia(
                operator.anesthesia_method, operator.confirmed_by, age_s=session.injected_ago_s
            )
            async for cycle in session.run():
                done(cycle)
                await self._pause(session, driver)
        except _Left:
            self._within = False
            for firing in self._closes:
                self._end(firing)
            await session.close()
        finally:
            self._within = False

    def _want_close(self, firing: Firing, now: Micros) -> None:
        self._closes.append(firing)
        if self._within:
            raise _Left

    async def _pause(self, session: Session, driver: VirtualTimeDriver) -> None:
        while self._pauses:
            firing = self._pauses.pop(0)
            await session.pause()
            try:
                await driver.perform(_hold(Micros(driver.now + round(firing.fault.number("hold_ms") * MILLISECOND))))
            finally:
                self._end(firing)

    def _end(self, firing: Firing) -> None:
        firing.struck(self._world.now)
        self._world.injector.finish(firing, self._world.now)


def _hold(until: Micros) -> Procedure[None]:
    yield Until(until)
