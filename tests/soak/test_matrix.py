"""The kill matrix: each MUST of a device on a wire of bytes is seen broken by some defect."""

import pytest

from tests.soak.matrix.runner import GENERAL, MADE, MUSTS, attempt, attempt_all, kept, killers, page
from tests.soak.mutants.mutant import Mutant
from tests.soak.mutants.runner import misplaced

LEAST = 40
UNSEEN: dict[str, str] = {}
"""MUST that no defect of one place breaks in the kit's sight -> why."""
QUICK = MADE[::9]


def test_the_text_of_each_mutant_is_there_once_and_its_name_is_its_own() -> None:
    assert misplaced(MADE) == []
    names = [mutant.name for mutant in (*GENERAL, *MADE)]
    assert len(set(names)) == len(names) >= LEAST


def test_a_right_device_fails_nothing() -> None:
    assert attempt(None).failed == {}


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_defect_is_seen_by_the_cases_of_its_rule(mutant: Mutant) -> None:
    assert attempt(mutant).failed == kept()[mutant.name]
    assert mutant.judge in kept()[mutant.name]


def test_each_must_is_seen_broken() -> None:
    assert {rule for rule, found in killers().items() if not found} == set(UNSEEN)


def test_the_page_is_of_these_mutants() -> None:
    assert set(kept()) == {mutant.name for mutant in (*GENERAL, *MADE)}
    assert all(f"\n| {rule.id} | {rule.text} |" in page() for rule in MUSTS)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_each_defect_is_seen_as_the_page_says() -> None:
    assert {one.name: one.failed for one in attempt_all((*GENERAL, *MADE), 2)} == kept()
