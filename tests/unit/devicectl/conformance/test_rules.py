"""The table of rules: numbers without gaps, and the duties of an end."""

from itertools import groupby

from devicectl.conformance.rules import RULES, Duty, Level, rules_of


def test_numbers_of_each_group_have_no_gap() -> None:
    for _, rules in groupby(RULES.values(), key=lambda rule: rule.group):
        numbers = [int(rule.id.rpartition("-")[2]) for rule in rules]
        assert numbers == list(range(1, len(numbers) + 1))
    assert all(name == rule.id for name, rule in RULES.items())


def test_a_rule_of_both_is_of_each_end() -> None:
    of_device, of_host = rules_of(Duty.DEVICE), rules_of(Duty.HOST)
    assert RULES["HLP-FRM-1"] in of_device and RULES["HLP-FRM-1"] in of_host
    assert RULES["HLP-LNK-2"] in of_device and RULES["HLP-LNK-2"] not in of_host
    assert RULES["HLP-LNK-1"] not in of_device and RULES["HLP-LNK-1"] in of_host
    assert len({*of_device, *of_host}) == len(RULES)


def test_a_level_can_be_asked_for() -> None:
    should = rules_of(Duty.DEVICE, Level.SHOULD)
    assert [rule.id for rule in should] == ["HLP-LNK-11", "HLP-LNK-14", "HLP-EVT-11"]
