"""Who holds control of the device, from when and until when: with the session, and only for what was accepted."""

import pytest

from devicectl.errors import CommandRefusedError
from devicectl.session.machine import State
from protocols.language import messages as M
from protocols.language.enums import ByeReason, CloseReason, Code, DeviceState, Role
from protocols.language.messages import Refused
from protocols.language.units import MILLISECOND, SECOND
from tests.world import Bystander, Lab, assert_counted

OPEN = M.SessionOpen(target_cores=30, coverage_bp=600, depth_um=3_000, zones_cm2=(4,))
TOO_SMALL = M.SessionOpen(target_cores=10_000, coverage_bp=600, depth_um=3_000, zones_cm2=(1,))
COUNTS = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
ABANDON = M.SessionClose(session_no=1, reason=CloseReason.ABANDONED, **COUNTS)
RIVAL = 99


def connected() -> Lab:
    lab = Lab()
    lab.run(lab.engine.connect())
    return lab


def holder(lab: Lab) -> int:
    return lab.device.controller_host_id


def own_id(lab: Lab) -> int:
    return lab.world.port.host_id


def refused_code(answer: object) -> Code:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_a_refused_open_takes_no_control() -> None:
    lab = connected()
    with pytest.raises(CommandRefusedError) as caught:
        lab.ask(TOO_SMALL)
    assert (caught.value.code, holder(lab)) == (Code.E_RANGE, 0)
    rival = Bystander(lab, Role.CONTROLLER)
    assert isinstance(rival.ask(OPEN), M.SessionOpenDone)
    assert holder(lab) == RIVAL
    with pytest.raises(CommandRefusedError) as caught:
        lab.ask(OPEN)
    assert (caught.value.code, caught.value.actual) == (Code.E_BUSY, RIVAL)


def test_nobody_holds_a_device_without_a_session() -> None:
    lab = connected()
    lab.ask(M.Stop())
    lab.ask(M.ParamSet(name="trigger_required", value=0.0))
    lab.inject(estop_open=True)
    lab.inject(estop_open=False)
    assert lab.state is DeviceState.SAFE
    lab.ask(M.FaultReset())
    assert (lab.state, holder(lab)) == (DeviceState.IDLE, 0)
    assert isinstance(Bystander(lab, Role.CONTROLLER).ask(OPEN), M.SessionOpenDone)


def test_the_close_gives_control_back_while_the_link_stays() -> None:
    lab = Lab().begin(2)
    assert holder(lab) == own_id(lab)
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")
    assert holder(lab) == 0 and lab.world.port.exchange.linked
    rival = Bystander(lab, Role.CONTROLLER)
    assert isinstance(rival.ask(OPEN), M.SessionOpenDone)
    assert holder(lab) == RIVAL


def test_a_refused_close_gives_nothing_back() -> None:
    lab = Lab().begin(2)
    lab.ask(M.Disarm())
    with pytest.raises(CommandRefusedError, match="2 here, 0 at the host"):
        lab.ask(M.SessionClose(session_no=1, reason=CloseReason.ABORTED, **COUNTS))
    assert holder(lab) == own_id(lab)
    assert refused_code(Bystander(lab, Role.CONTROLLER).ask(ABANDON)) is Code.E_BUSY


@pytest.mark.parametrize("loss", ["cable", "reboot", "bye"])
def test_a_session_left_open_goes_to_the_first_host_that_is_accepted(loss: str) -> None:
    lab = Lab().begin(2)
    if loss == "cable":
        lab.world.cut()
    elif loss == "bye":
        lab.engine.link.exchange.bye(ByeReason.CLOSING, lab.now)
        lab.world.refresh()
    else:
        lab.device.reboot(lab.now)
    rival = Bystander(lab, Role.CONTROLLER)
    assert holder(lab) == 0
    for no in (M.Disarm(), OPEN, M.SessionClose(session_no=7, reason=CloseReason.ABANDONED, **COUNTS)):
        assert refused_code(rival.ask(no)) in (Code.E_STATE, Code.E_INTERLOCK)
    assert holder(lab) == 0, "what was refused takes nothing"
    assert isinstance(rival.ask(M.FaultReset()), M.FaultResetDone)
    assert holder(lab) == RIVAL
    assert isinstance(rival.ask(ABANDON), M.SessionCloseDone)
    assert holder(lab) == 0


def test_the_host_of_a_session_recovers_beside_a_rival_that_was_refused() -> None:
    lab = Lab().begin(2)
    rival = Bystander(lab, Role.CONTROLLER)
    lab.world.cut()
    assert isinstance(rival.ask(OPEN), Refused)
    lab.world.mend()
    lab.cycle()
    assert holder(lab) == own_id(lab)
    assert refused_code(rival.ask(M.Disarm())) is Code.E_BUSY
    rival.beat()
    assert_counted(lab, lab.finish())


def test_a_viewers_stop_takes_no_control() -> None:
    lab = Lab().begin(1)
    lab.world.cut()
    viewer = Bystander(lab)
    assert isinstance(viewer.ask(M.Stop()), M.StopDone)
    assert holder(lab) == 0


def test_control_that_ends_leaves_the_long_lease() -> None:
    """STOP and SESSION_CLOSE in one piece of bytes: the link must not stay as hurried as it was while armed."""
    lab = Lab().begin(1)
    link = lab.engine.link
    link.exchange.submit(M.Stop(), lab.now)
    link.exchange.submit(ABANDON, lab.now)
    port, data = lab.world.port, b"".join(link.exchange.take())
    lab.device.receive(port, data, lab.now)
    assert holder(lab) == 0 and not port.hurried
    assert port.exchange.pace.lease_us == 15 * SECOND


def test_a_host_that_lost_the_answer_to_its_close_finds_it_before_the_next_session() -> None:
    lab = Lab(baud=115_200).begin(3)
    rival = Bystander(lab, Role.CONTROLLER)
    task = lab.start(lab.engine.close(CloseReason.ABORTED, 0.0))
    lab.until(lambda: lab.state is DeviceState.DISARMING)
    lab.until(lambda: any(isinstance(one.message, M.SessionClose) for one in lab.engine.link.procedures._by_request))
    lab.world.device_muted = True
    lab.until(lambda: lab.device.nvm.session is None)
    lab.world.cut()
    assert isinstance(rival.ask(OPEN), M.SessionOpenDone)
    lab.world.device_muted = False
    lab.world.mend()
    lab.until(lambda: task.done)
    assert (task.outcome().state, task.outcome().reconciled) == ("aborted", True)
    assert lab.device.nvm.session is not None and holder(lab) == RIVAL


def test_a_host_whose_session_is_closed_ends_well_though_another_opens_the_next_at_once() -> None:
    """Between its SESSION_CLOSE and its last words: the ring is freed by others, the truth is not to be had."""
    lab = Lab(baud=115_200).begin(3)
    rival = Bystander(lab, Role.CONTROLLER)
    task = lab.start(lab.engine.close(CloseReason.ABORTED, 0.0))
    lab.until(lambda: lab.device.nvm.session is None)
    assert isinstance(rival.ask(OPEN), M.SessionOpenDone)
    lab.until(lambda: task.done)
    finish = task.outcome()
    assert (finish.state, finish.reconciled) == ("aborted", True)
    assert [note.name for note in lab.notes if note.kind == "refusal"] == ["truth_get"]
    assert lab.device.nvm.session is not None and holder(lab) == RIVAL


# --- leases that change ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap_ms", [700, 3_500, 4_900])
def test_a_host_that_was_idle_before_arm_loses_no_link(gap_ms: int) -> None:
    """The device has been silent for up to five seconds, as it may; the short lease begins when it answers ARM."""
    lab = Lab(baud=115_200)
    lab.open()
    lab.numb()
    lab.wait(gap_ms * MILLISECOND)
    assert_counted(lab, lab.finish())
    assert State.RECOVERING not in lab.states


def test_the_short_lease_holds_from_the_answer_to_arm() -> None:
    lab = Lab(baud=115_200)
    lab.open()
    lab.numb()
    link = lab.engine.link
    task = lab.start(lab.all_cycles())
    assert link.exchange.pace.lease_us == 15 * SECOND and link.exchange.pace.heartbeat_us == 200 * MILLISECOND
    lab.until_state(DeviceState.ARMING)
    lab.until(lambda: link.exchange.pace.lease_us == 600 * MILLISECOND, 100 * MILLISECOND)
    assert lab.state is DeviceState.ARMING
    lab.until(lambda: task.done)


def test_an_arm_that_is_refused_leaves_the_long_lease() -> None:
    lab = Lab()
    lab.open()
    lab.numb()
    lab.device.plant.cartridge.sterile = False
    with pytest.raises(CommandRefusedError, match="not sterile"):
        lab.cycle()
    assert lab.engine.link.exchange.pace.lease_us == 15 * SECOND
    assert lab.engine.link.exchange.pace.heartbeat_us == 5 * SECOND


@pytest.mark.parametrize(("heartbeat_ms", "lease_ms"), [(20_000, 60_000), (500, 1_000)])
def test_leases_that_are_set_count_for_the_next_link(heartbeat_ms: int, lease_ms: int) -> None:
    """Both ends keep to what WELCOME said, or one of them would take the other's silence for a loss."""
    lab = Lab(baud=115_200)
    lab.open()
    asked = {"heartbeat_idle_ms": heartbeat_ms, "lease_idle_ms": lease_ms}
    for name, value in sorted(asked.items(), reverse=lease_ms > 15_000):  # a heartbeat is always below its lease
        lab.ask(M.ParamSet(name=name, value=float(value)))
    lab.wait(70 * SECOND)
    assert State.RECOVERING not in lab.states and lab.world.port.exchange.linked
    other = Bystander(lab)
    assert other.port.exchange.pace.lease_us == lease_ms * MILLISECOND
    lab.numb()
    assert_counted(lab, lab.finish())
