from devicectl.campaign.recording import Recording
from devicectl.campaign.watch import DeviceWatch
from firmware_sim.device import Device
from firmware_sim.faults.fault import declare
from protocols.language.units import Micros
from tests.unit.devicectl.campaign.trials import events, right, tried


def test_what_has_not_changed_is_not_recorded_and_a_device_without_power_is_off() -> None:
    device, recording = Device(seed=1), Recording()
    watch = DeviceWatch(device, recording)
    watch.look(Micros(1))
    assert recording == []
    device.power_off(Micros(2))
    watch.look(Micros(2))
    device.reboot(Micros(3))
    watch.look(Micros(3))
    found = [data for _, _, data in recording if isinstance(data, dict)]
    assert [data["state"] for data in found if data["event"] == "state"] == ["OFF", "IDLE"]


def test_a_session_shows_its_states_its_strokes_its_needles_and_its_pump() -> None:
    trial = right()
    strokes = [event for _, event in events(trial, "stroke")]
    assert [stroke["cycle_no"] for stroke in strokes] == list(range(1, 9))
    assert all(stroke["cartridge_valid"] and not stroke["estop"] for stroke in strokes)
    assert [event["on"] for _, event in events(trial, "pump")] == [True, False]
    assert [event["home_at"] is None for _, event in events(trial, "needles")] == [True, False] * 8
    assert events(trial, "state")[-1][1]["state"] == "IDLE"


def test_a_stroke_shows_a_cartridge_that_is_gone_and_an_open_stop() -> None:
    device, recording = tried(declare("emergency_stop", "cycle == 8", for_ms=1)).device, Recording()
    device.plant.inputs.estop_open = True
    DeviceWatch(device, recording).stored("begin_cycle", Micros(0))
    ((_, _, stroke),) = recording
    assert isinstance(stroke, dict)
    assert (stroke["cartridge_valid"], stroke["estop"], stroke["made"]) == (False, True, None)
