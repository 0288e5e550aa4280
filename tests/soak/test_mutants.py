"""Mutants: each is one place of the code, and nearly each is noticed by a judge."""

import pytest

from devicectl.campaign.verdict import Breach, Verdict
from tests.soak.mutants import trials
from tests.soak.mutants.mutant import Mutant
from tests.soak.mutants.runner import MUTANTS, SURVIVORS, kept, kill, kill_all, misplaced, page
from tests.soak.mutants.trials import noticed

LEAST = 50
SHARE = 0.98
QUICK = [
    mutant
    for mutant in MUTANTS
    if mutant.name
    in (
        "the latch is not set before the needles leave",
        "an answer that is given again does not say so",
        "spoiled frames renew the lease",
        "the journal is acknowledged before its commit",
    )
]


def test_the_text_of_each_mutant_is_there_once() -> None:
    assert misplaced() == []
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= LEAST
    assert set(SURVIVORS) <= {mutant.name for mutant in MUTANTS}


def test_a_text_that_has_gone_is_found_and_fails_the_run() -> None:
    gone = Mutant("gone", "firmware_sim/device.py", "no such text", "", "truth")
    assert misplaced([gone]) == ["gone"]
    with pytest.raises(AssertionError, match="gone"):
        kill_all([gone], 1)


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_mutant_is_noticed_by_its_judge_and_by_nobody_where_it_is_not(mutant: Mutant) -> None:
    assert not any(map(noticed, mutant.faults)), "without the mutant nobody notices anything"
    assert kill(mutant).judge == mutant.judge


def test_the_named_judge_is_preferred_among_several_and_not_named_where_it_saw_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verdict = Verdict(1, breaches=[Breach("timing", 1, "late"), Breach("alarms", 2, "not journaled")])
    monkeypatch.setattr(trials, "tried", lambda faults: verdict)
    assert (noticed((), "alarms"), noticed((), "truth"), noticed(())) == ("alarms", "timing", "timing")


def test_the_page_has_each_mutant_with_the_judge_that_must_notice_it() -> None:
    judges = {mutant.name: "" if mutant.name in SURVIVORS else mutant.judge for mutant in MUTANTS}
    assert {name: judge for name, (judge, _) in kept().items()} == judges
    assert all(f"\n| {name} | `{mutant.file}` |" in page() for name, mutant in zip(judges, MUTANTS, strict=True))


def test_all_but_a_few_of_the_mutants_are_noticed() -> None:
    assert 1 - len(SURVIVORS) / len(MUTANTS) >= SHARE


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_each_mutant_is_noticed_as_the_page_says() -> None:
    assert {name: (judge, faults) for name, judge, faults, _ in kill_all(MUTANTS, 2)} == kept()
