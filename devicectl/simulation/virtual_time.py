"""The virtual-time driver of `sim://`: it runs the heap inside each await, as fast as it can or paced by the wall.

It needs no special event loop: nothing here waits for a socket, a thread or an executor, and every few hundred
events it lets other tasks run, so that it can be cancelled. The log is written synchronously, at the virtual time
at which it is due.
"""

import asyncio
import random
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from devicectl import clock
from devicectl.errors import DevicectlError, UrlError
from devicectl.log.errors import LogError
from devicectl.session.engine import Engine, Entry
from devicectl.session.link import Tap
from devicectl.session.procedures import Procedure, Task, end_of
from devicectl.simulation.parameters import parameters_of
from devicectl.simulation.world import SerialLine, World
from devicectl.transports.simulated import DRAWN_SEED_BITS
from devicectl.transports.urls import DeviceUrl
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError
from firmware_sim.powering import StartError, close_memory, open_memory, power_on, seed_for
from protocols.language.enums import ByeReason
from protocols.language.units import SECOND, Micros

if TYPE_CHECKING:
    from devicectl.simulation.faults import WorldFaults

_T = TypeVar("_T")

EVENTS_BETWEEN_YIELDS: Final = 500
"""Some ten milliseconds of work: a Ctrl-C is felt at once, and the loop's own cost is not."""
MAX_LAG_US: Final = SECOND // 2
"""The most by which the pace may fall behind the wall and catch up, as after the cost of the display. Behind by more,
it starts again from now, so that a debugger's stop or a slow caller is not followed by a rush."""


class VirtualTimeDriver:
    """A host, `engine`, and a device on one heap. `speed` paces the heap by the wall; None is as fast as it goes."""

    def __init__(self, world: World, engine: Engine, speed: float | None = None) -> None:
        self.world = world
        self.engine = engine
        self._speed = speed
        self._failed: DevicectlError | None = None
        """Raised wherever it is awaited from now on: the device has ended, or its log cannot be written."""
        self._events = 0
        self._wall_origin = clock.monotonic()

    @property
    def now(self) -> Micros:
        """Virtual microseconds since the world began."""
        return self.world.now

    async def __aenter__(self) -> "VirtualTimeDriver":
        """No-op: virtual time needs no transport."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Say BYE, and let go of the device's memory."""
        try:
            self.engine.link.leave(ByeReason.CLOSING, self.now)
            self.world.refresh()
            while self.world.heap.next_time == self.now:
                self.world.step()
        except NvmFileError:
            pass  # the device has ended without a BYE
        finally:
            close_memory(self.world.device.nvm)

    async def perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        """Run a procedure to its end; with `whole` a first cancellation waits for that end, unpaced.

        After that cancellation, or with `ending` from the beginning, no longer than the device makes headway.

        Raises:
            UnfinishedError: it made none; where a cancellation waited, that is raised, with this as its note.
            DevicectlError: the device has ended, since its memory failed in the midst of something.
            LogError: what kept the log from being written, also where that was raised before.
            Exception: what the procedure raised.
        """
        if self._failed is not None:
            raise self._failed
        try:
            return await self._perform(procedure, whole=whole, ending=ending)
        except NvmFileError as error:
            self._failed = DevicectlError(f"the simulated device has ended: its memory failed: {error}")
            raise self._failed from error
        except LogError as error:
            self._failed = error
            raise

    async def _perform(self, procedure: Procedure[_T], *, whole: bool, ending: bool) -> _T:
        world, link = self.world, self.engine.link
        task = link.start(procedure, world.now)
        cancelled: asyncio.CancelledError | None = None
        since = world.now if ending else None
        try:
            world.refresh()
            while not task.done and self._is_patient(since):
                try:
                    await self._let_others_run(paced=cancelled is None)
                except asyncio.CancelledError as error:
                    if not whole or cancelled is not None:
                        raise
                    cancelled, since = error, world.now
                    continue
                self._step(task, one=since is not None)
            unfinished = None if task.done else task.unfinished()
        finally:
            if not task.done:
                link.procedures.cancel(task)
        return end_of(task, cancelled, unfinished)

    def abandon_log(self) -> None:
        """Go on without the log, to make the device safe after the log has failed."""
        if isinstance(self._failed, LogError):
            self._failed = None
        self.world.write = lambda entries: None

    def _is_patient(self, since: Micros | None) -> bool:
        """True if the device may have more time: from `since` on it must make headway."""
        if since is None:
            return True
        heap, ends = self.world.heap, self.engine.link.patience_ends(since)
        if heap.next_time is None or heap.next_time > ends:
            heap.pass_to(ends)
        return heap.now < ends

    def _step(self, task: Task[_T], *, one: bool) -> None:
        """Run events until the task is done or others are to run: `one` event, or where the wall sets the pace."""
        step = self.world.step
        for _ in range(
            1 if one or self._speed is not None else EVENTS_BETWEEN_YIELDS - self._events % EVENTS_BETWEEN_YIELDS
        ):
            self._events += 1
            if not step():
                raise DevicectlError("the simulation has stopped: nothing is left to happen, and nothing has ended")
            if task.done:
                return

    async def _let_others_run(self, *, paced: bool) -> None:
        """Before an event: wait until the wall has come to it, or now and then let other tasks run."""
        speed = self._speed if paced else None
        if speed is not None and (ahead := self._ahead_us(speed)) > 0:
            try:
                await clock.pause(ahead / 1e6)
            except asyncio.CancelledError:
                self._catch_up(speed)
                raise
        elif self._events and self._events % EVENTS_BETWEEN_YIELDS == 0:
            await clock.pause(0)

    def _catch_up(self, speed: float) -> None:
        """After a wait that was broken off: what its breaker does next is done now, and not when it had begun.

        Only then: what hangs on the wall's time is not repeated by a seed.
        """
        self.world.heap.pass_to(Micros(round((clock.monotonic() - self._wall_origin) * speed)))

    def _ahead_us(self, speed: float) -> float:
        """Microseconds by which the next event is ahead of the wall."""
        due = self.world.heap.next_time
        if due is None:
            return 0.0
        ahead = due / speed - (clock.monotonic() - self._wall_origin)
        if ahead < -MAX_LAG_US:
            self._wall_origin = Micros(self._wall_origin - round(ahead))
        return ahead


def make_device(url: DeviceUrl) -> Device:
    """The simulated device that a `sim://` URL describes; its seed is the URL's, else its memory's, else drawn.

    Raises:
        UrlError: an unknown parameter, a value out of its range, memory that cannot be used, or of another seed.
    """
    parameters = parameters_of(url)  # before the memory, which stays locked while it is open
    nvm = None
    try:
        nvm = open_memory(url.nvm) if url.nvm is not None else None
        seed = seed_for(url.seed, nvm, url.nvm, lambda: secrets.randbits(DRAWN_SEED_BITS))
        device = power_on(seed, parameters, nvm)
    except StartError as error:
        close_memory(nvm)
        example = "sim://?seed=7" if isinstance(error.__cause__, ImportError) else "sim://?nvm=handpiece.nvm"
        raise UrlError(url.text, error.option, error.reason, example) from error
    return device


def make_driver(
    url: DeviceUrl, device: Device, engine: Engine, write: Callable[[list[Entry]], None], tap: Tap | None
) -> VirtualTimeDriver:
    """The driver of a `sim://` URL, for the device that it describes."""
    world = World(engine, device, write=write, line=SerialLine(url.baud) if url.baud else None, tap=tap)

    def inject(device: Device, now: Micros) -> "WorldFaults":
        from devicectl.simulation.faults import WorldFaults  # few sessions need it

        return WorldFaults(world, now)

    device.inject = inject
    return VirtualTimeDriver(world, engine, url.speed)


def host_random(seed: int) -> random.Random:
    """Random source of a simulated host's nonce and id, so that the same seed gives the same bytes."""
    return random.Random(f"{seed}:host")
