"""Alarm states: the condition apart from the signal; and the tables of alarms and interlocks."""

import pytest

from firmware_sim.board.alarms import Alarms
from firmware_sim.model.interlock import AlarmRule
from firmware_sim.model.interlocks import ALARMS, INTERLOCKS
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language.enums import AlarmPriority, AlarmState

LATCHED = A.LINK_LOST
PLAIN = A.SUCTION_LOST


@pytest.mark.parametrize("rule", ALARMS.values(), ids=lambda rule: rule.label)
def test_rule_is_sound(rule: AlarmRule) -> None:
    assert rule.code in range(100, 10_000)
    assert rule.code // 100 == rule.interlock
    assert INTERLOCKS[rule.interlock].built
    assert 0 < len(rule.sentence.encode()) <= 120 and rule.sentence.endswith(".")
    assert rule.label == f"MC-{rule.code:04d}"
    assert not rule.latched or rule.priority is AlarmPriority.HIGH


def test_every_constant_has_one_rule() -> None:
    constants = [value for name, value in vars(A).items() if name.isupper() and isinstance(value, int)]
    codes = [code for code in constants if not isinstance(code, AlarmPriority)]
    assert sorted(codes) == sorted(ALARMS) == list(ALARMS)


def test_interlocks_are_numbered_without_a_gap() -> None:
    assert list(INTERLOCKS) == list(range(1, len(INTERLOCKS) + 1))
    assert list(INTERLOCKS) == [value for name, value in vars(I).items() if name.isupper()]
    assert all(number == row.number and row.hazard and row.reaction for number, row in INTERLOCKS.items())
    unbuilt = {number for number, row in INTERLOCKS.items() if not row.built}
    assert not unbuilt & {rule.interlock for rule in ALARMS.values()}


def seen(alarms: Alarms) -> AlarmPriority:
    return alarms.highest


def test_plain_alarm_goes_with_its_cause() -> None:
    alarms = Alarms()
    assert alarms.state(PLAIN) is AlarmState.INACTIVE
    assert alarms.raise_(PLAIN, 10)
    assert not alarms.raise_(PLAIN, 20)
    assert alarms.state(PLAIN) is AlarmState.ACTIVE and alarms.present(PLAIN)
    assert alarms.listing()[0].since_ms == 10
    assert alarms.clear(PLAIN)
    assert not alarms.clear(PLAIN)
    assert alarms.state(PLAIN) is AlarmState.INACTIVE and not alarms.present(PLAIN)
    assert alarms.listing() == [] and seen(alarms) is AlarmPriority.NONE


def test_latched_alarm_outlives_its_cause_until_reset() -> None:
    alarms = Alarms()
    alarms.raise_(LATCHED, 0)
    assert alarms.reset() == []  # its cause is still there
    assert alarms.state(LATCHED) is AlarmState.ACTIVE
    assert alarms.clear(LATCHED)
    assert not alarms.clear(LATCHED)
    assert alarms.state(LATCHED) is AlarmState.LATCHED
    assert not alarms.present(LATCHED)
    assert seen(alarms) is AlarmPriority.HIGH
    assert alarms.reset() == [LATCHED]
    assert alarms.state(LATCHED) is AlarmState.INACTIVE
    assert seen(alarms) is AlarmPriority.NONE


def test_acknowledging_hides_nothing() -> None:
    alarms = Alarms()
    assert not alarms.acknowledge(PLAIN)
    alarms.raise_(PLAIN, 0)
    assert seen(alarms) is AlarmPriority.MEDIUM
    assert alarms.acknowledge(PLAIN)
    assert not alarms.acknowledge(PLAIN)
    assert alarms.state(PLAIN) is AlarmState.ACKNOWLEDGED
    assert seen(alarms) is AlarmPriority.MEDIUM
    assert not alarms.raise_(PLAIN, 5)  # the same occasion: seen already
    assert alarms.state(PLAIN) is AlarmState.ACKNOWLEDGED


def test_new_alarm_is_active_although_another_was_acknowledged() -> None:
    alarms = Alarms()
    alarms.raise_(LATCHED, 0)
    alarms.acknowledge(LATCHED)
    alarms.raise_(A.HOT, 1)
    assert seen(alarms) is AlarmPriority.HIGH
    assert (alarms.state(LATCHED), alarms.state(A.HOT)) == (AlarmState.ACKNOWLEDGED, AlarmState.ACTIVE)


def test_latched_alarm_that_comes_back_is_a_new_occasion() -> None:
    alarms = Alarms()
    alarms.raise_(LATCHED, 0)
    alarms.acknowledge(LATCHED)
    alarms.clear(LATCHED)
    assert alarms.state(LATCHED) is AlarmState.LATCHED
    assert seen(alarms) is AlarmPriority.HIGH
    assert alarms.raise_(LATCHED, 50)
    assert alarms.state(LATCHED) is AlarmState.ACTIVE
    assert alarms.listing()[0].since_ms == 50


def test_highest_latching_is_what_reset_cannot_clear() -> None:
    alarms = Alarms()
    assert alarms.highest_latching() is None
    alarms.raise_(A.MOTOR_STALLED, 0)  # high, not latched
    alarms.raise_(LATCHED, 0)
    alarms.clear(LATCHED)  # latched, cause gone
    assert alarms.highest_latching() is None
    alarms.raise_(A.TOO_DEEP, 1)
    assert alarms.highest_latching() == A.TOO_DEEP


def test_listing_is_ordered_by_priority_then_age_then_code() -> None:
    alarms = Alarms()
    for code, at in ((A.HOT, 0), (A.CANISTER_FULL, 5), (A.SUCTION_LOST, 5), (LATCHED, 9), (A.TOO_HOT, 4)):
        alarms.raise_(code, at)
    listed = [alarm.rule.code for alarm in alarms.listing()]
    assert listed == [LATCHED, A.TOO_HOT, A.SUCTION_LOST, A.CANISTER_FULL, A.HOT]


def test_unknown_code_is_a_defect_of_the_caller() -> None:
    with pytest.raises(KeyError):
        Alarms().raise_(9999, 0)
