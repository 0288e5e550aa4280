"""A device that was locked got its power back within a brown-out, from the person who restarts it, and lost it nowhere.

So it booted twice, the second time from LOCKED. Nobody restarts a device without power now: it boots when that is back.
"""

from devicectl.campaign.scenario import Person
from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import events, right


def test_a_locked_device_boots_once_where_its_power_is_away() -> None:
    fluid = declare("fluid_inside", 'frame("HELLO", 1)', for_ms=1_000)
    brown_out = declare("brown_out", 'at("665 ms")', for_ms=2_000)
    trial = right(fluid, brown_out, person=Person(waits_ms=(1_000,)))
    assert [at_us for at_us, _ in events(trial, "boot") if at_us < 2_665_000] == []
