"""Letters as commands, and answers as words."""

from devicectl.conformance.learn.expected import LETTERS
from devicectl.conformance.learn.letters import MAKERS
from devicectl.conformance.learn.session import opened
from devicectl.transports.urls import parse_url

CALM = "sim://?seed=7&clog_hazard=0&miss_p=0&partial_p=0"


def test_each_letter_has_its_command() -> None:
    assert set(MAKERS) == set(LETTERS)


def test_answers_codes_and_alarms_are_told() -> None:
    with opened(parse_url(CALM), allow_motion=False) as query:
        assert query(("SESSION_OPEN", "PUNCH", "ARM", "DISARM")) == [
            "DONE",
            "interlock 2 MC-0201",
            "interlock 2",
            "E_STATE",
        ]
        assert query(("SESSION_OPEN",)) == ["DONE"], "each word begins with a device that is idle"
