"""A session that was closed after a cycle had been cancelled ended in a traceback, and stayed open on the device.

The cycle is stopped first now, as by an abort. Found by a campaign whose user closes the session at any time.
"""

import pytest

from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import right


@pytest.mark.parametrize("phase", ["punch", "suction", "advance", "count"])
def test_the_cycle_is_stopped_and_the_session_closed_with_its_counts(phase: str) -> None:
    trial = right(declare("closed_early", f'cycle == 3 and phase == "{phase}"'))
    assert trial.report is not None and trial.report.device_totals is not None
    assert trial.report.summary.reconciled
    assert (trial.report.device_totals.completed, trial.report.device_totals.aborted) == (2, 1)
