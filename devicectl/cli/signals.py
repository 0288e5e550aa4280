"""SIGTERM and SIGHUP do what Ctrl-C does: the device is stopped and the session closed as aborted.

A supervisor ends programs by the one, a terminal that goes away by the other.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

SIGNALS: Final = ("SIGTERM", "SIGHUP")
"""By name: not every system has both."""


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Within it, the first signal cancels the running task, as asyncio does at Ctrl-C; a second one interrupts at once.

    One that was ignored from the beginning stays so: that is what `nohup` is for.
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
    taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
