"""Scenarios that cannot happen: a cycle beyond the plan's room, a zone that is not there, a broker on a serial line.

Law: pure, and sound: what is refused here could happen in no run, and the sentence says why.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from devicectl.campaign.scenario import MQTT, SERIAL, Scenario
from firmware_sim.commands.sessions import MAX_CELLS, cycles_per_cell
from firmware_sim.faults.fault import Fault, missing_needle
from firmware_sim.faults.kind import MAX_FOR_MS, Kind, Target
from firmware_sim.faults.trigger import Compare, leaves
from firmware_sim.model.parameters import Parameters
from protocols.language.alarm_codes import alarm_label
from protocols.text.values import Steps

CYCLES_A_FAULT: Final = 10
"""Cycles that one fault may end before their puncture, so that they take no room in a cell; one of long duration comes
to about five, since the host recovers so often at most."""

_Holds = Callable[[float, float, float], bool]
_CAN: Final[Mapping[str, _Holds]] = {
    "==": lambda value, least, most: least <= value <= most,
    "!=": lambda value, least, most: least < most or value != least,
    "<": lambda value, least, most: least < value,
    "<=": lambda value, least, most: least <= value,
    ">": lambda value, least, most: most > value,
    ">=": lambda value, least, most: most >= value,
}
"""Operator -> True if some number from least to most compares so with a value."""


class Misfit(NamedTuple):
    """Something that cannot happen: the steps to it in a scenario's file, its value, and the reason."""

    steps: Steps
    value: object
    reason: str


class Room(NamedTuple):
    """Room that a plan has at a device: cycles and cores that a session can come to."""

    cycles: int
    cores: int
    needles: int


def find_misfit(scenario: Scenario) -> Misfit | None:
    """Return the first thing in a scenario that cannot happen; None where all can."""
    return next(_misfits(scenario), None)


def _misfits(scenario: Scenario) -> Iterator[Misfit]:
    if scenario.wire == MQTT and scenario.baud:
        yield Misfit(("baud",), scenario.baud, f"must be left out: only {SERIAL} has a line with a speed")
    room = room_of(scenario)
    plan = scenario.plan
    if plan.cells > MAX_CELLS:
        yield Misfit(("plan", "zones"), None, f"must have at most {MAX_CELLS} cm2 in all, not {plan.cells}")
    if plan.target_cores > room.cores:
        reason = f"must be at most {room.cores}: {plan.cells} cells take no more of this device; more area makes room"
        yield Misfit(("plan", "target_cores"), plan.target_cores, reason)
    for index, fault in enumerate(scenario.faults):
        yield from _of_fault(scenario, fault, ("faults", index), room)
    yield from _of_expectations(scenario, room)


def room_of(scenario: Scenario) -> Room:
    """Return the room that a scenario's plan has."""
    parameters = Parameters(scenario.parameters)
    needles, cells = parameters.needles, scenario.plan.cells
    per_cell = cycles_per_cell(scenario.plan.coverage_bp, needles, parameters)
    return Room(cells * per_cell + CYCLES_A_FAULT * len(scenario.faults), cells * per_cell * needles, needles)


def why_not_on(wire: str, kind: Kind) -> str:
    """Say why a kind of fault cannot happen on a wire; "" where it can."""
    if kind.target is Target.BROKER and wire != MQTT:
        return f"cannot happen on a serial line: write `wire: {MQTT}`"
    if kind.bytes_only and wire == MQTT:
        return f"a broker changes no byte of a publication: write `wire: {SERIAL}`"
    return ""


def _of_fault(scenario: Scenario, fault: Fault, steps: Steps, room: Room) -> Iterator[Misfit]:
    kind = fault.kind
    if reason := why_not_on(scenario.wire, kind):
        yield Misfit((*steps, "fault"), kind.name, reason)
    missing = missing_needle(fault, room.needles)
    if missing:
        yield Misfit((*steps, "needle"), fault.values["needle"], missing)
    for leaf in leaves(fault.when):
        if isinstance(leaf, Compare):
            yield from _of_comparison(scenario, leaf, (*steps, "when"), room)


def _of_comparison(scenario: Scenario, leaf: Compare, steps: Steps, room: Room) -> Iterator[Misfit]:
    plan = scenario.plan
    ranges = {
        "cycle": (room.cycles, f"this plan has room for at most {room.cycles} cycles"),
        "zone": (len(plan.zones) - 1, f"this plan has zones 0 to {len(plan.zones) - 1}"),
        "cell": (plan.cells - 1, f"this plan has cells 0 to {plan.cells - 1}"),
        "cores_counted": (room.cycles * room.needles, f"{room.cycles} cycles of {room.needles} needles count no more"),
        "uptime_s": (MAX_FOR_MS // 1_000, "no run is longer than a day"),
    }
    if leaf.name in ranges and not isinstance(leaf.value, str):
        most, reason = ranges[leaf.name]
        if not _CAN[leaf.operator](leaf.value, 0, most):
            yield Misfit(steps, f"{leaf.name} {leaf.operator} {leaf.value:g}", f"never holds: {reason}")


def _of_expectations(scenario: Scenario, room: Room) -> Iterator[Misfit]:
    expect = scenario.expect
    for code in expect.alarms:
        if code in expect.no_alarms:
            yield Misfit(
                ("expect", "no_alarms"), alarm_label(code), "is among `alarms` as well: must be in one of them"
            )
    if expect.cores_counted is not None:
        least, most = expect.cores_counted
        if least > most:
            yield Misfit(("expect", "cores_counted"), [least, most], "must be the least, and then the most")
        if least > room.cycles * room.needles:
            reason = f"must be at most {room.cycles * room.needles}: this plan has room for no more"
            yield Misfit(("expect", "cores_counted"), least, reason)
