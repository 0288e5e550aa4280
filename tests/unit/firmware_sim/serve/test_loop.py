"""A served device runs on uvloop where that is installed, and on asyncio's own loop where it is not."""

import asyncio
import sys
from types import SimpleNamespace

import pytest

from firmware_sim.serve import loop


class QuickLoop(asyncio.SelectorEventLoop):
    """Stands for the loop of uvloop."""


async def current() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_uvloop_is_taken_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", SimpleNamespace(new_event_loop=QuickLoop))
    assert isinstance(loop.run(current()), QuickLoop)


def test_without_uvloop_asyncio_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    chosen = loop.run(current())
    assert isinstance(chosen, asyncio.BaseEventLoop)
    assert not isinstance(chosen, QuickLoop)
    assert chosen.is_closed()
