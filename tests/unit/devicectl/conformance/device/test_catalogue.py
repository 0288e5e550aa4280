"""The catalogue of a device's cases fits the rules."""

from devicectl.conformance.case import Need
from devicectl.conformance.device.catalogue import DEVICE_CASES
from devicectl.conformance.device.ground import MOVES
from devicectl.conformance.rules import RULES


def test_what_is_harmless_comes_first_and_what_moves_needs_leave() -> None:
    stages = [case.stage for case in DEVICE_CASES]
    assert stages == sorted(stages)
    assert all(Need.MOTION in case.needs for case in DEVICE_CASES if case.stage >= MOVES)


def test_no_case_shows_a_rule_that_is_not_there() -> None:
    assert not [case.id for case in DEVICE_CASES if set(case.rules) - set(RULES)]
