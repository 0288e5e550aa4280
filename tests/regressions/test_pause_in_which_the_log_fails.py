"""A session whose log failed while its user held it in a pause waited for ever at its close.

The log's error was raised where the pause was awaited and nowhere later: so the close waited for a commit that nobody
makes. It is raised again now until the log is given up. Found by a campaign, as one of 34,825 sessions.
"""

from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import right


def test_a_session_whose_log_fails_in_a_pause_ends() -> None:
    faults = declare("paused", "cycle == 1"), declare("fluid_inside", 'state == "paused"', for_ms=1_000)
    assert right(*faults, declare("log_full", "commit(6)")).verdict.lives > 1
