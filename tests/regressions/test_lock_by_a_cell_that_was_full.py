"""A loss of suction in the last cycle of a cell made the host punch the full cell, and at 8 % the device locked.

A cycle that fails takes its room in the cell. The host now counts it, and goes on to the next cell.
"""

import pytest

from devicectl.campaign.scenario import Scenario
from devicectl.session.plan import make_plan
from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import SHORT, judged


@pytest.mark.parametrize(("coverage_percent", "last"), [(6.0, 16), (8.0, 21)])
def test_a_cycle_that_fails_as_the_last_of_its_cell_is_followed_by_the_next_cell(
    coverage_percent: float, last: int
) -> None:
    zones = [{"name": "left", "area_cm2": 2}]
    plan = make_plan({"target_cores": 3 * last + 6, "coverage_percent": coverage_percent, "zones": zones})
    lost = declare("pressure_frozen", f'cycle == {last} and phase == "suction"', kpa=-20, for_ms=1_000)
    verdict = judged(Scenario(plan=plan, parameters=SHORT, faults=(lost,))).verdict
    assert (verdict.word, verdict.ending) == ("right", "completed"), verdict
    assert verdict.seen["answer", "Failed"] == 1
    assert not verdict.seen["interlock", "8"]
