"""The device: its seed over restarts, its links, who hears what, and that all it shows is kept."""

import random
from collections.abc import Callable
from typing import Final

import pytest

from firmware_sim.commands.rules import RULES
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError, SeedError
from firmware_sim.memory.image import restore, snapshot
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session_steps import BeginCycle
from firmware_sim.memory.steps import BindCartridge, Put
from firmware_sim.model.parameters import Parameters
from firmware_sim.ports import LinkEnd
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmState, ByeReason, CloseReason, Code, DeviceState, Ending, Role, Stream
from protocols.language.units import SECOND, Micros
from tests.unit.firmware_sim.memories import Store, memory, records
from tests.unit.firmware_sim.visitors import Visitor
from tests.unit.protocols.link.exchange_pair import frame

NO_COUNTS: Final = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)


def hand_of(device: Device) -> list[int]:
    """The hand's next times, which are drawn from its plant's chance."""
    return [device.plant.reposition_us() for _ in range(8)]


def copy_of(nvm: Nvm) -> Nvm:
    return restore(snapshot(nvm))


def test_a_memory_is_of_one_seed() -> None:
    nvm = Nvm(epoch=1)
    first = Device(seed=9, nvm=nvm)
    assert nvm.seed == 9
    assert Device(seed=9, nvm=nvm).serial == first.serial
    boots = nvm.boot_count
    with pytest.raises(SeedError, match="the memory is of the device with seed 9, not 7") as caught:
        Device(seed=7, nvm=nvm)
    assert (caught.value.kept, caught.value.wanted) == (9, 7)
    assert (nvm.seed, nvm.boot_count) == (9, boots), "a refused device has not run"


def test_a_device_without_a_memory_draws_its_epoch_from_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And never 0."""
    epochs = [Device(seed=seed).nvm.epoch for seed in (9, 9, 7, 8)]
    assert epochs[0] == epochs[1] and len(set(epochs)) == 3
    monkeypatch.setattr(random.Random, "getrandbits", lambda self, bits: 0)
    assert Device(seed=9).nvm.epoch == 1


def test_chance_goes_on_after_a_restart_and_does_not_begin_again() -> None:
    nvm = Nvm(epoch=1)
    lives = [hand_of(Device(seed=9, nvm=nvm)) for _ in range(3)]
    assert len({tuple(life) for life in lives}) == 3
    assert hand_of(Device(seed=9)) == lives[0], "an empty memory begins as none does"


def test_the_same_memory_and_seed_repeat_everything() -> None:
    nvm = Nvm(epoch=1)
    Device(seed=9, nvm=nvm)
    assert hand_of(Device(seed=9, nvm=copy_of(nvm))) == hand_of(Device(seed=9, nvm=copy_of(nvm)))


def test_a_reboot_of_the_device_leaves_its_physics_alone() -> None:
    rebooted, other = Device(seed=9), Device(seed=9)
    assert hand_of(rebooted) == hand_of(other)
    rebooted.reboot(Micros(0))
    assert hand_of(rebooted) == hand_of(other)


# --- links ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "role"),
    [(Role.CONTROLLER, Role.CONTROLLER), (Role.VIEWER, Role.VIEWER), (Role.UNKNOWN, Role.VIEWER)],
)
def test_a_hello_is_granted_a_link_with_its_role_a_viewers_at_most_where_that_is_not_known(
    asked: Role, role: Role
) -> None:
    visitor = Visitor(Device(seed=9), role=asked, linked=False)
    (welcome,) = visitor.greet(max_payload_size=131)
    assert isinstance(welcome, M.Welcome) and (welcome.role, welcome.link_id) == (role, 1)
    assert (visitor.port.role, visitor.port.host_id, visitor.port.max_payload_size) == (role, 5, 131)


def test_a_host_that_greets_again_has_a_new_link_and_no_telemetry() -> None:
    visitor = Visitor(Device(seed=9))
    visitor.said(M.StreamSet(stream=Stream.STATE, interval_ms=50), M.StreamSetDone)
    (welcome,) = visitor.greet(nonce=78)
    assert isinstance(welcome, M.Welcome) and welcome.link_id == 2
    assert visitor.port.stream_us == 0


def test_the_eleventh_link_within_a_second_is_passed_over_in_silence() -> None:
    visitor = Visitor(Device(seed=9), linked=False)
    answers = [visitor.greet(nonce=number) for number in range(11)]
    assert [len(answer) for answer in answers] == [1] * 10 + [0]
    assert visitor.device.nvm.link_count == 10


def test_one_viewer_too_many_is_refused_with_busy() -> None:
    device = Device(seed=9)
    for number in range(15):
        Visitor(device, 100 + number, Role.VIEWER)
    (nak,) = Visitor(device, 99, Role.VIEWER, linked=False).greet()
    assert isinstance(nak, M.Nak) and nak.code is Code.E_BUSY
    Visitor(device, 99, Role.CONTROLLER)


@pytest.mark.parametrize("spoiled", ["full", "broken"])
def test_a_link_whose_number_cannot_be_kept_is_refused(spoiled: str) -> None:
    store = Store()
    device = Device(seed=9, nvm=Nvm(store, epoch=1))
    setattr(store, spoiled, True)
    (nak,) = Visitor(device, linked=False).greet()
    assert isinstance(nak, M.Nak) and nak.code is Code.E_STORAGE
    assert device.nvm.link_count == 0


def ends_of(device: Device) -> list[tuple[str, LinkEnd]]:
    """Keep the ends of links from now on: name of the port, and the reason."""
    ends: list[tuple[str, LinkEnd]] = []
    device.link_ended = lambda port, end, now: ends.append((port.name, end))
    return ends


def test_a_hello_ends_the_link_before_it_on_its_port_and_those_of_its_host_on_others() -> None:
    device = Device(seed=9)
    first, other = Visitor(device, 5), Visitor(device, 6)
    ends = ends_of(device)
    first.greet(nonce=78)
    assert ends == [("host 5", LinkEnd.HELLO)]
    again = Visitor(device, 5)
    assert ends[1:] == [("host 5", LinkEnd.HELLO)]
    assert first.hear() == [M.Bye(reason=ByeReason.REPLACED)]
    assert (first.port.exchange.linked, again.port.exchange.linked, other.port.exchange.linked) == (False, True, True)


def test_a_transport_that_goes_takes_its_link_along() -> None:
    device = Device(seed=9)
    visitor = Visitor(device)
    ends = ends_of(device)
    device.detach(visitor.port, visitor.now)
    assert (ends, device.ports) == ([("host 5", LinkEnd.TRANSPORT)], [])
    assert not visitor.port.exchange.linked


def test_a_lease_that_runs_out_ends_its_link_at_that_moment() -> None:
    device = Device(seed=9)
    visitor = Visitor(device)
    ends = ends_of(device)
    visitor.wait(15 * SECOND - 1)
    assert ends == []
    visitor.wait(2)
    assert ends == [("host 5", LinkEnd.LOST)]
    assert visitor.port.role is Role.VIEWER


def test_a_heartbeat_of_the_host_renews_its_lease() -> None:
    device = Device(seed=9)
    visitor = Visitor(device)
    ends = ends_of(device)
    visitor.wait(10 * SECOND)
    visitor.send(M.HostHeartbeat())
    visitor.wait(10 * SECOND)
    assert ends == []


# --- control and pace -----------------------------------------------------------------------------------------


def test_control_begins_with_the_session_and_ends_with_it() -> None:
    device = Device(seed=9)
    visitor = Visitor(device)
    visitor.said(M.SessionOpen(target_cores=0xFFFF, coverage_bp=600, depth_um=3_000, zones_cm2=(1,)), M.Refused)
    assert device.controller_host_id == 0, "a refused command gives nothing"
    visitor.said(M.SessionOpen(target_cores=3, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)), M.SessionOpenDone)
    assert device.controller_host_id == 5
    visitor.said(M.SessionClose(session_no=1, reason=CloseReason.COMPLETED, **NO_COUNTS), M.SessionCloseDone)
    assert device.controller_host_id == 0


def test_a_stop_takes_no_control() -> None:
    device = Device(seed=9)
    owner, rival = Visitor(device, 5), Visitor(device, 6)
    owner.said(M.SessionOpen(target_cores=3, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)), M.SessionOpenDone)
    owner.greet(nonce=78)
    rival.said(M.Stop(), M.StopDone)
    assert device.controller_host_id == 0
    rival.said(M.FaultReset(), M.FaultResetDone)
    assert device.controller_host_id == 6


def test_a_refused_command_takes_no_control_of_a_session_that_nobody_holds() -> None:
    device = Device(seed=9)
    owner, rival = Visitor(device, 5), Visitor(device, 6)
    owner.said(M.SessionOpen(target_cores=3, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)), M.SessionOpenDone)
    owner.greet(nonce=78)
    rival.said(M.AnesthesiaStart(zone=9, age_s=0, method="cream"), M.Refused)
    assert device.controller_host_id == 0


def test_the_loss_of_the_link_that_holds_control_makes_an_armed_device_safe() -> None:
    device = Device(seed=9)
    visitor, viewer = Visitor(device, 5), Visitor(device, 6, Role.VIEWER)
    visitor.arm()
    device.detach(viewer.port, visitor.now)
    states = [device.board.state]
    visitor.send(M.Bye(reason=ByeReason.CLOSING))
    assert [*states, device.board.state] == [DeviceState.ARMING, DeviceState.SAFE]
    assert device.board.alarms.state(A.LINK_LOST) is AlarmState.LATCHED


def test_the_controlling_link_has_the_short_lease_while_the_device_is_armed() -> None:
    device = Device(seed=9)
    visitor, viewer = Visitor(device, 5), Visitor(device, 6, Role.VIEWER)
    leases = [visitor.port.exchange.pace.lease_us]
    visitor.arm()
    leases.append(visitor.port.exchange.pace.lease_us)
    visitor.hear()
    *_, beat, stopped = visitor.send(M.Stop())
    leases.append(visitor.port.exchange.pace.lease_us)
    assert leases == [15 * SECOND, 600_000, 15 * SECOND]
    assert {type(beat), type(stopped)} == {M.Heartbeat, M.StopDone}, "a device that was made safe says so at once"
    assert viewer.port.exchange.pace.lease_us == 15 * SECOND
    assert [type(answer) for answer in visitor.send(M.DeviceInfo())] == [M.DeviceInfoDone], "it has said so"


def test_a_link_that_ends_in_the_same_piece_as_the_session_is_told_nothing_more() -> None:
    device = Device(seed=9)
    visitor = Visitor(device)
    visitor.arm()
    visitor.hear()
    close = M.SessionClose(session_no=1, reason=CloseReason.ABANDONED, **NO_COUNTS)
    said = (M.Stop(), close, M.Bye(reason=ByeReason.CLOSING))
    link_id = visitor.port.exchange.link_id
    piece = b"".join(frame(message, link_id, 900 + number) for number, message in enumerate(said))
    device.receive(visitor.port, piece, visitor.now)
    assert (device.nvm.session, device.board.state, device.controller_host_id) == (None, DeviceState.SAFE, 0)
    assert visitor.hear() == []


def test_a_lease_that_was_set_counts_for_the_next_link() -> None:
    device = Device(seed=9)
    visitor = Visitor(device)
    visitor.said(M.ParamSet(name="lease_armed_ms", value=900.0), M.ParamSetDone)
    visitor.arm()
    assert visitor.port.exchange.pace.lease_us == 600_000
    (welcome,) = visitor.greet(nonce=78)
    assert isinstance(welcome, M.Welcome) and welcome.lease_armed_ms == 900


# --- who hears what -------------------------------------------------------------------------------------------


def test_a_query_is_answered_to_a_viewer_and_a_command_refused() -> None:
    viewer = Visitor(Device(seed=9), 6, Role.VIEWER)
    viewer.said(M.DeviceInfo(), M.DeviceInfoDone)
    assert viewer.said(M.Arm(), M.Refused).code is Code.E_AUTH
    assert viewer.said(M.AlarmAck(code=A.HOT), M.Refused).code is Code.E_AUTH
    viewer.said(M.Stop(), M.StopDone)


def test_a_command_that_the_device_does_not_have_is_unsupported() -> None:
    rules = dict(RULES)
    del RULES[M.Purge]
    try:
        no = Visitor(Device(seed=9)).said(M.Purge(), M.Refused)
    finally:
        RULES.clear()
        RULES.update(rules)  # in its order, which a page shows
    assert (no.code, no.sentence) == (Code.E_UNSUPPORTED, "this device does not carry out Purge")


def test_a_refusal_is_in_the_record_of_a_link_that_may_have_control_and_of_no_other() -> None:
    device = Device(seed=9)
    host, viewer = Visitor(device, 5), Visitor(device, 6, Role.VIEWER)
    head = device.nvm.head
    viewer.said(M.Arm(), M.Refused)
    assert device.nvm.head == head
    host.said(M.Suction(cycle_no=9), M.Refused)
    assert records(device.nvm, head) == [
        R.Refusal(event_no=head, uptime_ms=0, code=Code.E_STATE, interlock=0, message_id=0x0308, cycle_no=9)
    ]


def test_an_alarm_is_told_to_every_link_and_to_nobody_else() -> None:
    device = Device(seed=9)
    linked, unlinked = Visitor(device, 5), Visitor(device, 6, linked=False)
    device.set_alarm(A.RETAINED_COMMAND, present=True, now=Micros(0))
    (told,) = linked.hear()
    assert isinstance(told, M.Alarm) and told.code == A.RETAINED_COMMAND
    assert unlinked.hear() == []


def test_an_input_that_was_changed_from_outside_is_told_and_kept() -> None:
    device, store = on_a_store()
    visitor = Visitor(device)
    device.plant.inputs.estop_open = True
    device.inputs_changed(Micros(0))
    assert [message.code for message in visitor.hear() if isinstance(message, M.Alarm)] == [A.EMERGENCY_STOP]
    assert store.synced[-1] == len(store.kept)


def test_telemetry_comes_at_its_interval_and_after_a_stall_without_a_burst() -> None:
    device = Device(seed=9)
    visitor = Visitor(device)
    visitor.said(M.StreamSet(stream=Stream.STATE, interval_ms=100), M.StreamSetDone)
    assert device.next_deadline() == 100_000
    read = [message.uptime_ms for message in visitor.wait(350_000) if isinstance(message, M.TelemetryState)]
    assert read == [100, 200, 300]
    device.advance(Micros(399_999))
    assert visitor.hear() == []
    device.advance(Micros(750_000))
    assert [message.uptime_ms for message in visitor.hear() if isinstance(message, M.TelemetryState)] == [750]
    assert device.next_deadline() == 800_000


def test_the_next_deadline_is_the_first_of_firmware_and_links() -> None:
    device = Device(seed=9)
    assert device.next_deadline() is None
    visitor = Visitor(device)
    assert device.next_deadline() == 5 * SECOND, "its heartbeat"
    visitor.said(M.StreamSet(stream=Stream.STATE, interval_ms=6_000), M.StreamSetDone)
    assert device.next_deadline() == 5 * SECOND
    device.board.suction_due = Micros(9)
    assert device.next_deadline() == 9


def test_the_next_deadline_is_that_of_the_link_which_is_due_first_and_of_no_port_without_one() -> None:
    device = Device(seed=9)
    later, sooner = Visitor(device, 5, linked=False), Visitor(device, 6)
    Visitor(device, 7, linked=False)
    later.now = Micros(SECOND)
    later.greet()
    assert device.next_deadline() == sooner.now + 5 * SECOND


# --- kept before it is heard of -------------------------------------------------------------------------------


def on_a_store() -> tuple[Device, Store]:
    store = Store()
    return Device(seed=9, nvm=Nvm(store, epoch=1)), store


def test_what_a_command_has_left_in_memory_is_synced_when_its_answer_is_there() -> None:
    device, store = on_a_store()
    visitor = Visitor(device)
    visitor.said(M.SessionOpen(target_cores=3, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)), M.SessionOpenDone)
    assert store.synced[-1] == len(store.kept)
    synced = len(store.synced)
    visitor.said(M.DeviceInfo(), M.DeviceInfoDone)
    assert len(store.synced) == synced, "a query leaves nothing"


def receive(visitor: Visitor) -> None:
    visitor.send(M.AlarmAck(code=A.TOO_HOT))


def advance(visitor: Visitor) -> None:
    visitor.device.advance(Micros(visitor.now + 20 * SECOND))


def detach(visitor: Visitor) -> None:
    visitor.device.detach(visitor.port, visitor.now)


def change_an_input(visitor: Visitor) -> None:
    visitor.device.plant.inputs.estop_open = True
    visitor.device.inputs_changed(visitor.now)


def set_an_alarm(visitor: Visitor) -> None:
    visitor.device.set_alarm(A.HOT, present=True, now=visitor.now)


@pytest.mark.parametrize("call", [receive, advance, detach, change_an_input, set_an_alarm])
def test_where_it_cannot_be_kept_the_device_is_made_safe_and_tells_that_alone(call: Callable[[Visitor], None]) -> None:
    device, store = on_a_store()
    visitor = Visitor(device)
    visitor.arm()
    device.set_alarm(A.TOO_HOT, present=True, now=visitor.now)
    visitor.hear()
    store.broken = True
    with pytest.raises(NvmFileError, match="it is broken"):
        call(visitor)
    assert device.board.state is DeviceState.SAFE and not device.plant.vacuum.pump_on
    for told in visitor.hear():
        assert isinstance(told, M.Aborted) and told.code is Code.E_STORAGE, "the answer to the ARM under way"


# --- power ----------------------------------------------------------------------------------------------------


def test_a_reboot_leaves_no_link_and_its_ports() -> None:
    device = Device(seed=9)
    visitor = Visitor(device)
    visitor.arm()
    device.reboot(visitor.now)
    assert (len(device.ports), visitor.port.exchange.linked) == (1, False)
    assert (device.controller_host_id, device.board.state) == (0, DeviceState.SAFE)
    assert not device.plant.vacuum.pump_on


@pytest.mark.parametrize("unreadable", [False, True])
def test_a_latch_that_cannot_be_read_leaves_the_ending_of_the_open_cycle_ambiguous(unreadable: bool) -> None:
    device = Device(seed=9, nvm=memory(session=True, cycle=True))
    assert device.nvm.last_outcome is not None
    device.nvm.keep(BeginCycle(2, 0, 0, 3_000))
    device.plant.inputs.latch_unreadable = unreadable
    device.reboot(Micros(0))
    last = device.nvm.last_outcome
    assert last.ending is (Ending.AMBIGUOUS if unreadable else Ending.ABORTED)


def test_the_consumables_that_were_fitted_are_fitted_again() -> None:
    nvm = memory(session=True)
    nvm.keep(BindCartridge(55, 1, cycles=7))
    nvm.keep(Put("canister_ul", 12.5))
    plant = Device(seed=9, nvm=nvm).plant
    assert (plant.cartridge.serial, plant.cartridge.cycles, plant.canister.volume_ul) == (55, 7, 12.5)


@pytest.mark.parametrize(("keep", "serial"), [(0, 1), (1, 55)])
def test_a_session_that_was_never_armed_has_the_fresh_consumables_of_its_opening(keep: int, serial: int) -> None:
    nvm = memory(session=True)
    nvm.keep(BindCartridge(55, 9, cycles=7))
    plant = Device(seed=9, nvm=nvm, parameters=Parameters({"consumables_keep": keep})).plant
    assert plant.cartridge.serial == serial
