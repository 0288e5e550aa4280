"""`--scenario FILE`: the device's part of a scenario, and its faults in a served device.

Law: a scenario that cannot be is refused before anything is opened; a declared fault that never fired fails the run.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from firmware_sim.errors import ParameterError
from firmware_sim.faults.fault import missing_needle
from firmware_sim.faults.injected import InjectedFaults, never_happens
from firmware_sim.faults.injector import Firing
from firmware_sim.faults.scenario import ScenarioError, Start, read_start
from firmware_sim.faults.served import unable
from firmware_sim.model.parameters import Parameters
from firmware_sim.serve.errors import OptionError
from handpiece_shell.streams import say
from handpiece_shell.values_file import read_values
from protocols.language.units import SECOND, Micros
from protocols.text.values import Form, ValuesError

OPTION: Final = "--scenario"
FORM: Final = Form("a scenario", 'faults: [{fault: reboot, when: at("5 s")}]')


def read_scenario(path: str, given: Mapping[str, float], *, behind_broker: bool, in_file: bool) -> Start:
    """Read the device's part of a scenario; each of its faults is one that this device can have.

    `given` are parameters that count more than those of the scenario.

    Raises:
        OptionError: the file cannot be read, or something in it cannot be.
    """
    try:
        values = read_values(Path(path), path, FORM)
    except ValuesError as error:
        raise OptionError(OPTION, str(error)) from error
    try:
        start = read_start(values.values)
        needles = _needles(start, given)
        for index, fault in enumerate(start.faults):
            reason = unable(fault.kind, behind_broker=behind_broker, in_file=in_file)
            if reason:
                raise ScenarioError(("faults", index, "fault"), f"no {fault.kind.name} here: {reason}")
            reason = never_happens(fault.when, in_file=in_file)
            if reason:
                raise ScenarioError(("faults", index, "when"), reason)
            reason = missing_needle(fault, needles)
            if reason:
                raise ScenarioError(("faults", index, "needle"), reason)
    except ScenarioError as wrong:
        where = values.where(wrong.steps, of_key=wrong.of_key, column=wrong.column)
        raise OptionError(OPTION, f"{path}: {where}: {wrong.reason}") from wrong
    return start


def _needles(start: Start, given: Mapping[str, float]) -> int:
    """Return how many needles the device will have."""
    try:
        return Parameters({**start.parameters, **given}).needles
    except ParameterError:  # one that is given cannot be; it is refused when all options are known
        return Parameters(start.parameters).needles


class ServedFaults:
    """Faults of a served device since `now`; so many of them were `declared` at the beginning."""

    def __init__(self, injected: InjectedFaults, now: Micros, declared: int) -> None:
        self.injected = injected
        self._began_at = now
        self._declared = declared

    @property
    def unfired(self) -> list[str]:
        """Sentences about declared faults that have changed nothing."""
        declared = self.injected.injector.firings[: self._declared]
        return [
            f"fault {one.index + 1} never fired: {one.fault.kind.name}, when {one.fault.text}"
            for one in declared
            if not one.effects
        ]

    def report(self) -> list[dict[str, object]]:
        """Return each fault and what has become of it, made of what JSON has."""
        return [self._entry(one) for one in self.injected.injector.firings]

    def _entry(self, firing: Firing) -> dict[str, object]:
        return {
            **firing.fault.as_json(),
            "fired": bool(firing.effects),
            "effects": firing.effects,
            "began_s": self._seconds(firing.began_at),
            "ended_s": self._seconds(firing.ended_at),
        }

    def _seconds(self, time: Micros | None) -> float | None:
        return None if time is None else round((time - self._began_at) / SECOND, 6)


def tell(event: str, firing: Firing, now: Micros) -> None:
    """Say on standard error that a fault has fired, where the host is on another screen."""
    if event == "fired":
        say(f"firmware-sim: fault {firing.index + 1} fired: {firing.fault.kind.name}, when {firing.fault.text}")
