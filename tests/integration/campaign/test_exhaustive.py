"""Every single fault of a short session, and pairs: none is wrong, none is stuck, and each has its effect."""

from collections.abc import Iterator

import pytest

from devicectl.campaign.exhaustive.every import Exhaustive
from devicectl.campaign.exhaustive.places import COMMIT_KINDS, PIECE_KINDS, WRITE_KINDS
from devicectl.campaign.many.tally import Tally
from devicectl.campaign.many.trials import Trials
from devicectl.campaign.scenario import MQTT, SERIAL, Scenario
from devicectl.campaign.trial import Trial
from firmware_sim.faults.fault import declare

SEED = 1
LOST = declare("disconnect", 'piece("host", 45)')
PARTS = 8


def a_part(exhaustive: Exhaustive, part: int) -> Iterator[range]:
    """Every eighth task."""
    return (task for index, task in enumerate(exhaustive.tasks()) if index % PARTS == part)


def judged(exhaustive: Exhaustive, tasks: Iterator[range]) -> Tally:
    """What the tasks come to; each session is right."""
    total = Tally()
    for task in tasks:
        total.add(exhaustive.judge(task))
    assert not total.failures, total.failures[:3]
    return total


def test_the_singles_are_as_many_as_places_and_kinds() -> None:
    firsts = Exhaustive(1, 2, SEED).firsts()
    places = {(one.event, one.number) for one in firsts}
    kinds = {("piece", "host"): PIECE_KINDS, ("piece", "device"): PIECE_KINDS, ("write", ""): WRITE_KINDS}
    assert len(firsts) == sum(len(kinds.get(event, COMMIT_KINDS)) for event, _ in places) > 1_000


@pytest.mark.parametrize("part", range(PARTS))
def test_every_single_of_two_cycles_is_right_and_has_its_effect(part: int) -> None:
    tally = judged(Exhaustive(1, 2, SEED), a_part(Exhaustive(1, 2, SEED), part))
    assert tally.declared.total() == tally.fired.total() == tally.sessions > 50


@pytest.mark.nightly
@pytest.mark.parametrize("wire", [SERIAL, MQTT])
@pytest.mark.parametrize("cycles", [1, 2, 3])
def test_every_single_of_one_to_three_cycles_is_right_on_both_wires(cycles: int, wire: str) -> None:
    exhaustive = Exhaustive(1, cycles, SEED, wire)
    tally = judged(exhaustive, exhaustive.tasks())
    assert tally.fired.total() == tally.sessions == len(exhaustive.firsts())


def test_pairs_reach_into_the_recovery_from_the_first() -> None:
    """A lost connection near the end: hardly a piece of the clean run is left, and many come of the recovery."""
    exhaustive = Exhaustive(2, 2, SEED)
    firsts = exhaustive.firsts()
    (index,) = (index for index, one in enumerate(firsts) if one.fault == LOST)
    with Trials() as trials:
        before = trials.run(exhaustive.scenario((LOST,))).injector.firings[0].before
    last = {one.event: one.number for one in firsts}
    left = sum(last[event] - before[event] for event in (("piece", "host"), ("piece", "device")))
    tally = judged(exhaustive, iter([range(index, index + 1)]))
    assert tally.declared["drop"] > 2 * left > 0


def test_a_task_comes_to_the_same_again_and_apart() -> None:
    exhaustive = Exhaustive(1, 1, SEED)
    whole = exhaustive.judge(range(400, 440)).to_json()
    halves = exhaustive.judge(range(420, 440))
    halves.add(exhaustive.judge(range(400, 420)))
    assert halves.to_json() == whole


def test_the_tasks_of_one_process_find_their_places_by_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    lists: list[int] = []
    run = Trials.run

    def counted(trials: Trials, scenario: Scenario) -> Trial:
        lists.append(len(scenario.faults))
        return run(trials, scenario)

    monkeypatch.setattr(Trials, "run", counted)
    for index in (0, 1):
        Exhaustive(1, 1, SEED + 1).judge(range(index, index + 1))  # equal, and not the same: as a process is given it
    assert lists == [0, 1, 1]
    one, two = (len(Exhaustive(1, cycles, SEED + 1).firsts()) for cycles in (1, 2))
    assert one < two and lists == [0, 1, 1, 0], "another session has its own places"


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(PARTS))
def test_every_pair_of_two_cycles_is_right(part: int) -> None:
    tally = judged(Exhaustive(2, 2, SEED), a_part(Exhaustive(2, 2, SEED), part))
    assert tally.sessions > 50_000
