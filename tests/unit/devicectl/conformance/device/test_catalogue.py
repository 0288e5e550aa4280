"""The catalogue of a device's cases fits the rules."""

from devicectl.conformance.case import Need, check_catalogue
from devicectl.conformance.device.catalogue import DEVICE_CASES
from devicectl.conformance.device.ground import MOVES, Stage
from devicectl.conformance.rules import Duty


def test_each_must_of_a_device_has_a_case_and_each_case_its_rules() -> None:
    check_catalogue(DEVICE_CASES, Duty.DEVICE)
    assert len(DEVICE_CASES) >= 120


def test_what_is_harmless_comes_first_and_what_moves_needs_leave() -> None:
    stages = [max(case.stage, Stage.IDLE) for case in DEVICE_CASES]
    assert stages == sorted(stages)
    assert all(Need.MOTION in case.needs for case in DEVICE_CASES if case.stage >= MOVES)
