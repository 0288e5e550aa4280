from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import events, right


def test_a_viewer_stops_the_device_and_goes() -> None:
    trial = right(declare("stopped_by_viewer", 'cycle == 3 and phase == "suction"'))
    assert "SAFE" in [event["state"] for _, event in events(trial, "state")]
    assert [port.name for port in trial.device.ports] == ["sim"]
