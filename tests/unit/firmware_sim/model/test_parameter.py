"""One parameter: whole numbers and others, and who may set it unless it says otherwise."""

import pytest

from firmware_sim.model.parameter import Parameter
from protocols.language.enums import ParamScope


@pytest.mark.parametrize(("default", "whole"), [(3, True), (0, True), (3.0, False), (0.5, False)])
def test_a_whole_default_makes_it_a_whole_number(default: float, whole: bool) -> None:
    assert Parameter(0, "needles", "needles", default, 0, 8, "assumption", "why").whole is whole


def test_a_host_may_not_set_it_and_0_is_a_value_like_any_other_unless_it_says_so() -> None:
    made = Parameter(0, "needles", "needles", 3, 1, 8, "assumption", "why")
    assert (made.scope, made.zero_is_off) == (ParamScope.START_ONLY, False)
