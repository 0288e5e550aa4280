"""A session whose answer was lost is found again, and no other one is taken for it."""

import pytest

from devicectl.errors import CommandRefusedError, LinkError, SessionFoundError
from devicectl.session.machine import State
from devicectl.session.procedures import Task
from firmware_sim.commands.queries import QUERIES
from firmware_sim.control import Control
from firmware_sim.memory.session import SessionMemory
from firmware_sim.ports import Port
from protocols.language import messages as M
from protocols.language.enums import ByeReason, CloseReason, Role
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.world import IDENTITY, Bystander, Lab, Late, assert_counted


def asked(lab: Lab) -> bool:
    return any(isinstance(request.message, M.SessionOpen) for request in lab.engine.link.procedures._by_request)


def cut_when_asked() -> tuple[Lab, Task[None]]:
    """The cable is pulled when SESSION_OPEN is on its way: it has not come."""
    lab = Lab(line=Late(least_ms=5, most_ms=5))
    lab.run(lab.engine.connect())
    task = lab.start(lab.engine.open_session(lab.plan, IDENTITY))
    lab.until(lambda: asked(lab))
    lab.world.cut()
    return lab, task


def other_session(lab: Lab, **changes: object) -> SessionMemory:
    """A session on the device that somebody else has opened meanwhile: of the same plan, but for the changes."""
    plan = lab.plan
    wanted = {
        "target_cores": plan.target_cores,
        "coverage_bp": plan.coverage_bp,
        "depth_um": plan.depth_um,
        "zones_cm2": tuple(zone.area_cm2 for zone in plan.zones),
        **changes,
    }
    other = Bystander(lab, Role.CONTROLLER)
    answer = other.ask(M.SessionOpen(**wanted))  # type: ignore[arg-type]
    assert isinstance(answer, M.SessionOpenDone), answer
    other.exchange.bye(ByeReason.CLOSING, lab.now)
    other._carry()
    assert lab.device.nvm.session is not None
    return lab.device.nvm.session


def close(lab: Lab, session: SessionMemory) -> None:
    """Somebody else closes it."""
    other = Bystander(lab, Role.CONTROLLER)
    counts = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    other.ask(M.SessionClose(session_no=session.session_no, reason=CloseReason.ABORTED, **counts))
    other.exchange.bye(ByeReason.CLOSING, lab.now)
    other._carry()


@pytest.mark.parametrize("records", [0, 1, 8])
def test_one_whose_answer_was_lost_is_gone_on_with(records: int) -> None:
    """Also where its record is not the first since it was asked for."""
    lab = Lab(line=Late(least_ms=5, most_ms=5))
    lab.run(lab.engine.connect())
    task = lab.start(lab.engine.open_session(lab.plan, IDENTITY))
    lab.until(lambda: asked(lab))
    for _ in range(records):
        lab.device.board.alarm_changed(601, lab.now)
    lab.until(lambda: lab.device.nvm.session is not None)
    lab.world.cut()
    lab.wait(50 * MILLISECOND)
    lab.world.mend()
    lab.until(lambda: task.done)
    task.outcome()
    assert lab.engine.session()[0].session_no == lab.device.nvm.session_no == 1
    assert State.RECOVERING in lab.states, "what the device did meanwhile is looked at first"
    lab.numb()
    assert_counted(lab, lab.finish())


def test_one_that_was_not_opened_is_asked_for_again() -> None:
    lab, task = cut_when_asked()
    assert lab.device.nvm.session is None
    lab.world.mend()
    lab.until(lambda: task.done)
    task.outcome()
    lab.numb()
    assert_counted(lab, lab.finish())


CHANGES: list[dict[str, object]] = [
    {"target_cores": 79},
    {"coverage_bp": 500},
    {"depth_um": 3_500},
    {"zones_cm2": (40, 41)},
    {"zones_cm2": (80,)},
]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: next(iter(changes)))
def test_one_of_another_plan_is_not_taken_for_it(changes: dict[str, object]) -> None:
    lab, task = cut_when_asked()
    other_session(lab, **changes)
    lab.world.mend()
    lab.until(lambda: task.done)
    with pytest.raises(SessionFoundError, match="holds open session 1"):
        task.outcome()
    assert lab.device.nvm.session is not None and lab.engine.opened is None


def test_another_one_is_not_taken_for_it_by_the_plan_of_one_before() -> None:
    lab, task = cut_when_asked()
    close(lab, other_session(lab))
    other_session(lab, target_cores=79)
    lab.world.mend()
    lab.until(lambda: task.done)
    with pytest.raises(SessionFoundError, match="holds open session 2"):
        task.outcome()


def test_a_device_that_shows_no_record_of_it_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, task = cut_when_asked()
    other_session(lab)

    def empty(control: Control, port: Port, command: M.JournalRead, now: Micros) -> Message:
        nvm = control.board.nvm
        return M.JournalPage(epoch=nvm.epoch, first=command.first, tail=nvm.tail, head=nvm.head, records=b"")

    asked_for: type[Message] = M.JournalRead
    monkeypatch.setitem(QUERIES, asked_for, empty)
    lab.world.mend()
    lab.until(lambda: task.done, within=10 * SECOND)
    with pytest.raises(SessionFoundError):
        task.outcome()


def test_one_that_another_host_controls_is_not_taken_for_it() -> None:
    lab, task = cut_when_asked()
    other = Bystander(lab, Role.CONTROLLER)
    plan = lab.plan
    zones = tuple(zone.area_cm2 for zone in plan.zones)
    wanted = M.SessionOpen(
        target_cores=plan.target_cores, coverage_bp=plan.coverage_bp, depth_um=plan.depth_um, zones_cm2=zones
    )
    assert isinstance(other.ask(wanted), M.SessionOpenDone)
    lab.world.mend()
    lab.until(lambda: task.done)
    with pytest.raises(SessionFoundError):
        task.outcome()


def test_one_in_which_a_cycle_was_done_is_not_taken_for_it() -> None:
    lab, task = cut_when_asked()
    other_session(lab)
    lab.device.nvm.last_cycle_no += 1
    lab.world.mend()
    lab.until(lambda: task.done)
    with pytest.raises(SessionFoundError):
        task.outcome()


def test_one_of_before_is_never_taken_for_it() -> None:
    """It was not asked for when it was there already, whatever its plan is."""
    lab = Lab()
    other_session(lab)
    with pytest.raises(CommandRefusedError, match="session 1 is open: resume or close it first"):
        lab.open()
    assert lab.engine.opened is None


def test_one_that_was_opened_and_closed_by_another_leaves_room() -> None:
    lab, task = cut_when_asked()
    close(lab, other_session(lab))
    lab.world.mend()
    lab.until(lambda: task.done)
    task.outcome()
    assert lab.engine.session()[0].session_no == 2


def test_a_device_that_never_answered_is_not_asked_again_and_again() -> None:
    lab = Lab()
    lab.world.device_muted = True
    with pytest.raises(LinkError, match="does not answer"):
        lab.run(lab.engine.connect())
    assert not [note for note in lab.notes if note.name == "recover"]
    assert lab.now < 3_000 * MILLISECOND
