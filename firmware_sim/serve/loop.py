"""The event loop that a served device runs on: uvloop where it is installed, which answers sooner, else asyncio's own.

It is looked for as the device starts: `pip install devicectl[uvloop]` is all that a user does.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

_T = TypeVar("_T")


def run(main: Coroutine[object, object, _T]) -> _T:
    """Run a program to its end, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=_quickest()) as runner:
        return runner.run(main)


def _quickest() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes an event loop, or None for asyncio's choice."""
    try:
        import uvloop
    except ImportError:  # an extra; and there is none for Windows
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make
