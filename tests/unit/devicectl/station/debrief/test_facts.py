"""Facts: what follows from others is not stored."""

import pytest

from devicectl.station.debrief.facts import CheckResult, Sample


@pytest.mark.parametrize(("outcome", "passed"), [("passed", True), ("failed", False), ("not_judged", None)])
def test_a_check_has_its_own_judgement_unless_the_instructor_gave_another(outcome: str, passed: bool | None) -> None:
    own = CheckResult("Stops", False, outcome)
    assert own.passed is passed
    assert own._replace(override=True).passed is True and own._replace(override=False).passed is False


def test_the_yield_is_not_known_before_the_first_puncture() -> None:
    assert Sample(0, 0, 0, 0, None, 0.0).yield_percent is None
    assert Sample(0, 3, 4, 4, None, 0.0).yield_percent == 75
