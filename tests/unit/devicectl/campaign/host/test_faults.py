import pytest

from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import right


@pytest.mark.parametrize("kind", ["crash_before_commit", "crash_after_commit", "log_full", "log_slow"])
def test_of_two_faults_that_wait_for_one_commit_each_has_its_own(kind: str) -> None:
    trial = right(declare(kind, "commit(4)"), declare(kind, "commit(4)"))
    assert [fired.fault for fired in trial.verdict.fired] == [0, 1]
