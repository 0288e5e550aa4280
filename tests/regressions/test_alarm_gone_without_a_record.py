"""Power was lost between two steps of a FAULT_RESET: the alarm was gone, and the journal did not say so.

The alarm and its record are one step now. Found by a campaign, as `wrong by alarms`.
"""

from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import right

LOST_LINK = declare("disconnect", "cycle == 2", for_ms=50)
"""It latches MC-1501, which the host resets when it is back."""


def test_power_may_be_lost_at_any_write_around_a_reset() -> None:
    writes = right(LOST_LINK, cores=6).world.store.size
    for kind, kept in (("torn_write", {"kept": 1}), ("torn_write", {}), ("lost_write", {})):
        for number in range(writes - 40, writes):
            right(LOST_LINK, declare(kind, f"write({number})", **kept), cores=6)
