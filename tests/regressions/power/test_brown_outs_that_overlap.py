"""Of two brown-outs that overlapped the second booted a device that was on. Found by a campaign; an act was wrong."""

from firmware_sim.faults.fault import declare
from protocols.language.units import MILLISECOND
from tests.unit.devicectl.campaign.trials import events, right


def test_power_comes_back_when_the_last_of_them_has_ended() -> None:
    first, second = declare("brown_out", "cycle == 3", for_ms=300), declare("brown_out", "cycle == 3", for_ms=900)
    trial = right(first, second, declare("reboot", "cycle == 3"))
    (began, _), *_ = events(trial, "fired")
    assert [at_us for at_us, _ in events(trial, "boot")] == [began + 900 * MILLISECOND]
