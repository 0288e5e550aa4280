import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from devicectl.errors import (
    CommandAbortedError,
    CommandFailedError,
    CommandRefusedError,
    LinkLostError,
    UnfinishedError,
)
from devicectl.session.procedures import Procedure, Procedures, Task, Until, end_of
from protocols.language import messages as M
from protocols.language.enums import Code, Ending, Phase
from protocols.language.message import Command, Message
from protocols.language.units import Micros
from protocols.link.requests import Request

NOW = Micros(0)


class Link:
    """Takes commands as the link would, and lets a test answer them."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.up = True
        self.procedures = Procedures(self.submit)

    def submit(self, command: Message) -> Request:
        if not self.up:
            raise LinkLostError("there is no link")
        self.sent.append(Request(command))
        return self.sent[-1]

    def answer(self, message: Message) -> None:
        self.procedures.answered(self.sent[-1], message, NOW)


def asking(*commands: Command[Any]) -> Procedure[list[Any]]:
    answers = []
    for command in commands:
        answers.append((yield command))
    return answers


def test_command_is_resumed_with_its_answer() -> None:
    link = Link()
    task = link.procedures.start(asking(M.Pause(), M.Resume()), NOW)
    link.answer(M.PauseDone())
    assert not task.done
    link.answer(M.ResumeDone())
    assert task.outcome() == [M.PauseDone(), M.ResumeDone()]
    link.answer(M.ResumeDone())  # nobody waits for it any more
    assert [request.message for request in link.sent] == [M.Pause(), M.Resume()]


ANSWERS = [
    (M.Refused(code=Code.E_INTERLOCK, interlock=8, expected=48, actual=51, sentence="full"), CommandRefusedError),
    (M.Nak(code=Code.E_UNKNOWN_MESSAGE, seq=1, expected=0, actual=2, sentence="not known"), CommandRefusedError),
    (M.Failed(code=Code.E_INTERLOCK, interlock=16, alarm_code=1601, sentence="stalled"), CommandFailedError),
    (
        M.Aborted(code=Code.E_LINK, ending=Ending.ABORTED, phase=Phase.PUNCH, sentence="stopped"),
        CommandAbortedError,
    ),
]


@pytest.mark.parametrize(("answer", "error"), ANSWERS)
def test_answer_that_is_not_done_is_raised(answer: Any, error: type[Exception]) -> None:
    link = Link()
    task = link.procedures.start(asking(M.Pause()), NOW)
    link.answer(answer)
    with pytest.raises(error, match=answer.sentence):
        task.outcome()
    assert task.done and getattr(task.error, "code", None) is answer.code


def test_procedure_may_catch_a_refusal_and_go_on() -> None:
    def stubborn() -> Procedure[str]:
        try:
            yield M.Pause()
        except CommandRefusedError:
            yield M.Resume()
        return "resumed"

    link = Link()
    task = link.procedures.start(stubborn(), NOW)
    link.answer(ANSWERS[0][0])
    link.answer(M.ResumeDone())
    assert task.outcome() == "resumed"


def test_time_and_conditions_resume_when_they_come() -> None:
    met: list[str] = []

    def waiting() -> Procedure[str]:
        yield Until(Micros(100))
        met.append("time")
        yield lambda: "go" in met
        yield Until(Micros(500), lambda: "early" in met)
        yield Until(Micros(700), lambda: False)
        yield Until(Micros(0))
        yield lambda: True
        return "done"

    procedures = Link().procedures
    task = procedures.start(waiting(), NOW)
    assert procedures.next_deadline() == 100
    procedures.poll(Micros(99))
    assert met == []
    procedures.poll(Micros(100))
    assert met == ["time"] and procedures.next_deadline() is None
    procedures.poll(Micros(150))
    met.append("go")
    procedures.poll(Micros(150))
    assert procedures.next_deadline() == 500
    met.append("early")
    procedures.poll(Micros(200))
    assert procedures.next_deadline() == 700
    procedures.poll(Micros(699))
    assert not task.done
    procedures.poll(Micros(700))
    assert task.outcome() == "done"


def test_lost_link_is_raised_in_all_that_wait_for_an_answer_and_in_no_other() -> None:
    link = Link()
    asks = [link.procedures.start(asking(M.Pause()), NOW) for _ in range(2)]
    waits = link.procedures.start(asking_later(), NOW)
    link.up = False
    link.procedures.link_lost("pulled", NOW)
    for task in asks:
        with pytest.raises(LinkLostError, match="pulled"):
            task.outcome()
    assert not waits.done
    link.procedures.poll(Micros(100))
    with pytest.raises(LinkLostError, match="no link"):
        waits.outcome()


def asking_later() -> Procedure[None]:
    yield Until(Micros(100))
    yield M.Pause()


def test_an_abandoned_request_is_raised_in_the_one_that_waits_for_it() -> None:
    link = Link()
    first, second = (link.procedures.start(asking(command), NOW) for command in (M.Pause(), M.Resume()))
    for _ in range(2):
        link.procedures.abandoned(link.sent[0], "the host asks for a new link", NOW)
    assert first.done and not second.done
    with pytest.raises(LinkLostError, match="new link"):
        first.outcome()


def test_what_a_procedure_raises_is_kept_for_whoever_awaits_it() -> None:
    def broken() -> Procedure[None]:
        yield Until(Micros(0))
        raise KeyError("defect")

    task = Link().procedures.start(broken(), NOW)
    with pytest.raises(KeyError, match="defect"):
        task.outcome()


@pytest.mark.parametrize("wait", [M.Pause(), Until(Micros(100))])
def test_cancelled_procedure_ends_where_it_stands(wait: Any) -> None:
    ended: list[bool] = []

    def tidy() -> Generator[Any, Any, None]:
        try:
            yield wait
        finally:
            ended.append(True)

    link = Link()
    task = link.procedures.start(tidy(), NOW)
    link.procedures.cancel(task)
    assert ended == [True] and task.done
    link.procedures.cancel(task)
    link.procedures.poll(Micros(1000))
    if link.sent:
        link.answer(M.PauseDone())
    assert link.procedures.next_deadline() is None and task.outcome() is None


def test_procedure_that_ends_another_in_a_poll_does_no_harm() -> None:
    procedures = Link().procedures

    def killer() -> Procedure[None]:
        yield Until(Micros(10))
        procedures.cancel(victim)

    first = procedures.start(killer(), NOW)
    victim = procedures.start(asking_later(), NOW)
    procedures.poll(Micros(100))
    assert first.done and victim.done


def test_what_is_ended_before_its_end_names_the_command_that_it_waits_for() -> None:
    link = Link()
    assert str(link.procedures.start(asking(M.Pause()), NOW).unfinished()) == str(UnfinishedError("Pause"))
    assert str(link.procedures.start(asking_later(), NOW).unfinished()) == str(UnfinishedError(""))


def ended(error: Exception | None = None) -> Task[str]:
    def procedure() -> Procedure[str]:
        yield from ()
        if error is not None:
            raise error
        return "done"

    return Link().procedures.start(procedure(), NOW)


def test_a_task_that_has_ended_gives_its_result_or_its_error() -> None:
    assert end_of(ended(), None, None) == "done"
    with pytest.raises(KeyError, match="defect"):
        end_of(ended(KeyError("defect")), None, None)


def test_a_cancellation_is_raised_once_the_task_has_ended_and_after_its_own_error() -> None:
    cancelled = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError) as caught:
        end_of(ended(), cancelled, None)
    assert caught.value is cancelled and not hasattr(cancelled, "__notes__")
    with pytest.raises(KeyError, match="defect"):
        end_of(ended(KeyError("defect")), cancelled, None)


def test_what_is_unfinished_is_a_note_on_the_cancellation_or_else_the_error() -> None:
    unfinished, cancelled = UnfinishedError("Stop"), asyncio.CancelledError()
    with pytest.raises(UnfinishedError) as caught:
        end_of(ended(), None, unfinished)
    assert caught.value is unfinished
    with pytest.raises(asyncio.CancelledError) as noted:
        end_of(ended(), cancelled, unfinished)
    assert noted.value is cancelled and cancelled.__notes__ == [str(unfinished)]
