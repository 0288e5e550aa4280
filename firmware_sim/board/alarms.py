"""The alarms: a table of what can be raised, and the set of those that are.

Law: the *condition* (is the cause there?) is kept apart from the *signal* (has someone seen it?). Only the cause's
end ends a condition; an acknowledgement changes the signal alone and never hides the alarm. A latched alarm stays
after its cause has gone, until `reset`. Codes are stable and shown as MC-1501: the first two digits are the
interlock's number.
"""

from dataclasses import dataclass
from typing import Final

from protocols.language import alarm_codes as A
from protocols.language.enums import AlarmPriority, AlarmState


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One alarm that can be raised; `sentence` is at most 120 bytes of UTF-8."""

    code: int
    interlock: int
    priority: AlarmPriority
    latched: bool
    sentence: str

    @property
    def label(self) -> str:
        """The code as people read it, such as MC-1501."""
        return A.alarm_label(self.code)


def _rule(code: int, priority: AlarmPriority, sentence: str, *, latched: bool = False) -> AlarmRule:
    return AlarmRule(code, code // 100, priority, latched, sentence)


_INFO, _LOW, _MEDIUM, _HIGH = AlarmPriority.INFO, AlarmPriority.LOW, AlarmPriority.MEDIUM, AlarmPriority.HIGH

ALARMS: Final[dict[int, AlarmRule]] = {
    rule.code: rule
    for rule in (
        _rule(A.NEEDLE_NOT_RETRACTED, _HIGH, "The needles are not home: the stage must not move.", latched=True),
        _rule(A.ANESTHESIA_MISSING, _INFO, "The anesthesia of this zone is not confirmed."),
        _rule(A.ANESTHESIA_EXPIRED, _LOW, "The time of the anesthesia is over: confirm the zone again."),
        _rule(A.SUCTION_LOST, _MEDIUM, "The vacuum is low: no new cycle until it is stable again. Look for a leak."),
        _rule(A.NEEDLE_CLOGGED, _LOW, "A needle brings no cores: purge it."),
        _rule(A.NEEDLES_CLOGGED, _MEDIUM, "Two or more needles bring no cores: purge before going on."),
        _rule(A.COUNT_MISMATCH, _LOW, "More cores are missing than clogs explain: watch the count."),
        _rule(A.COUNT_STOPPED, _MEDIUM, "Too many cores are missing: stopped until looked into."),
        _rule(A.DENSITY_NEAR, _MEDIUM, "This cell is near its limit although the plan did not bring it there."),
        _rule(A.DENSITY_REACHED, _MEDIUM, "This cell has reached its planned punctures: move on."),
        _rule(A.DENSITY_LOCKED, _HIGH, "This cell is at the cap of punctures: locked.", latched=True),
        _rule(A.TOO_DEEP, _HIGH, "The needles went deeper than set: retracted and locked.", latched=True),
        _rule(A.CARTRIDGE_REFUSED, _MEDIUM, "The cartridge is missing, used, expired or not sterile: fit a new one."),
        _rule(A.CARTRIDGE_WORN, _LOW, "The cartridge nears the end of its life."),
        _rule(A.CARTRIDGE_WORN_OUT, _MEDIUM, "The cartridge is at the end of its life: fit a new one."),
        _rule(
            A.POWER_LOST_IN_STROKE, _HIGH, "Power was lost in a cycle: the reserve retracted the needles.", latched=True
        ),
        _rule(A.LINK_LOST, _HIGH, "The link to the controller was lost: retracted, vented, disarmed.", latched=True),
        _rule(A.RETAINED_COMMAND, _LOW, "A retained command lies at the broker: refused. Clear it from its topic."),
        _rule(A.MOTOR_STALLED, _HIGH, "The needle motor stalls: retracted and locked."),
        _rule(A.HOT, _LOW, "The handle is warm: look at its vent."),
        _rule(A.TOO_HOT, _MEDIUM, "The handle is too hot: no new cycle until it has cooled."),
        _rule(A.CANISTER_NEARLY_FULL, _LOW, "The canister is nearly full."),
        _rule(A.CANISTER_FULL, _MEDIUM, "The canister is full: change it before going on."),
        _rule(A.EMERGENCY_STOP, _INFO, "The emergency stop is open."),
        _rule(A.SELF_TEST_FAILED, _MEDIUM, "The self-test failed: the device does nothing else."),
    )
}
"""Code -> alarm, in the order of codes."""


@dataclass(slots=True)
class ActiveAlarm:
    """An alarm that is raised: its condition, its signal, and since when in ms of uptime."""

    rule: AlarmRule
    since_ms: int
    present: bool = True
    acknowledged: bool = False

    @property
    def state(self) -> AlarmState:
        """What is shown. LATCHED goes before ACKNOWLEDGED: that the cause has gone matters more."""
        if not self.present:
            return AlarmState.LATCHED
        return AlarmState.ACKNOWLEDGED if self.acknowledged else AlarmState.ACTIVE


class Alarms:
    """The alarms that are not inactive. `highest` is kept up to date, since every heartbeat carries it."""

    def __init__(self) -> None:
        self._active: dict[int, ActiveAlarm] = {}
        self.highest = AlarmPriority.NONE

    def raise_(self, code: int, now_ms: int) -> bool:
        """The cause of `code` is there. True if that changed what is shown."""
        alarm = self._active.get(code)
        if alarm is None:
            self._active[code] = ActiveAlarm(ALARMS[code], now_ms)
            self._rank()
            return True
        if alarm.present:
            return False
        # It comes back while latched: a new occasion, which nobody has seen.
        alarm.present, alarm.acknowledged, alarm.since_ms = True, False, now_ms
        return True

    def clear(self, code: int) -> bool:
        """The cause of `code` has gone. True if that changed what is shown: to LATCHED, or to INACTIVE."""
        alarm = self._active.get(code)
        if alarm is None or not alarm.present:
            return False
        alarm.present = False
        if not alarm.rule.latched:
            del self._active[code]
            self._rank()
        return True

    def acknowledge(self, code: int) -> bool:
        """Someone has seen `code`. True if that was news; it stays in the list."""
        alarm = self._active.get(code)
        if alarm is None or alarm.acknowledged:
            return False
        alarm.acknowledged = True
        return True

    def resettable(self) -> list[int]:
        """The codes of the latched alarms whose cause has gone."""
        return [code for code, alarm in self._active.items() if not alarm.present]

    def reset(self) -> list[int]:
        """Clear them; their codes."""
        cleared = self.resettable()
        for code in cleared:
            del self._active[code]
        self._rank()
        return cleared

    def highest_latching(self) -> int | None:
        """The code of the highest latched alarm whose cause stays, so that `reset` cannot clear it, or None."""
        for alarm in self.listing():
            if alarm.rule.latched and alarm.present:
                return alarm.rule.code
        return None

    def state(self, code: int) -> AlarmState:
        """How `code` is shown; INACTIVE when it is not."""
        alarm = self._active.get(code)
        return AlarmState.INACTIVE if alarm is None else alarm.state

    def present(self, code: int) -> bool:
        """Whether the cause of `code` is there."""
        alarm = self._active.get(code)
        return alarm is not None and alarm.present

    def listing(self) -> list[ActiveAlarm]:
        """All that are not inactive: the highest priority first, then the oldest, then the lowest code."""
        return sorted(self._active.values(), key=lambda alarm: (-alarm.rule.priority, alarm.since_ms, alarm.rule.code))

    def _rank(self) -> None:
        self.highest = max((alarm.rule.priority for alarm in self._active.values()), default=AlarmPriority.NONE)
