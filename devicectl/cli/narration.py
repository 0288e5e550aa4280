"""The sentences of `devicectl run --explain`: what the host has sent, and what the handpiece has answered.

Law: a sentence says what is known when it is said. A command that was sent has moved nothing yet, one that was refused
has moved nothing at all, and a handpiece that is not heard any more has done nobody knows what. So a cycle is reported
when it has ended, in one paragraph, and one that did not end is described by what its last command came to.
"""

from typing import Final

from devicectl.session.engine import CycleResult
from devicectl.session.entries import Note
from devicectl.session.machine import CYCLE, State
from devicectl.session.plan import Plan
from protocols.language.enums import NeedleOutcome

ENTERED: Final = {
    State.DISCONNECTED: "There is no link.",
    State.CONNECTING: "The controller says HELLO and waits for the handpiece to answer.",
    State.IDLE: "The handpiece has answered: there is a link.",
    State.SESSION_OPEN: "A session is open: from now on the handpiece holds the controller to its plan.",
    State.ANESTHESIA_WAIT: "The controller says when each zone was numbed, and waits as long as the device says.",
    State.ARMED: "Armed: the pump holds the vacuum.",
    State.REPOSITIONING: "The hand is to go to the next cell; meanwhile the journal is read and logged.",
    State.PURGING: "The handpiece takes a needle for clogged: the controller asks for a purge.",
    State.PAUSED: "Paused between two cycles.",
    State.CLOSING: "Closing: the controller sends its own counts, for the handpiece to compare.",
    State.COMPLETED: "The session is completed and closed.",
    State.ABORTED: "The session is aborted and closed.",
    State.FAULTED: "The session cannot continue; the handpiece may still hold it open.",
}
"""State -> what is known when the host comes to it; nothing of the others, or what `Narrator` says."""

STEPS: Final = {
    (State.ARMED, State.ANESTHESIA_CONFIRMED): "Disarmed: the pump is off and the line is vented.",
    (State.PAUSED, State.ANESTHESIA_CONFIRMED): "Disarmed: the pump is off and the line is vented.",
    (State.IDLE, State.RECOVERING): "The handpiece holds a session open: its journal is read before anything moves.",
    (State.RECOVERING, State.SESSION_OPEN): "The journal is read, and the session goes on.",
    (State.REPOSITIONING, State.ARMED): "",  # it may have been refused; the next cycle says where it was
    (State.PURGING, State.ARMED): "",  # a note follows
    (State.PAUSED, State.ARMED): "",  # the same
    (State.COUNTING, State.ARMED): "",  # the cycle's paragraph follows
}
"""Sentences for a change from one state to a certain other one; empty where something else says it."""

COMMANDS: Final = dict(zip(CYCLE, ("PUNCH", "SUCTION", "ADVANCE", "COUNT"), strict=True))
"""State of a cycle -> the command that was sent when the host came to it. All before it were done."""

NOTES: Final = {"alarm": "*** ALARM", "refusal": "Refused:", "warning": "Warning:", "action": "Noted:"}
SAID_BY_STATE: Final = ("session_open", "pause")
"""Notes whose state has told the same."""


class Narrator:
    """One run's narrator, told of everything in the order in which it happened; each answer is a paragraph or none."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._told: Note | None = None
        self._cell: tuple[int, int] | None = None

    def changed(self, before: State, after: State) -> str:
        """Sentences on a change of the host's state; empty where there is nothing to say."""
        told, self._told = self._told, None
        if after is State.RECOVERING and before is not State.IDLE:
            return f"{_stopped(told)}{_open_cycle(before)} Its journal is read before anything moves again."
        if told is not None and told.name == COMMANDS.get(before, "").lower():
            return _broken_off(before, told)
        return STEPS.get((before, after), ENTERED.get(after, ""))

    def noted(self, note: Note) -> str:
        """Sentence on a note in the log; empty where its state has told the same."""
        self._told = note
        if note.name in SAID_BY_STATE:
            return ""
        if note.name == "anesthesia_confirm":
            return f"The handpiece took every zone as numb: {note.detail}."
        return f"{NOTES[note.kind]} {note.name.replace('_', ' ')} {note.detail}".rstrip()

    def cycle(self, cycle: CycleResult) -> str:
        """A cycle that was completed: the first in a cell step by step, any other in a line."""
        counted = f"{cycle.total_cores_counted} of {self.plan.target_cores} cores."
        seen = ", ".join(NeedleOutcome(outcome).name.lower() for outcome in cycle.outcomes)
        cell = (cycle.zone, cycle.cell)
        if cell == self._cell:
            return f"Cycle {cycle.cycle_no}: {seen}; {counted}"
        self._cell = cell
        return (
            f"Cycle {cycle.cycle_no}, in cell {cycle.cell + 1} of zone {self.plan.zones[cycle.zone].name}. Punch: "
            "the needles went in, dwelt and came back. Suction: the vacuum drew. Advance: the stage moved by one "
            f"pitch. Count: {seen}; {counted}"
        )


def _stopped(told: Note | None) -> str:
    if told is not None and told.name == "link_lost":
        return f"The link is lost: {told.detail}. A handpiece that was armed makes itself safe when its lease ends."
    if told is not None and told.name == "stop":
        return "The handpiece has answered STOP: it holds still."
    return "The session is held up."


def _open_cycle(before: State) -> str:
    if before not in CYCLE:
        return ""
    return f" A cycle was under way: {COMMANDS[before]} was sent, and was not answered as done."


def _broken_off(before: State, told: Note) -> str:
    command = COMMANDS[before]
    if told.kind != "refusal":
        return f"{command} was not done to its end: the cycle has ended before its time, and its number is used up."
    if before is State.PUNCHING:
        return "PUNCH was refused: no needle moved."
    return f"{command} was refused: the cycle goes no further."
