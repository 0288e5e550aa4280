"""The alarms that are raised, each with its condition and its signal.

Law: the *condition* (is the cause there?) is kept apart from the *signal* (has someone seen it?). Only the cause's
end ends a condition; an acknowledgement changes the signal alone and never hides the alarm. A latched alarm stays
after its cause has gone, until `reset`.
"""

from dataclasses import dataclass

from firmware_sim.model.interlock import AlarmRule
from firmware_sim.model.interlocks import ALARMS
from protocols.language.enums import AlarmPriority, AlarmState


@dataclass(slots=True)
class ActiveAlarm:
    """An alarm that is raised: its condition, its signal, and since when in ms of uptime."""

    rule: AlarmRule
    since_ms: int
    present: bool = True
    acknowledged: bool = False

    @property
    def state(self) -> AlarmState:
        """State as it is shown. LATCHED goes before ACKNOWLEDGED: it matters more that the cause has gone."""
        if not self.present:
            return AlarmState.LATCHED
        return AlarmState.ACKNOWLEDGED if self.acknowledged else AlarmState.ACTIVE


class Alarms:
    """The alarms that are not inactive. `highest` is kept up to date, since every heartbeat carries it."""

    def __init__(self) -> None:
        self.active: dict[int, ActiveAlarm] = {}
        """Code -> alarm; for reading."""
        self.highest = AlarmPriority.NONE

    def raise_(self, code: int, now_ms: int) -> bool:
        """Note that the cause of `code` is there. True if that changed what is shown."""
        alarm = self.active.get(code)
        if alarm is None:
            self.active[code] = ActiveAlarm(ALARMS[code], now_ms)
            self._rank()
            return True
        if alarm.present:
            return False
        # It comes back while latched: a new occasion, which nobody has seen.
        alarm.present, alarm.acknowledged, alarm.since_ms = True, False, now_ms
        return True

    def clear(self, code: int) -> bool:
        """Note that the cause of `code` has gone. True if that changed what is shown: to LATCHED, or to INACTIVE."""
        alarm = self.active.get(code)
        if alarm is None or not alarm.present:
            return False
        alarm.present = False
        if not alarm.rule.latched:
            del self.active[code]
            self._rank()
        return True

    def acknowledge(self, code: int) -> bool:
        """Note that someone has seen `code`. True if that was news; it stays in the list."""
        alarm = self.active.get(code)
        if alarm is None or alarm.acknowledged:
            return False
        alarm.acknowledged = True
        return True

    def resettable(self) -> list[int]:
        """The codes of the latched alarms whose cause has gone."""
        return [code for code, alarm in self.active.items() if not alarm.present]

    def reset(self) -> list[int]:
        """Clear the latched alarms whose cause has gone; return their codes."""
        cleared = self.resettable()
        for code in cleared:
            del self.active[code]
        self._rank()
        return cleared

    def highest_latching(self) -> int | None:
        """The code of the highest latched alarm whose cause stays, so that `reset` cannot clear it, or None."""
        for alarm in self.listing():
            if alarm.rule.latched and alarm.present:
                return alarm.rule.code
        return None

    def state(self, code: int) -> AlarmState:
        """Return the state of `code` as it is shown; INACTIVE when it is not raised."""
        alarm = self.active.get(code)
        return AlarmState.INACTIVE if alarm is None else alarm.state

    def present(self, code: int) -> bool:
        """Return True while the cause of `code` is there."""
        alarm = self.active.get(code)
        return alarm is not None and alarm.present

    def listing(self) -> list[ActiveAlarm]:
        """All that are not inactive: the highest priority first, then the oldest, then the lowest code."""
        return sorted(self.active.values(), key=lambda alarm: (-alarm.rule.priority, alarm.since_ms, alarm.rule.code))

    def _rank(self) -> None:
        self.highest = max((alarm.rule.priority for alarm in self.active.values()), default=AlarmPriority.NONE)
