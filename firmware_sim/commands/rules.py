"""Rules of the procedure's commands: the states in which each is lawful, its handler, and the refusal elsewhere."""

from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from firmware_sim.board.board import Board
from firmware_sim.board.motion import Asker
from firmware_sim.board.refusals import interlocked, refusal
from firmware_sim.board.states import HELD, RUNNING, UNARMED
from firmware_sim.commands import cycle, motions, sessions
from firmware_sim.memory.nvm import LAST_ROOM, WORK_ROOM
from firmware_sim.safety.punch_checks import refuse_arm
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, Code
from protocols.language.enums import DeviceState as S
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.units import Micros

Command = TypeVar("Command", bound=Message)


class Rule(NamedTuple, Generic[Command]):
    """A command of the procedure: what does it, in which states, and what else it needs.

    `journaled`: it leaves a record of itself. `needs_room`: it writes to the journal whatever happens, so it is
    refused while the journal has no room to spare. `store_room`: so many bytes must be free in what keeps the memory;
    PUNCH asks for itself, since a repeated one needs none, and what a PUNCH has begun has its place. `check`: what
    else may forbid it, asked before it leaves a record.
    """

    command: type[Command]
    handler: Callable[[Board, Asker, Command, Micros], Message | None]
    states: tuple[S, ...]
    needs_session: bool = True
    journaled: bool = False
    needs_room: bool = False
    check: Callable[[Board, Micros], Refused | None] | None = None
    store_room: int = 0


_ANY: Final = (*RUNNING, *HELD)

AnyRule: TypeAlias = Rule[Any]
"""A rule whose command is known only when it comes; a row is checked against its own command where it is made."""

_ROWS: Final[tuple[AnyRule, ...]] = (
    Rule(M.SessionOpen, sessions.open_session, (S.IDLE,), needs_session=False, needs_room=True, store_room=WORK_ROOM),
    Rule(M.AnesthesiaStart, sessions.start_anesthesia, UNARMED, needs_room=True, store_room=WORK_ROOM),
    Rule(M.AnesthesiaConfirm, sessions.confirm_anesthesia, (S.ANESTHESIA_WAIT,), needs_room=True, store_room=WORK_ROOM),
    Rule(
        M.Arm,
        motions.arm,
        (S.ANESTHESIA_CONFIRMED,),
        journaled=True,
        needs_room=True,
        check=refuse_arm,
        store_room=WORK_ROOM,
    ),
    Rule(M.Disarm, motions.disarm, (S.ARMED, S.PAUSED), journaled=True),
    Rule(M.Reposition, motions.reposition, (S.ARMED,), needs_room=True, store_room=WORK_ROOM),
    Rule(M.Punch, cycle.punch, RUNNING),
    Rule(M.Suction, cycle.hold_suction, RUNNING),
    Rule(M.Advance, cycle.advance, RUNNING),
    Rule(M.Count, cycle.count, RUNNING),
    Rule(M.Purge, motions.purge, (S.ARMED,), journaled=True, store_room=WORK_ROOM),
    Rule(M.Pause, motions.pause, (S.ARMED,), journaled=True),
    Rule(M.Resume, motions.resume, (S.PAUSED,), journaled=True),
    Rule(M.Stop, motions.stop, _ANY, needs_session=False, journaled=True),
    Rule(
        M.FaultReset,
        motions.reset_fault,
        (S.SAFE, S.FAULT),
        needs_session=False,
        journaled=True,
        check=motions.refuse_reset,
        store_room=LAST_ROOM,
    ),
    Rule(M.SessionClose, sessions.close_session, (*UNARMED, *HELD, S.IDLE), needs_session=False, store_room=LAST_ROOM),
)

RULES: Final[dict[type[Message], AnyRule]] = {rule.command: rule for rule in _ROWS}
"""The procedure's commands. Those of a cycle judge their own states, since a late one is answered from memory."""


def unlawful(board: Board, command: Message, rule: AnyRule) -> Refused:
    """Refuse a command that is not lawful in this state, by the interlock that keeps the device there if one does."""
    name, state, session = command.__class__.__name__, board.state, board.nvm.session
    if failure := board.plant.inputs.self_test_failure:
        return interlocked(I.SELF_TEST, f"{name} is refused: the self-test fails: {failure}", actual=state)
    if state in HELD:
        return _refused_by_hold(board, name)
    if isinstance(command, M.Arm) and state in UNARMED:
        return interlocked(
            I.ANESTHESIA_NEEDED, f"{name} is refused: anesthesia is not confirmed for every zone that was numbed"
        )
    if rule.needs_session and session is None:
        return refusal(Code.E_STATE, f"{name} needs an open session; there is none", actual=state)
    if isinstance(command, M.SessionOpen) and session is not None:
        text = f"session {session.session_no} is open: resume or close it first"
        return refusal(Code.E_STATE, text, actual=session.session_no)
    allowed = " or ".join(state.name for state in rule.states[:3])
    return refusal(Code.E_STATE, f"{name} needs {allowed}; the device is in {state.name}", actual=state)


def _refused_by_hold(board: Board, name: str) -> Refused:
    state, listing = board.state, board.alarms.listing()
    remedy = "only a restart leads out" if state is S.LOCKED else "FAULT_RESET comes first"
    # An information holds nothing: it was there before, and FAULT_RESET does not end it.
    if not listing or listing[0].rule.priority is AlarmPriority.INFO:
        return refusal(Code.E_STATE, f"{name} is refused in {state.name}: {remedy}", actual=state)
    alarm = listing[0].rule
    return interlocked(alarm.interlock, f"{name} is refused in {state.name} ({alarm.label}): {remedy}", actual=state)
