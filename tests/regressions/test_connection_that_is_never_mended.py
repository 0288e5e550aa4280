"""A publication was lost in the instant in which its fault ended: the connection broke, and nobody mended it.

Found by a campaign, as stuck; the world of trials was wrong.
"""

from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import tried


def test_a_connection_that_breaks_as_its_fault_ends_is_mended() -> None:
    when = 'cycle == 3 and phase == "count"'
    apart = declare("disconnect", when, for_ms=3_000)
    lost = declare("publish_lost", when, direction="host", arrives=1, for_ms=3_000)
    verdict = tried(apart, lost, wire="mqtt").verdict
    assert verdict.good, verdict
