"""Profiles: what they may say, and the one line for what they may not."""

import pytest

from devicectl.campaign.many.profile import ProfileError, make_profile
from devicectl.campaign.many.usual import USUAL_PROFILE
from firmware_sim.faults.catalogue import CATALOGUE
from protocols.text.values import Form, decode_values


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
        ({"kinds": {"dorp": {"on": 1}}}, "p: kinds.dorp: there is no such fault; did you mean drop?"),
        ({"kinds": {"drop": {"on": 2}}}, "p: kinds.drop.on = 2: must be a number from 0 to 1"),
        ({"kinds": {"drop": {}}}, "p: kinds.drop.on: is missing: must be a number from 0 to 1"),
        ({"kinds": {"drop": 1}}, "p: kinds.drop = 1: must be a mapping with the keys on, times, when, bursts"),
        (
            {"kinds": {"drop": {"on": 1, "piecse": 2}}},
            "p: kinds.drop.piecse: is no key of a drop here: those are on, times, when, bursts, direction, pieces, "
            "share, for_ms; did you mean pieces?",
        ),
        (
            {"kinds": {"drop": {"on": 1, "pieces": []}}},
            "p: kinds.drop.pieces = []: must have a value, of which one is drawn",
        ),
        (
            {"kinds": {"drop": {"on": 1, "share": [0.5, 2]}}},
            "p: kinds.drop.share: must be a number from 0 to 1, not 2",
        ),
        (
            {"kinds": {"clog": {"on": 1, "needle": [0, 3]}}},
            "p: kinds.clog.needle = 3: must be from 0 to 2: this device has 3 needles",
        ),
        (
            {"kinds": {"drop": {"on": 1, "for_ms": 0}}},
            "p: kinds.drop.for_ms = 0: must be above 0: a session has to end after its last fault",
        ),
        (
            {"kinds": {"drop": {"on": 1, "when": ["never"]}}},
            "p: kinds.drop.when[0] = 'never': must be a list of time, phase, state, frame, piece, write, commit, "
            "resume, of which one is drawn",
        ),
        (
            {"kinds": {}, "mqt": 1},
            "p: mqt = 1: is no key of a profile here: those are mqtt, baud, waits_ms, abandons, heard, kinds, scenes; "
            "did you mean mqtt?",
        ),
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


def test_an_error_of_a_profile_of_a_file_has_its_place() -> None:
    read = decode_values(b"kinds:\n  drop: {on: 1, piecse: 2}\n", "p", Form("a profile", "kinds: {}"), is_json=False)
    with pytest.raises(ProfileError, match="^p: line 2, column 17: kinds.drop.piecse: is no key of a drop here"):
        make_profile(read.values, "p", read.places)
