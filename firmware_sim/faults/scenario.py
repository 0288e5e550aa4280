"""The part of a scenario that is the device's: its seed, its parameters and its faults.

    seed: 7
    start:
      parameters: {anesthesia_wait_s: 1}
      cartridge_cycles: 9000
      canister_ml: 150
    faults:
      - {fault: mute, when: 'frame("COUNT", 3)', direction: host, for_ms: 400}

What else a scenario has belongs to a host or to a class: a plan, expectations, a lesson. It is passed over here, but
for a key that no scenario has: a slip of the pen in `faults` must not give a device without faults.

Law: a value that cannot be is refused with the steps that lead to it, so that a reader of the file can show the place.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from firmware_sim.errors import ParameterError, SimulatorError
from firmware_sim.faults.fault import Fault, FaultError, declare
from firmware_sim.faults.trigger import TriggerError
from firmware_sim.model.parameters import Parameters
from protocols.text.values import shown_value

MAX_FAULTS: Final = 1_000
"""Faults of one scenario: more than a file of the greatest size has."""
MAX_SEED: Final = 2**63 - 1
"""The largest number in a signed 64-bit column of a session log."""
MAX_CARTRIDGE_CYCLES: Final = 1_000_000
MAX_CANISTER_ML: Final = 1_000
KEYS: Final = ("name", "seed", "wire", "baud", "start", "plan", "faults", "person", "expect", "lesson")
"""Keys of a whole scenario, those of a host and of a class among them."""
_START: Final = ("parameters", "cartridge_cycles", "canister_ml")


class ScenarioError(SimulatorError, ValueError):
    """A part of a scenario that cannot be: `steps` lead to it. With `of_key` the key is wrong, else its value.

    `column` counts from the beginning of a text, 0 where all of it is meant.
    """

    def __init__(self, steps: tuple[str | int, ...], reason: str, *, of_key: bool = False, column: int = 0) -> None:
        self.steps = steps
        self.reason = reason
        self.of_key = of_key
        self.column = column
        super().__init__(reason)


class Start(NamedTuple):
    """Beginning of a device's run. `seed` is None where the scenario has none; `scenario` is all of the file."""

    seed: int | None
    parameters: dict[str, float]
    cartridge_cycles: int
    canister_ml: float
    faults: tuple[Fault, ...]
    scenario: Mapping[str, object]


def read_start(values: Mapping[str, object]) -> Start:
    """Return the device's part of a scenario that was read from a file.

    Raises:
        ScenarioError: a value of that part cannot be.
    """
    _require_known(values, KEYS, ())
    start = _mapping(values.get("start", {}), ("start",))
    _require_known(start, _START, ("start",))
    return Start(
        _whole(values["seed"], ("seed",), MAX_SEED) if "seed" in values else None,
        _parameters(start.get("parameters", {})),
        _whole(start.get("cartridge_cycles", 0), ("start", "cartridge_cycles"), MAX_CARTRIDGE_CYCLES),
        _number(start.get("canister_ml", 0), ("start", "canister_ml"), MAX_CANISTER_ML),
        _faults(values.get("faults", [])),
        values,
    )


def _parameters(given: object) -> dict[str, float]:
    steps = ("start", "parameters")
    parameters: dict[str, float] = {}
    for name, value in _mapping(given, steps).items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ScenarioError((*steps, name), f"must be a number, not {shown_value(value)}")
        parameters[name] = value
    try:
        Parameters(parameters)
    except ParameterError as error:
        raise ScenarioError((*steps, error.name), str(error).removeprefix(f"{error.name}: ")) from error
    return parameters


def _faults(given: object) -> tuple[Fault, ...]:
    if not isinstance(given, list) or len(given) > MAX_FAULTS:
        raise ScenarioError(("faults",), f"must be a list of at most {MAX_FAULTS} faults")
    return tuple(read_fault(one, ("faults", index)) for index, one in enumerate(given))


def read_fault(given: object, steps: tuple[str | int, ...]) -> Fault:
    """Return a fault as a scenario's file has it; `steps` lead to it.

    Raises:
        ScenarioError: it cannot be declared.
    """
    values = dict(_mapping(given, steps))
    kind, when = values.pop("fault", None), values.pop("when", 'at("0 s")')
    if not isinstance(kind, str):
        raise ScenarioError(steps, "must have `fault`, the name of a kind such as drop")
    if not isinstance(when, str):
        raise ScenarioError((*steps, "when"), 'must be a text such as at("12 s") or cycle == 3')
    try:
        return declare(kind, when, **values)
    except TriggerError as error:
        raise ScenarioError((*steps, "when"), error.reason, column=error.column) from error
    except FaultError as wrong:
        raise ScenarioError((*steps, wrong.key), wrong.reason, of_key=wrong.of_key) from wrong


def _mapping(value: object, steps: tuple[str | int, ...]) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ScenarioError(steps, "must be a mapping of keys to values")
    return value


def _whole(value: object, steps: tuple[str | int, ...], most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ScenarioError(steps, f"must be a whole number from 0 to {most}, not {shown_value(value)}")
    return value


def _number(value: object, steps: tuple[str | int, ...], most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ScenarioError(steps, f"must be a number from 0 to {most:g}, not {shown_value(value)}")
    return float(value)


def _require_known(mapping: Mapping[str, object], known: tuple[str, ...], steps: tuple[str | int, ...]) -> None:
    for key in mapping:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"those are {', '.join(known)}"
            raise ScenarioError((*steps, key), f"is no key here; {hint}", of_key=True)
