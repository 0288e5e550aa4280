"""Expectations: what was met is passed over, and what was not is a sentence."""

from typing import Any, Final

import pytest

from devicectl.campaign.expectations import Outcome, check_expectations
from devicectl.campaign.scenario import Expectations

OUTCOME: Final = Outcome(
    state="completed",
    reconciled=True,
    alarms=frozenset({401}),
    refusals=frozenset({"E_INTERLOCK"}),
    interlocks=frozenset({4}),
    cores_counted=30,
    seconds=12.5,
)
MET: Final[list[dict[str, Any]]] = [
    {},
    {"state": None, "reconciled": None},
    {"alarms": (401,), "no_alarms": (1601,)},
    {"refusals": ("E_INTERLOCK",), "interlocks": (4,)},
    {"cores_counted": (30, 30), "at_most_s": 12.5},
]
UNMET: Final[list[tuple[dict[str, Any], str]]] = [
    ({"state": "aborted"}, "the session was to end as aborted, and is completed"),
    ({"reconciled": False}, "the session was to be not reconciled, and is reconciled"),
    ({"alarms": (1601,)}, "alarm MC-1601 was to be raised, and never was"),
    ({"no_alarms": (401,)}, "alarm MC-0401 was to be raised at no time, and was"),
    ({"refusals": ("E_BUSY",)}, "the device was to refuse something with E_BUSY, and never did"),
    ({"interlocks": (5,)}, "the device was to refuse something by interlock 5, and never did"),
    ({"cores_counted": (31, 31)}, "31 cores were to be counted, and 30 were"),
    ({"cores_counted": (31, 40)}, "31 to 40 cores were to be counted, and 30 were"),
    ({"cores_counted": (0, 29)}, "0 to 29 cores were to be counted, and 30 were"),
    ({"at_most_s": 12}, "the run was to take at most 12 s, and took 12.5 s"),
]


@pytest.mark.parametrize("values", MET)
def test_what_was_met_is_passed_over(values: dict[str, Any]) -> None:
    assert check_expectations(Expectations(**values), OUTCOME) == []


@pytest.mark.parametrize(("values", "sentence"), UNMET)
def test_what_was_not_met_is_a_sentence(values: dict[str, Any], sentence: str) -> None:
    assert check_expectations(Expectations(**values), OUTCOME) == [sentence]


def test_every_one_that_was_not_met_is_said() -> None:
    expect = Expectations(state="aborted", alarms=(1601,), refusals=("E_BUSY",), at_most_s=1)
    assert len(check_expectations(expect, OUTCOME)) == 4
