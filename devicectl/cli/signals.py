"""Ctrl-C, SIGTERM and SIGHUP end a program in order: a session is closed as aborted, a station can be continued.

A person ends programs by the first, a supervisor by the second, a terminal that goes away by the third.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

from devicectl import clock
from handpiece_shell.patient_file import hurry, take_time
from protocols.language.units import SECOND, Micros

SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
"""By name: not every system has both."""
_Handler = Callable[[int, FrameType | None], object] | int | None
TOGETHER: Final = Micros(SECOND // 4)
"""Signals that come within this time count as one: `timeout` and the like end a program and then its whole group."""


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Within it, the first signal cancels the running task, and a second one interrupts at once.

    Both are done by the event loop, and not in the midst of what it does, as asyncio's own Ctrl-C would: an exception
    between two lines of the engine leaves a session that neither goes on nor ends. A third one waits for no loop.
    A signal that was ignored from the beginning stays so: that is what `nohup` is for.

    Each is given to the loop as well, which then has itself woken by it: one that comes between the loop's last look
    and its sleep would else be heard when something else ends the sleep.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    heard = Micros(0)
    asked: list[asyncio.Handle] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        hurry()  # a reader that does not read must not keep the loop from hearing
        last, heard = heard, clock.monotonic()
        if asked and heard < last + TOGETHER:
            return
        if len(asked) == 2:
            asked[1].cancel()
            raise KeyboardInterrupt
        asked.append(loop.call_soon_threadsafe(interrupt if asked else task.cancel))  # from outside: it may be asleep

    take_time()
    earlier = _handlers()
    for number in earlier:
        with contextlib.suppress(NotImplementedError):  # a loop that cannot is woken by each signal anyway
            loop.add_signal_handler(number, _wake)
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)


@contextlib.contextmanager
def taken_as_ctrl_c() -> Iterator[None]:
    """Within it every signal is Ctrl-C, for what ends in order by that one.

    uvicorn does not hear SIGHUP, and when it has ended by SIGTERM it has the process killed by it. Whoever started
    processes of their own would leave them behind. A job of a shell in the background, which ignores Ctrl-C, still
    ends by the others.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    earlier = _handlers()
    for number in earlier:
        if number != signal.SIGINT:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _handlers() -> dict[int, _Handler]:
    """Return the signals that this thread can take and that nobody has ignored, each with its present handler."""
    if threading.current_thread() is not threading.main_thread():
        return {}  # Python delivers signals to the main thread alone
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    return {number: handler for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}


def _wake() -> None:
    """Do nothing: the loop is awake."""
