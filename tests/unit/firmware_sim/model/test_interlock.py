"""An alarm's rule and an interlock's row: what follows from what is written in them."""

from firmware_sim.model.interlock import AlarmRule, Interlock
from firmware_sim.model.parameter import Parameter
from protocols.language.enums import AlarmPriority


def test_an_alarms_code_begins_with_the_number_of_its_interlock() -> None:
    for code, interlock, label in ((101, 1, "MC-0101"), (1502, 15, "MC-1502")):
        rule = AlarmRule(code, AlarmPriority.LOW, "Something is there.")
        assert (rule.interlock, rule.label) == (interlock, label)


def test_an_alarm_goes_with_its_cause_and_not_with_the_session_unless_it_says_so() -> None:
    rule = AlarmRule(101, AlarmPriority.LOW, "Something is there.")
    assert (rule.latched, rule.of_session) == (False, False)


def test_a_reaction_names_the_defaults_of_its_own_parameters() -> None:
    parameter = Parameter(0, "heat_stop_c", "C", 43.0, 20.0, 100.0, "assumption", "hot")
    row = Interlock(17, "heat", "a hot handle", "no cycle at {heat_stop_c:g} C", parameters=(parameter,))
    assert row.told == "no cycle at 43 C"
    assert (row.alarms, row.limit, row.built) == ((), None, True)
