"""Faults in a device that runs: power goes and comes, memory fails, and nothing is done in the midst of a call."""

import pytest

from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError
from firmware_sim.faults import inject
from firmware_sim.faults.fault import Fault, FaultError, declare
from firmware_sim.faults.injected import RESTART_US, InjectedFaults
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.steps import Put
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.unit.firmware_sim.memories import Store

BEGIN = Micros(70 * SECOND)
"""The clock of a served device is not at zero."""


def after(milliseconds: float) -> Micros:
    return Micros(BEGIN + round(milliseconds * MILLISECOND))


def injected(*faults: Fault) -> InjectedFaults:
    return InjectedFaults(Device(seed=7, now=BEGIN), BEGIN, faults, in_file=False)


def due(device: Device) -> Micros:
    found = device.next_deadline()
    assert found is not None
    return found


def test_a_brown_out_takes_the_power_away_and_gives_it_back() -> None:
    one = injected(declare("brown_out", 'at("20 ms")', for_ms=500))
    device = one.device
    boots = device.nvm.boot_count
    assert due(device) <= after(20)
    device.advance(after(20))
    assert not device.powered
    device.receive(device.attach("a"), b"\x00", after(30))
    assert due(device) == after(520)
    device.advance(after(520))
    assert device.powered and device.nvm.boot_count == boots + 1


def test_a_device_without_power_takes_nothing_from_its_surroundings() -> None:
    device = injected().device
    device.power_off(BEGIN)
    port = device.attach("a")
    device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    device.inputs_changed(BEGIN)
    device.detach(port, BEGIN)
    assert not device.board.alarms.present(RETAINED_COMMAND) and device.next_deadline() is None


def test_a_reboot_waits_until_nothing_else_is_done_to_the_device_and_has_ended_then() -> None:
    one = injected()
    firing = one.add(declare("reboot", "write(1)"), BEGIN)
    device, boots = one.device, one.device.nvm.boot_count
    device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    assert firing.effects == 1 and device.nvm.boot_count == boots
    assert due(device) <= BEGIN
    device.advance(BEGIN)
    assert device.nvm.boot_count == boots + 1 and not firing.under_way


def test_an_input_that_is_given_back_at_once_was_changed() -> None:
    one = injected(declare("pump_stalled", for_ms=10))
    one.device.advance(after(0))
    assert one.device.plant.inputs.pump_stalled
    one.device.advance(after(10))
    assert not one.device.plant.inputs.pump_stalled


def test_times_and_numbers_count_from_the_injection() -> None:
    one = injected(declare("reboot", "write(100)"))
    one.device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    late = after(5_000)
    by_time = one.add(declare("clog", 'at("2 s")'), late)
    by_number = one.add(declare("clog", "write(1)", needle=1), late)
    one.device.advance(late)
    assert by_time.began_at is None and by_number.began_at is None
    one.device.set_alarm(RETAINED_COMMAND, present=False, now=late)
    assert by_number.began_at == late
    one.device.advance(Micros(late + 2 * SECOND))
    assert by_time.began_at == late + 2 * SECOND


def test_power_that_goes_within_a_write_is_back_at_once() -> None:
    one = injected(declare("lost_write", "write(1)"))
    device, boots = one.device, one.device.nvm.boot_count
    device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    assert device.powered and device.nvm.boot_count == boots + 1
    assert not one.injector.unfired


def test_a_write_that_fails_ends_the_device_which_is_started_again() -> None:
    one = injected(declare("short_write", "write(1)"))
    device, boots = one.device, one.device.nvm.boot_count
    device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    assert not device.powered
    device.advance(BEGIN)
    assert not device.powered and due(device) == BEGIN + RESTART_US
    device.advance(due(device))
    assert device.powered and device.nvm.boot_count == boots + 1


def boots_of(device: Device) -> list[float]:
    """Times of the boots from BEGIN in milliseconds, until the device has nothing left to do."""
    found, count = [], device.nvm.boot_count
    while (now := device.next_deadline()) is not None:
        device.advance(max(now, BEGIN))
        found += [(now - BEGIN) / MILLISECOND] * (device.nvm.boot_count - count)
        count = device.nvm.boot_count
    return found


@pytest.mark.parametrize(
    ("began", "lasts", "booted"),
    [("500 ms", 2_000, 2_500), ("500 ms", 200, 1_000), ("0 ms", 1_000, 1_000)],
    ids=["it outlives the restart", "it is over before the restart", "both are over at once"],
)
def test_a_process_that_ends_around_a_brown_out_is_started_once(began: str, lasts: int, booted: int) -> None:
    one = injected(declare("short_write", "write(1)"), declare("brown_out", f'at("{began}")', for_ms=lasts))
    one.device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    assert not one.device.powered
    assert boots_of(one.device) == [booted]


def test_a_reboot_does_not_start_a_process_before_its_time() -> None:
    one = injected(declare("short_write", "write(1)"), declare("reboot", 'at("500 ms")'))
    one.device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    assert boots_of(one.device) == [1_000]


@pytest.mark.parametrize(("fault", "kept"), [(None, True), (declare("reboot", 'at("500 ms")'), False)])
def test_the_memory_of_an_ended_process_is_lost_with_the_power_alone(fault: Fault | None, kept: bool) -> None:
    one = injected(declare("short_write", "write(9)"), *([] if fault is None else [fault]))
    for boots in range(101, 109):
        one.device.nvm.keep(Put("boot_count", boots))
    one.device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    while not one.device.powered:
        one.device.advance(max(due(one.device), BEGIN))
    assert (one.device.nvm.boot_count == 109) is kept


def test_power_may_go_again_in_the_boot_after_it_went_within_a_write() -> None:
    one = injected(declare("lost_write", "write(1)"), declare("torn_write", "write(2)", kept=1))
    device, boots = one.device, one.device.nvm.boot_count
    device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    assert device.powered and device.nvm.boot_count == boots + 2, "the torn write had the boot's count on the disk"
    assert not one.injector.unfired


@pytest.mark.parametrize("kind", ["lost_write", "short_write"])
def test_a_fault_whose_boot_fails_still_ends_and_gives_its_input_back(kind: str) -> None:
    one = injected(declare("latch_unreadable", 'at("5 ms")'), declare(kind, "write(1)"))
    one.device.advance(after(5))
    assert not one.device.plant.inputs.latch_unreadable
    assert not any(firing.under_way for firing in one.injector.firings)


def test_the_memory_has_all_that_it_had_before_the_first_fault() -> None:
    device = Device(seed=7, now=BEGIN)
    epoch, boots = device.nvm.epoch, device.nvm.boot_count
    InjectedFaults(device, BEGIN, [declare("reboot")], in_file=False)
    device.advance(BEGIN)
    assert (device.nvm.epoch, device.nvm.boot_count, device.nvm.seed) == (epoch, boots + 1, 7)


@pytest.mark.parametrize(("kind", "target"), [("drop", "wire"), ("host_crash", "host"), ("broker_killed", "broker")])
def test_a_fault_that_nobody_here_does_is_refused(kind: str, target: str) -> None:
    with pytest.raises(FaultError, match=f"a {kind} acts on the {target}, and nothing here does that"):
        injected().add(declare(kind), BEGIN)


def test_a_clog_of_a_needle_that_the_device_has_not_is_refused() -> None:
    with pytest.raises(FaultError, match="needle must be from 0 to 2: this device has 3 needles$"):
        injected().add(declare("clog", needle=3), BEGIN)
    assert injected().add(declare("clog", needle=2), BEGIN).fault.number("needle") == 2


def test_a_memory_in_a_file_has_no_faults() -> None:
    device = Device(seed=7, now=BEGIN, nvm=Nvm(Store(), epoch=1))
    with pytest.raises(FaultError, match="a disk_full acts on the memory"):
        inject(device, BEGIN).add(declare("disk_full"), BEGIN)


def test_a_device_with_its_memory_in_a_file_loses_power_and_has_its_own_failures() -> None:
    device = Device(seed=7, now=BEGIN, nvm=Nvm(Store(), epoch=1))
    one = inject(device, BEGIN)
    one.add(declare("reboot"), BEGIN)
    boots = device.nvm.boot_count
    device.advance(BEGIN)
    assert device.nvm.boot_count == boots + 1
    assert not one.memory_failed(NvmFileError("nvm", "the disk is full"), BEGIN) and device.powered


def test_a_fault_that_has_ended_before_it_could_be_done_is_not_done() -> None:
    one = injected()
    one.add(declare("brown_out", "write(1)"), BEGIN)
    one.device.set_alarm(RETAINED_COMMAND, present=True, now=BEGIN)
    one.injector.finish_all(BEGIN)
    one.device.advance(BEGIN)
    assert one.device.powered
