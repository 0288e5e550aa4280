"""A FAULT_RESET was written whole as power was lost: the device had no alarm any more, and nobody had heard of it.

It starts into IDLE then, and is right; the judge of alarms held it for one that had forgotten its alarm. Found by the
run of all pairs, as `wrong by alarms`.
"""

from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import tried

LOST_LINK = declare("half_open", "cycle == 2", unaware="host")
"""The host hears of it twenty seconds later: the session is aborted, and MC-1501 is reset."""


def test_power_may_be_lost_at_any_write_as_a_lost_link_is_reset() -> None:
    first, last = (tried(*faults, cores=6).injector.counts["write", ""] for faults in ((), (LOST_LINK,)))
    for number in range(min(first, last) - 15, last + 1):
        verdict = tried(LOST_LINK, declare("torn_write", f"write({number})", kept=1), cores=6).verdict
        assert verdict.good, (number, verdict.breaches)
