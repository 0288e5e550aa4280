"""Calls of a recording: the boot that they begin with, each of them, and whatever a spoiled one leads to."""

import pytest

from firmware_sim.calls import Calls, guarded, power_on
from firmware_sim.device import Device
from firmware_sim.errors import NvmError
from firmware_sim.memory.image import snapshot
from firmware_sim.memory.nvm import Nvm
from protocols.capture.contents import encode_event
from protocols.capture.packet import EVENTS, NO_DIRECTION, Capture, CaptureError, Packet
from protocols.language import alarm_codes as A
from protocols.language.units import Micros

BOOT = {"seed": 7, "now_us": 5_000, "parameters": {"needles": 2}, "memory": None, "behind_broker": False}
CAPTURE = Capture({}, [EVENTS, "tcp"], ())


def boot(**changes: object) -> Packet:
    return Packet(0, 0, NO_DIRECTION, encode_event("boot", {**BOOT, **changes}))


def test_a_device_is_powered_on_as_it_was() -> None:
    found = power_on(boot(behind_broker=True), CAPTURE)
    assert (found.device.seed, found.device.parameters.needles, found.start) == (7, 2, 5_000)
    assert (found.behind_broker, found.in_file) == (True, False)


def test_its_memory_is_that_of_the_file() -> None:
    memory = Nvm(epoch=77)
    Device(seed=7, nvm=memory)
    found = power_on(boot(memory=snapshot(memory)), CAPTURE)
    assert found.in_file and (found.device.nvm.epoch, found.device.nvm.boot_count) == (77, 2)


@pytest.mark.parametrize("packet", [None, Packet(0, 1, NO_DIRECTION, b"{}")])
def test_a_recording_that_begins_otherwise_is_no_devices(packet: Packet | None) -> None:
    with pytest.raises(CaptureError, match="packet 1: no event; expected the boot of a served device"):
        power_on(packet, CAPTURE)


@pytest.mark.parametrize("spoiled", [{"seed": "x"}, {"parameters": {"needles": 99}}, {"memory": {}}, {"now_us": None}])
def test_a_boot_that_was_spoiled_is_one_error(spoiled: dict[str, object]) -> None:
    with pytest.raises(CaptureError, match=r"packet at 0\.000000 s: what cannot be repeated"):
        power_on(boot(**spoiled), CAPTURE)


def test_ports_are_plugged_in_and_pulled_out() -> None:
    calls = Calls(Device(seed=7))
    calls.attach({"port": "tcp"}, Micros(0))
    calls.attach({"port": "mqtt:a", "client": "a", "root": "handpiece", "site": "s", "device": "d"}, Micros(0))
    assert list(calls.ports) == [port.name for port in calls.device.ports] == ["tcp", "mqtt:a"]
    assert calls.of_publications == {"mqtt:a"}
    calls.detach({"port": "mqtt:a"}, Micros(1))
    assert list(calls.ports) == ["tcp"] and calls.of_publications == {"mqtt:a"}


def test_an_alarm_from_outside_is_raised_and_cleared() -> None:
    calls = Calls(Device(seed=7))
    for present in (True, False):
        calls.set_alarm({"code": A.RETAINED_COMMAND, "present": present}, Micros(1))
        assert (A.RETAINED_COMMAND in calls.device.board.alarms.active) is present


@pytest.mark.parametrize("error", [KeyError("port"), NvmError("no"), ZeroDivisionError(), AssertionError()])
def test_whatever_a_call_leads_to_is_the_one_error(error: Exception) -> None:
    with pytest.raises(CaptureError, match="cannot be repeated"), guarded(boot()):
        raise error


def test_an_error_of_the_recording_stays_as_it_is() -> None:
    with pytest.raises(CaptureError, match="^here: this; expected that$"), guarded(boot()):
        raise CaptureError("here", "this", "that")
