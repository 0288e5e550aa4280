"""A device with a full disk refused the close of an abandoned session, and the host closed it without its counts.

It tries no more, and the session stays open with its counts for the next try. Found by a campaign, as "closed and not
reconciled", without a difference.
"""

from devicectl.campaign.scenario import Expectations, Person
from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import right


def test_a_close_that_the_memory_refuses_is_tried_again_with_its_counts() -> None:
    person = Person(abandons=1.0)
    stopped, torn = declare("host_crash", "cycle == 3"), declare("short_write", 'frame("SESSION_CLOSE", 1)')
    trial = right(stopped, torn, person=person, expect=Expectations(state="aborted"))
    assert trial.report is not None and trial.report.summary.reconciled
