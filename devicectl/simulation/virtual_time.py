"""The virtual-time driver of `sim://`: it runs the heap inside each await, as fast as it can or paced by the wall.

It needs no special event loop: nothing here waits for a socket, a thread or an executor, and every few hundred
events it lets other tasks run, so that it can be cancelled. The log is written synchronously, at the virtual time
at which it is due.
"""

import random
from collections.abc import Callable
from typing import Final, TypeVar

from devicectl import clock
from devicectl.errors import DevicectlError, UrlError
from devicectl.session.engine import Engine, Entry
from devicectl.session.procedures import Procedure
from devicectl.simulation.world import Tap, World
from devicectl.transports.urls import DeviceUrl
from firmware_sim.device import Device
from firmware_sim.errors import SimulatorError, ParameterError
from firmware_sim.nvm import Nvm
from firmware_sim.parameters import Parameters
from protocols.enums import ByeReason
from protocols.units import Micros

_T = TypeVar("_T")

EVENTS_BETWEEN_YIELDS: Final = 500
"""Some ten milliseconds of work: a Ctrl-C is felt at once, and the loop's own cost is not."""


class VirtualTimeDriver:
    """One host and one device on one heap. `speed` paces the heap by the wall; None is as fast as it goes."""

    def __init__(self, world: World, speed: float | None = None) -> None:
        self.world = world
        self.engine = world.engine
        self._speed = speed
        self._events = 0
        self._wall_origin = clock.monotonic()

    @property
    def now(self) -> Micros:
        """Virtual microseconds since the world began."""
        return self.world.now

    async def __aenter__(self) -> "VirtualTimeDriver":
        """Nothing has to be opened."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Say BYE."""
        self.engine.link.exchange.bye(ByeReason.CLOSING, self.now)
        self.world.refresh()
        while self.world.heap.next_time == self.now:
            self.world.step()

    async def perform(self, procedure: Procedure[_T]) -> _T:
        """Run a procedure to its end.

        Raises:
            Exception: what the procedure raised, or what kept the log from being written.
        """
        world, procedures = self.world, self.engine.link.procedures
        task = procedures.start(procedure, world.now)
        world.refresh()
        try:
            while not task.done:
                if self._speed is not None:
                    await self._keep_pace(self._speed)
                if not world.step():
                    raise DevicectlError("the simulation has stopped: nothing is left to happen, and nothing has ended")
                self._events += 1
                if self._events % EVENTS_BETWEEN_YIELDS == 0:
                    await clock.pause(0)
        finally:
            if not task.done:
                procedures.cancel(task)
        return task.outcome()

    def abandon_log(self) -> None:
        """Go on without the log, to make the device safe after the log has failed."""
        self.world.write = lambda entries: None

    async def _keep_pace(self, speed: float) -> None:
        """Wait until the wall has come to the next event."""
        due = self.world.heap.next_time
        if due is not None:
            ahead = due / speed - (clock.monotonic() - self._wall_origin)
            if ahead > 0:
                await clock.pause(ahead / 1e6)


def make_device(url: DeviceUrl, seed: int) -> Device:
    """The simulated device that a `sim://` URL describes.

    Raises:
        UrlError: an unknown parameter, a value out of its range, or memory that cannot be used.
    """
    try:
        return Device(seed=seed, parameters=Parameters(url.parameters), nvm=_memory(url))
    except ParameterError as error:
        raise UrlError(url.text, error.name, error.reason, "sim://?seed=7&anesthesia_wait_s=1") from error
    except SimulatorError as error:
        raise UrlError(url.text, "nvm", str(error), "sim://?nvm=handpiece.nvm") from error


def _memory(url: DeviceUrl) -> Nvm | None:
    if url.nvm is None:
        return None
    from firmware_sim.nvm_file import load

    return load(url.nvm)


def make_driver(
    url: DeviceUrl, engine: Engine, seed: int, write: Callable[[list[Entry]], None], tap: Tap | None
) -> VirtualTimeDriver:
    """The driver of a `sim://` URL.

    Raises:
        UrlError: the URL describes no device.
    """
    world = World(engine, make_device(url, seed), write=write, baud=url.baud, tap=tap)
    return VirtualTimeDriver(world, url.speed)


def host_random(seed: int) -> random.Random:
    """Where a simulated host's nonce and id come from, so that the same seed gives the same bytes."""
    return random.Random(f"{seed}:host")
