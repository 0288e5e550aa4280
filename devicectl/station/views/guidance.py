"""Guidance of the trainee: the controller's state in words, and the next thing to do.

Law: it follows from the screen alone, so that it believes what the device says even where that is wrong.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from devicectl.session.count import needle_names
from devicectl.session.machine import CYCLE, State
from devicectl.station.console.controller import Controller
from devicectl.station.console.foreign import ForeignConsole
from devicectl.station.console.screen import SEEN_TO_US, Screen, ShownAlarm
from devicectl.station.room import Room
from protocols.language import alarm_codes as A
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import AlarmPriority, AlarmState, DeviceState
from protocols.language.units import Micros

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
_NO_LINK: Final = "There is no link. An armed handpiece makes itself safe."
_IN_ORDER: Final = (A.DENSITY_REACHED, A.NEEDLE_CLOGGED, A.NEEDLES_CLOGGED)
"""Alarms that are there until the next cycle, and whose remedy is a step of the procedure."""


def state_in_words(controller: Controller | ForeignConsole) -> str:
    """Say the state of the controller; one that has ended knows of none."""
    return STATES[controller.screen.state] if controller.alive else "the controller has ended and starts again"


def situation(room: Room) -> str:
    """Return how a lesson is now, as its trainee can see it, in one sentence."""
    cores, target = room.controller.screen.cores, room.controller.plan.target_cores
    return f"{cores} of {target} cores are counted, and the controller says: {state_in_words(room.controller)}."


class Next(NamedTuple):
    """The next thing to do, and the control for it, "" where there is none; `zone` is the one that it is about."""

    words: str
    control: str = ""
    zone: int | None = None


def next_step(room: Room) -> Next:
    """Return the next thing to do: what holds everything up, else what an alarm asks for, else what follows."""
    screen = room.controller.screen
    if screen.ending:
        return Next("The session is over.")
    if room.controller.foreign:
        return Next("Somebody else's host works here. Watch." if screen.linked else "Connect the host.")
    if not room.controller.alive:
        return Next("The controller has ended and starts again. Wait.")
    return _on_the_trigger(room) or _held_up(room) or _asked_for(screen, room.now) or _in_order(room)


def _on_the_trigger(room: Room) -> Next | None:
    """Return what to do with a trigger that is held; None for one that is not held."""
    if not room.controller.held:
        return None
    why = _why_let_go(room)
    return Next(f"Let go of the trigger. {why}", "trigger_release") if why else Next(_WATCH)


def _why_let_go(room: Room) -> str:
    """Return why a trigger that is held has to be let go; "" while cycles follow each other as they should."""
    controller, screen = room.controller, room.controller.screen
    if not screen.linked:
        return _NO_LINK
    if alarm := _most_urgent(screen, _asks):
        return alarm.sentence
    if controller.flagged:
        return f"{needle_names(controller.flagged)} may be clogged."
    if screen.cores >= controller.plan.target_cores:
        return "The target is reached."
    if controller.missed:
        return "It was pressed too early: press again when the handpiece is ready."
    return "" if controller.pulling else "It does nothing now."


def _held_up(room: Room) -> Next | None:
    """Return what comes before all else; None where nothing holds the session up."""
    screen = room.controller.screen
    if not screen.linked:
        return Next(f"{_NO_LINK} Wait until the link is back.")
    if screen.state is State.RECOVERING:
        return _after_a_stop(screen)
    return Next("The automatic operator works. Watch.") if room.controller.automatic else None


def _asked_for(screen: Screen, now: Micros) -> Next | None:
    """Return what the most urgent alarm that nobody has dealt with asks for, or that one is being seen to."""
    if alarm := _most_urgent(screen, _asks):
        return Next(alarm.sentence, "acknowledge")
    if alarm := _most_urgent(screen, lambda one: _is_seen_to(one, now)):
        return Next(f"Wait until somebody has seen to {alarm_label(alarm.code)}. {alarm.sentence}")
    return None


def _most_urgent(screen: Screen, wanted: Callable[[ShownAlarm], bool]) -> ShownAlarm | None:
    """Return the most urgent of the alarms that are wanted, of several the newest."""
    found = [alarm for alarm in screen.alarms.values() if wanted(alarm)]
    return max(found, key=lambda alarm: (alarm.priority, alarm.since_us), default=None)


def _asks(alarm: ShownAlarm) -> bool:
    """Return True for an alarm that somebody has to look into."""
    waits = alarm.state is not AlarmState.ACKNOWLEDGED and alarm.priority >= AlarmPriority.LOW
    return waits and alarm.code not in _IN_ORDER


def _is_seen_to(alarm: ShownAlarm, now: Micros) -> bool:
    """Return True for an alarm that was acknowledged and has to be waited for.

    A loss of suction ends by itself. The handpiece looks at others only when it is asked to go on.
    """
    if alarm.acknowledged_us is None or alarm.code in _IN_ORDER:
        return False
    return alarm.code == A.SUCTION_LOST or now < alarm.acknowledged_us + SEEN_TO_US


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
        return Next("The target is reached: close the session.", "close")
    if screen.state is State.ARMED:
        return _armed(room)
    return _anesthesia(room)


def _armed(room: Room) -> Next:
    controller, screen, zones = room.controller, room.controller.screen, room.controller.zones
    missing = screen.alarms.get(A.COUNT_MISMATCH)
    if missing is not None and missing.since_us > screen.armed_at:
        return Next(f"Disarm, and find out why before you go on. {missing.sentence}", "disarm")
    if controller.flagged:
        return Next(f"Purge: {needle_names(controller.flagged)} may be clogged.", "purge")
    if controller.place is None or controller.cycles_left <= 0:
        return Next("Go to the next cell.", "reposition")
    zone, _ = controller.place
    if zone not in zones or not zones[zone].confirmed:
        name = controller.plan.zones[zone].name
        return Next(f"{name} is not confirmed as numb. Disarm the handpiece, and see to that first.", "disarm")
    return Next("Hold the trigger: cycles follow each other until you let go.", "trigger_press")


def _anesthesia(room: Room) -> Next:
    plan, zones = room.controller.plan, room.controller.zones
    for number, zone in enumerate(plan.zones):
        if number not in zones:
            return Next(f"Numb the zone {zone.name}.", "anesthesia_start", number)
        if zones[number].ready_at is None and not zones[number].confirmed:
            return Next(
                f"The handpiece no longer knows that {zone.name} is numb: start it again.", "anesthesia_start", number
            )
    waiting = {number: numbed for number, numbed in zones.items() if not numbed.confirmed}
    for number, numbed in waiting.items():
        if numbed.ready_at is not None and numbed.ready_at <= room.now:
            return Next(f"See if {plan.zones[number].name} is numb, then confirm it.", "anesthesia_confirm", number)
    if waiting:
        return Next("Wait until the anesthesia has had its time. Each zone shows how long.")
    return Next("The zones are numb. Arm the handpiece.", "arm")
