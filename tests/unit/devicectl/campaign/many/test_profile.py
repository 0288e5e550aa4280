"""Profiles: what they may say, and the one line for what they may not."""

import pytest

from devicectl.campaign.many.profile import ProfileError, make_profile
from devicectl.campaign.many.usual import USUAL_PROFILE
from firmware_sim.faults.catalogue import CATALOGUE


def test_the_usual_profile_has_every_kind_of_the_catalogue() -> None:
    assert set(make_profile(USUAL_PROFILE).kinds) == set(CATALOGUE)


def test_a_value_is_one_a_list_or_anything_between_two() -> None:
    kinds = {"drop": {"on": 0.5, "pieces": 3, "share": {"least": 0.1, "most": 0.5}, "for_ms": [100, 200]}}
    profile = make_profile({"kinds": kinds})
    assert profile.kinds["drop"].values["pieces"] == 3
    assert profile.kinds["drop"].values["for_ms"] == [100, 200]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "p: kinds: is missing: must be a mapping of kinds, such as {drop: {on: 0.3}}"),
        ({"kinds": {"dorp": {"on": 1}}}, "p: kinds: there is no fault 'dorp'; did you mean drop?"),
        ({"kinds": {"drop": {"on": 2}}}, "p: kinds.drop.on = 2: must be a number from 0 to 1"),
        ({"kinds": {"drop": {}}}, "p: kinds.drop.on: is missing: must be a number from 0 to 1"),
        ({"kinds": {"drop": {"on": 1, "piecse": 2}}}, "p: kinds: drop has no piecse; did you mean pieces?"),
        (
            {"kinds": {"drop": {"on": 1, "share": [0.5, 2]}}},
            "p: kinds: drop: share: must be a number from 0 to 1, not 2",
        ),
        (
            {"kinds": {"drop": {"on": 1, "for_ms": 0}}},
            "p: kinds: drop: for_ms must be above 0: a session has to end after its last fault",
        ),
        (
            {"kinds": {"drop": {"on": 1, "when": ["never"]}}},
            "p: kinds.drop.when = 'never': must be a list of time, phase, state, frame, piece, write, commit, resume, "
            "of which one is drawn",
        ),
        ({"kinds": {}, "mqt": 1}, "p: mqt: is no key of a profile; did you mean mqtt?"),
        (
            {"kinds": {"drop": {"on": 1, "pieces": {"least": 3, "most": 1}}}},
            "p: kinds.drop.pieces = {'least': 3, 'most': 1}: must be a value, a list of values, or "
            "{least: ..., most: ...} in this order",
        ),
    ],
)
def test_what_a_profile_may_not_say_is_one_line(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ProfileError) as caught:
        make_profile(values, "p")
    assert str(caught.value) == sentence
    assert caught.value.exit_code == 2
