"""A command that a broker had kept of a host renewed the lease of its link, though the device refused the command.

So an armed device whose host was silent stayed armed for another lease: a retained publication proves no living host.
"""

from devicectl.campaign.scenario import MQTT
from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import right


def test_an_armed_device_is_safe_a_lease_after_its_host_was_last_heard() -> None:
    moving = 'cycle == 0 and state == "repositioning"'
    right(
        declare("broker_frozen", moving, for_ms=1_500),
        declare("stale_command", moving),
        declare("drop", moving, direction="device", pieces=1),
        wire=MQTT,
    )
