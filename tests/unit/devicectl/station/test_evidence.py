"""Patterns of evidence: what each matches, and an error that says what would be right."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.station.evidence import KINDS, Evidence, One, PatternError, parse_pattern
from protocols.language.units import Micros

RIGHT: Final = {
    "start": One("start"),
    " act( stop ) ": One("act", "stop"),
    "act(anesthesia_start, 1)": One("act", "anesthesia_start", 1),
    "act(acknowledge, 401)": One("act", "acknowledge", 401),
    "state(paused)": One("state", "paused"),
    "alarm(MC-0401)": One("alarm", "MC-0401"),
    "alarm_over(MC-0401)": One("alarm_over", "MC-0401"),
    "refusal": One("refusal"),
    "refusal(4)": One("refusal", "", 4),
    "refusal(E_STATE)": One("refusal", "E_STATE"),
    "refusal(E_INTERLOCK, 4)": One("refusal", "E_INTERLOCK", 4),
    "cores(120)": One("cores", "", 120),
    "cell": One("cell"),
    "cell(1)": One("cell", "", 1),
    "link_lost": One("link_lost"),
    "closed": One("closed"),
    "closed(completed)": One("closed", "completed"),
}


@pytest.mark.parametrize("text", RIGHT)
def test_a_pattern_is_read(text: str) -> None:
    assert parse_pattern(text).ones == (RIGHT[text],)


def test_each_kind_is_in_the_table_above() -> None:
    assert {one.kind for one in RIGHT.values()} | {"link_back", "let_go"} == set(KINDS)


def test_alternatives_keep_their_order() -> None:
    pattern = parse_pattern("act(stop) or act(pause) or link_lost")
    assert [one.kind for one in pattern.ones] == ["act", "act", "link_lost"]
    assert pattern.matches(Evidence(Micros(0), "act", "pause"))
    assert not pattern.matches(Evidence(Micros(0), "act", "arm"))


@pytest.mark.parametrize(
    ("text", "kind", "name", "number"),
    [
        ("cores(120)", "cores", "", 121),
        ("act(reposition)", "act", "reposition", 3),
        ("refusal(4)", "refusal", "E_INTERLOCK", 4),
        ("refusal", "refusal", "E_STATE", 0),
        ("cell(0)", "cell", "0:3", 0),
    ],
)
def test_it_matches(text: str, kind: str, name: str, number: int) -> None:
    assert parse_pattern(text).matches(Evidence(Micros(0), kind, name, number))


@pytest.mark.parametrize(
    ("text", "kind", "name", "number"),
    [
        ("cores(120)", "cores", "", 119),
        ("act(reposition, 0)", "act", "reposition", 3),
        ("refusal(E_STATE)", "refusal", "E_INTERLOCK", 0),
        ("alarm(MC-0401)", "alarm_over", "MC-0401", 0),
        ("cell(0)", "cell", "1:0", 1),
    ],
)
def test_it_does_not_match(text: str, kind: str, name: str, number: int) -> None:
    assert not parse_pattern(text).matches(Evidence(Micros(0), kind, name, number))


WRONG: Final = {
    "": (1, "must be one of start, act, let_go"),
    "alarms(MC-0401)": (1, "not 'alarms'; did you mean alarm?"),
    "alarm": (6, 'must be "(" and one of MC-0101'),
    "alarm(MC-0402)": (7, "not 'MC-0402'; did you mean MC-0"),
    "act(trigger_pres)": (5, "did you mean trigger_press?"),
    "act(inject)": (5, "must be one of"),
    "act(stop, 1)": (9, "must be \")\", not ','"),
    "start(1)": (7, "must be nothing: start has nothing in parentheses"),
    "cores": (6, 'must be "(" and a whole number of at most 9 digits, the cores'),
    "cores(few)": (7, "must be a whole number of at most 9 digits, the cores"),
    "cores(9999999999)": (7, "must be a whole number of at most 9 digits"),
    "cores(\u00b2)": (7, "must be a whole number"),
    "cores(\u0661)": (7, "must be a whole number"),
    "link_lost link_back": (11, "must be or, or the end, not 'link_back'"),
    "start or": (9, "and the text ends"),
    "state(paused": (13, 'must be ")", and the text ends'),
    "start or " * 30: (200, "has more than 200 characters"),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_pattern_is_refused_at_its_place(text: str) -> None:
    column, reason = WRONG[text]
    with pytest.raises(PatternError) as caught:
        parse_pattern(text)
    assert caught.value.column == column and reason in caught.value.reason
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="startcelo r()_,MC-0401é\n\t9", max_size=60) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_pattern(text)
    except PatternError as error:
        assert 1 <= error.column <= len(text) + 1
    else:
        assert found.ones
