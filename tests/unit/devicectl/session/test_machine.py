from typing import Final

import pytest

from devicectl.session.machine import (
    ARMED,
    CYCLE,
    ENDED,
    TABLE,
    WITH_SESSION,
    Event,
    SessionMachine,
    State,
    TransitionError,
    mermaid,
    step,
)

BY_HAND: Final = """
disconnected          hello_sent connecting               failed faulted
connecting            link_denied disconnected            link_made idle
                      link_lost disconnected              failed faulted
idle                  session_opened session_open         session_found recovering
                      link_lost disconnected              failed faulted
session_open          anesthesia_started anesthesia_wait  close_begun closing
                      stopped recovering                  link_lost recovering            failed faulted
anesthesia_wait       anesthesia_started anesthesia_wait  anesthesia_confirmed anesthesia_confirmed
                      close_begun closing
                      stopped recovering                  link_lost recovering            failed faulted
anesthesia_confirmed  anesthesia_started anesthesia_wait  armed armed                     close_begun closing
                      stopped recovering                  link_lost recovering            failed faulted
armed                 punch_sent punching                 reposition_sent repositioning   purge_sent purging
                      paused paused                       disarmed anesthesia_confirmed
                      stopped recovering                  link_lost recovering            failed faulted
punching              suction_sent suctioning             cycle_aborted armed
                      stopped recovering                  link_lost recovering            failed faulted
suctioning            advance_sent advancing              cycle_aborted armed
                      stopped recovering                  link_lost recovering            failed faulted
advancing             count_sent counting                 cycle_aborted armed
                      stopped recovering                  link_lost recovering            failed faulted
counting              cycle_ended armed                   cycle_aborted armed
                      stopped recovering                  link_lost recovering            failed faulted
repositioning         motion_ended armed
                      stopped recovering                  link_lost recovering            failed faulted
purging               motion_ended armed
                      stopped recovering                  link_lost recovering            failed faulted
paused                resumed armed                       disarmed anesthesia_confirmed
                      stopped recovering                  link_lost recovering            failed faulted
recovering            recovered session_open              close_begun closing
                      stopped recovering                  link_lost recovering            failed faulted
closing               session_completed completed         session_aborted aborted             close_refused recovering
                      stopped recovering                  link_lost recovering            failed faulted
completed
aborted
faulted
"""
"""State, and each event that it takes with the state that follows: written by hand, and from no table."""


def by_hand() -> dict[tuple[State, Event], State]:
    found: dict[tuple[State, Event], State] = {}
    for line in BY_HAND.strip().splitlines():
        words = line.split()
        if not line.startswith(" "):
            state = State(words.pop(0))
        pairs = list(zip(words[::2], words[1::2], strict=True))
        found |= {(state, Event(event)): State(target) for event, target in pairs}
    return found


ROWS: Final = by_hand()


def test_the_table_is_what_was_written_by_hand() -> None:
    assert {(source, row.event): row.target for row in TABLE for source in row.sources} == ROWS
    assert [State(line.split()[0]) for line in BY_HAND.strip().splitlines() if not line.startswith(" ")] == list(State)


@pytest.mark.parametrize("state", State)
def test_machine_and_step_agree_on_every_event(state: State) -> None:
    for event in Event:
        changes: list[tuple[State, State]] = []
        machine = SessionMachine(lambda before, after, changes=changes: changes.append((before, after)))  # type: ignore[misc]
        machine.state = state.value
        target = ROWS.get((state, event))
        if target is None:
            with pytest.raises(TransitionError) as caught:
                step(state, event)
            assert (caught.value.state, caught.value.event) == (state, event)
            with pytest.raises(TransitionError, match=f"{event.value} cannot happen in state {state.value}"):
                machine.happened(event)
            assert (machine.now, changes) == (state, [])
        else:
            machine.happened(event)
            assert machine.now is step(state, event) is target
            assert changes == ([(state, target)] if target is not state else [])


def test_machine_begins_disconnected_and_needs_nobody_to_listen() -> None:
    machine = SessionMachine()
    states = [machine.now]
    machine.happened(Event.HELLO_SENT)
    assert [*states, machine.now] == [State.DISCONNECTED, State.CONNECTING]


def test_sessions_have_a_state_each() -> None:
    """They share the machine of `transitions`, which is built once."""
    one, other = SessionMachine(), SessionMachine()
    one.happened(Event.HELLO_SENT)
    assert (one.now, other.now) == (State.CONNECTING, State.DISCONNECTED)


def test_no_two_rows_say_different_things_of_one_state_and_event() -> None:
    pairs = [(source, row.event) for row in TABLE for source in row.sources]
    assert len(pairs) == len(set(pairs))


def test_every_state_is_reached_and_only_the_ended_ones_are_not_left() -> None:
    found, front = {State.DISCONNECTED}, [State.DISCONNECTED]
    while front:
        state = front.pop()
        for (source, _), target in ROWS.items():
            if source is state and target not in found:
                found.add(target)
                front.append(target)
    assert found == set(State)
    assert {state for state in State if not any(source is state for source, _ in ROWS)} == set(ENDED)
    assert {row.event for row in TABLE} == set(Event)


def test_every_state_with_a_session_recovers_from_a_lost_link_and_a_stop() -> None:
    for state in WITH_SESSION:
        assert step(state, Event.LINK_LOST) is step(state, Event.STOPPED) is State.RECOVERING
    assert set(CYCLE) < set(ARMED) < set(WITH_SESSION)


def test_picture_has_every_row() -> None:
    text = mermaid()
    groups = {}
    for line in text.splitlines():
        if line.strip().startswith("note right of "):
            name, members = line.strip().removeprefix("note right of ").split(": any of ")
            groups[name] = [State(member) for member in members.split(", ")]
    drawn = set()
    for line in text.splitlines():
        if ": " in line and "-->" in line:
            way, event = line.strip().split(": ")
            source, target = way.split(" --> ")
            for member in groups[source] if source in groups else [State(source)]:
                drawn.add((member, Event(event), State(target)))
    assert drawn == {(source, event, target) for (source, event), target in ROWS.items()}
    assert all(f"{state} --> [*]" in text for state in ENDED)
