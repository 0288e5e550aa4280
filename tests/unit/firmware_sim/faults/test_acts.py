"""What faults do to a device: its inputs are changed and given back, and power goes and comes."""

from typing import Any, Final

import pytest

from firmware_sim.device import Device
from firmware_sim.faults.acts import DeviceFaults, DeviceView
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.injector import Injector
from firmware_sim.faults.power import Power
from firmware_sim.faults.trigger import NAMES
from firmware_sim.memory.session_steps import BeginCycle
from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.parameters import Parameters
from protocols.language.enums import DeviceState
from protocols.language.units import MILLISECOND, Micros
from tests.unit.firmware_sim.boards import armed

CHANGES: Final = [kind for kind in CATALOGUE.values() if kind.inputs]


class Patient:
    """A device under faults; power is lost and given back as by the mains."""

    def __init__(self, *faults: Fault) -> None:
        self.now = Micros(0)
        self.device = Device(seed=7, parameters=Parameters())
        self.power: list[str] = []
        self.changes = 0
        self.injector = Injector(faults, 7, DeviceView(self.device))
        power = Power(off=self._off, lose=lambda: self.power.append("lose"), boot=self._boot)
        DeviceFaults(self.device, self.injector, power=power, changed=self._changed)

    @property
    def inputs(self) -> PlantInputs:
        return self.device.plant.inputs

    def at(self, milliseconds: float) -> None:
        self.now = Micros(round(milliseconds * MILLISECOND))
        self.injector.advance(self.now)

    def _changed(self, now: Micros) -> None:
        self.changes += 1
        self.device.inputs_changed(now)

    def _off(self, now: Micros) -> None:
        self.power.append(f"off {now // MILLISECOND}")

    def _boot(self, now: Micros) -> None:
        self.power.append(f"boot {now // MILLISECOND} {self.inputs.self_test_failure}".rstrip())
        self.device.reboot(now)


@pytest.mark.parametrize("kind", CHANGES, ids=lambda kind: kind.name)
def test_inputs_are_changed_at_the_beginning_and_given_back_at_the_end(kind: Any) -> None:
    fault = declare(kind.name)
    patient = Patient(fault)
    patient.at(0)
    for name, value in kind.inputs.items():
        given = fault.values[value] if isinstance(value, str) else value
        assert getattr(patient.inputs, name) == given, name
    assert patient.changes == 1 and not patient.injector.unfired
    patient.injector.finish_all(Micros(5 * MILLISECOND))
    assert patient.inputs == PlantInputs() and patient.changes == 2


def test_the_newest_of_two_faults_holds_an_input_and_then_the_other_again() -> None:
    patient = Patient(
        declare("pressure_offset", 'at("1 ms")', kpa=10, for_ms=9),
        declare("pressure_offset", 'at("2 ms")', kpa=20, for_ms=2),
        declare("pressure_offset", 'at("3 ms")', kpa=30, for_ms=20),
    )
    found = []
    for now in (1, 2, 3, 4, 10, 23):
        patient.at(now)
        found.append(patient.inputs.pressure_offset_kpa)
    assert found == [10, 20, 30, 30, 30, 0]


def test_a_number_with_a_fraction_is_given_as_one_and_a_count_as_a_whole_number() -> None:
    patient = Patient(declare("pressure_offset", kpa=10), declare("encoder_offset", um=600.0))
    patient.at(0)
    assert type(patient.inputs.pressure_offset_kpa) is float and type(patient.inputs.depth_offset_um) is int


def test_the_firmware_sees_what_has_changed() -> None:
    patient = Patient(declare("emergency_stop", 'at("5 ms")', for_ms=500))
    patient.at(5)
    assert patient.device.board.state is DeviceState.SAFE


def test_a_needle_clogs_at_its_next_stroke() -> None:
    patient = Patient(declare("clog", needle=2))
    patient.at(0)
    assert patient.inputs.clog_now == {2}


def test_the_canister_is_suddenly_fuller() -> None:
    patient = Patient(declare("canister_jump", ml=50), declare("canister_jump", 'at("1 ms")', ml=20))
    patient.at(0)
    patient.at(1)
    assert patient.inputs.canister_ul_added == 70_000 and patient.changes == 2


def test_power_is_lost_and_back_at_once_or_later() -> None:
    patient = Patient(declare("reboot", 'at("3 ms")'), declare("brown_out", 'at("5 ms")', for_ms=20))
    for now in (3, 5, 25):
        patient.at(now)
    assert patient.power == ["off 3", "lose", "boot 3", "off 5", "lose", "boot 25"]


def test_a_self_test_fails_until_power_comes_back_without_it() -> None:
    patient = Patient(declare("self_test_fails", 'at("3 ms")', for_ms=20))
    states = []
    for now in (3, 23):
        patient.at(now)
        states.append(patient.device.board.state)
        assert patient.inputs == PlantInputs()
    assert patient.power == ["off 3", "lose", "boot 3 a fault was injected", "off 23", "lose", "boot 23"]
    assert states == [DeviceState.FAULT, DeviceState.IDLE]


def test_a_latch_is_unreadable_for_one_boot() -> None:
    bench = armed()
    device = Device(seed=7, nvm=bench.nvm)
    bench.nvm.keep(BeginCycle(bench.nvm.last_cycle_no + 1, 0, 0, 3_000))
    injector = Injector((declare("latch_unreadable"),), 7, DeviceView(device))
    power = Power(off=lambda now: None, lose=lambda: None, boot=device.reboot)
    DeviceFaults(device, injector, power=power, changed=lambda now: None)
    injector.advance(Micros(0))
    assert device.nvm.session is not None and device.nvm.session.ambiguous == 1
    assert not device.plant.inputs.latch_unreadable


# --- what a device shows ---------------------------------------------------------------------------------------------


def test_every_name_of_a_trigger_is_shown() -> None:
    view = DeviceView(Device(seed=7))
    shown = {name: view.value(name, Micros(0)) for name in NAMES}
    assert shown["state"] in NAMES["state"].words and shown["phase"] in NAMES["phase"].words
    assert shown.pop("cell") is None, "the hand has not been moved"
    assert all(isinstance(value, int | float) for name, value in shown.items() if not NAMES[name].words)


def test_nothing_is_shown_before_there_is_a_device() -> None:
    assert [DeviceView().value(name, Micros(0)) for name in NAMES] == [None] * len(NAMES)


def test_a_device_shows_its_cycle_and_phase_while_one_is_open() -> None:
    bench = armed()
    view = DeviceView(Device(seed=7, nvm=bench.nvm))
    assert (view.value("cycle", Micros(0)), view.value("phase", Micros(0))) == (0, "none")
    bench.nvm.keep(BeginCycle(bench.nvm.last_cycle_no + 1, 0, 0, 3_000))
    assert (view.value("cycle", Micros(0)), view.value("phase", Micros(0))) == (1, "punch")
