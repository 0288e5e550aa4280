"""Guidance of the trainee: the controller's state in words, and the next thing to do.

Law: it follows from the screen alone, so that it believes what the device says even where that is wrong.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from devicectl.session.count import needle_names
from devicectl.session.machine import CYCLE, State
from devicectl.station.console.controller import Controller
from devicectl.station.console.foreign import ForeignConsole
from devicectl.station.console.screen import Screen, ShownAlarm
from devicectl.station.room import Room
from protocols.language import alarm_codes as A
from protocols.language.enums import AlarmPriority, AlarmState, DeviceState

STATES: Final[Mapping[State, str]] = {
    State.DISCONNECTED: "no link",
    State.CONNECTING: "connecting",
    State.IDLE: "ready, no session",
    State.SESSION_OPEN: "session open",
    State.ANESTHESIA_WAIT: "anesthesia under way",
    State.ANESTHESIA_CONFIRMED: "anesthesia confirmed",
    State.ARMED: "armed",
    **dict.fromkeys(CYCLE, "cycle under way"),
    State.REPOSITIONING: "going to a cell",
    State.PURGING: "purging",
    State.PAUSED: "paused",
    State.RECOVERING: "stopped",
    State.CLOSING: "closing the session",
    State.COMPLETED: "session completed",
    State.ABORTED: "session aborted",
    State.FAULTED: "session left open",
}

_WATCH: Final = "Cycles follow each other. Watch the vacuum and the alarms."
_WAITS: Final[Mapping[State, str]] = {
    State.DISCONNECTED: "There is no link. Wait until it is back.",
    State.CONNECTING: "Wait: the controller makes the link.",
    State.IDLE: "Wait: the session is being opened.",
    **dict.fromkeys(CYCLE, _WATCH),
    State.REPOSITIONING: "Wait: the hand goes to the cell.",
    State.PURGING: "Wait: the needles are blown free.",
    State.CLOSING: "Wait: the counts of both ends are compared.",
}
"""States in which nothing is to be done but to wait and to watch."""
_IN_ORDER: Final = (A.DENSITY_REACHED, A.NEEDLE_CLOGGED, A.NEEDLES_CLOGGED)
"""Alarms that are there until the next cycle, and whose remedy is a step of the procedure."""


def state_in_words(controller: Controller | ForeignConsole) -> str:
    """Say the state of the controller; one that has ended knows of none."""
    return STATES[controller.screen.state] if controller.alive else "the controller has ended and starts again"


class Next(NamedTuple):
    """The next thing to do, and the control for it, "" where there is none; `zone` is the one that it is about."""

    words: str
    control: str = ""
    zone: int | None = None


def next_step(room: Room) -> Next:
    """Return the next thing to do: what holds everything up, else what an alarm asks for, else what follows."""
    return _held_up(room) or _asked_for(room.controller.screen) or _in_order(room)


def _held_up(room: Room) -> Next | None:
    """Return what comes before all else; None where nothing holds the session up."""
    controller, screen = room.controller, room.controller.screen
    if screen.ending:
        return Next("The session is over.")
    if controller.foreign:
        return Next("Somebody else's host works here. Watch." if screen.linked else "Connect the host.")
    if not controller.alive:
        return Next("The controller has ended and starts again. Wait.")
    if not screen.linked:
        return Next("There is no link. An armed handpiece makes itself safe. Wait until the link is back.")
    if screen.state is State.RECOVERING:
        return _after_a_stop(screen)
    return Next("The automatic operator works. Watch.") if controller.automatic else None


def _asked_for(screen: Screen) -> Next | None:
    """Return what the most urgent alarm that nobody has dealt with asks for, of several the newest."""
    asking = [alarm for alarm in screen.alarms.values() if _asks(alarm)]
    if not asking:
        return None
    first = max(asking, key=lambda alarm: (alarm.priority, alarm.since_us))
    return Next(first.sentence, "acknowledge")


def _asks(alarm: ShownAlarm) -> bool:
    """Return True for an alarm that somebody has to look into."""
    waits = alarm.state is not AlarmState.ACKNOWLEDGED and alarm.priority >= AlarmPriority.LOW
    return waits and alarm.code not in _IN_ORDER


def _after_a_stop(screen: Screen) -> Next:
    told = screen.telemetry
    if told is not None and told.state is DeviceState.LOCKED:
        return Next("The handpiece is locked: only a restart leads out. Close the session.", "close")
    return Next("The handpiece holds still. Find out why, and reset it when the cause is gone.", "reset")


def _in_order(room: Room) -> Next:
    """Return what follows in the procedure, by the state of the host."""
    screen, under_way = room.controller.screen, room.controller.under_way
    reached = screen.cores >= room.controller.plan.target_cores
    busy = "" if under_way in ("", "cycle") else f"Wait: {under_way.replace('_', ' ')} is under way."
    if waits := _WAITS.get(screen.state, busy):
        return Next(waits)
    if screen.state is State.PAUSED:
        return Next("The treatment is paused. Resume it when you are ready.", "resume")
    if reached:
        return Next("The target is reached. Let go of the trigger and close the session.", "close")
    if screen.state is State.ARMED:
        return _armed(room)
    if screen.state is State.ANESTHESIA_CONFIRMED:
        return Next("The zones are numb. Arm the handpiece.", "arm")
    return _anesthesia(room)


def _armed(room: Room) -> Next:
    controller = room.controller
    if controller.flagged:
        return Next(f"Purge: {needle_names(controller.flagged)} may be clogged.", "purge")
    if controller.place is None or controller.cycles_left <= 0:
        return Next("Go to the next cell.", "reposition")
    if controller.held:
        return Next(_WATCH, "trigger_release")
    return Next("Hold the trigger: cycles follow each other until you let go.", "trigger_press")


def _anesthesia(room: Room) -> Next:
    plan, zones = room.controller.plan, room.controller.zones
    for number, zone in enumerate(plan.zones):
        if number not in zones:
            return Next(f"Numb the zone {zone.name}.", "anesthesia_start", number)
        if zones[number].ready_at is None:
            return Next(
                f"The handpiece knows no more that {zone.name} is numb: start it again.", "anesthesia_start", number
            )
    for number, numbed in zones.items():
        if not numbed.confirmed and numbed.ready_at is not None and numbed.ready_at <= room.now:
            return Next(f"See if {plan.zones[number].name} is numb, then confirm it.", "anesthesia_confirm", number)
    return Next("Wait until the anesthesia has had its time. Each zone shows how long.")
