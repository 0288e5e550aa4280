"""A user who closed the session while the device was being stopped for a log that is full waited for ever.

The engine had lost its log and was not given up, as the stop was left: so the close waited for a commit that nobody
makes. The session is given up now, however the stop ends. Found by a campaign, as one of 50,850 sessions.
"""

from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import right


def test_a_close_while_the_device_is_stopped_for_a_full_log_ends() -> None:
    confirmed = 'state == "anesthesia_confirmed"'
    assert right(declare("log_full", "commit(3)", commits=1), declare("closed_early", confirmed)).verdict.lives > 1
