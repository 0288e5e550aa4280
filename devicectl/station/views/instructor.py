"""The instructor's view: the trainee's page, the truth beside it, and what the script still has.

Law: it only looks. What it asks of the plant are closed forms, which asking does not change.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Final

from devicectl.campaign.possible import why_not_on
from devicectl.log.exports.named import command_name, outcomes_of, read, told, uptime_ms_of
from devicectl.session.context import Entry
from devicectl.session.count import needle_names
from devicectl.session.entries import Batch, Finish, Note, SessionStart
from devicectl.session.machine import CYCLE, State
from devicectl.session.plan import Plan
from devicectl.station.acts import BYTES, HOST, REMARKS
from devicectl.station.checks import Judged, Outcome
from devicectl.station.evidence import Evidence
from devicectl.station.lesson import Check
from devicectl.station.past import fault_words, in_the_past
from devicectl.station.rail import ItemState, RailItem
from devicectl.station.room import FaultChange, Room
from devicectl.station.views.patch import Document
from devicectl.station.views.trainee import lesson_ms
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.injector import Firing
from firmware_sim.model.interlocks import INTERLOCKS
from protocols.language.enums import RecordKind
from protocols.language.records import KIND_OFFSET, Cycle, Refusal
from protocols.language.units import MILLISECOND, Micros

MAX_LINES: Final = 30
"""Lines of the journal and of the log."""
MAX_MOMENTS: Final = 100
MAX_EVIDENCE: Final = 2_000
"""Evidence that is looked at for them, the latest: three hundred cycles."""
_PASSING: Final = frozenset(state.value for state in (*CYCLE, State.ARMED))
"""States that come and go with each cycle."""
_LANES: Final[Mapping[str, str]] = {
    "start": "state",
    "state": "state",
    "link_lost": "state",
    "link_back": "state",
    "closed": "state",
    "alarm": "alarm",
    "alarm_over": "alarm",
    "refusal": "alarm",
}
"""Kind of evidence -> its lane; acts are all those of the room, and cores and cells are too many."""
_KINDS: Final[Mapping[str, str]] = {
    "start": "the lesson begins",
    "state": "controller:",
    "link_lost": "the link is lost",
    "link_back": "the link is back",
    "closed": "session",
    "alarm": "alarm",
    "alarm_over": "over:",
}
AWAITED: Final[Mapping[str, str]] = {
    "start": "the beginning",
    "act": "an act of the trainee",
    "alarm": "the alarm",
    "alarm_over": "the end of the alarm",
    "refusal": "a refusal",
    "state": "a state",
    "cores": "a count of cores",
    "cell": "a cell",
    "link_lost": "the loss of the link",
    "link_back": "the return of the link",
    "let_go": "a trigger that the station has let go",
    "closed": "the close",
}
"""Kind of evidence -> words for what a check waits for."""
_BOOT: Final = int(RecordKind.BOOT)


def instructor_view(room: Room, trainee: Document) -> Document:
    """Return what the instructor sees, the trainee's view in it; clock and stops are put in by who paces the room."""
    return {
        "role": "instructor",
        "notice": trainee["notice"],
        "title": room.lesson.title,
        "guide": room.lesson.guide,
        "trainee": trainee,
        "truth": _truth(room),
        "journal": _journal(room),
        "log": _log(room),
        "rail": [_item(room, one) for one in room.rail.items],
        "checks": [_check(room, one) for one in room.checks.judged],
        "faults": [_fault(room, one) for one in room.bench.injector.firings],
        "impossible": _impossible(room.lesson.scenario.wire),
        "notes": _texts(room, "note"),
        "bookmarks": _texts(room, "bookmark"),
        "timeline": _timeline(room),
        "automatic": room.controller.automatic,
    }


# --- the truth, and what both ends have written ----------------------------------------------------------------------


def _truth(room: Room) -> Document:
    device, now = room.bench.device, room.now
    plant = device.plant
    return {
        "device_state": device.board.state.name.lower() if device.powered else "off",
        "cores_evacuated": plant.truth.cores_evacuated,
        "cores_counted": plant.truth.cores_counted,
        "punctures": plant.truth.punctures,
        "clogged_needles": needle_names(plant.clogged),
        "pressure_kpa": round(plant.vacuum.pressure_kpa(now), 1),
        "pressure_at_needles_kpa": round(plant.vacuum.needles_kpa(now), 1),
        "temperature_c": round(plant.heat.temperature_c(now), 1),
        "canister_percent": round(100 * plant.canister.fill, 1),
        "cartridge_cycles": plant.cartridge.cycles,
        "cartridge_serial": plant.cartridge.serial,
    }


def _journal(room: Room) -> list[Document]:
    """Return the last records of the device's journal. Those of an earlier boot have no time but that of the last."""
    board, nvm, plan = room.bench.device.board, room.bench.device.nvm, room.controller.plan
    _, records = nvm.read(nvm.head - MAX_LINES, MAX_LINES)
    boots = [index for index, raw in enumerate(records) if raw[KIND_OFFSET] == _BOOT]
    begin = boots[-1] if boots else 0
    return [
        {
            "at_ms": lesson_ms(room, board.booted_at + (uptime_ms_of(raw) * MILLISECOND if index >= begin else 0)),
            "words": _record_words(raw, plan),
        }
        for index, raw in enumerate(records)
    ]


@lru_cache(maxsize=4096)
def _record_words(raw: bytes, plan: Plan) -> str:
    record = read(raw)
    if isinstance(record, Cycle):  # most records are these, and a line has no room for all of their fields
        came = " ".join(outcomes_of(record))
        return f"cycle {record.cycle_no} {record.ending.name.lower()}: {came}, {record.total_cores_counted} cores"
    if isinstance(record, Refusal):
        rule = INTERLOCKS.get(record.interlock)
        return f"{command_name(record.message_id)} refused: {record.code.name if rule is None else rule.name}"
    name, detail = told(raw, plan)
    return f"{name}: {detail}" if detail else name


def _log(room: Room) -> list[Document]:
    """Return the last entries that hosts have committed."""
    last = list(islice(_latest(room), MAX_LINES))
    return [{"at_ms": lesson_ms(room, at_us), "words": words} for at_us, words in reversed(last)]


def _latest(room: Room) -> Iterator[tuple[Micros, str]]:
    for commit in reversed(room.commits.commits):
        for entry in reversed(commit.entries):
            yield commit.at_us, _entry_words(entry)


def _entry_words(entry: Entry) -> str:
    if isinstance(entry, Note):
        return f"{entry.kind} {entry.name}: {entry.detail}" if entry.detail else f"{entry.kind} {entry.name}"
    if isinstance(entry, Batch):
        return f"records {entry.first_event_no} to {entry.next_event_no - 1} of the journal"
    if isinstance(entry, SessionStart):
        return f"session {entry.session_no} begun, from cycle {entry.first_cycle_no}"
    if isinstance(entry, Finish):
        return f"session {entry.state}, {'reconciled' if entry.reconciled else 'not reconciled'}"
    return f"truth: {entry.cores_evacuated} cores evacuated"


# --- script, checks and faults ---------------------------------------------------------------------------------------


def _item(room: Room, one: RailItem) -> Document:
    item = one.item
    view: Document = {"item": item.item, "words": item.words, "state": one.state.value}
    if item.fault is not None:
        view["fault"] = fault_words(item.fault)
    if one.state is ItemState.DUE and one.at_us is not None:
        view["due_ms"] = lesson_ms(room, one.at_us)
    return view


def _check(room: Room, one: Judged) -> Document:
    check = one.check
    view: Document = {
        "check": check.check,
        "words": check.words,
        "critical": check.critical,
        "state": one.outcome.value,
    }
    if one.at_us is not None:
        view["at_ms"] = lesson_ms(room, one.at_us)
    if check.within_us is not None:
        view["within_ms"] = check.within_us // MILLISECOND
    if one.outcome is Outcome.OPEN and one.after_us is None:
        view["waits_for"] = _waits_for(check)
    if one.outcome is Outcome.OPEN and one.due_us is not None:
        view["due_ms"] = lesson_ms(room, one.due_us)
    if one.override is not None:
        view["overridden"] = {"passed": one.override.passed, "reason": one.override.reason}
    return view


def _waits_for(check: Check) -> str:
    """Say what has to come before a check begins."""
    return " or ".join(dict.fromkeys(AWAITED[one.kind] for one in check.after.ones))


def _fault(room: Room, firing: Firing) -> Document:
    view: Document = {
        "index": firing.index,
        "fault": firing.fault.kind.name,
        "words": fault_words(firing.fault),
        "state": _fault_state(room, firing),
    }
    since_us = firing.began_at if firing.ended_at is None else firing.ended_at
    if since_us is not None:
        view["since_ms"] = lesson_ms(room, since_us)
    return view


@lru_cache(maxsize=8)
def _impossible(wire: str) -> list[str]:
    """Return the kinds of fault that cannot be brought into a lesson on this wire."""
    return [kind.name for kind in CATALOGUE.values() if why_not_on(wire, kind)]


def _fault_state(room: Room, firing: Firing) -> str:
    if any(act.name == "withdraw" and act.arguments["fault"] == firing.index for act in room.acts):
        return "withdrawn"
    if firing.began_at is None:
        return "waiting"
    return "acting" if firing.ended_at is None else "over"


# --- what has happened -----------------------------------------------------------------------------------------------


def _texts(room: Room, name: str) -> list[Document]:
    acts = [act for act in room.acts if act.name == name]
    return [{"at_ms": lesson_ms(room, act.at_us), "words": act.arguments["text"]} for act in acts]


def _timeline(room: Room) -> list[Document]:
    """Return the latest moments of acts, states, alarms and faults, in order of time."""
    plan = room.controller.plan
    shown = (act for act in reversed(room.acts) if act.name not in (*REMARKS, BYTES))
    moments = [(act.at_us, "act", f"{act.view}: {in_the_past(act, plan)}") for act in islice(shown, MAX_MOMENTS)]
    moments += [(change.at_us, "fault", _change_words(room, change)) for change in room.faults[-MAX_MOMENTS:]]
    for seen in room.evidence[-MAX_EVIDENCE:]:
        lane = "act" if seen.kind == "act" and room.lesson.foreign else _LANES.get(seen.kind)
        if lane is not None and seen.name not in _PASSING:
            moments.append((seen.at_us, lane, _evidence_words(seen)))
    moments.sort(key=lambda moment: moment[0])
    return [
        {"at_ms": lesson_ms(room, at_us), "lane": lane, "words": words} for at_us, lane, words in moments[-MAX_MOMENTS:]
    ]


def _change_words(room: Room, change: FaultChange) -> str:
    return f"{room.bench.injector.firings[change.fault].fault.kind.name} has {change.event}"


def _evidence_words(seen: Evidence) -> str:
    if seen.kind == "refusal":
        rule = INTERLOCKS.get(seen.number)
        return f"refused: {seen.name if rule is None else rule.name}"
    if seen.kind == "act":
        return f"{HOST}: {seen.name.replace('_', ' ')}"
    return f"{_KINDS[seen.kind]} {seen.name.replace('_', ' ')}".strip()
