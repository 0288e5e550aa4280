"""A defect of the plant that came while power was away had the firmware act on it, and write to its memory.

The world of trials had a switch of its own beside the device's. Found by reading.
"""

from firmware_sim.faults.fault import declare
from protocols.language.records import AlarmChanged, decode_record
from tests.unit.devicectl.campaign.trials import right


def test_an_emergency_stop_that_is_over_before_the_boot_raises_nothing() -> None:
    dark = declare("brown_out", 'cycle == 3 and phase == "suction"', for_ms=900)
    stop = declare("emergency_stop", 'cycle == 3 and phase == "suction"', for_ms=200)
    trial = right(dark, stop)
    assert trial.report is not None
    records = map(decode_record, trial.report.records)
    assert 2001 not in {record.code for record in records if isinstance(record, AlarmChanged)}
