"""Doubts about a twin: its verdict, its age, the version that made it, the firmware that it is of."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devicectl.testing.twins import TwinFileError, find_doubts, parse_age
from handpiece_shell.version import VERSION

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def twin(**changes: Any) -> str:
    document = {
        "twin": 1,
        "verdict": "same",
        "date": "2026-05-01T12:00:00+00:00",
        "versions": {"devicectl": VERSION},
        "device": {"firmware_version": "2.4"},
    }
    return json.dumps(document | changes)


def test_a_fresh_twin_of_the_right_firmware_is_trusted() -> None:
    assert find_doubts(twin(), NOW) == []
    assert find_doubts(twin(), NOW, max_age="31d", firmware="2.4") == []


@pytest.mark.parametrize(
    ("changes", "max_age", "firmware", "says"),
    [
        ({}, "30d", "", "it is 31 days old, of 2026-05-01; at most 30d is trusted"),
        ({}, "", "2.5", "it is of firmware 2.4; 2.5 is to be trusted"),
        ({"device": None}, "", "2.5", "it is of firmware that nobody asked for; 2.5 is to be trusted"),
        (
            {"verdict": "diverges"},
            "",
            "",
            "its verdict is 'diverges': the simulated device does not behave like the rec",
        ),
        ({"verdict": "times"}, "", "", "its verdict is 'times'"),
        ({"versions": {"devicectl": "0.0.9"}}, "", "", f"it was made with devicectl 0.0.9, and this is {VERSION}"),
        ({"versions": None}, "", "", "it was made with devicectl None"),
        ({"date": "2026-06-09T00:00:00+00:00"}, "30d", "", "it is of 2026-06-09, which is to come"),
    ],
)
def test_each_doubt_is_a_sentence(changes: dict[str, Any], max_age: str, firmware: str, says: str) -> None:
    (doubt,) = find_doubts(twin(**changes), NOW, max_age=max_age, firmware=firmware)
    assert doubt.startswith(says)


def test_all_doubts_are_told() -> None:
    assert len(find_doubts(twin(verdict="diverges"), NOW, max_age="1h", firmware="3")) == 3


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 9_999, twin(twin=2), twin(date=None), twin(date="soon"), twin(date="2026-05-01")]
)
def test_what_is_no_outcome_is_one_error(text: str) -> None:
    with pytest.raises(TwinFileError) as caught:
        find_doubts(text, NOW)
    assert "\n" not in str(caught.value) and "`firmware-sim twin" in str(caught.value)


@pytest.mark.parametrize(("text", "hours"), [("12h", 12), ("90d", 90 * 24), ("6w", 6 * 7 * 24)])
def test_an_age_is_hours_days_or_weeks(text: str, hours: int) -> None:
    assert parse_age(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["90", "d", "0d", "-1d", "1.5d", "90 d", "90m", "999999d", "\uff19d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(TwinFileError, match="is no age; must be hours, days or weeks, for example 90d"):
        parse_age(text)
