"""A memory's store in which writes go wrong: steps in RAM, and what is left of them when power is lost.

Law: a step that was synced survives everything but a disk that lies, which is not modelled.
"""

import json
import random
from collections.abc import Callable
from typing import Final

from firmware_sim.errors import NvmFileError
from firmware_sim.errors import PowerLostError as PowerLostError
from firmware_sim.faults.injector import End, Firing, Injector
from firmware_sim.memory.image import replay, snapshot
from firmware_sim.memory.nvm import Nvm
from protocols.language.units import Micros

PLACE: Final = "the memory"
"""Place of the steps, for people."""


class FaultyStore:
    """Steps of one device's memory. Whoever catches `PowerLostError` reboots the device with `load`."""

    def __init__(self, injector: Injector, seed: int) -> None:
        self.now = Micros(0)
        """Time of the run; its owner keeps it."""
        self.heard: Callable[[str], None] | None = None
        """Hears the key of each step that was kept, before it is applied."""
        self.injector = injector
        self._random = random.Random(f"{seed}:power")
        self._steps: list[tuple[str, object]] = []
        """Steps as they are given; as JSON, which is what a medium has, only when they are read again."""
        self._synced = 0
        self._armed: list[Firing] = []
        """Faults that each meet one of the next writes."""
        self._full: list[Firing] = []
        """Faults that keep the disk full."""
        injector.acts.update(dict.fromkeys(("torn_write", "lost_write", "short_write"), self._arm))
        injector.acts["disk_full"] = self._fill

    @property
    def size(self) -> int:
        """Steps that are kept."""
        return len(self._steps)

    # --- a store -------------------------------------------------------------------------------------------------

    def append(self, key: str, value: object) -> None:
        """Keep a step, unless a fault meets it."""
        self.injector.wrote(self.now)
        step = key, value
        if self._armed:
            firing = self._armed[0]
            firing.struck(self.now)
            self.injector.finish(firing, self.now)
            self._fail(firing, step)
        self._steps.append(step)
        if self.heard is not None:
            self.heard(key)

    def sync(self) -> None:
        """Have all of it on the medium."""
        self._synced = len(self._steps)

    def reserve(self, size: int) -> None:
        """Refuse while the disk is full."""
        for firing in self._full:
            firing.struck(self.now)
        if self._full:
            raise NvmFileError(PLACE, "the disk is full")

    # --- loss of power -------------------------------------------------------------------------------------------

    def lose(self) -> None:
        """Lose power: of the steps that were not synced as many of the first are left as chance has it."""
        del self._steps[self._random.randint(self._synced, len(self._steps)) :]

    def take_over(self, nvm: Nvm) -> None:
        """Keep what a memory has now, and each step from now on."""
        self._steps = [("snapshot", snapshot(nvm))]
        self.sync()
        nvm.attach(self)

    def load(self) -> Nvm:
        """Return the memory that the steps make, kept here from now on."""
        nvm = replay((key, json.loads(json.dumps(value))) for key, value in self._steps)
        self.sync()
        nvm.attach(self)
        return nvm

    # --- faults --------------------------------------------------------------------------------------------------

    def _arm(self, firing: Firing, now: Micros) -> End:
        self._armed.append(firing)

        def end(now: Micros) -> None:
            self._armed.remove(firing)

        return end

    def _fail(self, firing: Firing, step: tuple[str, object]) -> None:
        kind = firing.fault.kind.name
        if kind == "short_write":
            raise NvmFileError(PLACE, "a write ended early")
        if kind == "lost_write":
            del self._steps[self._synced :]
        elif firing.fault.number("kept"):
            self._steps.append(step)
        raise PowerLostError

    def _fill(self, firing: Firing, now: Micros) -> End:
        self._full.append(firing)

        def end(now: Micros) -> None:
            self._full.remove(firing)

        return end
