"""Scenes of the usual profile: each shows what it is there for, in every session that it is in."""

import json
from typing import Final

import pytest

from devicectl.campaign.many.campaign import Campaign
from devicectl.campaign.many.unseen import seen
from devicectl.campaign.many.usual import USUAL_PROFILE
from devicectl.campaign.scenario import Scenario

SEEDS: Final = range(1, 4)
SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "cartridge_worn": ("alarm MC-1201", "interlock 12"),
    "cartridge_worn_out": ("alarm MC-1202", "interlock 12"),
    "canister_nearly_full": ("alarm MC-1801", "alarm MC-1802", "interlock 18"),
    "hot": ("alarm MC-1701", "alarm MC-1702", "interlock 17"),
    "numb_for_long": ("alarm MC-0301", "interlock 3", "host ANESTHESIA_CONFIRMED > ANESTHESIA_WAIT"),
    "dense": (),
    "trigger_held": (),
    "trigger_bounces": ("alarm MC-1301", "interlock 13"),
    "trigger_stuck": ("alarm MC-1302", "interlock 13"),
    "many_missed": ("alarm MC-0701", "alarm MC-0702", "interlock 7"),
    "rival_of_nobody": ("interlock 2", "refusal E_RANGE", "refusal E_EXPIRED", "refusal E_CYCLE_GAP"),
    "stopped_while_idle": ("device transition IDLE > SAFE", "interlock 20"),
    "flooded_while_idle": ("device transition IDLE > LOCKED", "interlock 19"),
    "flooded_in_a_purge": ("device transition PURGING > LOCKED",),
    "flooded_while_disarming": ("device transition DISARMING > LOCKED",),
    "flooded_in_a_pause": ("device transition PAUSED > LOCKED", "host PAUSED > RECOVERING"),
    "flooded_in_a_fault": ("device transition FAULT > LOCKED",),
    "no_home_after_a_punch": ("device transition PUNCHING > FAULT",),
    "no_home_after_a_count": ("device transition COUNTING > FAULT",),
    "closed_in_a_pause": ("device transition PAUSED > DISARMING", "host PAUSED > ANESTHESIA_CONFIRMED"),
    "closed_at_once": ("host SESSION_OPEN > CLOSING",),
    "closed_in_the_wait": ("host ANESTHESIA_WAIT > CLOSING", "device transition ANESTHESIA_WAIT > CLOSING"),
}
"""Scene -> what is met by it."""


def test_each_scene_is_looked_at() -> None:
    assert list(SHOWN) == list(USUAL_PROFILE["scenes"])


@pytest.mark.parametrize("name", SHOWN)
def test_a_scene_shows_what_it_is_there_for_and_its_sessions_are_right(name: str) -> None:
    scene = {**USUAL_PROFILE["scenes"][name], "on": 1}
    for seed in SEEDS:
        campaign = Campaign({"kinds": {}, "scenes": {name: scene}}, sessions=1, cycles=20, seed=seed)
        scenario = campaign.scenario(seed)
        assert Scenario.of_data(json.loads(json.dumps(scenario.as_data()))) == scenario  # so a recording repeats it
        tally = campaign.judge(range(seed, seed + 1))
        assert not tally.failures
        met = {f"{what} {one}" for what in tally.seen for one in seen(tally, what)}
        assert met >= set(SHOWN[name])
