from devicectl.station.server.control.forms import Answer
from devicectl.station.server.control.operations import OPERATIONS

TRAINEES = {"act", "pace"}
PRESENTERS = TRAINEES | {"scenarios", "catalogue"}


def allowed(role: str) -> set[str]:
    return {one.handler for one in OPERATIONS if role in one.who}


def test_trainee_acts_and_in_practice_runs_his_lesson() -> None:
    assert allowed("trainee") == TRAINEES


def test_presenter_shows_and_changes_no_class() -> None:
    assert allowed("presenter") == PRESENTERS


def test_instructor_may_do_all() -> None:
    assert allowed("instructor") == {one.handler for one in OPERATIONS}


def test_what_reads_changes_nothing() -> None:
    reading = {one.handler for one in OPERATIONS if one.method == "GET"}
    assert reading.isdisjoint({"act", "pace", "start", "remove", "rewind", "reset", "link"})


def test_a_trainee_is_answered_with_an_outcome_alone() -> None:
    """A row of the roster has the lesson's title, which may tell what is going to fail."""
    assert {one.answers for one in OPERATIONS if "trainee" in one.who} == {(Answer,)}
