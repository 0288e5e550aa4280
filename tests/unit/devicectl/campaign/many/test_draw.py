"""Drawing a session: repeatable, of the wire's own kinds, and full of few kinds."""

from collections import Counter
from collections.abc import Sequence

import pytest

from devicectl.campaign.many.draw import draw, plan_of
from devicectl.campaign.many.profile import WHENS, Profile, make_profile
from devicectl.campaign.many.usual import USUAL_PROFILE
from devicectl.campaign.scenario import MQTT, Scenario
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.kind import Target

SEEDS = range(400)


def one_kind(name: str, **keys: object) -> Profile:
    return make_profile({"kinds": {name: {"on": 1, **keys}}})


@pytest.fixture(scope="module")
def usual() -> Sequence[Scenario]:
    """The usual profile's session of each seed; a scenario is frozen, so that all tests may look at the same ones."""
    profile = make_profile(USUAL_PROFILE)
    return tuple(draw(profile, seed, 20) for seed in SEEDS)


def test_the_same_seed_draws_the_same_session_and_another_one_another() -> None:
    profile = make_profile(USUAL_PROFILE)
    assert draw(profile, 4711, 20) == draw(profile, 4711, 20)
    assert draw(profile, 4711, 20) != draw(profile, 4712, 20)


def test_a_kind_that_is_added_changes_nothing_of_the_others() -> None:
    alone = make_profile({"kinds": {"drop": {"on": 0.5, "pieces": [1, 2, 3]}}})
    both = make_profile({"kinds": {"reboot": {"on": 0.5}, "drop": {"on": 0.5, "pieces": [1, 2, 3]}}})
    for seed in SEEDS:
        drops = [fault for fault in draw(both, seed, 5).faults if fault.kind.name == "drop"]
        assert drops == list(draw(alone, seed, 5).faults)


def test_a_fourth_of_the_sessions_is_over_mqtt_and_some_have_a_baud_rate(usual: Sequence[Scenario]) -> None:
    assert 0.18 < sum(one.wire == MQTT for one in usual) / len(usual) < 0.32
    assert any(one.baud for one in usual)
    assert not any(one.baud for one in usual if one.wire == MQTT)


def test_a_broker_is_broken_over_mqtt_alone_and_bytes_on_a_serial_line_alone(usual: Sequence[Scenario]) -> None:
    for scenario in usual:
        kinds = [fault.kind for fault in scenario.faults]
        if scenario.wire == MQTT:
            assert not any(kind.bytes_only for kind in kinds)
        else:
            assert not any(kind.target is Target.BROKER for kind in kinds)


def test_each_kind_is_drawn_and_a_session_has_few_of_them_often(usual: Sequence[Scenario]) -> None:
    drawn = [scenario.faults for scenario in usual]
    assert {fault.kind.name for faults in drawn for fault in faults} == set(CATALOGUE)
    most = [max(Counter(fault.kind.name for fault in faults).values(), default=0) for faults in drawn]
    assert sum(most) / len(most) > 2


@pytest.mark.parametrize("when", WHENS)
def test_each_way_to_begin_draws_a_trigger(when: str) -> None:
    texts = {fault.text for seed in range(50) for fault in draw(one_kind("reboot", when=[when]), seed, 20).faults}
    assert len(texts) > 4, texts


def test_a_burst_is_the_same_fault_several_times_in_a_few_seconds() -> None:
    profile = one_kind("reboot", bursts=1)
    for seed in range(50):
        times = [int(fault.text.split('"')[1].split()[0]) for fault in draw(profile, seed, 20).faults]
        assert 2 <= len(times) <= 6
        assert max(times) - min(times) <= 4_000


def test_values_come_from_the_profile_and_one_that_would_last_forever_ends() -> None:
    between = one_kind("drop", share={"least": 0.25, "most": 0.5}, pieces=[3, 4])
    faults = [fault for seed in range(50) for fault in draw(between, seed, 5).faults]
    assert all(0.25 <= fault.number("share") <= 0.5 for fault in faults)
    assert {fault.values["pieces"] for fault in faults} == {3, 4}
    assert {fault.values["for_ms"] for fault in faults} == {1_000}


@pytest.mark.parametrize("cycles", [1, 2, 20, 500, 2_000])
def test_a_plan_has_skin_for_its_cycles(cycles: int) -> None:
    assert plan_of(cycles).target_cores == 3 * cycles
