"""The trainee's view: the controller as its operator sees it.

Law: made of the controller, its screen and its plan. Nothing of the device's inside, of the script or of a fault is in
it, under any name.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from devicectl.session.count import coverage_percent
from devicectl.session.operators.anesthesia import ZoneState
from devicectl.station.console.controller import Controller
from devicectl.station.console.foreign import ForeignConsole
from devicectl.station.console.screen import SILENCE_US, Phase, Screen, ShownAlarm, ShownCell
from devicectl.station.evidence import TRAINEE_ACTS
from devicectl.station.room import Room
from devicectl.station.views.guidance import Next, next_step, state_in_words
from devicectl.station.views.patch import Document
from firmware_sim.model.parameters import PARAMETERS
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import AlarmPriority, AlarmState
from protocols.language.units import MILLISECOND
from protocols.text.notice import NOTICE

MAX_MESSAGES: Final = 20
ZERO_C_MK: Final = 273_150
_AT_ONCE: Final = ("trigger_press", "trigger_release", "stop", "acknowledge", "silence")
"""Acts that need no hand, or the one that holds the trigger."""
_USUAL: Final[Mapping[str, float]] = {one.name: one.default for one in PARAMETERS}
_PRIORITIES: Final = {priority: priority.name.lower() for priority in AlarmPriority}
_STATES_OF_ALARMS: Final = {state: state.name.lower() for state in AlarmState}


def trainee_view(room: Room) -> Document:
    """Return what the trainee is shown; the clock is put in by who paces the room."""
    lesson, controller = room.lesson, room.controller
    screen, step = controller.screen, next_step(room)
    view: Document = {
        "role": "trainee",
        "notice": NOTICE,
        "title": lesson.task,
        "prebrief": lesson.prebrief,
        "minutes": lesson.minutes,
        "state": {"name": screen.state.value, "words": state_in_words(controller)},
        "link": _link(screen),
        "counts": _counts(room),
        **_readings(room),
        "zones": _zones(room),
        "cells": {f"{zone}:{cell}": _percent(shown) for (zone, cell), shown in screen.cells.items()},
        "alarms": _alarms(room),
        "sound": {} if screen.silent_until is None else {"paused_until_ms": lesson_ms(room, screen.silent_until)},
        "next": _next(step),
        "messages": [
            {"no": one.no, "at_ms": lesson_ms(room, one.at_us), "kind": one.kind, "words": one.words}
            for one in screen.messages[-MAX_MESSAGES:]
        ],
        "controls": {name: _control(controller, name) for name in TRAINEE_ACTS},
        "trigger": _trigger(controller),
        "cycle": phase_of(room, screen.phase),
    }
    if controller.place is not None:
        zone, cell = controller.place
        view["place"] = {"zone": zone, "cell": cell, "cycles_left": controller.cycles_left}
    if screen.ending:
        view["end"] = _end(room)
    return view


def lesson_ms(room: Room, at_us: int) -> int:
    """Return a time of the world as a time of the lesson."""
    return (at_us - room.began) // MILLISECOND


def phase_of(room: Room, phase: Phase) -> Document:
    """Return a phase of a cycle as views have it."""
    return {
        "cycle_no": phase.cycle_no,
        "phase": phase.phase,
        "began_ms": lesson_ms(room, phase.at_us),
        "takes_ms": phase.takes_us // MILLISECOND,
    }


def _trigger(controller: Controller | ForeignConsole) -> Document:
    """Return the trigger, with the reason for which it was let go, or with it if its press came too early."""
    held, why = controller.held, controller.let_go
    if why and not held:
        return {"held": False, "why": why}
    return {"held": held, "missed": True} if controller.missed else {"held": held}


def _next(step: Next) -> Document:
    view: Document = {"words": step.words}
    if step.control:
        view["control"] = step.control
    if step.zone is not None:
        view["zone"] = step.zone
    return view


def _link(screen: Screen) -> Document:
    words = "The link to the handpiece is up." if screen.linked else "There is no link to the handpiece."
    return {"up": screen.linked, "words": words}


def _counts(room: Room) -> Document:
    screen = room.controller.screen
    counts: Document = {
        "cores": screen.cores,
        "target": room.controller.plan.target_cores,
        "cycles": screen.cycles,
    }
    begun = sum(cell.done > 0 for cell in screen.cells.values())
    if begun:
        diameter_um = room.controller.core_diameter_um
        counts["coverage_percent"] = round(coverage_percent(screen.cores, begun, diameter_um), 2)
    return counts


def _readings(room: Room) -> Document:
    """Return what the device has measured, and the limits of its data sheet."""
    limit = {**_USUAL, **room.lesson.scenario.parameters}
    vacuum: Document = {
        "low_kpa": limit["vacuum_low_kpa"],
        "stop_kpa": limit["vacuum_stop_kpa"],
        "set_kpa": limit["vacuum_set_kpa"],
    }
    cartridge: Document = {"warn": limit["cartridge_warn_cycles"], "life": limit["cartridge_life_cycles"]}
    canister: Document = {
        "warn_percent": 100 * limit["canister_warn"],
        "full_percent": 100 * limit["canister_block"],
    }
    readings: Document = {"vacuum": vacuum, "cartridge": cartridge, "canister": canister}
    told = room.controller.screen.telemetry
    if told is not None:
        vacuum["kpa"] = round(told.vacuum_pa / 1_000, 1)
        cartridge["cycles"] = told.cartridge_cycles
        canister["percent"] = round(told.canister_ul / (10 * limit["canister_ml"]), 1)
        readings["temperature_c"] = round((told.temperature_mk - ZERO_C_MK) / 1_000, 1)
    return readings


def _zones(room: Room) -> list[Document]:
    controller = room.controller
    numbed, cells = controller.zones, Counter(zone for (zone, _), cell in controller.screen.cells.items() if cell.done)
    return [
        {
            "zone": number,
            "name": zone.name,
            "area_cm2": zone.area_cm2,
            "cells_done": cells[number],
            **_anesthesia(room, numbed.get(number)),
        }
        for number, zone in enumerate(room.controller.plan.zones)
    ]


def _anesthesia(room: Room, zone: ZoneState | None) -> Document:
    if zone is None:
        return {"confirmed": False}
    state: Document = {"confirmed": zone.confirmed, "numbed_ms": lesson_ms(room, zone.numbed_at)}
    if zone.ready_at is not None:
        state["wait_until_ms"] = lesson_ms(room, zone.ready_at)
    return state


def _percent(cell: ShownCell) -> int:
    """Return the share of its cycles that a cell has had."""
    return 100 * cell.done // max(1, cell.done + cell.left)


def _alarms(room: Room) -> list[Document]:
    """Return the alarms that are shown, the most urgent first and of these the newest."""
    screen = room.controller.screen
    shown = sorted(screen.alarms.values(), key=lambda alarm: (-alarm.priority, -alarm.since_us))
    return [
        {
            "code": alarm.code,
            "label": alarm_label(alarm.code),
            "priority": _PRIORITIES[alarm.priority],
            "state": _STATES_OF_ALARMS[alarm.state],
            "words": alarm.sentence,
            "since_ms": lesson_ms(room, alarm.since_us),
            "sounds": _sounds(alarm, screen),
        }
        for alarm in shown
    ]


def _sounds(alarm: ShownAlarm, screen: Screen) -> bool:
    """Return True for an alarm that is heard: a pause of the sound is for those that were there when it began."""
    paused = screen.silent_until is not None and alarm.since_us <= screen.silent_until - SILENCE_US
    return alarm.state is not AlarmState.ACKNOWLEDGED and not paused


def _control(controller: Controller | ForeignConsole, name: str) -> Document:
    taken = controller.held and name not in _AT_ONCE
    why = "let go of the trigger first" if taken else controller.why_not(name)
    return {"enabled": False, "why": why} if why else {"enabled": True}


def _end(room: Room) -> Document:
    screen, finish = room.controller.screen, room.commits.finish
    agreed = finish is not None and finish.reconciled
    verdict = "Controller and handpiece agree" if agreed else "Controller and handpiece do not agree"
    return {
        "state": screen.ending,
        "reconciled": agreed,
        "cores": screen.cores,
        "words": f"The session is {screen.ending}. {verdict}: {screen.cores} cores are counted.",
    }
