"""The checks of a lesson: each verdict follows from what the trainee saw and did, and from when."""

import pytest

from devicectl.station.checks import CheckError, Checks, Outcome
from devicectl.station.evidence import Evidence, parse_pattern
from devicectl.station.lesson import Check
from protocols.language.units import SECOND, Micros

ALARM = parse_pattern("alarm(MC-0401)")
STOPS = Check("stops", "stops", ALARM, do=parse_pattern("act(stop) or act(trigger_release)"), within_us=5 * SECOND)
LEAVES = Check(
    "leaves", "leaves it", ALARM, never=parse_pattern("act(arm)"), until=parse_pattern("alarm_over(MC-0401)")
)
CLOSES = Check("closes", "closes", parse_pattern("start"), do=parse_pattern("closed(completed)"))


def at(seconds: float, kind: str, name: str = "") -> Evidence:
    return Evidence(Micros(round(seconds * SECOND)), kind, name)


START, PRESS, ALARMED = at(0, "start"), at(1, "act", "trigger_press"), at(10, "alarm", "MC-0401")


def outcome(check: Check, *seen: Evidence, now: float | None = None, over: bool = False) -> str:
    """The verdict of one check after that evidence, at a time, with `over` at the lesson's end."""
    checks = Checks([check])
    for one in seen:
        checks.saw(one)
    if now is not None:
        (checks.finish if over else checks.advance)(Micros(round(now * SECOND)))
    return checks.judged[0].outcome.value


@pytest.mark.parametrize("act", ["stop", "trigger_release"])
def test_what_has_to_be_done_in_time_passes(act: str) -> None:
    assert outcome(STOPS, START, PRESS, ALARMED, at(15, "act", act)) == "passed"


def test_it_fails_when_its_time_is_over_and_nothing_came() -> None:
    assert outcome(STOPS, START, PRESS, ALARMED, now=15) == "open"
    assert outcome(STOPS, START, PRESS, ALARMED, now=15.1) == "failed"


def test_it_fails_by_what_comes_too_late() -> None:
    checks = Checks([STOPS])
    for one in (START, PRESS, ALARMED, at(15.5, "act", "stop")):
        checks.saw(one)
    assert (checks.judged[0].outcome, checks.judged[0].at_us) == (Outcome.FAILED, 15 * SECOND)


def test_a_trigger_that_was_let_go_before_needs_no_release() -> None:
    assert outcome(STOPS, START, PRESS, at(9, "act", "trigger_release"), ALARMED) == "passed"
    assert outcome(STOPS, START, ALARMED) == "passed"


def test_what_the_station_does_for_a_page_that_has_gone_passes_no_check() -> None:
    assert outcome(STOPS, START, PRESS, ALARMED, at(12, "let_go"), now=15.1) == "failed"
    assert outcome(STOPS, START, PRESS, ALARMED, at(12, "let_go"), at(13, "act", "stop")) == "passed"
    assert outcome(STOPS, START, PRESS, at(9, "let_go"), ALARMED) == "passed"


def test_a_stop_alone_has_to_be_made_though_nothing_is_held() -> None:
    assert outcome(STOPS._replace(do=parse_pattern("act(stop)")), START, ALARMED) == "open"


def test_what_was_done_before_does_not_count() -> None:
    assert outcome(STOPS, START, PRESS, at(9, "act", "stop"), ALARMED) == "open"


def test_what_must_not_come_fails_at_once() -> None:
    assert outcome(LEAVES, START, ALARMED, at(11, "act", "arm")) == "failed"


def test_what_must_not_come_passes_at_its_end() -> None:
    over = at(20, "alarm_over", "MC-0401")
    assert outcome(LEAVES, START, ALARMED, over, at(21, "act", "arm")) == "passed"
    assert outcome(LEAVES._replace(until=None, within_us=5 * SECOND), START, ALARMED, now=16) == "passed"
    assert outcome(LEAVES, START, ALARMED, now=60, over=True) == "passed"


def test_what_must_not_come_may_come_before_it_counts() -> None:
    assert outcome(LEAVES, START, at(5, "act", "arm"), ALARMED) == "open"


def test_what_has_to_be_done_until_something_fails_there() -> None:
    assert outcome(CLOSES._replace(until=ALARM), START, ALARMED) == "failed"


def test_what_never_came_up_is_not_judged() -> None:
    assert outcome(STOPS, START, now=60, over=True) == "not_judged"


def test_a_time_that_was_cut_short_by_the_end_is_not_judged() -> None:
    assert outcome(STOPS, START, PRESS, ALARMED, now=12, over=True) == "not_judged"


def test_what_has_no_time_fails_at_the_end() -> None:
    assert outcome(CLOSES, START, at(50, "closed", "aborted"), now=60, over=True) == "failed"
    assert outcome(CLOSES, START, at(50, "closed", "completed"), now=60, over=True) == "passed"


def test_a_verdict_has_the_times_of_its_evidence() -> None:
    checks = Checks([STOPS])
    for one in (START, PRESS, ALARMED, at(12, "act", "stop"), at(13, "act", "stop")):
        checks.saw(one)
    found = checks.judged[0]
    assert (found.after_us, found.due_us, found.at_us) == (10 * SECOND, 15 * SECOND, 12 * SECOND)


def test_an_override_is_kept_beside_the_verdict() -> None:
    checks = Checks([CLOSES])
    checks.finish(Micros(0))
    found = checks.judged[0]
    assert (found.outcome, found.passed) == (Outcome.NOT_JUDGED, None)
    checks.override("closes", True, "said so aloud", Micros(5))
    assert (found.outcome, found.passed) == (Outcome.NOT_JUDGED, True)
    checks.override("closes", False, "did not", Micros(6))
    assert found.override is not None and (found.passed, found.override.reason, found.override.at_us) == (
        False,
        "did not",
        6,
    )


def test_an_unknown_check_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(CheckError, match="there is no check tsunami: must be one of closes"):
        Checks([CLOSES]).override("tsunami", True, "", Micros(0))
