"""What breaks and comes back at any moment of a session: the wire, the device's power, the host. Counts stay exact."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from devicectl.errors import CommandRefusedError, LinkError, LinkForbiddenError, SessionError
from devicectl.log.store import SessionLog
from devicectl.session.machine import State
from devicectl.session.procedures import Task
from firmware_sim.board.board import Board
from firmware_sim.board.motion import Asker
from firmware_sim.board.refusals import interlocked
from firmware_sim.commands.rules import RULES
from firmware_sim.memory.nvm import WORK_ROOM, Nvm
from protocols.language import messages as M
from protocols.language.alarm_codes import LINK_LOST, POWER_LOST_IN_STROKE
from protocols.language.enums import ByeReason, CloseReason, Code, DeviceState, Ending, NeedleOutcome, Phase, Role
from protocols.language.message import Message
from protocols.language.messages import Aborted, Refused
from protocols.language.records import unpack_outcomes
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.integration.device.test_full_memory import Disk, lab_on
from tests.native import reaches_inside
from tests.world import PHASES, SHORT, Bystander, Lab, Late, assert_counted, at_moment

RUNNING = [name for name in PHASES if name != "disarming"]


@pytest.fixture(params=["at once", "late"])
def line(request: pytest.FixtureRequest) -> Late | None:
    """The wire between the two: without a delay, or with one that changes."""
    return Late() if request.param == "late" else None


def finish(lab: Lab, task: Task[Any] | None) -> None:
    """The session goes on by itself to its end, and everything agrees."""
    if task is not None:
        lab.until(lambda: task.done)
        task.outcome()
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize("away_ms", [0, 50, 2_000])
@pytest.mark.parametrize("moment", RUNNING)
def test_session_survives_a_cable_that_is_pulled_and_put_back(moment: str, away_ms: int, line: Late | None) -> None:
    lab, task = at_moment(moment, line=line)
    lab.world.cut()
    lab.wait(away_ms * MILLISECOND)
    lab.world.mend()
    finish(lab, task)


@pytest.mark.parametrize("moment", RUNNING)
def test_session_survives_a_reboot_of_the_device(moment: str, line: Late | None) -> None:
    lab, task = at_moment(moment, line=line)
    open_cycle = lab.device.nvm.register is not None
    lab.reboot_device()
    assert lab.state is DeviceState.SAFE
    assert (lab.alarm(POWER_LOST_IN_STROKE) == "LATCHED") == open_cycle
    finish(lab, task)
    assert State.RECOVERING in lab.states


@pytest.mark.parametrize("cut", [False, True], ids=["", "cut"])
@pytest.mark.parametrize("heard", [True, False], ids=["wire", "broker"])
@pytest.mark.parametrize("moment", PHASES)
def test_another_host_takes_the_session_over_from_the_log(
    moment: str, heard: bool, cut: bool, line: Late | None
) -> None:
    """At once where the killed one's wire went with it; after its lease where a broker says nothing of that.

    With `cut` the new one's own link is lost meanwhile.
    """
    with SessionLog.open("sqlite://") as log:
        lab, _ = at_moment(moment, log=log, line=line)
        assert lab.recorder is not None and lab.recorder.key is not None
        epoch, session_no = lab.engine.welcome.journal_epoch, lab.device.nvm.session_no
        lab.replace_host(heard=heard)
        lab.wait(SECOND if heard else 0)
        lab.run(lab.engine.connect())
        assert lab.engine.welcome.session_no == session_no
        assert (lab.engine.welcome.controller_host_id != 0) is not heard
        stored = log.find(lab.device.serial, epoch, session_no)
        assert stored is not None and stored.key == lab.recorder.key
        task = lab.start(lab.engine.adopt(stored, log.records(stored.key), 1.0))
        if cut:
            lab.wait(200 * MILLISECOND)
            lab.world.cut()
            lab.wait(50 * MILLISECOND)
            lab.world.mend()
        lab.until(lambda: task.done)
        task.outcome()
        lab.numb()  # nothing, where it is confirmed
        ended = lab.finish()
        assert_counted(lab, ended)
        report = log.load(stored.key).summary
        assert (report.state, report.reconciled) == ("completed", True)


def test_a_zone_that_a_killed_host_had_not_told_yet_is_told_with_the_others() -> None:
    with SessionLog.open("sqlite://") as log:
        lab = Lab(log=log, line=Late())
        lab.open()
        lab.start(lab.engine.confirm_anesthesia("lidocaine injection", "trainer"))
        lab.until(lambda: len(lab.device.board.zones) == 1)
        lab.replace_host()
        lab.run(lab.engine.connect())
        stored = log.find(lab.device.serial, lab.engine.welcome.journal_epoch, lab.device.nvm.session_no)
        assert stored is not None
        lab.run(lab.engine.adopt(stored, log.records(stored.key), None))
        zones = lab.device.board.zones
        assert sorted(zones) == [0, 1] and all(zone.confirmed for zone in zones.values())
        assert_counted(lab, lab.finish())


def test_an_anesthesia_is_timed_by_the_device_where_the_hosts_clock_stood_still() -> None:
    """As a laptop's does while it sleeps; the link is lost meanwhile."""
    lab = Lab(parameters={"anesthesia_wait_s": 5, "anesthesia_valid_s": 3_600}).begin(3)
    before = [zone.numbed_at for zone in lab.device.board.zones.values()]
    lab.world.cut()
    lab.wait(1_800 * SECOND)
    own = lab.engine._anesthesia._numbed
    own.update({zone: Micros(numbed_at + 1_800 * SECOND) for zone, numbed_at in own.items()})
    lab.world.mend()
    lab.cycle()
    after = [zone.numbed_at for zone in lab.device.board.zones.values()]
    assert all(then - 2 * SECOND <= now <= then for then, now in zip(before, after, strict=True))
    assert_counted(lab, lab.finish())


def test_a_killed_hosts_session_is_abandoned_after_its_lease() -> None:
    lab, _ = at_moment("suction")
    lab.replace_host(heard=False)
    lab.run(lab.engine.connect())
    assert lab.engine.welcome.controller_host_id
    lab.run(lab.engine.abandon())
    assert lab.device.nvm.session is None


@pytest.mark.parametrize("restore", [True, False], ids=["resumed", "abandoned"])
def test_who_finds_another_session_does_not_wait_for_anybody(restore: bool) -> None:
    with SessionLog.open("sqlite://") as log:
        lab, _ = at_moment("suction", log=log)
        assert lab.recorder is not None and lab.recorder.key is not None
        stored = log.find(lab.device.serial, lab.engine.welcome.journal_epoch, lab.device.nvm.session_no)
        assert stored is not None
        lab.replace_host(heard=False)
        lab.run(lab.engine.connect())
        began = lab.now
        other = replace(stored, start=replace(stored.start, session_no=9))
        with pytest.raises(SessionError, match="no longer holds session 9"):
            lab.run(lab.engine.adopt(other, log.records(stored.key), 1.0, restore=restore))
        assert lab.now == began


def test_a_session_that_the_device_has_closed_is_not_resumed_and_the_device_is_left_alone() -> None:
    with SessionLog.open("sqlite://") as log:
        lab = Lab(log=log).begin(1)
        assert lab.recorder is not None and lab.recorder.key is not None
        stored = log.find(lab.device.serial, lab.engine.welcome.journal_epoch, lab.device.nvm.session_no)
        assert stored is not None
        records = log.records(stored.key)
        lab.close(CloseReason.ABORTED)
        lab.replace_host()
        lab.run(lab.engine.connect())
        state = lab.state
        with pytest.raises(SessionError, match="no longer holds session 1: it names none"):
            lab.run(lab.engine.adopt(stored, records, 1.0))
        assert lab.state is state


def test_a_session_that_is_given_up_has_failed_and_one_that_has_ended_stays_as_it_is() -> None:
    lab = Lab().begin(1)
    for _ in range(2):
        lab.engine.give_up()
        assert lab.states[-1] is State.FAULTED
    lab = Lab().begin(1)
    lab.close(CloseReason.ABORTED)
    lab.engine.give_up()
    assert lab.states[-1] is State.ABORTED


def test_a_host_whose_lease_never_ends_is_not_waited_for() -> None:
    lab, _ = at_moment("suction", parameters={**SHORT, "lease_armed_ms": 0, "lease_idle_ms": 0})
    lab.replace_host(heard=False)
    lab.run(lab.engine.connect())
    with pytest.raises(CommandRefusedError) as caught:
        lab.run(lab.engine.abandon())
    assert caught.value.code is Code.E_BUSY and lab.device.nvm.session is not None


# --- power is lost in a stroke --------------------------------------------------------------------------------


STROKE_MS = [0, 1, 15, 30, 39, 41, 60, 79]


@pytest.mark.parametrize("after_ms", STROKE_MS)
@pytest.mark.parametrize("latch", ["set", "unset", "unreadable"])
def test_power_lost_in_a_stroke_is_resolved_by_the_latch(latch: str, after_ms: int) -> None:
    lab = Lab().begin(5)
    lab.inject(stall=latch == "unset", latch_unreadable=latch == "unreadable")
    task = lab.start(lab.all_cycles())
    lab.until_state(DeviceState.PUNCHING, after=after_ms * MILLISECOND)
    cycle_no = lab.device.nvm.last_cycle_no
    lab.reboot_device()
    lab.inject(stall=False, latch_unreadable=False)
    assert lab.device.plant.needle.home(lab.now)
    ending, outcome = {
        "set": (Ending.ABORTED, NeedleOutcome.UNCOUNTED),
        "unset": (Ending.ABORTED, NeedleOutcome.NOT_PUNCTURED),
        "unreadable": (Ending.AMBIGUOUS, NeedleOutcome.AMBIGUOUS),
    }[latch]
    finish(lab, task)
    [record] = [cycle for cycle in lab.cycles if cycle.cycle_no == cycle_no]
    assert (record.ending, record.phase) == (ending, Phase.PUNCH)
    assert unpack_outcomes(record.outcomes, record.needles) == [outcome] * 3


# --- again and again ------------------------------------------------------------------------------------------


def test_losses_with_no_cycle_between_them_are_given_up_after_five() -> None:
    lab = Lab().begin(2)
    task = lab.start(lab.all_cycles())
    for _ in range(6):
        lab.world.cut()
        lab.world.mend()
        lab.until(lambda: task.done or lab.state is DeviceState.ARMING)
    lab.until(lambda: task.done)
    with pytest.raises(LinkError, match="pulled"):
        task.outcome()
    assert lab.state is DeviceState.SAFE
    assert [note.detail[:10] for note in lab.notes if note.name == "recover"] == [f"try {n} of 5" for n in range(1, 6)]
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")


def test_the_end_of_a_session_has_recoveries_of_its_own() -> None:
    lab, task = at_moment("suction", line=Late())
    assert task is not None
    for _ in range(6):
        lab.world.cut()
        lab.world.mend()
        lab.until(lambda: task.done or lab.state is DeviceState.ARMING)
    assert isinstance(task.error, LinkError)
    closing = lab.start(lab.engine.close(CloseReason.ABORTED, 0.0))
    lab.until(sent(lab, M.SessionClose))
    lab.world.cut()
    lab.world.mend()
    lab.until(lambda: closing.done)
    assert_counted(lab, closing.outcome(), state="aborted")


def slam(lab: Lab, times: int) -> None:
    """Whoever comes is thrown out before he is answered, so many times: a port that another host still holds."""
    lab.world.device_muted = True
    for _ in range(times):
        lab.world.mend()
        lab.wait(MILLISECOND)
        lab.world.cut("closed by the other end")
        lab.wait(50 * MILLISECOND)
    lab.world.device_muted = False
    lab.world.mend()


@pytest.mark.parametrize("moment", ["anesthesia wait", "suction", "disarming"])
def test_a_port_that_is_closed_as_soon_as_it_is_open_is_borne_for_a_while(moment: str) -> None:
    """Five tries pass in no time there, and the one before may hold the port for seconds."""
    lab, task = at_moment(moment)
    assert task is not None
    lab.world.cut()
    slam(lab, 100)
    lab.until(lambda: task.done)
    if moment == "disarming":
        assert_counted(lab, task.outcome(), state="aborted")
    else:
        finish(lab, task)


def test_a_port_that_stays_so_is_given_up_with_its_reason() -> None:
    lab, task = at_moment("suction")
    assert task is not None
    began = lab.now
    lab.world.cut()
    slam(lab, 1_000)
    assert task.done and lab.now - began < 60 * SECOND
    with pytest.raises(LinkError, match="no connection within 10 s: closed by the other end"):
        task.outcome()
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")


def test_losses_with_cycles_between_them_are_all_recovered_from() -> None:
    lab = Lab().begin(1)
    for _ in range(8):
        task = lab.start(lab.engine.next_cycle())
        lab.until_state(DeviceState.SUCTIONING)
        lab.world.cut()
        lab.world.mend()
        lab.until(lambda task=task: task.done)  # type: ignore[misc]
        assert task.outcome() is not None
    assert_counted(lab, lab.finish())
    assert lab.engine.reader is not None and lab.engine.reader.fold.counts.aborted == 8


def test_wire_that_stays_away_is_given_up_and_the_session_can_be_taken_up_again() -> None:
    lab, task = at_moment("suction")
    assert task is not None
    lab.world.cut()
    lab.until(lambda: task.done)
    with pytest.raises(LinkError, match="no connection within 10 s: the cable was pulled"):
        task.outcome()
    lab.world.mend()
    assert_counted(lab, lab.finish())


# --- kept out for good ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [name for name in RUNNING if name not in ("anesthesia wait", "armed", "paused")])
def test_what_stays_forbidden_is_not_tried_again(moment: str) -> None:
    """The session is over for this host: it is closed as aborted, if the link can be made for that."""
    lab, task = at_moment(moment)
    assert task is not None
    lab.world.cut("it may not say so", final=True)
    assert task.done
    with pytest.raises(LinkForbiddenError, match="it may not say so"):
        task.outcome()
    assert not [note for note in lab.notes if note.name == "recover"]
    lab.world.mend()
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")


@pytest.mark.parametrize("connected", [False, True], ids=["before HELLO", "after HELLO"])
def test_who_is_kept_out_while_he_makes_a_link_waits_no_longer(connected: bool) -> None:
    lab, task = at_moment("suction")
    assert task is not None
    lab.world.cut()
    if connected:
        lab.world.host_muted = True
        lab.world.mend()
    assert not task.done
    before = lab.now
    lab.engine.link.disconnected("it may not come in", lab.now, final=True)
    assert task.done and lab.now == before
    with pytest.raises(LinkForbiddenError, match="it may not come in"):
        task.outcome()
    lab.world.host_muted = False
    if connected:
        lab.world.cut()
    lab.world.mend()
    assert_counted(lab, lab.finish())


# --- the end of a session -------------------------------------------------------------------------------------


def sent(lab: Lab, message: type[M.SessionClose] | type[M.Disarm]) -> Callable[[], bool]:
    """Whether the host now waits for the answer to such a command."""
    waiting = lab.engine.link.procedures._by_request
    return lambda: any(isinstance(request.message, message) for request in waiting)


@pytest.mark.parametrize("back", ["cable", "reboot"])
def test_close_whose_answer_is_lost_is_found_in_the_journal(back: str) -> None:
    lab = Lab(baud=115_200).begin(4)
    task = lab.start(lab.engine.close(CloseReason.ABORTED, 0.0))
    lab.until(sent(lab, M.SessionClose))
    lab.world.device_muted = True
    lab.until(lambda: lab.device.nvm.session is None)
    if back == "cable":
        lab.world.cut()
        lab.world.mend()
    else:
        lab.reboot_device()
    lab.world.device_muted = False
    lab.until(lambda: task.done)
    assert_counted(lab, task.outcome(), state="aborted")


@pytest.mark.parametrize("cut", [True, False])
def test_close_survives_a_loss_while_it_disarms(cut: bool) -> None:
    lab, task = at_moment("disarming")
    assert task is not None
    if cut:
        lab.world.cut()
        lab.world.mend()
    else:
        lab.reboot_device()
    lab.until(lambda: task.done)
    assert_counted(lab, task.outcome(), state="aborted")
    assert lab.state is DeviceState.IDLE


def test_session_that_is_stopped_in_the_wait_closes_at_once() -> None:
    lab, task = at_moment("anesthesia wait", parameters={})
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    lab.run(lab.engine.stop())
    began = lab.now
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")
    assert lab.now - began < SECOND


def test_a_host_that_has_left_connects_again() -> None:
    lab = Lab()
    lab.run(lab.engine.connect())
    lab.engine.link.leave(ByeReason.CLOSING, lab.now)
    lab.world.refresh()
    lab.run(lab.engine.connect())
    assert lab.engine.link.exchange.linked and lab.states[-1] is State.IDLE


@pytest.mark.parametrize(
    ("reason", "state"), [(CloseReason.COMPLETED, State.COMPLETED), (CloseReason.ABORTED, State.ABORTED)]
)
def test_a_session_ends_in_the_state_of_its_reason(reason: CloseReason, state: State) -> None:
    lab = Lab().begin(1)
    lab.close(reason)
    assert lab.states[-1] is state


def test_a_stop_holds_an_armed_device_and_a_second_one_is_harmless() -> None:
    lab = Lab().begin(1)
    for stops in (1, 2):
        lab.run(lab.engine.stop())
        assert lab.state is DeviceState.SAFE and lab.states[-1] is State.RECOVERING
        assert [note.name for note in lab.notes].count("stop") == stops
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")


@pytest.mark.parametrize("where", ["no session", "no link", "ended"])
def test_a_stop_is_nothing_where_nothing_is_to_be_stopped(where: str) -> None:
    lab = Lab()
    if where == "no session":
        lab.run(lab.engine.connect())
    else:
        lab.begin(1)
    if where == "no link":
        lab.world.cut()
    elif where == "ended":
        lab.close(CloseReason.ABORTED)
    before, machine = lab.device.nvm.head, lab.engine.machine.now
    lab.run(lab.engine.stop())
    assert (lab.device.nvm.head, lab.engine.machine.now) == (before, machine)
    assert not [note for note in lab.notes if note.name == "stop"]


def test_held_device_closes_its_session_while_the_emergency_stop_is_open() -> None:
    lab, task = at_moment("suction")
    assert task is not None
    lab.inject(estop_open=True)
    lab.until(lambda: task.done)
    with pytest.raises(CommandRefusedError) as caught:
        task.outcome()
    assert caught.value.interlock == 20
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")
    assert lab.state is DeviceState.SAFE


# --- who else is there ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", RUNNING)
def test_stop_from_a_viewer_holds_the_session_and_the_operator_takes_it_up(moment: str, line: Late | None) -> None:
    lab, task = at_moment(moment, line=line)
    viewer = Bystander(lab)
    answer = viewer.ask(M.Stop())
    assert isinstance(answer, M.StopDone) and answer.state is DeviceState.SAFE
    again = viewer.ask(M.Stop())
    assert isinstance(again, M.StopDone) and again.state is DeviceState.SAFE
    finish(lab, task)


@pytest.mark.parametrize("moment", RUNNING)
def test_emergency_stop_that_is_closed_again_lets_the_session_go_on(moment: str) -> None:
    lab, task = at_moment(moment)
    lab.inject(estop_open=True)
    assert lab.state is DeviceState.SAFE
    if task is not None:
        lab.until(lambda: task.done)
        with pytest.raises(CommandRefusedError, match="emergency stop is still open") as caught:
            task.outcome()
        assert caught.value.interlock == 20
    lab.inject(estop_open=False)
    assert lab.state is DeviceState.SAFE
    finish(lab, None)


def test_late_command_of_a_cycle_that_was_stopped_is_answered_with_its_ending() -> None:
    lab, task = at_moment("suction")
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    Bystander(lab).ask(M.Stop())
    cycle_no = lab.device.nvm.last_cycle_no
    punches = lab.device.plant.truth.punctures
    for command in (M.Advance(cycle_no=cycle_no, steps=1), M.Punch(cycle_no=cycle_no, depth_um=3000, deadline_ms=0)):
        with pytest.raises(Exception, match="its number is used up") as caught:
            lab.ask(command)
        assert getattr(caught.value, "ending") is Ending.ABORTED  # noqa: B009
    assert lab.device.plant.truth.punctures == punches and lab.state is DeviceState.SAFE


def test_second_controller_is_told_who_holds_control() -> None:
    lab = Lab().begin(1)
    rival = Bystander(lab, Role.CONTROLLER)
    for command in (M.FaultReset(), M.Disarm(), M.Punch(cycle_no=9, depth_um=3000, deadline_ms=0)):
        answer = rival.ask(command)
        assert isinstance(answer, Refused)
        assert (answer.code.name, answer.actual) == ("E_BUSY", lab.device.ports[0].host_id)
    assert lab.state is DeviceState.ARMED


def test_host_that_says_hello_again_replaces_its_own_link_with_the_reaction_of_a_loss() -> None:
    lab, task = at_moment("dwell")
    assert task is not None
    rival = Bystander(lab)
    hello = M.Hello(
        majors=2, minor=0, role=Role.CONTROLLER, features=0, schema_id=0, host_id=lab.world.port.host_id,
        max_payload_size=224, nonce=1,
    )  # fmt: skip
    rival.exchange.hello(hello, lab.now)
    rival._carry()
    assert (lab.state, lab.alarm(LINK_LOST)) == (DeviceState.SAFE, "LATCHED")


def test_memory_that_was_erased_is_said_plainly() -> None:
    lab, task = at_moment("count")
    assert task is not None
    lab.device.nvm = Nvm(epoch=12345)
    lab.reboot_device()
    lab.until(lambda: task.done)
    with pytest.raises(SessionError, match="memory was erased: its journal is 0x00003039"):
        task.outcome()
    assert lab.state is DeviceState.IDLE


def test_session_that_another_host_closed_is_not_gone_on_with() -> None:
    lab, _ = at_moment("armed")
    lab.world.cut()
    other = Bystander(lab, Role.CONTROLLER)
    session = lab.device.nvm.session
    assert session is not None
    counts = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    other.ask(M.SessionClose(session_no=session.session_no, reason=CloseReason.ABANDONED, **counts))
    other.exchange.bye(ByeReason.CLOSING, lab.now)
    other._carry()
    lab.world.mend()
    with pytest.raises(SessionError, match="closed on the device by another host"):
        lab.cycle()
    with pytest.raises(SessionError, match="by another host, as ABANDONED"):
        lab.close()


def test_anesthesia_that_expired_while_the_link_was_gone_is_given_again() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 5, "anesthesia_valid_s": 20}).begin(3)
    lab.world.cut()
    lab.wait(25 * SECOND)
    lab.world.mend()
    assert_counted(lab, lab.finish())
    assert any(note.name == "anesthesia_start" for note in lab.notes[2:])


@reaches_inside
def test_aborted_answer_names_the_phase() -> None:
    lab, task = at_moment("advance")
    assert task is not None
    heard: list[M.Aborted] = []
    answered = lab.engine.link.procedures.answered

    def listen(request: Any, answer: Any, now: Any) -> None:
        if isinstance(answer, Aborted):
            heard.append(answer)
        answered(request, answer, now)

    lab.engine.link.procedures.answered = listen  # type: ignore[method-assign]
    Bystander(lab).ask(M.Stop())
    lab.wait(0)
    assert [(answer.ending, answer.phase) for answer in heard] == [(Ending.ABORTED, Phase.ADVANCE)]


# --- a device that does not stop refusing ------------------------------------------------------------------------


def no_such_cell(board: Board, asker: Asker, command: M.Reposition, now: Micros) -> Refused:
    return interlocked(9, "no cell is in the plan")


def test_a_device_that_refuses_each_move_of_the_hand_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy for a cell that is refused is another move of the hand, which is refused again."""
    lab = Lab(seed=7)
    lab.open()
    lab.numb()
    moved: type[Message] = M.Reposition
    monkeypatch.setitem(RULES, moved, RULES[moved]._replace(handler=no_such_cell))
    assert_given_up(lab, Code.E_INTERLOCK)


def test_a_device_that_never_has_room_needs_a_person() -> None:
    """Reading and acknowledging makes room in its journal, and none on its disk."""
    disk = Disk()
    lab = lab_on(disk, seed=7).begin(3)
    disk.fill(left=WORK_ROOM - 1)
    assert_given_up(lab, Code.E_STORAGE)


def assert_given_up(lab: Lab, code: Code) -> None:
    with pytest.raises(CommandRefusedError) as caught:
        lab.run(lab.all_cycles())
    assert caught.value.code is code
    last = lab.device.nvm.last_cycle_no
    lab.close(CloseReason.ABORTED)
    assert lab.device.nvm.session is None and lab.device.nvm.last_cycle_no == last
