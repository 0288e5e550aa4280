"""A scenario: what a session begins with, which faults it meets, and what is expected of it.

Law: a value, checked by who made it. A scenario and a version repeat a run to the byte.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Self

from devicectl.session.plan import Plan, make_plan
from firmware_sim.faults.fault import Fault, fault_of
from protocols.capture.packet import JsonObject

SERIAL = "serial"
MQTT = "mqtt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who starts the host again when it has ended before its session has.

    `waits_ms` are the times of which one is waited before each start, `abandons` is the share of starts at which a
    session is closed as aborted though it could be resumed; `heard` the share at which the device hears that the host
    has gone.
    """

    waits_ms: tuple[int, ...] = (1_000,)
    abandons: float = 0.0
    heard: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Outcome that a run has to have; what is None, or empty, is not looked at.

    `alarms` and `refusals` were seen at some time, `no_alarms` never. `cores_counted` is the least and the most.
    """

    state: str | None = "completed"
    reconciled: bool | None = True
    alarms: tuple[int, ...] = ()
    no_alarms: tuple[int, ...] = ()
    refusals: tuple[str, ...] = ()
    interlocks: tuple[int, ...] = ()
    cores_counted: tuple[int, int] | None = None
    at_most_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run. `cartridge_cycles` and `canister_ml` are what the device's consumables have behind them."""

    name: str = ""
    seed: int = 1
    plan: Plan = field(default_factory=Plan)
    parameters: Mapping[str, float] = field(default_factory=dict)
    wire: str = SERIAL
    baud: int = 0
    cartridge_cycles: int = 0
    canister_ml: float = 0.0
    faults: tuple[Fault, ...] = ()
    person: Person = Person()
    expect: Expectations = Expectations()

    @property
    def plain(self) -> bool:
        """True if nothing but chance and its faults can disturb it: device, consumables and anesthesia are as usual."""
        changed = self.parameters.keys() - {"anesthesia_wait_s"}
        aged = self.plan.operator.anesthesia_age_s
        return not (changed or self.cartridge_cycles or self.canister_ml or aged)

    def as_data(self) -> JsonObject:
        """Return it as data that JSON has; `of_data` makes the same scenario of it."""
        return {
            **{
                name: getattr(self, name)
                for name in ("name", "seed", "wire", "baud", "cartridge_cycles", "canister_ml")
            },
            "plan": self.plan.model_dump(mode="json"),
            "parameters": dict(self.parameters),
            "faults": [fault.as_json() for fault in self.faults],
            "person": asdict(self.person),
            "expect": asdict(self.expect),
        }

    @classmethod
    def of_data(cls, data: JsonObject) -> Self:
        """Return the scenario of its data.

        Raises:
            ValueError: it is none, whatever was done to it.
        """
        try:
            given = dict(data)
            given["plan"] = make_plan(given["plan"], "the plan")
            given["faults"] = tuple(fault_of(fault) for fault in given["faults"])
            given["person"] = Person(**_tuples(given["person"]))
            given["expect"] = Expectations(**_tuples(given["expect"]))
            if given.keys() != {one.name for one in fields(cls)}:
                raise ValueError("it has other keys than a scenario has")
            return cls(**given)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"it is no scenario: {error}") from error


def _tuples(data: JsonObject) -> JsonObject:
    """Return data of JSON with its lists as tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
