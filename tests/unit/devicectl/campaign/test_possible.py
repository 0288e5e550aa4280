"""What cannot happen is refused, and what can is not."""

from typing import Any, Final

import pytest

from devicectl.campaign.possible import find_misfit
from devicectl.campaign.scenario import Expectations, Scenario
from devicectl.session.plan import Plan, make_plan
from firmware_sim.faults.fault import Fault, declare

PLAN: Final = make_plan({"target_cores": 20, "zones": [{"name": "a", "area_cm2": 1}, {"name": "b", "area_cm2": 2}]})
"""Three cells of 16 cycles with 3 needles: 48 cycles, 144 cores, and ten more cycles a fault."""


def scenario(*faults: Fault, **values: Any) -> Scenario:
    return Scenario(**{"plan": PLAN, "faults": faults, **values})


WRONG: Final[dict[str, tuple[Scenario, tuple[Any, ...], str]]] = {
    "baud on MQTT": (
        scenario(wire="mqtt", baud=9600),
        ("baud",),
        "must be left out: only serial has a line with a speed",
    ),
    "too many cells": (
        scenario(plan=make_plan({"zones": [{"name": str(one), "area_cm2": 1_000} for one in range(3)]})),
        ("plan", "zones"),
        "must have at most 2000 cm2 in all, not 3000",
    ),
    "more than fits": (
        scenario(plan=PLAN.model_copy(update={"target_cores": 145})),
        ("plan", "target_cores"),
        "must be at most 144: 3 cells take no more of this device",
    ),
    "a broker": (scenario(declare("publish_doubled")), ("faults", 0, "fault"), "cannot happen on a serial line"),
    "wrong bytes": (scenario(declare("flip"), wire="mqtt"), ("faults", 0, "fault"), "a broker changes no byte"),
    "a needle": (
        scenario(declare("clog", needle=3)),
        ("faults", 0, "needle"),
        "must be from 0 to 2: this device has 3",
    ),
    "a cycle": (scenario(declare("reboot", "cycle == 59")), ("faults", 0, "when"), "room for at most 58 cycles"),
    "a later fault": (
        scenario(declare("reboot"), declare("reboot", 'at("1 s") and not cycle > 68')),
        ("faults", 1, "when"),
        "room for at most 68 cycles",
    ),
    "a zone": (scenario(declare("reboot", "zone == 2")), ("faults", 0, "when"), "this plan has zones 0 to 1"),
    "a cell": (scenario(declare("reboot", "cell >= 3")), ("faults", 0, "when"), "this plan has cells 0 to 2"),
    "no cell": (scenario(declare("reboot", "cell < 0")), ("faults", 0, "when"), "this plan has cells 0 to 2"),
    "cores": (scenario(declare("reboot", "cores_counted > 174")), ("faults", 0, "when"), "58 cycles of 3 needles"),
    "two days": (scenario(declare("reboot", "uptime_s > 86400")), ("faults", 0, "when"), "no run is longer than a day"),
    "both": (
        scenario(expect=Expectations(alarms=(401,), no_alarms=(401,))),
        ("expect", "no_alarms"),
        "is among `alarms` as well",
    ),
    "bounds": (scenario(expect=Expectations(cores_counted=(9, 8))), ("expect", "cores_counted"), "the least, and then"),
    "too many cores": (
        scenario(expect=Expectations(cores_counted=(145, 200))),
        ("expect", "cores_counted"),
        "must be at most 144",
    ),
}


@pytest.mark.parametrize(("wrong", "steps", "reason"), WRONG.values(), ids=WRONG)
def test_what_cannot_happen_is_refused_with_the_reason(wrong: Scenario, steps: tuple[Any, ...], reason: str) -> None:
    misfit = find_misfit(wrong)
    assert misfit is not None and misfit.steps == steps and reason in misfit.reason


RIGHT: Final = {
    "nothing": scenario(),
    "the default plan": scenario(plan=Plan()),
    "all that fits": scenario(plan=PLAN.model_copy(update={"target_cores": 144})),
    "a line": scenario(baud=9600),
    "a broker": scenario(declare("publish_doubled"), wire="mqtt"),
    "wrong bytes": scenario(declare("flip")),
    "the last needle": scenario(declare("clog", needle=2)),
    "a needle of another array": scenario(declare("clog", needle=3), parameters={"needles": 4}),
    "the last cycle": scenario(declare("reboot", "cycle == 58")),
    "the last zone": scenario(declare("reboot", "zone == 1 and cell == 2")),
    "not the first": scenario(declare("reboot", "cell != 0")),
    "a reading": scenario(declare("reboot", "vacuum_kpa > -45 and depth_um <= 10")),
    "a phase": scenario(declare("reboot", 'phase == "punch"')),
    "bounds": scenario(expect=Expectations(alarms=(401,), no_alarms=(1601,), cores_counted=(20, 20))),
}


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT)
def test_what_can_happen_is_taken(right: Scenario) -> None:
    assert find_misfit(right) is None
