"""Runs of an injector without a device: what a run shows is set by hand, and what is done is written down.

run = Run(declare("mute", "cycle == 3", for_ms=400))
run.shows["cycle"] = 3
run.injector.look(run.at(5))         at 5 ms
run.done                             ["5 fired mute", "5 mute begins"]
"""

from firmware_sim.faults.fault import Fault
from firmware_sim.faults.injector import End, Firing, Injector
from protocols.language.units import MILLISECOND, Micros


class Shown:
    """What a run shows to triggers; None where nothing was set."""

    def __init__(self) -> None:
        self.values: dict[str, float | str] = {}

    def value(self, name: str, now: Micros) -> float | str | None:
        return self.values.get(name)


class Run:
    """An injector whose acts only say that they begin and end; those of `momentary` kinds leave nothing to end."""

    def __init__(self, *faults: Fault, seed: int = 7, momentary: tuple[str, ...] = ()) -> None:
        self.view = Shown()
        self.shows = self.view.values
        self.done: list[str] = []
        self.injector = Injector(faults, seed, self.view, self._noted)
        self.firings = self.injector.firings
        for fault in faults:
            self.injector.acts[fault.kind.name] = self._vanish if fault.kind.name in momentary else self._begin

    def at(self, milliseconds: float) -> Micros:
        return Micros(round(milliseconds * MILLISECOND))

    def _say(self, text: str, now: Micros) -> None:
        self.done.append(f"{now / MILLISECOND:g} {text}")

    def _noted(self, event: str, firing: Firing, now: Micros) -> None:
        self._say(f"{event} {firing.fault.kind.name}", now)

    def _begin(self, firing: Firing, now: Micros) -> End:
        self._say(f"{firing.fault.kind.name} begins", now)
        return lambda now: self._say(f"{firing.fault.kind.name} ends", now)

    def _vanish(self, firing: Firing, now: Micros) -> None:
        self._say(f"{firing.fault.kind.name} is done", now)
