"""Lanes of a debrief's timeline, and the same as a list: states, what was done, faults, alarms.

Law: evidence for what the trainee saw and did, the room's own lists for the rest.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from devicectl.session.machine import ARMED, CYCLE, State
from devicectl.simulation.scenario_form import LABELS
from devicectl.station.acts import BYTES, HOST, INSTRUCTOR, PRESENTER, SERVER, TRAINEE
from devicectl.station.debrief.drawings.timeline import Lane, Row
from devicectl.station.debrief.execution.watching import Watched
from devicectl.station.debrief.facts import Happened
from devicectl.station.past import in_the_past
from devicectl.station.room import Room
from firmware_sim.model.interlocks import ALARMS

_FINEST: Final = 400
"""Parts of a lesson's time that a drawing can tell apart; rests between two spans that are shorter are drawn over."""
_HANDS: Final = (TRAINEE, SERVER)
_HELD: Final = "trigger held"

Span = tuple[int, int]


def lanes(watched: Watched) -> list[Lane]:
    """Return the lanes of a lesson's timeline."""
    room, ends = watched.room, watched.lasts_us
    return [
        Lane("State of the host", [Row(name, spans) for name, spans in _states(watched)]),
        Lane("Trainee", list(_acts(_of_hands(room), ends))),
        Lane("Instructor", list(_acts(_of(room, (INSTRUCTOR, PRESENTER)), ends))),
        Lane("Faults", list(_faults(room, ends))),
        Lane("Alarms shown", [_alarm(name, spans) for name, spans in _alarms(room, ends)]),
    ]


def happened(watched: Watched) -> list[Happened]:
    """Return what was done and what came, in order; not each cycle, since there are thousands."""
    room = watched.room
    plan = room.controller.plan
    acts = (act for act in room.acts if act.name != BYTES)
    found = [Happened(act.at_us - room.began, act.view, in_the_past(act, plan)) for act in acts]
    found += [one for one in _came(room) if one.at_us >= 0]
    return sorted(found, key=lambda one: one.at_us)


# --- states ------------------------------------------------------------------------------------------------------


def _states(watched: Watched) -> Iterator[tuple[str, list[Span]]]:
    """Return the spans of each state; those of a cycle are one, and armed are all that have vacuum."""
    found: dict[str, list[Span]] = {}
    for state, begins, ends in _spans(watched):
        if state in ARMED:
            found.setdefault(State.ARMED.value, []).append((begins, ends))
        if state is not State.ARMED:
            name = "cycle" if state in CYCLE else state.value.replace("_", " ")
            found.setdefault(name, []).append((begins, ends))
    finest = watched.lasts_us // _FINEST
    return ((name, joined) for name, spans in found.items() if (joined := _joined(spans, finest)))


def _spans(watched: Watched) -> Iterator[tuple[State, int, int]]:
    room, state, since = watched.room, watched.first, 0
    for one in room.evidence:
        at_us = one.at_us - room.began
        if one.kind == "state" and at_us >= 0:
            yield state, since, at_us
            state, since = State(one.name), at_us
    yield state, since, watched.lasts_us


def _joined(spans: Sequence[Span], finest: int) -> list[Span]:
    """Return spans without those of no length, and joined where nobody could see that they are apart."""
    joined: list[Span] = []
    for begins, ends in spans:
        if joined and begins - joined[-1][1] <= finest:
            joined[-1] = (joined[-1][0], ends)
        elif ends > begins:
            joined.append((begins, ends))
    return joined


# --- acts --------------------------------------------------------------------------------------------------------


def _of(room: Room, views: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Return the acts of some views, each with its time."""
    return ((act.at_us - room.began, act.name) for act in room.acts if act.view in views)


def _of_hands(room: Room) -> Iterator[tuple[int, str]]:
    """Return the acts at the controller; those of somebody else's host are in what it has sent."""
    if not room.lesson.foreign:
        return _of(room, _HANDS)
    return ((one.at_us - room.began, one.name) for one in room.evidence if one.kind == "act")


def _acts(acts: Iterable[tuple[int, str]], ends: int) -> Iterable[Row]:
    found: dict[str, list[Span]] = {}
    pressed: int | None = None
    for at_us, name in acts:
        if name == "trigger_press":
            pressed = at_us if pressed is None else pressed
        elif name == "trigger_release":
            if pressed is not None:
                found.setdefault(_HELD, []).append((pressed, at_us))
            pressed = None
        else:
            found.setdefault(name.replace("_", " "), []).append((at_us, at_us))
    if pressed is not None:
        found.setdefault(_HELD, []).append((pressed, ends))
    return (Row(name, spans) for name, spans in found.items())


# --- faults and alarms -------------------------------------------------------------------------------------------


def _faults(room: Room, ends: int) -> Iterator[Row]:
    for firing in room.bench.injector.firings:
        if firing.began_at is not None:
            begins = max(0, firing.began_at - room.began)
            ended = ends if firing.ended_at is None else firing.ended_at - room.began
            if ended >= 0:
                yield Row(fault_name(room, firing.index), [(begins, ended)], "fault")


def fault_name(room: Room, index: int) -> str:
    """Return the words of the script's item that has injected a fault, else the fault's kind."""
    words = next((one.item.words for one in room.rail.items if one.fault_index == index and not one.item.ends), "")
    return words or room.bench.injector.firings[index].fault.kind.name.replace("_", " ")


def _alarms(room: Room, ends: int) -> Iterable[tuple[str, list[Span]]]:
    found: dict[str, list[Span]] = {}
    shown: dict[str, int] = {}
    for one in room.evidence:
        at_us = max(0, one.at_us - room.began)
        if one.kind == "alarm":
            shown.setdefault(one.name, at_us)
        elif one.kind == "alarm_over" and one.name in shown:
            found.setdefault(one.name, []).append((shown.pop(one.name), at_us))
    for name, since in shown.items():
        found.setdefault(name, []).append((since, ends))
    return sorted(found.items(), key=lambda item: item[1])


def _alarm(label: str, spans: Sequence[Span]) -> Row:
    return Row(label, spans, ALARMS[LABELS[label]].priority.name.lower())


def _came(room: Room) -> Iterator[Happened]:
    for one in room.evidence:
        at_us = one.at_us - room.began
        match one.kind:
            case "act" if room.lesson.foreign:
                yield Happened(at_us, HOST, one.name.replace("_", " "))
            case "alarm":
                yield Happened(at_us, "alarm", f"{one.name} {ALARMS[LABELS[one.name]].sentence}")
            case "alarm_over":
                yield Happened(at_us, "alarm", f"{one.name} is over")
            case "refusal":
                why = f", interlock {one.number}" if one.number else ""
                yield Happened(at_us, "refusal", f"{one.name}{why}")
            case "link_lost" | "link_back":
                yield Happened(at_us, "link", "lost" if one.kind == "link_lost" else "there again")
            case "closed":
                yield Happened(at_us, "session", f"closed as {one.name}")
    for change in room.faults:
        verb = "has its first effect" if change.event == "fired" else "is over"
        yield Happened(change.at_us - room.began, "fault", f"{fault_name(room, change.fault)}: {verb}")
