import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.station.acts import ACTS, VIEWS, Act, ActError, act_of
from firmware_sim.faults.catalogue import CATALOGUE
from protocols.language.units import Micros

GIVEN: dict[str, dict[str, Any]] = {
    "anesthesia_start": {"zone": 1, "age_s": 30},
    "anesthesia_confirm": {"zone": 0},
    "trigger_release": {"why": "focus"},
    "reposition": {"zone": 0, "cell": 7},
    "acknowledge": {"code": 0x0401},
    "automatic": {"on": False},
    "inject": {"fault": {"fault": "pressure_drift", "when": 'at("2 s")'}},
    "withdraw": {"fault": 0},
    "fire": {"item": "leak"},
    "skip": {"item": "leak"},
    "note": {"text": "hesitated"},
    "bookmark": {"text": "here"},
    "override": {"check": "stops", "passed": True, "reason": "he said it aloud"},
    "host_sent": {"data": "AAE="},
}
"""Right arguments of each act that has some."""


def an_act(name: str) -> dict[str, Any]:
    return {"name": name, "at_us": 5, "arguments": GIVEN.get(name, {})}


def message(data: dict[str, Any], view: str = "trainee") -> str:
    with pytest.raises(ActError) as caught:
        act_of(data, view)
    return str(caught.value)


@pytest.mark.parametrize("name", ACTS)
def test_each_act_is_taken_of_its_views_and_of_no_other(name: str) -> None:
    for view in VIEWS:
        if view in ACTS[name].views:
            assert act_of(an_act(name), view) == Act(Micros(5), view, name, GIVEN.get(name, {}))
        else:
            assert message(an_act(name), view).startswith(f"{name} is no act of the {view}: it is for the ")


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_the_same_after_it_was_kept_as_json(name: str) -> None:
    view = ACTS[name].views[0]
    act = act_of(an_act(name), view)
    assert act_of(json.loads(json.dumps(act.as_data())), view) == act


def test_the_trainee_has_the_controls_and_nothing_of_the_instructor() -> None:
    theirs = {name for name, kind in ACTS.items() if "trainee" in kind.views}
    assert theirs == {
        *("anesthesia_start", "anesthesia_confirm", "arm", "disarm", "trigger_press", "trigger_release", "reposition"),
        *("purge", "pause", "resume", "stop", "acknowledge", "silence", "reset", "close"),
    }


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "arms"}, "there is no act 'arms'; did you mean arm?"),
        ({}, "there is no act None; there are anesthesia_start, "),
        ({"name": ["arm"]}, "there is no act ['arm']"),
        ({"name": "arm", "when": 3}, "an act has no key 'when': it has at_us, view, name, arguments"),
        ({"name": "arm", "arguments": [1]}, "arguments: must be a mapping of names to values, not [1]"),
        ({"name": "arm", "arguments": {"zone": 1}}, "arm has no argument 'zone': it has none"),
        ({"name": "arm", "at_us": -1}, "at_us: must be a whole number of microseconds, not -1"),
        (
            {"name": "anesthesia_confirm"},
            "anesthesia_confirm: zone must be a whole number from 0 to 255, it is missing",
        ),
        (
            {"name": "anesthesia_confirm", "arguments": {"zone": True}},
            "anesthesia_confirm: zone must be a whole number from 0 to 255, not True",
        ),
        (
            {"name": "trigger_release", "arguments": {"why": "bored"}},
            "trigger_release: why must be one of let_go, focus, ",
        ),
        ({"name": "reposition", "arguments": {"zone": 0}}, "reposition: give zone and cell, or leave all of them out"),
    ],
)
def test_a_wrong_act_is_refused_with_what_would_be_right(data: dict[str, Any], said: str) -> None:
    assert message(data).startswith(said)


@pytest.mark.parametrize("half", ["\ud83d", "as far as here \ud83d", "\udfff"])
def test_a_text_of_an_emoji_cut_in_two_is_refused(half: str) -> None:
    said = "must be a text of 1 to 500 characters of Unicode"
    for name in ("note", "bookmark"):
        assert said in message({"name": name, "arguments": {"text": half}}, "instructor")
    override = {"check": "stops", "passed": True, "reason": half}
    assert said in message({"name": "override", "arguments": override}, "instructor")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": "drip"}, "inject: fault: there is no fault 'drip'; did you mean drop?"),
        ({"fault": "clog", "needle": -1}, "inject: needle: must be a number from "),
        ({"fault": "clog", "when": "now"}, "inject: when, column 1: "),
        ({"fault": "clog", "when": 3}, "inject: "),
        ({"fault": "clog", 3: 4}, "inject: "),
    ],
)
def test_a_fault_is_checked_when_it_is_injected(fault: dict[Any, Any], said: str) -> None:
    assert message({"name": "inject", "arguments": {"fault": fault}}, "instructor").startswith(said)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_kind_of_fault_can_be_injected(kind: str) -> None:
    assert act_of({"name": "inject", "arguments": {"fault": {"fault": kind}}}, "instructor").name == "inject"


def test_arguments_that_are_left_out_are_as_usual() -> None:
    assert act_of({"name": "trigger_release"}, "trainee").arguments == {"why": "let_go"}
    assert act_of({"name": "reposition"}, "trainee").arguments == {}
    assert act_of({"name": "anesthesia_start", "arguments": {"zone": 2}}, "trainee").arguments == {
        "zone": 2,
        "age_s": 0,
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries({"name": st.sampled_from([*ACTS, "fly"])}, optional={"arguments": _JSON, "at_us": _JSON}),
    st.sampled_from(VIEWS),
)
def test_whatever_a_client_sends_is_an_act_or_an_error_in_one_line(data: dict[str, Any], view: str) -> None:
    try:
        assert act_of(data, view).name == data["name"]
    except ActError as error:
        assert str(error) and "\n" not in str(error)
