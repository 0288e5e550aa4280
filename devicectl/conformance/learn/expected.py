"""The machine that docs/protocol.md, section 5, and docs/model.md make of the procedure: places, letters and answers.

A letter is a command with its arguments as a right host would give them: PUNCH with the next number, REPOSITION to the
next cell, SUCTION, ADVANCE and COUNT with the last number. An answer is a word for how it ends, with the alarms that
were raised by it:

    DONE            carried out, now or, of the last cycle's COUNT, before
    ABORTED         the cycle that it is of was stopped
    interlock 9     refused by that interlock
    no place        refused, as the command has no place in this state: E_STATE, or any interlock (HLP-CYC-16)
    refused         refused with whatever code: the documents do not say which

Law: pure, and written from the documents. It shares no table with the device that we simulate.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple


class Place(Enum):
    """Place of a device in the procedure: its state's name, but in a cycle the phase that is over."""

    IDLE = "IDLE"
    OPEN = "SESSION_OPEN"
    WAIT = "ANESTHESIA_WAIT"
    NUMB = "ANESTHESIA_CONFIRMED"
    ARMED = "ARMED"
    PAUSED = "PAUSED"
    PUNCHED = "punched"
    DRAWN = "drawn"
    MOVED = "moved"
    SAFE = "SAFE"


class Cycle(Enum):
    """End of the session's last cycle."""

    NONE = "none"
    COUNTED = "counted"
    STOPPED = "stopped"


class State(NamedTuple):
    """State of the machine. `hand`: it has a place on the skin. `told`: MC-0201 is up."""

    place: Place = Place.IDLE
    session: bool = False
    hand: bool = False
    last: Cycle = Cycle.NONE
    told: bool = False


START: Final = State()
DONE: Final = "DONE"
ABORTED: Final = "ABORTED"
NO_PLACE: Final = "no place"
REFUSED: Final = "refused"
NOT_NUMB: Final = "interlock 2"
NOWHERE: Final = "interlock 9"
TOLD: Final = "MC-0201"

_MOVES: Final = {
    ("SESSION_OPEN", Place.IDLE): Place.OPEN,
    ("ANESTHESIA_START", Place.OPEN): Place.WAIT,
    ("ANESTHESIA_START", Place.WAIT): Place.WAIT,
    ("ANESTHESIA_START", Place.NUMB): Place.WAIT,
    ("ANESTHESIA_CONFIRM", Place.WAIT): Place.NUMB,
    ("ARM", Place.NUMB): Place.ARMED,
    ("DISARM", Place.ARMED): Place.NUMB,
    ("DISARM", Place.PAUSED): Place.NUMB,
    ("REPOSITION", Place.ARMED): Place.ARMED,
    ("SUCTION", Place.PUNCHED): Place.DRAWN,
    ("ADVANCE", Place.DRAWN): Place.MOVED,
    ("COUNT", Place.MOVED): Place.ARMED,
    ("PURGE", Place.ARMED): Place.ARMED,
    ("PAUSE", Place.ARMED): Place.PAUSED,
    ("RESUME", Place.PAUSED): Place.ARMED,
    ("STOP", Place.IDLE): Place.IDLE,
}
"""Letter and place -> the place after it, where it is done; FAULT_RESET, STOP, PUNCH and SESSION_CLOSE ask for more."""
_CYCLE: Final = (Place.PUNCHED, Place.DRAWN, Place.MOVED)
_UNARMED: Final = (Place.OPEN, Place.WAIT, Place.NUMB)
LETTERS: Final = tuple(dict.fromkeys([*(letter for letter, _ in _MOVES), "PUNCH", "FAULT_RESET", "SESSION_CLOSE"]))


def step(state: State, letter: str) -> tuple[State, str]:
    """Return the state after a letter, and its answer."""
    after = _MOVES.get((letter, state.place))
    if after is not None:
        return _moved(state, letter, after), DONE
    special = _SPECIAL.get(letter)
    return (state, NO_PLACE) if special is None else special(state)


def accepts(expected: str, found: str) -> bool:
    """Return True if an answer is as expected."""
    word, _, alarms = expected.partition(" MC")
    other, _, others = found.partition(" MC")
    if alarms != others or word == other:
        return alarms == others
    refusal = other.startswith(("E_", "interlock "))
    if word == REFUSED:
        return refusal
    return word == NO_PLACE and (other == "E_STATE" or other.startswith("interlock "))


def _moved(state: State, letter: str, after: Place) -> State:
    after_it = state._replace(place=after)
    match letter:
        case "SESSION_OPEN":
            last = state.last if state.last is Cycle.STOPPED else Cycle.NONE  # COUNT's answer is of its session
            return after_it._replace(session=True, hand=False, last=last)
        case "ANESTHESIA_CONFIRM":
            return after_it._replace(told=False)
        case "REPOSITION":
            return after_it._replace(hand=True)
        case "COUNT":
            return after_it._replace(last=Cycle.COUNTED)
    return after_it


def _stopped(state: State) -> tuple[State, str]:
    last = Cycle.STOPPED if state.place in _CYCLE else state.last
    return state._replace(place=Place.SAFE, last=last), DONE


def _punched(state: State) -> tuple[State, str]:
    if state.place is Place.ARMED:
        return (state._replace(place=Place.PUNCHED), DONE) if state.hand else (state, NOWHERE)
    if state.place in (Place.OPEN, Place.WAIT):
        return state._replace(told=True), NOT_NUMB if state.told else f"{NOT_NUMB} {TOLD}"
    return state, NO_PLACE


def _reset(state: State) -> tuple[State, str]:
    if state.place is not Place.SAFE:
        return state, NO_PLACE
    return state._replace(place=Place.OPEN if state.session else Place.IDLE), DONE


def _closed(state: State) -> tuple[State, str]:
    if not state.session or state.place not in (*_UNARMED, Place.SAFE):
        return state, NO_PLACE
    place = Place.SAFE if state.place is Place.SAFE else Place.IDLE
    return state._replace(place=place, session=False, hand=False, told=False), DONE


def _not_armed(state: State) -> tuple[State, str]:
    return state, NOT_NUMB if state.place in _UNARMED else NO_PLACE


def _phase(letter: str) -> Callable[[State], tuple[State, str]]:
    """Return the answer to a phase out of its order, or of a cycle that is over."""

    def answer(state: State) -> tuple[State, str]:
        if state.place in _CYCLE:
            return state, NO_PLACE
        if state.last is Cycle.STOPPED:
            return state, ABORTED
        return state, DONE if state.last is Cycle.COUNTED and letter == "COUNT" else REFUSED

    return answer


_SPECIAL: Final[dict[str, Callable[[State], tuple[State, str]]]] = {
    "STOP": _stopped,
    "PUNCH": _punched,
    "FAULT_RESET": _reset,
    "SESSION_CLOSE": _closed,
    "ARM": _not_armed,
    **{letter: _phase(letter) for letter in ("SUCTION", "ADVANCE", "COUNT")},
}
"""Letter -> its answer where `_MOVES` has none."""
