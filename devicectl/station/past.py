"""Acts in words for people, as what was done: roster, timeline and debrief have them from one table.

Law: pure. A text that somebody has written is put in as it is, and never read as a template.
"""

from collections.abc import Mapping
from typing import Final

from devicectl.session.plan import Plan
from devicectl.station.acts import Act
from firmware_sim.faults.fault import Fault, fault_of
from protocols.language.alarm_codes import alarm_label

AT_ONCE: Final = 'at("0 s")'
"""Trigger of a fault that begins when it is declared, which is not worth a word."""

PAST: Final[Mapping[str, str]] = {
    "anesthesia_start": "said that {zone} was numbed {ago}",
    "anesthesia_confirm": "confirmed that {zone} is numb",
    "arm": "armed the handpiece",
    "disarm": "disarmed the handpiece",
    "trigger_press": "pressed the trigger",
    "trigger_release": "let the trigger go{why}",
    "reposition": "went to {cell}",
    "purge": "purged the needles",
    "pause": "paused the treatment",
    "resume": "resumed the treatment",
    "stop": "stopped the handpiece",
    "acknowledge": "acknowledged {alarm}",
    "silence": "paused the sound of the alarms",
    "reset": "reset the handpiece",
    "close": "closed the session",
    "automatic": "switched the automatic operator {on}",
    "inject": "declared a fault: {fault}",
    "withdraw": "ended the fault {fault}",
    "fire": "fired the script's item {item}",
    "skip": "skipped the script's item {item}",
    "note": "noted: {text}",
    "bookmark": "marked: {text}",
    "host_connected": "connected somebody else's host",
    "host_sent": "sent bytes",
    "host_gone": "disconnected somebody else's host",
    "override": "judged the check {check} as {passed}: {reason}",
}
"""Act -> what its person did."""
_WHY: Final[Mapping[str, str]] = {
    "let_go": "",
    "focus": ": the page lost the focus",
    "pointer": ": the pointer was lost",
    "hidden": ": the page was hidden",
    "connection": ": the connection was lost",
    "lease": ": the page was silent",
    "stop": ": it was a stop",
}
"""Reason for which the trigger is let go -> its words."""


def in_the_past(act: Act, plan: Plan) -> str:
    """Return what was done, as after "the trainee has"."""
    return PAST[act.name].format_map(_words(act.arguments, plan))


def fault_words(fault: Fault) -> str:
    """Return a fault with its quantities that are not as usual, and its trigger where it has to wait for one."""
    values = [f"{name} {value}" for name, value in fault.as_json().items() if name not in ("fault", "when")]
    when = "" if fault.text == AT_ONCE else f" when {fault.text}"
    return ", ".join((f"{fault.kind.name.replace('_', ' ')}{when}", *values))


def _words(arguments: Mapping[str, object], plan: Plan) -> dict[str, object]:
    """Return the words for an act's arguments."""
    words = dict(arguments)
    match arguments:
        case {"age_s": int(age_s)}:
            words["ago"] = f"{age_s // 60} min {age_s % 60} s ago" if age_s else "just now"
        case {"why": str(why)}:
            words["why"] = _WHY[why]
        case {"code": int(code)}:
            words["alarm"] = alarm_label(code) if code else "all alarms"
        case {"on": on}:
            words["on"] = "on" if on else "off"
        case {"passed": passed}:
            words["passed"] = "passed" if passed else "failed"
        case {"fault": dict(given)}:
            words["fault"] = fault_words(fault_of(given))
    zone = _zone(arguments.get("zone"), plan)
    cell = arguments.get("cell")
    words["zone"] = zone
    words["cell"] = f"cell {cell + 1} of {zone}" if isinstance(cell, int) else "the next cell"
    return words


def _zone(number: object, plan: Plan) -> str:
    """Return the name of a zone, or its number where the plan has none: the device refuses that."""
    if isinstance(number, int) and number < len(plan.zones):
        return plan.zones[number].name
    return f"zone {number}"
