import pytest

from firmware_sim.board.states import ARMED, CYCLE, HELD, RUNNING, TABLE, UNARMED, Event, mermaid, step
from protocols.language.enums import DeviceState

STATES = [state for state in DeviceState if state is not DeviceState.UNKNOWN]

HOLD = "made_safe SAFE, faulted FAULT, locked LOCKED"
MAY = f"""
OFF: booted SELF_TEST
SELF_TEST: self_test_passed IDLE, self_test_failed FAULT, hold_restored SAFE
IDLE: session_opened SESSION_OPEN, {HOLD}
SESSION_OPEN: anesthesia_started ANESTHESIA_WAIT, close_begun CLOSING, {HOLD}
ANESTHESIA_WAIT: anesthesia_started ANESTHESIA_WAIT, zones_confirmed ANESTHESIA_CONFIRMED, close_begun CLOSING, {HOLD}
ANESTHESIA_CONFIRMED: anesthesia_started ANESTHESIA_WAIT, arm_begun ARMING, close_begun CLOSING, {HOLD}
ARMING: arm_ended ARMED, disarm_ended ANESTHESIA_CONFIRMED, {HOLD}
ARMED: punch_begun PUNCHING, reposition_begun REPOSITIONING, purge_begun PURGING
ARMED: paused PAUSED, disarm_begun DISARMING, {HOLD}
PUNCHING: suction_begun SUCTIONING, cycle_aborted ARMED, {HOLD}
SUCTIONING: advance_begun ADVANCING, cycle_aborted ARMED, {HOLD}
ADVANCING: count_begun COUNTING, cycle_aborted ARMED, {HOLD}
COUNTING: motion_ended ARMED, cycle_aborted ARMED, {HOLD}
REPOSITIONING: motion_ended ARMED, {HOLD}
PURGING: motion_ended ARMED, {HOLD}
PAUSED: resumed ARMED, disarm_begun DISARMING, {HOLD}
DISARMING: disarm_ended ANESTHESIA_CONFIRMED, {HOLD}
CLOSING: closed IDLE, {HOLD}
SAFE: reset IDLE, reset_with_session SESSION_OPEN, {HOLD}
FAULT: reset IDLE, reset_with_session SESSION_OPEN, faulted FAULT, locked LOCKED
LOCKED: locked LOCKED
"""
"""State by state what may happen there and where it leads, written by hand from docs/model.md."""


def written() -> dict[tuple[DeviceState, Event], DeviceState]:
    found = {}
    for line in MAY.strip().splitlines():
        source, ways = line.split(": ")
        for way in ways.split(", "):
            event, target = way.split()
            assert (DeviceState[source], Event(event)) not in found
            found[DeviceState[source], Event(event)] = DeviceState[target]
    return found


ROWS = written()


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", STATES)
def test_step_does_what_is_written_and_nothing_else(state: DeviceState, event: Event) -> None:
    if (state, event) in ROWS:
        assert step(state, event) is ROWS[state, event]
    else:
        with pytest.raises(LookupError, match=f"{event.value} cannot happen in state {state.name}"):
            step(state, event)


def test_no_two_rows_say_different_things_of_one_state_and_event() -> None:
    pairs = [(source, row.event) for row in TABLE for source in row.sources]
    assert len(pairs) == len(set(pairs))


def reachable(start: DeviceState, without: frozenset[Event] = frozenset()) -> set[DeviceState]:
    found, front = {start}, [start]
    while front:
        state = front.pop()
        for (source, event), target in ROWS.items():
            if source is state and event not in without and target not in found:
                found.add(target)
                front.append(target)
    return found


def test_every_state_is_reached_from_power_on() -> None:
    assert reachable(DeviceState.OFF) == set(STATES)
    assert {row.event for row in TABLE} == {event for _, event in ROWS} == set(Event)


def test_every_running_state_is_left_for_safe_and_only_a_reset_leads_out() -> None:
    for state in RUNNING:
        assert step(state, Event.MADE_SAFE) is DeviceState.SAFE
    resets = frozenset((Event.RESET, Event.RESET_WITH_SESSION))
    assert reachable(DeviceState.SAFE, resets) == set(HELD)
    assert reachable(DeviceState.LOCKED) == {DeviceState.LOCKED}


def test_a_stroke_begins_only_where_the_vacuum_stands_after_the_anesthesia() -> None:
    [begun] = [row for row in TABLE if row.event is Event.PUNCH_BEGUN]
    assert begun.sources == (DeviceState.ARMED,)
    without = frozenset((Event.ZONES_CONFIRMED,))
    assert not reachable(DeviceState.OFF, without) & set(ARMED)


def test_groups_do_not_overlap() -> None:
    assert set(CYCLE) < set(ARMED)
    for first, second in ((ARMED, UNARMED), (ARMED, HELD), (UNARMED, HELD), (RUNNING, HELD)):
        assert not set(first) & set(second)


def test_picture_has_every_row() -> None:
    groups = {"cycle": CYCLE, "unarmed": UNARMED, "running": RUNNING}
    drawn = set()
    for line in mermaid().splitlines():
        if ": " in line and "-->" in line:
            way, event = line.strip().split(": ")
            source, target = way.split(" --> ")
            members = groups.get(source) or (DeviceState[source],)
            drawn |= {(member, Event(event), DeviceState[target]) for member in members}
    assert drawn == {(source, event, target) for (source, event), target in ROWS.items()}
    for name, group in groups.items():
        assert f"note right of {name}: any of {', '.join(state.name for state in group)}" in mermaid()


def test_picture_draws_a_row_of_many_states_as_one_arrow() -> None:
    drawn = [line.strip() for line in mermaid().splitlines()]
    for arrow in (
        "cycle --> ARMED: cycle_aborted",
        "unarmed --> CLOSING: close_begun",
        "running --> SAFE: made_safe",
        "SAFE --> SAFE: made_safe",
    ):
        assert drawn.count(arrow) == 1
    assert len([arrow for arrow in drawn if arrow.endswith("made_safe")]) == 2
