"""A host died with entries that its full log had not taken, and a boot of the device had them written.

A host that is gone logs nothing more. Found by a campaign, as a traceback; the world of trials was wrong, and no end.
"""

from devicectl.campaign.scenario import Person
from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import tried

FAULTS = (
    declare("half_open", 'frame("JOURNAL_READ", 4)', unaware="host"),
    declare("brown_out", 'at("552 ms")', for_ms=50),
    declare("latch_unreadable", 'at("9767 ms")'),
    declare("host_crash", 'at("9669 ms")'),
    declare("log_full", "commit(10)"),
    declare("broker_frozen", 'state == "anesthesia_confirmed"', for_ms=5_000),
)


def test_a_host_that_is_gone_logs_nothing_more() -> None:
    person = Person(waits_ms=(10, 1_000, 20_000), abandons=0.1, heard=0.5)
    verdict = tried(*FAULTS, cores=60, seed=670, wire="mqtt", person=person).verdict
    assert verdict.good, verdict
