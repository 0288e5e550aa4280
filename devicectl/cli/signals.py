"""Ctrl-C, SIGTERM and SIGHUP: the device is stopped and the session closed as aborted.

A person ends programs by the first, a supervisor by the second, a terminal that goes away by the third.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
"""By name: not every system has both."""


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Within it, the first signal cancels the running task, and a second one interrupts at once.

    The task is cancelled by the event loop, and not in the midst of what the loop does, as asyncio's own Ctrl-C would.
    A signal that was ignored from the beginning stays so: that is what `nohup` is for.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        if len(heard) > 1:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(task.cancel)  # from outside: the loop may be asleep

    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # Python delivers signals to the main thread alone
    before = {number: signal.getsignal(number) for number in numbers}
    taken = [number for number in numbers if before[number] not in (signal.SIG_IGN, None)]
    for number in taken:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])
