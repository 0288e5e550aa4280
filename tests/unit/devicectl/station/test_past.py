"""What was done, in words: every act has some, and what a person has written is never read as a template."""

import pytest

from devicectl.station.acts import ACTS, Act, act_of
from devicectl.station.past import PAST, in_the_past
from protocols.language.units import Micros
from tests.unit.devicectl.station.rooms import PLAN


def words(name: str, **arguments: object) -> str:
    return in_the_past(act_of({"name": name, "arguments": arguments}, ACTS[name].views[0]), PLAN)


def test_every_act_has_words() -> None:
    assert set(PAST) == set(ACTS)


@pytest.mark.parametrize("name", [name for name, kind in ACTS.items() if not kind.arguments])
def test_an_act_without_arguments_is_said_as_it_is(name: str) -> None:
    assert words(name) == PAST[name]


@pytest.mark.parametrize(
    ("said", "name", "arguments"),
    [
        ("said that cheek right was numbed just now", "anesthesia_start", {"zone": 1}),
        ("said that cheek right was numbed 7 min 5 s ago", "anesthesia_start", {"zone": 1, "age_s": 425}),
        ("confirmed that cheek left is numb", "anesthesia_confirm", {"zone": 0}),
        ("confirmed that zone 9 is numb", "anesthesia_confirm", {"zone": 9}),
        ("let the trigger go", "trigger_release", {}),
        ("let the trigger go: the page was hidden", "trigger_release", {"why": "hidden"}),
        ("went to the next cell", "reposition", {}),
        ("went to cell 3 of cheek left", "reposition", {"zone": 0, "cell": 2}),
        ("acknowledged all alarms", "acknowledge", {}),
        ("acknowledged MC-0401", "acknowledge", {"code": 401}),
        ("switched the automatic operator off", "automatic", {"on": False}),
        ("declared a fault: leak, kpa_per_s 30", "inject", {"fault": {"fault": "leak", "kpa_per_s": 30}}),
        (
            'declared a fault: leak when at("2 s"), kpa_per_s 30',
            "inject",
            {"fault": {"fault": "leak", "when": 'at("2 s")', "kpa_per_s": 30}},
        ),
        ("ended the fault 2", "withdraw", {"fault": 2}),
        ("fired the script's item leak", "fire", {"item": "leak"}),
        ("noted: {zone} {0}", "note", {"text": "{zone} {0}"}),
        (
            "judged the check stops as failed: {words}",
            "override",
            {"check": "stops", "passed": False, "reason": "{words}"},
        ),
    ],
)
def test_arguments_are_said_in_the_words_of_people(said: str, name: str, arguments: dict[str, object]) -> None:
    assert words(name, **arguments) == said


@pytest.mark.parametrize("why", ACTS["trigger_release"].arguments[0].words)
def test_each_reason_for_letting_the_trigger_go_has_words(why: str) -> None:
    assert "_" not in in_the_past(Act(Micros(0), "server", "trigger_release", {"why": why}), PLAN)
