"""The kill matrix: each MUST of a device is seen broken by some defect, and nearly each defect by some case."""

from collections.abc import Callable

import pytest

from tests.soak.matrix.behind import BEHIND, attempt_behind
from tests.soak.matrix.kept import attempt_all, read
from tests.soak.matrix.runner import (
    GENERAL,
    KEPT,
    MADE,
    MUSTS,
    NO_DEVICES,
    SURVIVORS,
    attempt,
    killers,
    page,
)
from tests.soak.mutants.device import DEVICE
from tests.soak.mutants.link import LINK
from tests.soak.mutants.mutant import Mutant
from tests.soak.mutants.runner import misplaced

LEAST = 40
SHARE = 0.95
"""Of the devices with a defect, those that are seen at least."""
QUICK = [one for one in MADE if one not in BEHIND][::9]
QUICK_BEHIND = [one for one in BEHIND if one.judge in ("HLP-MQT-1", "HLP-MQT-11", "HLP-MQT-14")]


def test_the_text_of_each_mutant_is_there_once_and_its_name_is_its_own() -> None:
    assert misplaced(MADE) == []
    names = [mutant.name for mutant in (*GENERAL, *MADE)]
    assert len(set(names)) == len(names) >= LEAST


def test_a_right_device_fails_nothing() -> None:
    assert attempt(None).failed == {}


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_defect_is_seen_by_the_cases_of_its_rule(mutant: Mutant) -> None:
    assert attempt(mutant).failed == read(KEPT)[mutant.name]
    assert mutant.judge in read(KEPT)[mutant.name]


@pytest.mark.parametrize("mutant", QUICK_BEHIND, ids=lambda mutant: mutant.name)
def test_a_defect_behind_a_broker_is_seen_by_the_cases_of_its_rule(
    mutant: Mutant, program: Callable[[str], str]
) -> None:
    program("mosquitto")
    assert attempt(mutant).failed == read(KEPT)[mutant.name]
    assert mutant.judge in read(KEPT)[mutant.name]


def test_a_right_device_behind_a_broker_fails_nothing(program: Callable[[str], str]) -> None:
    program("mosquitto")
    assert attempt_behind(None) == ({}, "")


def test_each_must_is_seen_broken() -> None:
    assert [rule for rule, found in killers().items() if not found] == []


def test_nearly_each_device_is_seen_and_each_that_is_not_has_its_sentence() -> None:
    results = read(KEPT)
    unseen = {name for name, failed in results.items() if not failed}
    assert unseen == set(SURVIVORS)
    assert 1 - len(unseen) / len(results) >= SHARE
    assert all(reason.endswith(".") for reason in SURVIVORS.values())


def test_a_mutant_that_is_not_counted_has_its_reason() -> None:
    assert set(NO_DEVICES) == {one.name for one in (*DEVICE, *LINK)} - {one.name for one in GENERAL}


def test_the_page_is_of_these_mutants() -> None:
    assert set(read(KEPT)) == {mutant.name for mutant in (*GENERAL, *MADE)}
    assert all(f"\n| {rule.id} | {rule.text} |" in page() for rule in MUSTS)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_each_defect_is_seen_as_the_page_says(program: Callable[[str], str]) -> None:
    program("mosquitto")
    assert {one.name: one.failed for one in attempt_all(attempt, (*GENERAL, *MADE), 2)} == read(KEPT)
