"""The device's commands beside the interlocks: numbers used once, order, room in the journal, who may say what."""

from itertools import pairwise
from typing import Any

import pytest

from devicectl.errors import CommandAbortedError, CommandRefusedError
from firmware_sim.commands.rules import RULES
from firmware_sim.ports import LinkEnd
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.enums import ByeReason, CloseReason, Code, DeviceState, Phase, Role, Stream
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.records import decode_record
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.unit.protocols.language.altered import zeros
from tests.unit.protocols.link.exchange_pair import frame, hello, seen
from tests.world import IDENTITY, Bystander, Lab, assert_counted, at_moment


def refusal(lab: Lab, command: Any) -> CommandRefusedError:
    with pytest.raises(CommandRefusedError) as caught:
        lab.ask(command)
    return caught.value


def punch(lab: Lab, cycle_no: int, **changes: Any) -> M.Punch:
    deadline_ms = lab.device.board.uptime_ms(lab.now) + 1_000
    return M.Punch(**{"cycle_no": cycle_no, "depth_um": 3_000, "deadline_ms": deadline_ms, **changes})


def test_cycle_number_is_used_once() -> None:
    lab = Lab().begin(3)
    truth = lab.device.plant.truth
    again = lab.ask(punch(lab, 3))
    assert (again.cycle_no, again.punctured) == (3, 0b111)
    assert lab.ask(M.Count(cycle_no=3)).total_punctures == 9
    old, gap = refusal(lab, punch(lab, 2)), refusal(lab, punch(lab, 6))
    assert (old.code, old.expected) == (Code.E_EXPIRED, 4)
    assert (gap.code, gap.expected, gap.actual) == (Code.E_CYCLE_GAP, 4, 6)
    for late in (M.Suction(cycle_no=3), M.Advance(cycle_no=3, steps=1), M.Count(cycle_no=2)):
        assert refusal(lab, late).code is Code.E_CYCLE_GAP
    assert (truth.cycles_commanded, truth.punctures) == (3, 9)
    assert_counted(lab, lab.finish())


def test_phases_come_in_order_and_one_at_a_time() -> None:
    lab, task = at_moment("suction")
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    rival, cycle_no = lab.engine.link.exchange, lab.device.nvm.last_cycle_no
    lab.wait(200 * MILLISECOND)
    assert rival.linked and lab.state.name == "SUCTIONING"
    for command in (M.Count(cycle_no=cycle_no), M.Suction(cycle_no=cycle_no)):
        error = refusal(lab, command)
        assert error.code is Code.E_STATE and "out of order" in error.sentence
    assert "PUNCH needs ARMED" in refusal(lab, punch(lab, cycle_no + 1)).sentence
    lab.ask(M.Advance(cycle_no=cycle_no, steps=1))
    lab.ask(M.Count(cycle_no=cycle_no))
    assert lab.state.name == "ARMED"


def test_aborted_cycle_keeps_its_ending_over_a_reboot() -> None:
    lab, task = at_moment("dwell")
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    lab.reboot_device()
    lab.replace_host()
    lab.run(lab.engine.connect())
    head = lab.device.nvm.head
    with pytest.raises(CommandAbortedError, match="cycle 6 ended ABORTED in PUNCH"):
        lab.ask(punch(lab, 6))
    assert lab.state is DeviceState.SAFE
    assert lab.device.nvm.head == head, "what is answered is not refused"


def test_while_a_cycle_is_open_its_punch_alone_is_answered_again() -> None:
    lab, task = at_moment("suction")
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    last = lab.device.nvm.last_cycle_no
    again = lab.ask(punch(lab, last))
    assert (again.cycle_no, again.punctured) == (last, 0b111)
    old = refusal(lab, punch(lab, last - 1))
    assert (old.code, old.expected) == (Code.E_EXPIRED, last + 1)


def test_a_second_punch_while_the_first_is_under_way_is_refused() -> None:
    lab, _ = at_moment("dwell")
    port = lab.world.port
    again = frame(punch(lab, lab.device.nvm.last_cycle_no), port.exchange.link_id, 0x4000)  # no host waits with it
    lab.device.receive(port, again, lab.now)
    ((_, answer),) = seen(port.exchange.take())
    assert isinstance(answer, Refused)
    assert (answer.code, "is under way" in answer.sentence) == (Code.E_STATE, True)


def test_a_punch_of_a_device_that_is_not_armed_says_so() -> None:
    lab = Lab()
    lab.open()
    lab.numb()
    error = refusal(lab, punch(lab, 1))
    assert (error.code, error.interlock) == (Code.E_STATE, 0)
    assert error.sentence == "PUNCH needs ARMED; the device is in ANESTHESIA_CONFIRMED"


def test_every_command_of_an_aborted_cycle_is_answered_with_its_ending() -> None:
    """Not with that of the COUNT before."""
    lab, task = at_moment("suction")
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    last = lab.device.nvm.last_cycle_no
    lab.ask(M.Stop())
    for command in (
        punch(lab, last),
        M.Suction(cycle_no=last),
        M.Advance(cycle_no=last, steps=1),
        M.Count(cycle_no=last),
    ):
        with pytest.raises(CommandAbortedError, match=f"cycle {last} ended ABORTED in SUCTION"):
            lab.ask(command)
    lab.ask(M.FaultReset())
    with pytest.raises(CommandAbortedError, match=f"cycle {last} ended ABORTED in SUCTION"):
        lab.ask(punch(lab, last))


def test_stop_of_a_device_at_rest_leaves_it_at_rest() -> None:
    lab = Lab()
    lab.run(lab.engine.connect())
    assert lab.ask(M.Stop()).state is DeviceState.IDLE
    assert lab.state is DeviceState.IDLE


def test_a_move_out_of_the_plan_is_refused_with_what_the_zone_has() -> None:
    lab = Lab().begin(1)
    for zone, cell, cells in ((1, 40, 40), (2, 0, 0)):
        error = refusal(lab, M.Reposition(zone=zone, cell=cell))
        assert (error.interlock, error.expected, error.actual) == (9, cells, cell)


def test_a_count_of_before_a_restart_is_in_the_journal_alone() -> None:
    lab = Lab().begin(2)
    lab.reboot_device()
    lab.replace_host()
    lab.run(lab.engine.connect())
    assert "FAULT_RESET comes first" in refusal(lab, M.Count(cycle_no=2)).sentence
    lab.ask(M.FaultReset())
    late = refusal(lab, M.Count(cycle_no=2))
    assert (late.code, "see the journal" in late.sentence) == (Code.E_CYCLE_GAP, True)
    assert lab.ask(punch(lab, 2)).cycle_no == 2, "that it was made is in memory"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"depth_um": 3_500}, Code.E_RANGE, "not the session's 3000 um"),
        ({"deadline_ms": 0}, Code.E_EXPIRED, "too late by"),
    ],
)
def test_punch_that_is_not_the_session_s_is_refused(changes: dict[str, int], code: Code, words: str) -> None:
    lab = Lab().begin(2)
    error = refusal(lab, punch(lab, 3, **changes))
    assert error.code is code and words in error.sentence


def test_deadline_of_a_punch_is_compared_over_the_wrap_of_the_uptime() -> None:
    """After 49.7 days it begins at 0 again."""
    lab = Lab().begin(2)
    board = lab.device.board
    board._clock_at_boot = Micros(lab.now - (2**32 - 20) * MILLISECOND)
    assert board.uptime_ms(lab.now) == 2**32 - 20
    late = refusal(lab, punch(lab, 3, deadline_ms=2**32 - 21))
    assert (late.code, late.actual) == (Code.E_EXPIRED, 1)
    assert lab.ask(punch(lab, 3, deadline_ms=5)).cycle_no == 3, "25 ms from now"
    lab.ask(M.Suction(cycle_no=3))
    lab.ask(M.Advance(cycle_no=3, steps=1))
    lab.ask(M.Count(cycle_no=3))
    uptime_ms = board.uptime_ms(lab.now)
    assert uptime_ms < 1_000
    late = refusal(lab, punch(lab, 4, deadline_ms=2**32 - 10))
    assert (late.code, late.actual) == (Code.E_EXPIRED, uptime_ms + 10)
    assert late.sentence.startswith(f"too late by {uptime_ms + 10} ms")
    assert lab.ask(punch(lab, 4, deadline_ms=uptime_ms)).cycle_no == 4


def test_journal_with_no_room_takes_no_cycle_and_the_operator_reads_it() -> None:
    lab = Lab().begin(2)
    nvm = lab.device.nvm
    while nvm.free >= 64:
        nvm.append(R.Boot(event_no=nvm.head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    error = refusal(lab, punch(lab, 3))
    assert (error.code, error.expected, error.actual) == (Code.E_STORAGE, 64, 63)
    assert refusal(lab, M.ParamSet(name="trigger_required", value=0.0)).code is Code.E_STORAGE
    assert_counted(lab, lab.finish())
    assert nvm.tail > 960


def test_journal_with_no_room_takes_no_anesthesia() -> None:
    lab = Lab()
    lab.open()
    while lab.device.nvm.free >= 64:
        head = lab.device.nvm.head
        lab.device.nvm.append(R.Boot(event_no=head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    assert refusal(lab, M.AnesthesiaStart(zone=0, age_s=0, method="cream")).code is Code.E_STORAGE


def test_no_command_overwrites_what_nobody_acknowledged() -> None:
    """Nor does a hand that comes back to a nearly full cell again and again, which is an alarm each time."""
    lab = Lab(parameters={"anesthesia_wait_s": 0, "lease_idle_ms": 0, "lease_armed_ms": 0})
    host, nvm = Bystander(lab, Role.CONTROLLER), lab.device.nvm
    host.ask(M.SessionOpen(target_cores=30, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)))
    host.ask(M.AnesthesiaStart(zone=0, age_s=0, method="cream"))
    host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="me"))
    host.ask(M.Arm())
    lab.until_state(DeviceState.ARMED)
    assert nvm.session is not None
    nvm.session.cell_punctures[0, 0] = 45
    while nvm.free >= 64 + 5:
        nvm.append(R.Boot(event_no=nvm.head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    answers = []
    for turn in range(20):
        answers.append(host.ask(M.Reposition(zone=0, cell=turn % 2)))
        lab.wait(20 * SECOND)
    refusals = [answer.code for answer in answers if isinstance(answer, Refused)]
    assert len(refusals) >= 10 and set(refusals) == {Code.E_STORAGE}
    assert nvm.free > 50 and nvm.read(nvm.tail, 1)[0] == nvm.tail == 1


def test_sessions_that_nobody_read_are_not_overwritten() -> None:
    lab = Lab()
    lab.run(lab.engine.connect())
    nvm, plan = lab.device.nvm, M.SessionOpen(target_cores=30, coverage_bp=600, depth_um=3_000, zones_cm2=(4,))
    close: dict[str, Any] = zeros(M.SessionClose)
    with pytest.raises(CommandRefusedError) as caught:
        for number in range(1, 1_000):
            lab.ask(plan)
            lab.ask(M.SessionClose(**{**close, "session_no": number, "reason": CloseReason.COMPLETED}))
    assert caught.value.code is Code.E_STORAGE and nvm.read(1, 1)[0] == nvm.tail == 1


def test_a_command_that_is_refused_leaves_no_record_of_having_acted() -> None:
    lab = Lab()
    lab.open()
    lab.numb()
    lab.device.plant.cartridge.sterile = False
    head = lab.device.nvm.head
    for command in (M.Arm(), M.Arm()):
        assert refusal(lab, command).interlock == 11
    kinds = [type(decode_record(raw)).__name__ for raw in lab.device.nvm.read(head, 9)[1]]
    assert kinds == ["AlarmChanged", "Refusal", "Refusal"]


PLANS = [
    ({"zones_cm2": ()}, "zones of at least 1 cm2"),
    ({"zones_cm2": (0, 5)}, "zones of at least 1 cm2"),
    ({"zones_cm2": (1_000, 1_001)}, "2,000 cm2 in all"),
    ({"depth_um": 3_100}, "not a multiple of 500 um"),
    ({"target_cores": 10_000}, "at most 48 punctures"),
]


@pytest.mark.parametrize(("changes", "words"), PLANS)
def test_plan_that_cannot_be_is_refused(changes: dict[str, Any], words: str) -> None:
    lab = Lab()
    lab.run(lab.engine.connect())
    values = {"target_cores": 10, "coverage_bp": 600, "depth_um": 3_000, "zones_cm2": (1,)}
    error = refusal(lab, M.SessionOpen(**{**values, **changes}))
    assert error.code is Code.E_RANGE and words in error.sentence
    assert lab.device.nvm.session is None


@pytest.mark.parametrize(
    ("coverage_bp", "parameters", "cycles"),
    [
        (400, {}, 11),
        (500, {}, 13),
        (600, {}, 16),
        (800, {}, 21),
        (600, {"core_diameter_mm": 0.3}, 21),
        (600, {"core_diameter_mm": 0.49}, 11),
        (600, {"core_diameter_mm": 0.3, "density_cap_per_cm2": 113}, 28),
        (800, {"needles": 8}, 7),
        (800, {"needles": 1}, 63),
    ],
)
def test_the_device_tells_how_many_cycles_a_cell_takes(
    coverage_bp: int, parameters: dict[str, float], cycles: int
) -> None:
    lab = Lab(parameters=parameters)
    lab.run(lab.engine.connect())
    opened = lab.ask(M.SessionOpen(target_cores=10, coverage_bp=coverage_bp, depth_um=3_000, zones_cm2=(1,)))
    assert opened.cycles_per_cell == cycles
    assert opened.punctures_per_cell == cycles * opened.needles <= parameters.get("density_cap_per_cm2", 63)


def test_a_session_may_be_completed_below_its_target() -> None:
    """That it is complete is the host's word. The counts are compared, as of every session."""
    lab = Lab().begin(2)
    session = lab.device.nvm.session
    assert session is not None and 0 < session.cores_counted < session.target_cores
    assert_counted(lab, lab.close(CloseReason.COMPLETED))
    closed = [record for record in lab.records if isinstance(record, R.SessionClosed)]
    assert [record.reason for record in closed] == [CloseReason.COMPLETED]


@pytest.mark.parametrize("steps", [1, 2, 8])
def test_an_advance_takes_its_time_for_each_of_its_steps(steps: int) -> None:
    heard: list[bytes] = []
    lab = Lab(tap=lambda sender, data, now: heard.append(data) if sender == "device" else None).begin(1)
    lab.ask(punch(lab, 2))
    lab.ask(M.Suction(cycle_no=2))
    heard.clear()
    began = lab.now
    lab.ask(M.Advance(cycle_no=2, steps=steps))
    assert lab.now - began == steps * 60 * MILLISECOND
    assert [message.expected_ms for _, message in seen(heard) if isinstance(message, M.Received)] == [steps * 60]


def test_session_that_is_open_is_not_opened_again_and_only_its_own_number_closes_it() -> None:
    lab = Lab().begin(1)
    again = refusal(lab, M.SessionOpen(target_cores=1, coverage_bp=600, depth_um=3_000, zones_cm2=(1,)))
    assert "session 1 is open: resume or close it first" in again.sentence
    with pytest.raises(CommandRefusedError, match="session 1 is open"):
        lab.run(lab.engine.open_session(lab.plan, IDENTITY))
    lab.ask(M.Disarm())
    counts = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    other = refusal(lab, M.SessionClose(session_no=9, reason=CloseReason.ABORTED, **counts))
    assert (other.code, other.expected, other.actual) == (Code.E_STATE, 1, 9)
    assert other.sentence == "session 9 is not open here; open is 1"
    assert refusal(lab, M.SessionClose(session_no=1, reason=CloseReason.UNKNOWN, **counts)).code is Code.E_ARGUMENT


def test_there_is_no_session_to_close() -> None:
    lab = Lab()
    lab.run(lab.engine.connect())
    counts = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    none = refusal(lab, M.SessionClose(session_no=1, reason=CloseReason.ABANDONED, **counts))
    assert (none.code, none.expected, none.actual) == (Code.E_STATE, 0, 1)
    assert none.sentence == "session 1 is not open here; open is none"


def test_viewer_may_look_and_stop_and_nothing_else() -> None:
    lab = Lab().begin(1)
    viewer = Bystander(lab)
    for command in (M.Disarm(), M.AlarmAck(code=1501), M.ParamSet(name="trigger_required", value=1.0)):
        answer = viewer.ask(command)
        assert isinstance(answer, Refused) and answer.code is Code.E_AUTH
    answer = viewer.ask(M.JournalAck(epoch=lab.device.nvm.epoch, upto=2))
    assert isinstance(answer, Refused) and answer.code is Code.E_AUTH
    assert isinstance(viewer.ask(M.DeviceInfo()), M.DeviceInfoDone)
    assert isinstance(viewer.ask(M.Stop()), M.StopDone)


def test_without_a_session_there_is_no_cycle() -> None:
    lab = Lab()
    lab.run(lab.engine.connect())
    for command in (punch(lab, 1), M.Suction(cycle_no=1), M.Arm()):
        error = refusal(lab, command)
        assert (error.code, error.actual) == (Code.E_STATE, DeviceState.IDLE)
        assert error.sentence == f"{type(command).__name__} needs an open session; there is none"


def test_a_command_that_a_device_does_not_have_is_unsupported() -> None:
    """This one has all of them; a smaller one has not."""
    lab, rules = Lab().begin(1), dict(RULES)
    del RULES[M.Purge]
    try:
        error = refusal(lab, M.Purge())
    finally:
        RULES.clear()
        RULES.update(rules)  # in its order, which a page shows
    assert (error.code, error.sentence) == (Code.E_UNSUPPORTED, "this device does not carry out Purge")


def test_a_port_is_granted_ten_links_a_second() -> None:
    """One more is passed over in silence, and the host's retry is granted."""
    lab = Lab()
    port = lab.device.attach("busy")

    def greet(number: int) -> list[type[Message]]:
        lab.device.receive(port, frame(hello(nonce=number), 0, number), lab.now)
        return [type(message) for _, message in seen(port.exchange.take())]

    assert [greet(number) for number in range(1, 11)] == [[M.Welcome]] * 10
    links = lab.device.nvm.link_count
    assert greet(11) == [] and lab.device.nvm.link_count == links
    lab.wait(SECOND - 1)
    assert greet(11) == [] and lab.device.nvm.link_count == links
    lab.wait(1)
    assert greet(11) == [M.Welcome] and lab.device.nvm.link_count == links + 1


def test_an_alarm_is_told_to_every_link() -> None:
    lab = Lab().begin(1)
    viewer, gone, never = Bystander(lab), lab.device.attach("gone"), lab.device.attach("never")
    lab.device.receive(gone, frame(hello(host_id=8), 0, 1), lab.now)
    gone.exchange.drop()
    for port in lab.device.ports:
        port.exchange.take()
    lab.device.set_alarm(RETAINED_COMMAND, present=True, now=lab.now)
    for port in (lab.world.port, viewer.port):
        (told,) = [message for _, message in seen(port.exchange.take())]
        assert isinstance(told, M.Alarm) and told.code == RETAINED_COMMAND
    assert gone.exchange.take() == never.exchange.take() == []


def test_a_link_ends_once_however_often_its_host_greets() -> None:
    lab = Lab().begin(1)
    ended: list[tuple[Any, LinkEnd]] = []
    lab.device.link_ended = lambda port, end, now: ended.append((port, end))
    first, second = Bystander(lab), Bystander(lab)
    assert ended == [(first.port, LinkEnd.HELLO)], "the same host by another port"
    second.greet()
    assert ended[1:] == [(second.port, LinkEnd.HELLO)]
    second.exchange.bye(ByeReason.CLOSING, lab.now)
    second.beat()
    first.greet()
    assert [port for port, _ in ended[2:]] == [second.port], "what had ended does not end again"
    assert first.port.exchange.linked


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CONTROLLER])
def test_a_link_without_control_moves_no_tail_and_leaves_no_record(role: Role) -> None:
    lab = Lab().begin(2)
    nvm, other = lab.device.nvm, Bystander(lab, role)
    nvm.append(R.Boot(event_no=nvm.head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    head, tail = nvm.head, nvm.tail
    assert tail < head
    for command in (M.JournalAck(epoch=nvm.epoch, upto=head), punch(lab, 9), M.Arm()):
        answer = other.ask(command)
        assert isinstance(answer, Refused) and answer.code in (Code.E_AUTH, Code.E_BUSY)
    assert (nvm.head, nvm.tail) == (head, tail)
    refusal(lab, punch(lab, 9))
    assert nvm.head == head + 1, "that of its own host is part of the session"


def test_parameters_are_read_by_all_and_set_within_their_range() -> None:
    lab = Lab().begin(1)
    assert lab.ask(M.ParamGet(name="vacuum_tau_s")).value == 0.8
    assert lab.ask(M.ParamList(index=0)).name == "needles"
    assert refusal(lab, M.ParamList(index=60_000)).code is Code.E_RANGE
    assert refusal(lab, M.ParamGet(name="leek_kpa_s")).code is Code.E_ARGUMENT
    assert refusal(lab, M.ParamSet(name="leak_kpa_s", value=1.0)).code is Code.E_AUTH
    assert refusal(lab, M.ParamSet(name="lease_armed_ms", value=9.0)).code is Code.E_RANGE
    assert lab.ask(M.ParamSet(name="lease_armed_ms", value=900.0)).value == 900
    assert lab.world.port.exchange.pace.lease_us == 600 * MILLISECOND, "both ends go on by what WELCOME said"


def test_telemetry_comes_at_its_interval_until_it_is_switched_off() -> None:
    lab = Lab().begin(1)
    viewer = Bystander(lab, Role.VIEWER)
    assert viewer.ask(M.StreamSet(stream=Stream.STATE, interval_ms=5)) == M.StreamSetDone(
        stream=Stream.STATE, interval_ms=20
    )
    lab.wait(SECOND + 1)
    viewer.beat()
    heard = [message for message in viewer.told if isinstance(message, M.TelemetryState)]
    assert len(heard) == 50 and {message.state for message in heard} == {DeviceState.ARMED}
    assert all(-56_000 < message.vacuum_pa < -50_000 and message.depth_um == 0 for message in heard)
    viewer.ask(M.StreamSet(stream=Stream.STATE, interval_ms=0))
    lab.wait(SECOND)
    viewer.beat()
    assert len([message for message in viewer.told if isinstance(message, M.TelemetryState)]) == 50


def test_telemetry_keeps_its_interval_whatever_else_happens() -> None:
    """Motions and heartbeats wake the device between, and a host that has gone hears no more."""
    lab = Lab().begin(1)
    viewer = Bystander(lab, Role.VIEWER)
    viewer.ask(M.StreamSet(stream=Stream.STATE, interval_ms=70))
    alone = Lab().begin(1)
    for _ in range(20):
        alone.cycle()
        lab.cycle()
        assert lab.now == alone.now, "nothing waits for it"
    viewer.beat()
    heard = [message.uptime_ms for message in viewer.told if isinstance(message, M.TelemetryState)]
    assert len(heard) > 50 and {later - earlier for earlier, later in pairwise(heard)} == {70}
    viewer.exchange.bye(ByeReason.CLOSING, lab.now)
    viewer.beat()
    lab.cycle()
    assert not viewer.port.exchange.linked and viewer.port.exchange.take() == []


def test_truth_is_told_after_the_close_and_only_of_this_run() -> None:
    lab = Lab().begin(2)
    assert refusal(lab, M.TruthGet()).code is Code.E_STATE
    lab.close(CloseReason.ABORTED)
    assert lab.ask(M.TruthGet()).punctures == 6
    lab.device.reboot(lab.now)
    lab.replace_host()
    lab.run(lab.engine.connect())
    assert refusal(lab, M.TruthGet()).code is Code.E_UNSUPPORTED


def test_disarm_is_done_at_once_where_the_line_is_vented_already() -> None:
    lab = Lab().begin(1)
    lab.inject(pump_stalled=True)
    lab.until(lambda: lab.device.plant.vacuum.pressure_kpa(lab.now) > -1)
    assert lab.state is DeviceState.ARMED
    began = lab.now
    assert lab.ask(M.Disarm()).state is DeviceState.ANESTHESIA_CONFIRMED
    assert lab.now == began


def test_arm_is_done_at_once_where_the_vacuum_still_stands() -> None:
    """A host that is back before the line is vented: the pump takes over what is left."""
    lab = Lab(seed=7).begin(2)
    lab.ask(M.Stop())
    lab.ask(M.FaultReset())
    lab.ask(M.AnesthesiaStart(zone=0, method="lidocaine", age_s=600))
    lab.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="a person"))
    began = lab.now
    assert lab.device.plant.vacuum.sensed_kpa(began) < lab.device.parameters.vacuum_low_kpa
    assert isinstance(lab.ask(M.Arm()), M.ArmDone)
    assert lab.now - began < 10 * MILLISECOND
