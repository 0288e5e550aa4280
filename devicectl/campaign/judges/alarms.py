"""Judge of alarms: raised when their cause is there, and ended as cleared, acknowledged or latched.

The journal, the device's list at the end and the causes that the recording shows have to agree. A latched alarm holds
the device until FAULT_RESET, over any loss of power.
"""

from typing import Final

from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.links import links_of
from devicectl.campaign.judges.reading import WRITE_FAULTS, Found, Noted, Reading
from devicectl.campaign.judges.records import ALARM, BOOT, KIND_AT, AlarmChange, alarm, event_no, open_cycle_of
from devicectl.campaign.judges.timing import losses

INACTIVE, ACTIVE, ACKNOWLEDGED, LATCHED = 0, 1, 2, 3  # states of an alarm
_STATES: Final = {ACTIVE: "ACTIVE", ACKNOWLEDGED: "ACKNOWLEDGED", LATCHED: "LATCHED"}
POWER_LOST: Final = 1401
STOPPED: Final = 2001
LINK_LOST: Final = 1501
LATCHING: Final = (101, 803, 1001, POWER_LOST, LINK_LOST, 1901)
"""Codes of docs/model.md that stay until FAULT_RESET."""

_OF_INTERLOCK: Final = {4: 401, 10: 1001, 11: 1101, 16: 1601, 20: STOPPED, 23: 2301}
"""Interlock -> the alarm that it raises whenever it refuses."""


_CAUSED_BY: Final = {
    101: ("retract_jammed", "retract_sensor_stuck", "motor_slow"),
    1001: ("encoder_offset",),
    1601: ("motor_stalled", "motor_stalls", "motor_slow", "encoder_offset"),
    1901: ("fluid_inside",),
    STOPPED: ("emergency_stop",),
    2301: ("self_test_fails",),
}
"""Alarm -> the faults of docs/faults.md that give it its cause, where nothing else does."""


def judge(reading: Reading) -> Found:
    """Hold the stops and the starts against the alarms that the device has told of."""
    return _stops(reading) + _holds(reading) + _without_cause(reading)


def judge_ledgers(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold the alarms in the rows against each other, against their causes, and against the end."""
    last: dict[int, int] = {}
    interrupted = 0
    found: list[str] = []
    for raw in _all_rows(ledgers):
        if raw[KIND_AT] == BOOT:
            last = {code: LATCHED for code, state in last.items() if code in LATCHING and state != INACTIVE}
            interrupted = open_cycle_of(raw)
        elif raw[KIND_AT] == ALARM:
            change = alarm(raw)
            found += _step(last.get(change.code), change)
            last[change.code] = change.state
            interrupted = 0 if change.code == POWER_LOST else interrupted
        elif interrupted:
            found.append(f"power was lost in cycle {interrupted}, and MC-{POWER_LOST} was not raised")
            interrupted = 0
    if not _is_off(reading):  # else it shows no alarms: those that are latched are in its memory alone
        found += _at_the_end(last, ledgers)
    found += _causes(reading, _all_rows(ledgers))
    found += _told(reading, _all_rows(ledgers))
    return [(reading.end_us, sentence) for sentence in found]


def _all_rows(ledgers: Ledgers) -> list[bytes]:
    """Return the rows, and what the device has written before and after them, as far as it still has that."""
    rows = {event_no(raw): raw for raw in ledgers.rows}
    return [raw for _, raw in sorted({**ledgers.journal, **rows}.items())]


def _step(before: int | None, change: AlarmChange) -> list[str]:
    """Judge one change; nothing is known of an alarm's state before its first."""
    if before == change.state and before in (INACTIVE, ACKNOWLEDGED):
        return [f"{_label(change.code)} is {change.state} again in event {change.event_no}"]
    if before == ACTIVE == change.state:
        return [f"{_label(change.code)} is raised again in event {change.event_no}, and has not ended"]
    if change.state == LATCHED and change.code not in LATCHING:
        return [f"{_label(change.code)} is latched in event {change.event_no}, and must not be"]
    if change.state == INACTIVE and before == ACTIVE and change.code in LATCHING:
        return [f"{_label(change.code)} is over in event {change.event_no}, and no FAULT_RESET was asked for"]
    return []


def _is_off(reading: Reading) -> bool:
    """Return True if the device had no power at the end."""
    states = reading.of("state")
    return bool(states) and states[-1].event["state"] == "OFF"


def _at_the_end(last: dict[int, int], ledgers: Ledgers) -> list[str]:
    found = [
        f"{_label(code)} was raised, is gone, and the journal does not say so"
        for code, state in last.items()
        if state != INACTIVE and code not in ledgers.alarms
    ]
    return found + [
        f"{_label(code)} is {state} at the end, the journal says that it has ended"
        for code, state in ledgers.alarms.items()
        if last.get(code) == INACTIVE
    ]


def _told(reading: Reading, rows: list[bytes]) -> list[str]:
    """Find alarms that were announced and are not in the journal, and links that were lost without one."""
    changes = [alarm(raw) for raw in rows if raw[KIND_AT] == ALARM]
    written = {(change.code, _STATES.get(change.state, "INACTIVE"), change.uptime_ms) for change in changes}
    found = []
    for said in reading.device_sent:
        fields = said.frame.fields
        if said.frame.name == "Alarm" and (fields["code"], fields["state"], fields["uptime_ms"]) not in written:
            found.append(f"{_label(fields['code'])} was told to be {fields['state']}, and is not in the journal")
    raised = sum(change.code == LINK_LOST and change.state == ACTIVE for change in changes)
    excused = {noted.at_us for kind in WRITE_FAULTS for noted in reading.fired(kind)} | _other_ends(reading)
    if raised < (lost := sum(at_us not in excused for at_us in losses(reading))):
        found.append(f"an armed device lost its link {lost} times, and {_label(LINK_LOST)} was raised {raised} times")
    return found


def _other_ends(reading: Reading) -> set[int]:
    """Return the times at which power went or a STOP came: a lease that ends in the same instant may end unarmed."""
    off = {noted.at_us for noted in reading.of("state") if noted.event["state"] == "OFF"}
    stopped = {noted.at_us for noted in reading.stopped_by_others()}
    return off | stopped | {said.at_us for said in links_of(reading).stops}


def _causes(reading: Reading, rows: list[bytes]) -> list[str]:
    """Find refusals whose interlock has raised no alarm."""
    raised = {alarm(raw).code for raw in rows if raw[KIND_AT] == ALARM}
    spoke = {said.frame.fields["interlock"] for said in reading.device_sent if said.frame.name == "Refused"}
    return [
        f"interlock {number} has refused, and {_label(code)} was never raised"
        for number, code in _OF_INTERLOCK.items()
        if number in spoke and code not in raised
    ]


def _stops(reading: Reading) -> Found:
    """Find an emergency stop of a device that was on without its alarm."""
    found = []
    raised = [said.at_us for said in reading.device_sent if _tells(said.frame.fields, STOPPED)]
    states = reading.of("state")
    for noted in reading.fired("emergency_stop"):
        before = [state for state in states if state.place < noted.place]
        linked = bool(before) and before[-1].event["armed"]
        soon = range(noted.at_us, noted.at_us + 100_001)
        if any(one.at_us in soon and one.event["state"] == "OFF" for one in states):
            continue  # it is raised in the next boot, if it is still open then, and nobody is linked to hear it
        if any(one.at_us == noted.at_us for one in reading.of("detached")):
            continue  # the cable was pulled in the same instant, and nobody is linked to hear it either
        if linked and not any(at_us in soon for at_us in raised):
            found.append((noted.at_us, f"the emergency stop was opened, and MC-{STOPPED} was not raised"))
    return found


def _without_cause(reading: Reading) -> Found:
    """Find alarms that were raised though nothing that causes them has ever happened."""
    fired = {noted.event["kind"] for noted in reading.of("fired")}
    return [
        (said.at_us, f"{_label(code)} was raised, and nothing has caused it")
        for said in reading.device_sent
        if said.frame.name == "Alarm" and said.frame.fields["state"] == "ACTIVE"
        if (causes := _CAUSED_BY.get(code := said.frame.fields["code"])) is not None and not fired.intersection(causes)
    ]


def _tells(fields: object, code: int) -> bool:
    return isinstance(fields, dict) and fields.get("code") == code and fields.get("state") == "ACTIVE"


def _holds(reading: Reading) -> Found:
    """Find a boot that went past a latched alarm, by the alarms that the device has told of."""
    told = [(said.place, said.frame.fields) for said in reading.device_sent if said.frame.name == "Alarm"]
    found, held, place = [], set[int](), 0
    resets = [said.place for said in reading.device_heard if said.frame.name == "FaultReset"]
    states = reading.of("state")
    for index, noted in enumerate(states):
        while place < len(told) and told[place][0] < noted.place:
            code, state = told[place][1]["code"], told[place][1]["state"]
            place += 1
            (held.discard if state == "INACTIVE" else held.add)(code)
        held &= set(LATCHING)
        before = states[index - 1].place if index else 0
        if any(before < reset < noted.place for reset in resets):
            held.clear()  # it may have been carried out, in the write that cost the power
        booted = index and states[index - 1].event["state"] == "OFF"
        if held and booted and noted.event["state"] not in ("SAFE", "FAULT", "LOCKED"):
            found.append(_unheld(noted, held))
    return found


def _unheld(noted: Noted, held: set[int]) -> tuple[int, str]:
    return noted.at_us, f"started into {noted.event['state']} though {', '.join(map(_label, sorted(held)))} is latched"


def _label(code: int) -> str:
    return f"MC-{code:04d}"
