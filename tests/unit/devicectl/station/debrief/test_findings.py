"""Findings in tables: what passed, what followed an alarm, what was believed, what was counted."""

import re
from dataclasses import replace

from devicectl.station.debrief.drawings.axis import NO_BREAK
from devicectl.station.debrief.facts import CheckResult, Ending
from devicectl.station.debrief.findings import alarms, beliefs, checks, counts, summary
from tests.unit.devicectl.station.debrief.samples import S, empty_facts, full_facts


def cells(markup: str) -> list[list[str]]:
    """Return the texts of a table's rows, without its head."""
    rows = re.findall("<tr>(.*?)</tr>", markup.replace(NO_BREAK, " "))[1:]
    return [[re.sub("<[^>]*>", "", cell) for cell in re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_a_check_says_its_result_by_a_sign_and_a_word() -> None:
    assert [row[0] for row in cells(checks(full_facts().checks))] == [
        "✗ failed",
        "✓ passed",
        "✓ passed",
        "\N{EN DASH} not judged",
    ]


def test_a_check_says_when_it_was_asked_for_and_judged() -> None:
    first, second, third, last = cells(checks(full_facts().checks))
    assert first[1:] == ["Ada (critical)", "at 1:40.0, within 5.0 s", "at 1:49.0"]
    assert second[2:] == ["at 1:40.0", "at 1:43.0, after 3.0 s"]
    assert third[3] == "at 2:10.0: failed; judged as passed by the instructor: Ada"
    assert last[2:] == ["never", "never"]


def test_the_instructor_has_the_last_word() -> None:
    own = CheckResult("Stops", False, "passed", 0, 1)
    assert own.passed and not own._replace(override=False).passed
    assert CheckResult("Stops", False, "not_judged", override=True).passed
    assert "judged as failed by the instructor" in checks([own._replace(override=False)])


def test_an_alarm_says_what_was_done_first_and_when_it_was_over() -> None:
    stopped, ignored = cells(alarms(full_facts().responses))
    assert stopped == ["1:40.0", "MC-0401 Ada", "high", "stop, after 9.0 s", "after 30.0 s", "after 1 min"]
    assert ignored[3:] == ["none", "never", "never"]


def test_what_the_station_did_for_a_page_that_had_gone_is_said_to_be_so() -> None:
    one = full_facts().responses[1]
    (row,) = cells(alarms([one._replace(let_go_us=one.at_us + 2_000_000)]))
    assert row[3] == "none; the station let go of the trigger after 2.0 s: its page had gone"


def test_counts_say_how_far_they_are_from_the_truth() -> None:
    assert [row[1:] for row in cells(counts(full_facts()))] == [
        ["300", "305", "-5"],
        ["420", "420", "equal"],
        ["not known", "1", ""],
    ]


def test_a_belief_says_what_was_so() -> None:
    assert cells(beliefs(full_facts().beliefs)) == [["Ada", "2:30.0 to 5:00.0", "Ada", "Ada"]]


def test_the_summary_names_each_critical_check_that_failed() -> None:
    said = summary(full_facts())
    assert "Of 4 checks 2 passed and 1 failed." in said and "A critical check failed: Ada." in said
    assert "300 of 400 cores were counted; 305 really came out." in said
    assert "Host and device do not agree on the counts of the session." in said


def test_the_summary_of_a_session_that_agrees_or_was_never_closed() -> None:
    facts = full_facts()
    agreed = replace(facts, ending=replace(facts.ending, reconciled=True, differences=()))
    assert "Host and device agree on the counts" in summary(agreed)
    unclosed = replace(facts, ending=Ending(state="It is open.", lasts_us=S, reconciled=None))
    assert "agree" not in summary(unclosed)


def test_what_is_not_there_is_said_in_a_sentence() -> None:
    facts = empty_facts()
    assert "This lesson has no checks." in checks(facts.checks)
    assert "No alarm was shown." in alarms(facts.responses)
    assert "was so, all the time" in beliefs(facts.beliefs)
    assert "No session was opened." in counts(facts)
