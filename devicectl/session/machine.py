"""The host's session and its cycle: the table, and everything that is made of it.

Everything that affects a transition lives in `TABLE`. `Machine` (of `transitions`) is built from it and is what
really runs; `step` says the same of the same rows without any state, for checks and models; `mermaid` draws it.

Events are in the past tense: they tell the machine what has happened on the link, never what to do.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

from transitions import Event as _Event
from transitions import Machine, MachineError


class State(StrEnum):
    """Step of the procedure that the host is in."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    IDLE = "idle"
    SESSION_OPEN = "session_open"
    ANESTHESIA_WAIT = "anesthesia_wait"
    ANESTHESIA_CONFIRMED = "anesthesia_confirmed"
    ARMED = "armed"
    PUNCHING = "punching"
    SUCTIONING = "suctioning"
    ADVANCING = "advancing"
    COUNTING = "counting"
    REPOSITIONING = "repositioning"
    PURGING = "purging"
    PAUSED = "paused"
    RECOVERING = "recovering"
    CLOSING = "closing"
    COMPLETED = "completed"
    ABORTED = "aborted"
    FAULTED = "faulted"


class Event(StrEnum):
    """Something that has happened on the link."""

    HELLO_SENT = "hello_sent"
    LINK_DENIED = "link_denied"
    LINK_MADE = "link_made"
    SESSION_OPENED = "session_opened"
    SESSION_FOUND = "session_found"
    ANESTHESIA_STARTED = "anesthesia_started"
    ANESTHESIA_CONFIRMED = "anesthesia_confirmed"
    ARMED = "armed"
    PUNCH_SENT = "punch_sent"
    SUCTION_SENT = "suction_sent"
    ADVANCE_SENT = "advance_sent"
    COUNT_SENT = "count_sent"
    CYCLE_ENDED = "cycle_ended"
    CYCLE_ABORTED = "cycle_aborted"
    REPOSITION_SENT = "reposition_sent"
    PURGE_SENT = "purge_sent"
    MOTION_ENDED = "motion_ended"
    PAUSED = "paused"
    RESUMED = "resumed"
    DISARMED = "disarmed"
    STOPPED = "stopped"
    LINK_LOST = "link_lost"
    RECOVERED = "recovered"
    CLOSE_BEGUN = "close_begun"
    CLOSE_REFUSED = "close_refused"
    SESSION_COMPLETED = "session_completed"
    SESSION_ABORTED = "session_aborted"
    FAILED = "failed"


class Row(NamedTuple):
    """In each of `sources`, `event` leads to `target`."""

    event: Event
    sources: tuple[State, ...]
    target: State


CYCLE: Final = (State.PUNCHING, State.SUCTIONING, State.ADVANCING, State.COUNTING)
IN_MOTION: Final = (*CYCLE, State.REPOSITIONING, State.PURGING)
ARMED: Final = (State.ARMED, State.PAUSED, *IN_MOTION)
"""The states in which the device holds vacuum and a lost link makes it retract."""
WITH_SESSION: Final = (
    State.SESSION_OPEN,
    State.ANESTHESIA_WAIT,
    State.ANESTHESIA_CONFIRMED,
    *ARMED,
    State.RECOVERING,
    State.CLOSING,
)
ENDED: Final = (State.COMPLETED, State.ABORTED, State.FAULTED)

TABLE: Final = (
    Row(Event.HELLO_SENT, (State.DISCONNECTED,), State.CONNECTING),
    Row(Event.LINK_DENIED, (State.CONNECTING,), State.DISCONNECTED),
    Row(Event.LINK_MADE, (State.CONNECTING,), State.IDLE),
    Row(Event.SESSION_OPENED, (State.IDLE,), State.SESSION_OPEN),
    Row(Event.SESSION_FOUND, (State.IDLE,), State.RECOVERING),
    Row(
        Event.ANESTHESIA_STARTED,
        (State.SESSION_OPEN, State.ANESTHESIA_WAIT, State.ANESTHESIA_CONFIRMED),
        State.ANESTHESIA_WAIT,
    ),
    Row(Event.ANESTHESIA_CONFIRMED, (State.ANESTHESIA_WAIT,), State.ANESTHESIA_CONFIRMED),
    Row(Event.ARMED, (State.ANESTHESIA_CONFIRMED,), State.ARMED),
    Row(Event.PUNCH_SENT, (State.ARMED,), State.PUNCHING),
    Row(Event.SUCTION_SENT, (State.PUNCHING,), State.SUCTIONING),
    Row(Event.ADVANCE_SENT, (State.SUCTIONING,), State.ADVANCING),
    Row(Event.COUNT_SENT, (State.ADVANCING,), State.COUNTING),
    Row(Event.CYCLE_ENDED, (State.COUNTING,), State.ARMED),
    Row(Event.CYCLE_ABORTED, CYCLE, State.ARMED),
    Row(Event.REPOSITION_SENT, (State.ARMED,), State.REPOSITIONING),
    Row(Event.PURGE_SENT, (State.ARMED,), State.PURGING),
    Row(Event.MOTION_ENDED, (State.REPOSITIONING, State.PURGING), State.ARMED),
    Row(Event.PAUSED, (State.ARMED,), State.PAUSED),
    Row(Event.RESUMED, (State.PAUSED,), State.ARMED),
    Row(Event.DISARMED, (State.ARMED, State.PAUSED), State.ANESTHESIA_CONFIRMED),
    Row(Event.STOPPED, (*WITH_SESSION,), State.RECOVERING),
    Row(Event.LINK_LOST, (State.CONNECTING, State.IDLE), State.DISCONNECTED),
    Row(Event.LINK_LOST, WITH_SESSION, State.RECOVERING),
    Row(Event.RECOVERED, (State.RECOVERING,), State.SESSION_OPEN),
    Row(
        Event.CLOSE_BEGUN,
        (State.SESSION_OPEN, State.ANESTHESIA_WAIT, State.ANESTHESIA_CONFIRMED, State.RECOVERING),
        State.CLOSING,
    ),
    Row(Event.CLOSE_REFUSED, (State.CLOSING,), State.RECOVERING),
    Row(Event.SESSION_COMPLETED, (State.CLOSING,), State.COMPLETED),
    Row(Event.SESSION_ABORTED, (State.CLOSING,), State.ABORTED),
    Row(Event.FAILED, (State.DISCONNECTED, State.CONNECTING, State.IDLE, *WITH_SESSION), State.FAULTED),
)

_TARGETS: Final = {(source, row.event): row.target for row in TABLE for source in row.sources}


class TransitionError(Exception):
    """The table has no row for this event in this state: a defect of the caller, never of the device."""

    def __init__(self, state: State, event: Event) -> None:
        self.state = state
        self.event = event
        super().__init__(f"{event.value} cannot happen in state {state.value}")


def step(state: State, event: Event) -> State:
    """The state after `event`, from the table alone.

    Raises:
        TransitionError: the table has no such row.
    """
    target = _TARGETS.get((state, event))
    if target is None:
        raise TransitionError(state, event)
    return target


_STATES: Final = {state.value: state for state in State}


class _PlainEvent(_Event):
    """An event of a machine without queue, conditions or callbacks, since the table has none.

    Asking each trigger for them took four fifths of its time; the rows and the refusal are those of `transitions`.
    """

    def trigger(self, model: Any, *_args: object, **_kwargs: object) -> bool:
        rows = self.transitions.get(model.state)
        if not rows:
            raise MachineError(f"no row for {self.name} in {model.state}")
        model.state = rows[0].dest
        return True


class _PlainMachine(Machine):
    event_cls = _PlainEvent


_MACHINE: Final = _PlainMachine(
    model=None,
    states=[state.value for state in State],
    transitions=[
        {"trigger": row.event.value, "source": [state.value for state in row.sources], "dest": row.target.value}
        for row in TABLE
    ],
    initial=State.DISCONNECTED.value,
    auto_transitions=False,
    send_event=False,
)
"""The rows as `transitions` has them: one machine for all sessions, since building it takes longer than 200 steps."""


class SessionMachine:
    """One session's place in the table. `on_change(before, after)` is called after each change of the state."""

    def __init__(self, on_change: Callable[[State, State], None] | None = None) -> None:
        self._on_change = on_change
        self.state: str = State.DISCONNECTED.value

    @property
    def now(self) -> State:
        """The state the machine is in."""
        return _STATES[self.state]

    def happened(self, event: Event) -> None:
        """Take an event.

        Raises:
            TransitionError: the table has no row for it in this state; the state is what it was.
        """
        before = self.state
        try:
            _MACHINE.events[event].trigger(self)
        except MachineError as error:
            raise TransitionError(_STATES[before], event) from error
        after = self.state
        if self._on_change is not None and after != before:
            self._on_change(_STATES[before], _STATES[after])


def mermaid() -> str:
    """The table as a Mermaid state diagram. Rows with more than three sources are drawn from one group."""
    groups = {WITH_SESSION: "with_session", CYCLE: "cycle", (State.DISCONNECTED, *TABLE[-1].sources[1:]): "any"}
    lines = ["stateDiagram-v2", f"    [*] --> {State.DISCONNECTED}"]
    for row in TABLE:
        sources = [groups[row.sources]] if row.sources in groups else list(row.sources)
        lines += [f"    {source} --> {row.target}: {row.event.value}" for source in sources]
    for group, name in groups.items():
        members = ", ".join(state.value for state in group)
        lines.append(f"    note right of {name}: any of {members}")
    lines += [f"    {state} --> [*]" for state in ENDED]
    return "\n".join(lines) + "\n"
