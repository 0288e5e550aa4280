"""Procedures: what the host does step by step, written as generators and run without a loop or a thread.

A procedure yields what it waits for and is resumed with the outcome:

    done = yield from ask(Count(...))   a command: returns its DONE; refusals, failures and lost links are raised
    yield Until(time)                   a point in the host's time
    yield Until(time, condition)        that, or the condition if it comes first
    yield condition                     any callable; resumed when it returns true

Law: nothing here knows a clock, a transport or the meaning of a command. Several procedures may run at once, each
waiting for its own thing; a lost link is raised in every one that waits for an answer.
"""

from collections.abc import Callable, Generator
from typing import Any, Final, Generic, NamedTuple, TypeVar

from devicectl.errors import (
    CommandAbortedError,
    CommandError,
    CommandFailedError,
    CommandRefusedError,
    LinkError,
    LinkLostError,
    UnfinishedError,
)
from protocols.language.message import Command, Done, Message
from protocols.language.messages import Aborted, Failed, Nak, Refused
from protocols.language.units import Micros
from protocols.link.requests import Request

Result = TypeVar("Result", covariant=True)


class Until(NamedTuple):
    """Wait for a point in time, or for `condition` if that comes first."""

    time: Micros
    condition: Callable[[], bool] | None = None

    def over(self, now: Micros) -> bool:
        """True once there is nothing left to wait for."""
        return self.time <= now or (self.condition is not None and self.condition())


Wait = Command[Message] | Until | Callable[[], bool]
Procedure = Generator[Wait, Any, Result]


def ask(command: Command[Done]) -> Procedure[Done]:
    """Send a command and return the DONE that it declares.

    Raises:
        CommandError: the device refused it, could not finish it, or was stopped meanwhile.
        LinkError: the link is gone, and with it the answer.
    """
    done: Done = yield command
    return done


def nothing() -> Procedure[None]:
    """A procedure that has nothing to do."""
    yield from ()


class Task(Generic[Result]):
    """One running procedure, and how it ended."""

    __slots__ = ("_procedure", "done", "error", "result", "waits_for")

    def __init__(self, procedure: Procedure[Result]) -> None:
        self._procedure = procedure
        self.waits_for: Request | Until | Callable[[], bool] | None = None
        self.done = False
        self.result: Result | None = None
        self.error: Exception | None = None

    def resume(self, value: object, error: Exception | None = None) -> Wait | None:
        """Run to the next wait; None when the procedure has ended."""
        self.waits_for = None
        try:
            return self._procedure.send(value) if error is None else self._procedure.throw(error)
        except StopIteration as stop:
            self.result = stop.value
        except Exception as caught:  # noqa: BLE001 - it is kept, and raised where the task is awaited
            self.error = caught
        self.done = True
        return None

    def unfinished(self) -> UnfinishedError:
        """Error to raise where it is ended before its end."""
        command = self.waits_for.name if isinstance(self.waits_for, Request) else ""
        return UnfinishedError(command)

    def close(self) -> None:
        """End the procedure where it is."""
        self._procedure.close()
        self.waits_for = None
        self.done = True

    def outcome(self) -> Result:
        """Return what the procedure returned.

        Raises:
            Exception: what it raised.
        """
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]


def end_of(task: Task[Result], cancelled: BaseException | None, unfinished: UnfinishedError | None) -> Result:
    """Return the result of a task that may have been `cancelled`, and is `unfinished` if its end did not come.

    Raises:
        Exception: what the procedure raised, else the cancellation with what is unfinished as its note, or that itself.
    """
    if unfinished is None:
        result = task.outcome()
    elif cancelled is None:
        raise unfinished
    else:
        cancelled.add_note(str(unfinished))
    if cancelled is not None:
        raise cancelled
    return result


class Procedures:
    """All procedures of one host. `submit(command)` sends a command and returns its request."""

    def __init__(self, submit: Callable[[Command[Message]], Request]) -> None:
        self._submit = submit
        self._by_request: dict[Request, Task[object]] = {}
        self._polled: dict[Task[object], Until | Callable[[], bool]] = {}  # in the order of waiting

    def start(self, procedure: Procedure[Result], now: Micros) -> Task[Result]:
        """Begin a procedure; it runs to its first wait at once."""
        task = Task(procedure)
        self._run(task, None, None, now)
        return task

    def answered(self, request: Request, answer: Message, now: Micros) -> None:
        """Resume the procedure that waits for this final answer."""
        task = self._by_request.pop(request, None)
        if task is not None:
            make_error = ERRORS.get(answer.__class__)
            self._run(task, answer, None if make_error is None else make_error(request.message, answer), now)

    def abandoned(self, request: Request, reason: str, now: Micros) -> None:
        """Raise the loss in the procedure that waits for the answer to this request, which will not come."""
        task = self._by_request.pop(request, None)
        if task is not None:
            self._run(task, None, LinkLostError(reason), now)

    def link_lost(self, reason: str, now: Micros, kind: Callable[[str], LinkError] = LinkLostError) -> None:
        """Raise the loss, an error of that kind, in every procedure that waits for an answer."""
        waiting = list(self._by_request.values())
        self._by_request.clear()
        for task in waiting:
            self._run(task, None, kind(reason), now)

    def poll(self, now: Micros) -> None:
        """Resume those whose time or condition has come."""
        if not self._polled:
            return
        for task in list(self._polled):
            wait = self._polled.get(task)
            # None: another one that was resumed before it has ended it.
            if wait is not None and (wait.over(now) if isinstance(wait, Until) else wait()):
                del self._polled[task]
                self._run(task, None, None, now)

    def next_deadline(self) -> Micros | None:
        """The earliest time that a procedure waits for."""
        if not self._polled:
            return None
        times = [wait.time for wait in self._polled.values() if isinstance(wait, Until)]
        return min(times) if times else None

    def cancel(self, task: Task[object]) -> None:
        """End a procedure where it is; an answer that it waits for is forgotten."""
        if isinstance(task.waits_for, Request):
            self._by_request.pop(task.waits_for, None)
        else:
            self._polled.pop(task, None)
        if not task.done:
            task.close()

    def _run(self, task: Task[object], value: object, error: Exception | None, now: Micros) -> None:
        while True:
            wait = task.resume(value, error)
            value = error = None
            if wait is None:
                return
            if isinstance(wait, Command):
                try:
                    request = self._submit(wait)
                except LinkLostError as lost:
                    error = lost
                    continue
                task.waits_for = request
                self._by_request[request] = task
                return
            if not (wait.over(now) if isinstance(wait, Until) else wait()):
                task.waits_for = wait
                self._polled[task] = wait
                return


ERRORS: Final[dict[type[Message], Callable[[Message, Any], CommandError]]] = {
    Refused: CommandRefusedError,
    Nak: CommandRefusedError,
    Failed: CommandFailedError,
    Aborted: CommandAbortedError,
}
"""Final answer -> what is raised for it; all others are a DONE."""
