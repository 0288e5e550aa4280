"""A process that had ended was started again in the midst of a brown-out; a reboot started one before its time.

Each cause of darkness looked for itself if the device was on. Found by reading. Now the last one that goes boots it.
"""

import pytest

from firmware_sim.faults.fault import Fault, declare
from protocols.language.units import MILLISECOND, SECOND
from tests.unit.devicectl.campaign.trials import events, right

ENDS = declare("short_write", 'cycle == 3 and phase == "suction"')


def ended_at() -> int:
    ((found, _),) = events(right(ENDS), "device_ended")
    return found


def boots_after(end: int, *faults: Fault) -> list[int]:
    """Times of the boots, from the end of the process."""
    return [at_us - end for at_us, _ in events(right(ENDS, *faults), "boot")]


@pytest.mark.parametrize(
    ("lasts_ms", "booted"),
    [(2_000, 2 * SECOND + SECOND // 2), (200, SECOND), (500, SECOND)],
    ids=["it outlives the restart", "it is over before the restart", "both are over at once"],
)
def test_a_process_that_ends_around_a_brown_out_is_started_once(lasts_ms: int, booted: int) -> None:
    end = ended_at()
    when = f'at("{(end + SECOND // 2) / MILLISECOND} ms")'
    assert boots_after(end, declare("brown_out", when, for_ms=lasts_ms)) == [booted]


def test_brown_outs_within_each_other_and_a_reboot_do_not_start_a_process_that_has_ended() -> None:
    end = ended_at()
    began = [f'at("{end / MILLISECOND + later} ms")' for later in (100, 200, 300)]
    outer, inner = declare("brown_out", began[0], for_ms=600), declare("brown_out", began[1], for_ms=200)
    assert boots_after(end, outer, inner, declare("reboot", began[2])) == [SECOND]
