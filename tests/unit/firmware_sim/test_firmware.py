"""The firmware's boot, branch by branch, and when it wants to be asked again."""

import pytest

from firmware_sim.board.board import Board
from firmware_sim.board.motion import Motion, Nobody
from firmware_sim.board.refusals import refusal
from firmware_sim.board.states import RUNNING
from firmware_sim.commands.rules import AnyRule, Rule
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.journal import JOURNAL_RESERVE
from firmware_sim.memory.nvm import Nvm
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmState, Code, DeviceState, Phase
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.units import SECOND, Micros
from tests.native import reaches_inside
from tests.unit.firmware_sim.boards import Bench, armed, numbed, opened
from tests.unit.firmware_sim.memories import Store, memory


@pytest.mark.parametrize(
    ("nvm", "state", "alarms"),
    [
        (memory(), DeviceState.IDLE, {}),
        (memory(session=True), DeviceState.SAFE, {}),
        (memory(latched=A.LINK_LOST), DeviceState.SAFE, {A.LINK_LOST: AlarmState.LATCHED}),
        (memory(session=True, cycle=True), DeviceState.SAFE, {A.POWER_LOST_IN_STROKE: AlarmState.LATCHED}),
    ],
)
def test_a_boot_holds_where_a_session_or_a_latched_alarm_was_left(
    nvm: Nvm, state: DeviceState, alarms: dict[int, AlarmState]
) -> None:
    board = Device(seed=7, nvm=nvm).board
    assert board.state is state
    assert {code: alarm.state for code, alarm in board.alarms.active.items()} == alarms


@pytest.mark.parametrize(
    ("failure", "estop", "state", "alarm"),
    [
        ("a sensor", False, DeviceState.FAULT, A.SELF_TEST_FAILED),
        ("", True, DeviceState.SAFE, A.EMERGENCY_STOP),
    ],
)
def test_a_boot_tests_itself_and_looks_at_the_emergency_stop(
    failure: str, estop: bool, state: DeviceState, alarm: int
) -> None:
    device = Device(seed=7)
    device.plant.inputs.self_test_failure, device.plant.inputs.estop_open = failure, estop
    device.reboot(Micros(0))
    assert device.board.state is state and device.board.alarms.present(alarm)


def test_the_deadline_is_the_first_of_step_progress_and_suction() -> None:
    device = Device(seed=7)
    board, firmware = device.board, device.firmware
    assert firmware.next_deadline() is None
    board.suction_due = Micros(700)
    assert firmware.next_deadline() == 700
    board.motion = Motion(Nobody(), Micros(0), Micros(500), 500, lambda now: None)
    assert firmware.next_deadline() == 500
    board.motion.due = Micros(900)
    assert firmware.next_deadline() == 700
    board.suction_due, board.motion.due = None, Micros(3 * SECOND)
    assert firmware.next_deadline() == SECOND, "the first PROGRESS"
    board.motion.due = Micros(900)
    assert firmware.next_deadline() == 900


def test_a_step_is_taken_when_it_is_due_and_not_before() -> None:
    device = Device(seed=7)
    taken: list[Micros] = []
    device.board.motion = Motion(Nobody(), Micros(0), Micros(500), 500, taken.append)
    device.firmware.advance(Micros(499))
    assert taken == []
    device.firmware.advance(Micros(500))
    assert taken == [500]


@reaches_inside
def test_the_plant_is_not_looked_at_before_suction_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr("firmware_sim.firmware.suction.look", lambda board, now: looks.append(now))
    device = Device(seed=7)
    device.firmware.advance(Micros(1))
    device.board.suction_due = Micros(700)
    device.firmware.advance(Micros(699))
    assert looks == []
    device.firmware.advance(Micros(700))
    assert looks == [700]


def full_store() -> Store:
    store = Store()
    store.full = store.broken = True
    return store


def ruled(device: Device, command: Message, rule: AnyRule) -> Message | None:
    return device.firmware.carry_out(rule, Nobody(), command, Micros(0))


DONE = M.DisarmDone(state=DeviceState.IDLE)


def done(board: Board, asker: object, command: Message, now: Micros) -> Message | None:
    return DONE


def test_a_full_store_keeps_no_command_from_being_done_that_asks_for_no_room_there() -> None:
    device = Device(seed=7)
    device.board.nvm.attach(full_store())
    rule = Rule(M.Disarm, done, RUNNING)
    assert ruled(device, M.Disarm(), rule) == DONE
    refused = ruled(device, M.Disarm(), rule._replace(store_room=1))
    assert isinstance(refused, Refused) and refused.code is Code.E_STORAGE


def test_a_journal_without_room_refuses_though_the_store_has_some() -> None:
    device = Device(seed=7)
    nvm = device.board.nvm
    while nvm.free >= JOURNAL_RESERVE:
        nvm.append(R.Boot(event_no=nvm.head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=next(iter(Phase))))
    refused = ruled(device, M.Disarm(), Rule(M.Disarm, done, RUNNING, needs_room=True, store_room=1))
    assert isinstance(refused, Refused) and "journal slots" in refused.sentence


@pytest.mark.parametrize(
    ("command", "moves", "raised"),
    [(M.Disarm(), False, False), (M.Disarm(), True, True), (M.Stop(), False, True)],
    ids=["nothing was begun", "a state was changed before", "a stop"],
)
def test_what_cannot_be_kept_is_refused_only_where_nothing_was_begun(
    command: Message, moves: bool, raised: bool
) -> None:
    device = Device(seed=7)
    device.board.nvm.attach(full_store())

    def handler(board: Board, asker: object, command: Message, now: Micros) -> Message | None:
        if moves:
            board.motion = Motion(Nobody(), Micros(0), Micros(500), 500, lambda now: None)
        raise NvmFileError("memory", "no space left")

    rule = Rule(type(command), handler, RUNNING)
    if raised:
        with pytest.raises(NvmFileError):
            ruled(device, command, rule)
    else:
        refused = ruled(device, command, rule)
        assert isinstance(refused, Refused) and refused.code is Code.E_STORAGE


# --- inputs and states ----------------------------------------------------------------------------------------


def test_1_needles_that_are_not_seen_at_home_while_the_stage_moves_are_a_fault() -> None:
    bench = armed()
    bench.through(DeviceState.SUCTIONING)
    bench.ask(M.Advance(cycle_no=1, steps=1))
    bench.inject(retract_sensor_stuck=True)
    assert bench.board.state is DeviceState.FAULT
    assert bench.board.alarms.present(A.NEEDLE_NOT_RETRACTED)


def test_1_another_input_that_changes_while_the_stage_moves_stops_nothing() -> None:
    bench = armed()
    bench.through(DeviceState.SUCTIONING)
    bench.ask(M.Advance(cycle_no=1, steps=1))
    bench.inject(trigger_held=True)
    assert bench.board.state is DeviceState.ADVANCING


def test_1_with_the_stage_at_rest_nobody_needs_to_see_the_needles() -> None:
    bench = armed()
    bench.inject(retract_sensor_stuck=True)
    assert bench.board.state is DeviceState.ARMED


def test_20_the_emergency_stop_is_seen_at_once_and_its_alarm_goes_when_it_is_closed() -> None:
    bench = armed()
    bench.inject(estop_open=True)
    bench.inject(estop_open=False)
    assert bench.board.state is DeviceState.SAFE, "closing it is not going on"
    assert not bench.board.alarms.present(A.EMERGENCY_STOP)


def test_4_a_vacuum_that_changed_from_outside_is_looked_at_while_armed_and_not_otherwise() -> None:
    bench = numbed()
    bench.inject(pressure_offset_kpa=40.0)
    assert not bench.board.alarms.present(A.SUCTION_LOST)
    bench = armed()
    bench.inject(pressure_offset_kpa=40.0)
    assert bench.board.alarms.present(A.SUCTION_LOST)


def test_progress_comes_once_a_second_also_after_a_call_that_came_late() -> None:
    bench = armed()
    bench.ask(M.Purge())
    began = bench.now
    bench.firmware.advance(Micros(began + 1_700_000))
    assert bench.ear.heard[-1] == M.Progress(state=DeviceState.PURGING, elapsed_ms=1_700, expected_ms=8_000)
    bench.firmware.advance(Micros(began + 1_999_999))
    assert bench.ear.heard[-1] == M.Progress(state=DeviceState.PURGING, elapsed_ms=1_700, expected_ms=8_000)
    bench.firmware.advance(Micros(began + 2_000_000))
    assert bench.ear.heard[-1] == M.Progress(state=DeviceState.PURGING, elapsed_ms=2_000, expected_ms=8_000)


@pytest.mark.parametrize(
    ("session", "needs_session", "states", "lawful"),
    [
        (False, False, (DeviceState.IDLE,), True),
        (False, True, (DeviceState.IDLE,), False),
        (False, False, (DeviceState.SAFE,), False),
        (True, True, (DeviceState.SESSION_OPEN,), True),
    ],
)
def test_a_command_is_lawful_by_its_state_and_by_the_session_that_it_needs(
    session: bool, needs_session: bool, states: tuple[DeviceState, ...], lawful: bool
) -> None:
    bench = opened() if session else Bench()
    assert bench.firmware.allows(Rule(M.Disarm, done, states, needs_session=needs_session)) is lawful


def test_a_command_is_journaled_when_its_check_has_passed_and_before_it_is_carried_out() -> None:
    bench = Bench()
    head = bench.nvm.head
    rule = Rule(M.Disarm, done, RUNNING, journaled=True)
    assert bench.firmware.carry_out(rule, bench.ear, M.Disarm(), bench.now) == DONE
    assert [type(record) for record in bench.records(head)] == [R.Action]
    no = refusal(Code.E_STATE, "a reason")
    checked = Rule(M.Disarm, done, RUNNING, journaled=True, check=lambda board, now: no)
    assert bench.firmware.carry_out(checked, bench.ear, M.Disarm(), bench.now) == no
    assert bench.nvm.head == head + 1


def test_a_step_of_an_open_cycle_that_cannot_be_kept_is_no_refusal() -> None:
    """There is no way back: whether it is there is for the next boot to say."""
    bench = armed()
    bench.through(DeviceState.PUNCHING)
    bench.nvm.attach(full_store())
    with pytest.raises(NvmFileError):
        bench.ask(M.Suction(cycle_no=1))
