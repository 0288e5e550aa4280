"""Campaigns: no session is wrong, none is stuck, and each kind has had its effect; the same wherever they run."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devicectl.campaign.many import campaign as campaign_module
from devicectl.campaign.many import workers
from devicectl.campaign.many.campaign import Campaign
from devicectl.campaign.many.report import report_data
from devicectl.campaign.many.tally import Tally
from devicectl.campaign.many.unseen import REASONS, expected, seen, unseen
from devicectl.campaign.many.usual import USUAL_PROFILE
from devicectl.campaign.many.work import judge_part
from firmware_sim.faults.catalogue import CATALOGUE

CYCLES = 12
FIRST_SEEDS = range(1, 151)
NIGHTLY_SEEDS = range(1_001, 6_001)
CHUNK = 250


def a_campaign(seeds: range, cycles: int = CYCLES) -> Campaign:
    return Campaign(USUAL_PROFILE, sessions=len(seeds), cycles=cycles, seed=seeds[0])


def report_of(campaign: Campaign, parts: Iterator[tuple[range, Tally]]) -> str:
    """The report as text, without its times."""
    total = Tally()
    for tally in dict(parts).values():
        total.add(tally)
    data: dict[str, Any] = report_data(campaign, total, command="devicectl campaign", seconds=1)
    del data["times"]
    return json.dumps(data)


def assert_good(tally: Tally) -> None:
    assert not tally.failures, f"devicectl campaign --cycles {CYCLES} --sessions 1 --seed SEED repeats one"


@pytest.fixture
def short_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second of work each, twenty sessions of two cycles."""
    monkeypatch.setattr(campaign_module, "CYCLES_A_TASK", 40)


@pytest.fixture(scope="module")
def first() -> Tally:
    return a_campaign(FIRST_SEEDS).judge(FIRST_SEEDS)


def test_no_session_of_the_first_seeds_is_wrong_or_stuck(first: Tally) -> None:
    assert not first.failures
    assert first.sessions == len(FIRST_SEEDS)
    assert first.endings["completed"] > len(FIRST_SEEDS) / 3, first.endings
    assert first.faults_fired > 5 * len(FIRST_SEEDS)


def test_nearly_every_kind_has_fired_in_the_first_seeds(first: Tally) -> None:
    fired = {one.partition(" ")[0] for one in first.fired}
    assert len(set(CATALOGUE) - fired) <= 2, set(CATALOGUE) - fired


def assert_reasons_hold(tally: Tally) -> None:
    for what, name in REASONS:
        assert name not in seen(tally, what), f"{what} {name} was met: its reason is wrong"


def test_what_no_session_can_meet_exists_and_was_not_met(first: Tally) -> None:
    names = expected()
    assert not [key for key in REASONS if key[1] not in names[key[0]]]
    assert_reasons_hold(first)


def test_states_that_last_no_time_are_met(first: Tally) -> None:
    assert {"SELF_TEST > SAFE", "CLOSING > IDLE"} <= seen(first, "device transition")


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first_seed", NIGHTLY_SEEDS[::CHUNK])
def test_no_session_of_many_is_wrong_or_stuck(first_seed: int) -> None:
    seeds = range(first_seed, first_seed + CHUNK)
    tally = a_campaign(seeds).judge(seeds)
    assert_good(tally)
    assert_reasons_hold(tally)


@pytest.mark.nightly
@pytest.mark.timeout(1_800)
def test_what_three_thousand_sessions_do_not_meet_has_its_reason() -> None:
    seeds = range(1, 3_001)
    tally = a_campaign(seeds, cycles=20).judge(seeds)
    assert_good(tally)
    assert not [one for one in unseen(tally) if not one.reason]


def test_a_range_of_seeds_comes_to_the_same_twice_and_in_two_halves() -> None:
    seeds = range(40, 60)
    campaign = a_campaign(seeds, cycles=3)
    whole, halves = campaign.judge(seeds), Tally()
    halves.add(campaign.judge(seeds[10:]))
    halves.add(campaign.judge(seeds[:10]))
    assert whole == halves == campaign.judge(seeds)


def test_another_version_is_refused_since_its_sessions_are_others() -> None:
    with pytest.raises(RuntimeError, match="and not 99"):
        judge_part(a_campaign(range(2)), range(2), "99")


def test_one_process_and_two_and_two_of_which_one_is_killed_come_to_the_same_report(short_tasks: None) -> None:
    campaign = a_campaign(range(1, 161), cycles=2)
    alone = report_of(campaign, workers.results(campaign, 1))
    assert report_of(campaign, workers.results(campaign, 2)) == alone

    def killing() -> Iterator[tuple[range, Tally]]:
        results = workers.results(campaign, 2)
        yield next(results)
        victim = children()[0]
        os.kill(victim, signal.SIGKILL)
        yield from results

    assert report_of(campaign, killing()) == alone
    assert not children()


def children() -> list[int]:
    """Processes of this one that are workers."""
    found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [pid for pid in map(int, found) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_what_ends_its_process_again_and_again_ends_the_campaign() -> None:
    campaign = Campaign({"kinds": {"drop": {"on": "no chance"}}}, sessions=1, cycles=1, seed=1)
    with pytest.raises(workers.WorkerError, match="seeds 1 to 1 have ended 3 processes"):
        list(workers.results(campaign, 1))
