"""A device whose memory fails says ABORTED and ends; the campaign heard those words after its next start.

And where power was lost in the very write of an emergency stop, the alarm is raised in the boot, when nobody is linked.
Both were found by a campaign, and were faults of the trial's world and of a judge.
"""

from devicectl.campaign.recording import DEVICE_SENT
from firmware_sim.faults.fault import declare
from protocols.trace import Tracer
from tests.unit.devicectl.campaign.trials import tried


def test_the_last_words_of_a_device_are_said_before_its_end() -> None:
    trial = tried(declare("short_write", 'cycle == 3 and phase == "count"'))
    assert trial.verdict.good, trial.verdict
    tracer, said = Tracer(), []
    for at_us, where, data in trial.recording:
        if where == DEVICE_SENT:
            assert isinstance(data, bytes)
            said += [line for line in tracer.describe("device", data, at_us) if "Aborted" in line]
        elif data == {"event": "device_ended"}:
            break
    assert said and "E_STORAGE" in said[-1]


def test_an_emergency_stop_whose_write_costs_the_power_is_found_at_the_boot() -> None:
    when = 'cycle == 3 and phase == "suction"'
    trial = tried(declare("lost_write", when), declare("emergency_stop", when, for_ms=2_000))
    assert trial.verdict.good and len(trial.verdict.fired) == 2, trial.verdict
