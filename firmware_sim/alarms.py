"""The alarms: a table of what can be raised, and the set of those that are.

Law: the *condition* (is the cause there?) is kept apart from the *signal* (has someone seen it?). Only the cause's
end ends a condition; an acknowledgement changes the signal alone and never hides the alarm. A latched alarm stays
after its cause has gone, until `reset`. Codes are stable and shown as MC-1501: the first two digits are the
interlock's number.
"""

from dataclasses import dataclass
from typing import Final

from firmware_sim import interlocks
from protocols.enums import AlarmPriority, AlarmState

NEEDLE_NOT_RETRACTED: Final = 101
ANESTHESIA_MISSING: Final = 201
ANESTHESIA_EXPIRED: Final = 301
VACUUM_LOW: Final = 401
VACUUM_LOST: Final = 402
NEEDLE_CLOGGED: Final = 601
NEEDLES_CLOGGED: Final = 602
COUNT_OFF: Final = 701
COUNT_WRONG: Final = 702
DENSITY_NEAR: Final = 801
DENSITY_PLAN: Final = 802
DENSITY_CAP: Final = 803
CARTRIDGE_MISSING: Final = 1101
CARTRIDGE_USED: Final = 1102
CARTRIDGE_EXPIRED: Final = 1103
CARTRIDGE_NOT_STERILE: Final = 1104
CARTRIDGE_WORN: Final = 1201
CARTRIDGE_SPENT: Final = 1202
POWER_LOST: Final = 1401
LINK_LOST: Final = 1501
MOTOR_STALLED: Final = 1601
MOTOR_STUCK: Final = 1602
HANDLE_WARM: Final = 1701
HANDLE_HOT: Final = 1702
CANISTER_NEARLY_FULL: Final = 1801
CANISTER_FULL: Final = 1802
EMERGENCY_STOP: Final = 2001
SELF_TEST_FAILED: Final = 2301


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
        return f"MC-{self.code:04d}"


_INFO, _LOW, _MEDIUM, _HIGH = AlarmPriority.INFO, AlarmPriority.LOW, AlarmPriority.MEDIUM, AlarmPriority.HIGH

ALARMS: Final[dict[int, AlarmRule]] = {
    code: AlarmRule(code, interlock, priority, latched, sentence)
    for code, interlock, priority, latched, sentence in (
        (
            NEEDLE_NOT_RETRACTED,
            interlocks.NEEDLE_OUT,
            _HIGH,
            True,
            "The needles are not home: the stage must not move.",
        ),
        (ANESTHESIA_MISSING, interlocks.ANESTHESIA_NEEDED, _INFO, False, "This zone's anesthesia is not confirmed."),
        (
            ANESTHESIA_EXPIRED,
            interlocks.ANESTHESIA_TIME,
            _LOW,
            False,
            "The anesthesia's time is over: confirm the zone again.",
        ),
        (VACUUM_LOW, interlocks.SUCTION, _MEDIUM, False, "Vacuum is low: no new cycle until it is stable again."),
        (
            VACUUM_LOST,
            interlocks.SUCTION,
            _MEDIUM,
            False,
            "Vacuum is lost: the needles were retracted. Look for a leak.",
        ),
        (NEEDLE_CLOGGED, interlocks.CLOG, _LOW, False, "A needle brings no cores: purge it."),
        (
            NEEDLES_CLOGGED,
            interlocks.CLOG,
            _MEDIUM,
            False,
            "Two or more needles bring no cores: purge before going on.",
        ),
        (
            COUNT_OFF,
            interlocks.COUNT_MISMATCH,
            _LOW,
            False,
            "More cores are missing than clogs explain: watch the count.",
        ),
        (
            COUNT_WRONG,
            interlocks.COUNT_MISMATCH,
            _MEDIUM,
            False,
            "Too many cores are missing: stopped until looked into.",
        ),
        (DENSITY_NEAR, interlocks.DENSITY, _MEDIUM, False, "This cell is near its plan limit."),
        (DENSITY_PLAN, interlocks.DENSITY, _MEDIUM, False, "This cell has reached its plan limit: move on."),
        (DENSITY_CAP, interlocks.DENSITY, _HIGH, True, "This cell is at the cap of punctures: locked."),
        (CARTRIDGE_MISSING, interlocks.CARTRIDGE, _MEDIUM, False, "No needle cartridge is fitted."),
        (
            CARTRIDGE_USED,
            interlocks.CARTRIDGE,
            _MEDIUM,
            False,
            "This cartridge was used in another session: fit a new one.",
        ),
        (CARTRIDGE_EXPIRED, interlocks.CARTRIDGE, _MEDIUM, False, "This cartridge is past its date: fit a new one."),
        (CARTRIDGE_NOT_STERILE, interlocks.CARTRIDGE, _MEDIUM, False, "This cartridge is not sterile: fit a new one."),
        (CARTRIDGE_WORN, interlocks.WEAR, _LOW, False, "The cartridge nears the end of its life."),
        (CARTRIDGE_SPENT, interlocks.WEAR, _MEDIUM, False, "The cartridge is at the end of its life: fit a new one."),
        (
            POWER_LOST,
            interlocks.POWER,
            _HIGH,
            True,
            "Power was lost in a cycle: the reserve has retracted the needles.",
        ),
        (LINK_LOST, interlocks.LINK, _HIGH, True, "The link to the controller was lost: retracted, vented, disarmed."),
        (MOTOR_STALLED, interlocks.STALL, _HIGH, False, "The needle motor stalled: the stroke was not made."),
        (MOTOR_STUCK, interlocks.STALL, _HIGH, True, "The needle motor stalled again and again: locked."),
        (HANDLE_WARM, interlocks.HEAT, _LOW, False, "The handle is warm: look at its vent."),
        (HANDLE_HOT, interlocks.HEAT, _MEDIUM, False, "The handle is too hot: no new cycle until it has cooled."),
        (CANISTER_NEARLY_FULL, interlocks.CANISTER, _LOW, False, "The canister is nearly full."),
        (CANISTER_FULL, interlocks.CANISTER, _MEDIUM, False, "The canister is full: change it before going on."),
        (EMERGENCY_STOP, interlocks.EMERGENCY_STOP, _INFO, False, "The emergency stop is open."),
        (SELF_TEST_FAILED, interlocks.SELF_TEST, _MEDIUM, False, "The self-test failed: the device does nothing else."),
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

    def reset(self) -> list[int]:
        """Clear the latched alarms whose cause has gone; their codes."""
        cleared = [code for code, alarm in self._active.items() if not alarm.present]
        for code in cleared:
            del self._active[code]
        self._rank()
        return cleared

    def restore(self, codes: set[int], now_ms: int) -> None:
        """After a reboot: latched alarms of before are shown again, as if their cause had gone."""
        for code in sorted(codes):
            self._active[code] = ActiveAlarm(ALARMS[code], now_ms, present=False)
        self._rank()

    def state(self, code: int) -> AlarmState:
        """How `code` is shown; INACTIVE when it is not."""
        alarm = self._active.get(code)
        return AlarmState.INACTIVE if alarm is None else alarm.state

    def present(self, code: int) -> bool:
        """Whether the cause of `code` is there."""
        alarm = self._active.get(code)
        return alarm is not None and alarm.present

    @property
    def sounding(self) -> AlarmPriority:
        """The highest priority that nobody has acknowledged: what is heard, where `highest` is what is seen."""
        return max((alarm.rule.priority for alarm in self._active.values() if not alarm.acknowledged), default=_NONE)

    def listing(self) -> list[ActiveAlarm]:
        """All that are not inactive: the highest priority first, then the oldest, then the lowest code."""
        return sorted(self._active.values(), key=lambda alarm: (-alarm.rule.priority, alarm.since_ms, alarm.rule.code))

    def _rank(self) -> None:
        self.highest = max((alarm.rule.priority for alarm in self._active.values()), default=_NONE)


_NONE: Final = AlarmPriority.NONE
