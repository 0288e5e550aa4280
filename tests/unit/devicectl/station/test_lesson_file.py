"""A lesson's file: what is right becomes a lesson, and what is wrong is one line with its place."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from devicectl.campaign.scenario_file import ScenarioFileError, read_scenario
from devicectl.simulation.lesson_form import ActForm, BeginForm, CheckForm, ItemForm, LessonForm, WhatIfForm
from devicectl.simulation.scenario_form import schema
from devicectl.station.acts import Act
from devicectl.station.evidence import parse_pattern
from devicectl.station.lesson import Begin, Check, Item, WhatIf
from devicectl.station.lesson_file import lesson_of, parse_lesson, read_lesson
from firmware_sim.faults.fault import declare
from firmware_sim.faults.scenario import read_start
from protocols.language.units import SECOND, Micros

WHOLE: Final = """\
name: leak
seed: 12
plan:
  target_cores: 90
  zones:
    - {name: left, area_cm2: 4}
    - {name: right, area_cm2: 4}
lesson:
  title: Suction leak
  task: The right cheek
  minutes: 5
  objectives: [See it., Stop.]
  prebrief: The session is under way.
  guide: Say nothing.
  host: own
  begin: {state: paused, cores: 30}
  script:
    - item: leak
      after: act(trigger_press)
      delay_s: 1.5
      fault: {fault: pump_stalled, for_ms: 100}
      words: the hose comes loose
    - {item: back, after: act(pause) or act(stop), ends: leak, words: the hose is back}
  checks:
    - check: stops
      words: Stops
      after: alarm(MC-0401)
      do: act(trigger_release)
      within_s: 5
      critical: true
    - {check: waits, words: Waits, never: act(trigger_press), until: alarm_over(MC-0401)}
  questions: ["Why?"]
  what_if:
    - {words: it had come at once, instead_of: act(stop), act: stop, lets_go: true, at: alarm(MC-0401), delay_s: 1}
  acts:
    - {at_us: 5, view: trainee, name: reposition, arguments: {zone: 0, cell: 1}}
  acts_us: 7
"""


def test_every_key_is_read() -> None:
    found = parse_lesson(WHOLE, "lab")
    pattern = parse_pattern
    assert found.scenario == read_scenario_of(WHOLE)
    assert (found.title, found.task) == ("Suction leak", "The right cheek")
    assert (found.minutes, found.lasts_us) == (5, 300 * SECOND)
    assert (found.objectives, found.questions) == (("See it.", "Stop."), ("Why?",))
    assert (found.prebrief, found.guide) == ("The session is under way.", "Say nothing.")
    assert found.begin == Begin("paused", 30)
    assert found.script == (
        Item(
            "leak",
            "the hose comes loose",
            pattern("act(trigger_press)"),
            1_500_000,
            declare("pump_stalled", for_ms=100),
        ),
        Item("back", "the hose is back", pattern("act(pause) or act(stop)"), ends="leak"),
    )
    alarm, release = pattern("alarm(MC-0401)"), pattern("act(trigger_release)")
    press, over = pattern("act(trigger_press)"), pattern("alarm_over(MC-0401)")
    assert found.checks == (
        Check("stops", "Stops", alarm, do=release, within_us=5 * SECOND, critical=True),
        Check("waits", "Waits", pattern("start"), never=press, until=over),
    )
    assert found.what_if == (
        WhatIf(
            "it had come at once",
            pattern("act(stop)"),
            Act(Micros(0), "trainee", "stop", {}),
            pattern("alarm(MC-0401)"),
            SECOND,
            lets_go=True,
        ),
    )
    assert found.acts == (Act(Micros(5), "trainee", "reposition", {"zone": 0, "cell": 1}),)
    assert found.acts_us == 7


def read_scenario_of(text: str) -> object:
    """The scenario that `devicectl run` reads from the same file."""
    return lesson_of(yaml.safe_load(text), "").scenario


def test_the_values_of_a_lesson_make_the_same_lesson() -> None:
    found = parse_lesson(WHOLE, "lab")
    assert lesson_of(found.values, "lab") == found


def test_a_scenario_without_a_lesson_is_one_with_usual_values(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("seed: 3", encoding="utf-8")
    found = read_lesson(path)
    assert (found.title, found.begin, found.script, found.checks) == ("lab", Begin("armed", 0), (), ())
    assert parse_lesson("name: a day\n", "lab").title == "a day"


def test_a_host_and_a_device_pass_over_the_lesson(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(WHOLE + "  nonsense: 1\n", encoding="utf-8")
    assert read_scenario(path).seed == 12
    assert read_start(yaml.safe_load(WHOLE)).seed == 12


def test_the_published_schema_takes_it_and_refuses_a_slip_of_the_pen() -> None:
    validator = Draft202012Validator(schema())
    whole: dict[str, Any] = yaml.safe_load(WHOLE)
    assert set(whole["lesson"]) == set(LessonForm.model_fields)
    assert list(validator.iter_errors(whole)) == []
    for wrong in (
        {"titel": "x"},
        {"script": [{"item": "a", "words": "b", "fault": {"fault": "dorp"}}]},
        {"minutes": 0},
    ):
        assert not validator.is_valid({"lesson": wrong})


def test_every_key_says_what_it_is_and_what_is_right() -> None:
    for form in (LessonForm, BeginForm, ItemForm, CheckForm, WhatIfForm, ActForm):
        for name, field in form.model_fields.items():
            assert field.title and field.description, (form, name)


CHECK: Final = "lesson:\n  checks:\n  - {check: a, words: b, "
ITEM: Final = "lesson:\n  script:\n  - {item: a, words: b, "
CHANGE: Final = "lesson:\n  what_if:\n  - {words: b, "
WRONG: Final = {
    "no mapping": ("lesson: 3", "line 1, column 9: lesson = 3: must be a mapping with the keys title, task, minutes"),
    "a key": ("lesson: {titel: x}", "line 1, column 10: lesson.titel = 'x': is no key of a lesson here: those are"),
    "the nearest key": ("lesson: {titel: x}", "; did you mean title?"),
    "a state": ("lesson: {begin: {state: closing}}", "line 1, column 25: lesson.begin.state = 'closing': must be one"),
    "cores beyond the target": (
        "plan: {target_cores: 30}\nlesson: {begin: {cores: 30}}",
        "line 2, column 25: lesson.begin.cores = 30: must be below 30, the plan's target",
    ),
    "cores before arming": (
        "lesson: {begin: {state: session_open, cores: 3}}",
        "lesson.begin.cores = 3: must be 0 in session_open",
    ),
    "a pattern": (CHECK + "do: act(stpo)}", "line 3, column 34: lesson.checks[0].do: must be one of"),
    "the nearest act": (CHECK + "do: act(stpo)}", "not 'stpo'; did you mean stop?"),
    "an alarm that there is not": (CHECK + "do: alarm(MC-9999)}", "lesson.checks[0].do: must be one of MC-0101"),
    "a zone that there is not": (
        "plan: {target_cores: 30, zones: [{name: a, area_cm2: 4}]}\n" + CHECK + "do: cell(1)}",
        "line 4, column 30: lesson.checks[0].do = 1: never comes: this plan has zones 0 to 0",
    ),
    "cores beyond the room": (
        "plan: {target_cores: 30, zones: [{name: a, area_cm2: 1}]}\n" + CHECK + "do: cores(200)}",
        "lesson.checks[0].do = 200: never comes: this plan has room for 48 cores",
    ),
    "a beginning for somebody else's host": (
        "lesson: {host: foreign, begin: {state: armed}}",
        "lesson.begin: must be left out: somebody else's host opens the session itself",
    ),
    "a fault of a host of ours in somebody else's": (
        "faults: [{fault: host_crash}]\nlesson: {host: foreign}",
        "faults[0] = 'host_crash': happens in a host of ours, and this lesson's is somebody else's",
    ),
    "a check with nothing to judge": (CHECK + "critical: true}", "lesson.checks[0]: must have either `do` or `never`"),
    "a check with both": (CHECK + "do: start, never: start}", "lesson.checks[0]: must have either `do` or `never`"),
    "a check that takes longer than the lesson": (
        CHECK + "do: closed, within_s: 61}\n  minutes: 1",
        "lesson.checks[0].within_s = 61.0: must be at most the 60 s of the lesson",
    ),
    "a check's name twice": (
        CHECK + "do: closed}\n  - {check: a, words: c, do: closed}",
        "line 4, column 13: lesson.checks[1].check = 'a': must be another name: an earlier one has it",
    ),
    "an item twice": (
        ITEM + "fault: {fault: reboot}}\n  - {item: a, words: c, fault: {fault: reboot}}",
        "lesson.script[1].item = 'a': must be another name: an earlier one has it",
    ),
    "an item's name": (
        "lesson: {script: [{item: A b, words: c, fault: {fault: reboot}}]}",
        "lesson.script[0].item = 'A b': must be a name of 1 to 40 small letters",
    ),
    "an item that does nothing": (ITEM + "delay_s: 2}", "lesson.script[0]: must have either `fault` or `ends`"),
    "an item without words": (
        "lesson: {script: [{item: a, fault: {fault: reboot}}]}",
        "lesson.script[0].words: is missing: must be a text of 1 to 300 characters",
    ),
    "the end of what never began": (
        ITEM + "ends: b}",
        "lesson.script[0].ends = 'b': must be an earlier item with a fault: there is none yet",
    ),
    "a fault": (
        ITEM + "fault: {fault: dorp}}",
        "lesson.script[0].fault.fault: there is no fault 'dorp'; did you mean drop",
    ),
    "a fault's quantity": (
        ITEM + "fault: {fault: clog, needle: 99}}",
        "line 3, column 54: lesson.script[0].fault.needle: must be a number from 0 to 15",
    ),
    "a fault that this device cannot have": (
        ITEM + "fault: {fault: clog, needle: 9}}",
        "line 3, column 54: lesson.script[0].fault.needle = 9: must be from 0 to 2: this device has 3 needles",
    ),
    "a broker's fault over serial": (
        ITEM + "fault: {fault: broker_killed}}",
        "lesson.script[0].fault.fault = 'broker_killed': cannot happen on a serial line",
    ),
    "a fault that cannot be after an item without one": (
        ITEM
        + "fault: {fault: reboot}}\n  - {item: b, words: c, ends: a}\n"
        + "  - {item: c, words: d, fault: {fault: broker_killed}}",
        "line 5, column 40: lesson.script[2].fault.fault = 'broker_killed': cannot happen on a serial line",
    ),
    "a fault of the scenario that the person does": (
        "faults:\n- {fault: reboot}\n- {fault: paused}\nlesson: {title: a}",
        "line 3, column 11: faults[1].fault = 'paused': is what the person at the controller does: do that act",
    ),
    "a fault of the script that the person does": (
        ITEM + "fault: {fault: closed_early}}",
        "line 3, column 40: lesson.script[0].fault.fault = 'closed_early': is what the person at the controller does",
    ),
    "a fault of an act that the person does": (
        "lesson: {acts: [{at_us: 9, view: instructor, name: inject, arguments: {fault: {fault: paused}}}], acts_us: 9}",
        "line 1, column 87: lesson.acts[0].arguments.fault.fault = 'paused': is what the person at the controller does",
    ),
    "a fault of an act that cannot be": (
        "lesson: {acts: [{at_us: 9, view: instructor, name: inject, arguments: {fault: {fault: broker_killed}}}]}",
        "lesson.acts[0].arguments.fault.fault = 'broker_killed': cannot happen on a serial line",
    ),
    "a change of nothing": (CHANGE + "delay_s: 2}", "lesson.what_if[0]: must have `instead_of`, what is left out"),
    "a change without its time": (CHANGE + "act: stop}", "lesson.what_if[0]: must have `at`, the evidence at which"),
    "a hand that lets go for nothing": (
        CHANGE + "instead_of: act(stop), lets_go: true}",
        "lesson.what_if[0].lets_go = True: must have `act`, for which the trigger is let go",
    ),
    "a change of what is no act": (
        CHANGE + "instead_of: link_lost}",
        "lesson.what_if[0].instead_of = 'link_lost': must be a pattern of acts",
    ),
    "an act that there is not": (
        "lesson: {acts: [{at_us: 9, view: trainee, name: amr}]}",
        "line 1, column 17: lesson.acts[0]: there is no act 'amr'; did you mean arm?",
    ),
    "an act of another view": (
        CHANGE + "act: fire, at: start, arguments: {item: a}}",
        "lesson.what_if[0]: fire is no act of the trainee: it is for the instructor",
    ),
    "an act on an item that there is not": (
        "lesson: {acts: [{at_us: 9, view: instructor, name: fire, arguments: {item: leak}}], acts_us: 9}",
        "lesson.acts[0].arguments.item = 'leak': must be one of this lesson's: there is none",
    ),
    "an act on a check that there is not": (
        "lesson:\n  checks: [{check: stops, words: a, do: act(stop)}]\n  acts:\n    - {at_us: 9, view: instructor, "
        "name: override, arguments: {check: stop, passed: true, reason: a}}\n  acts_us: 9",
        "lesson.acts[0].arguments.check = 'stop': must be one of this lesson's: there are stops",
    ),
    "acts out of order": (
        "lesson: {acts: [{at_us: 9, view: trainee, name: arm}, {at_us: 8, view: trainee, name: arm}]}",
        "lesson.acts[1].at_us = 8: must be at least 9: acts are in order",
    ),
    "a moment before its acts": (
        "lesson: {acts: [{at_us: 9, view: trainee, name: arm}], acts_us: 8}",
        "lesson.acts_us = 8: must be at least 9, the time of the last act",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_one_line_with_its_place(name: str) -> None:
    text, said = WRONG[name]
    with pytest.raises(ScenarioFileError) as caught:
        parse_lesson(text, "lab.yaml")
    line = str(caught.value)
    assert said in line and line.startswith("lab.yaml: ") and "\n" not in line
    assert caught.value.exit_code == 2


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ScenarioFileError, match="lab: is not UTF-8 at byte 6"):
        parse_lesson("name: \ud800", "lab")


def test_what_is_no_text_of_values_is_refused() -> None:
    with pytest.raises(ScenarioFileError, match="lab: is no mapping|must be a mapping"):
        parse_lesson("- 1", "lab")
