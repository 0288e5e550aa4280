"""Signals that end a run: which count, and where they take hold."""

import asyncio
import signal

import pytest

from devicectl import clock
from devicectl.cli.signals import TOGETHER, ended_in_order
from protocols.language.units import Micros


class Signaled:
    """A task that is sent signals, by a clock of the test's own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = Micros(0)
        self.seen: list[str] = []
        monkeypatch.setattr(clock, "monotonic", lambda: self.now)

    def send(self, *after: int) -> None:
        """One signal after each of these times, with nothing between them but the task's own lines."""
        for wait in after:
            self.now = Micros(self.now + wait)
            signal.raise_signal(signal.SIGTERM)
            self.seen.append("went on")

    async def run(self, *after: int) -> None:
        with ended_in_order():
            self.send(*after)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.seen.append("cancelled")
                await self.close()
                raise

    async def close(self) -> None:
        """Take a few turns of the loop."""
        for _ in range(10):
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, and no time
        self.seen.append("closed in order")


def test_signals_that_come_together_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a supervisor ends a program and its group: the session is still closed in order."""
    signaled = Signaled(monkeypatch)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(signaled.run(0, TOGETHER - 1, 0))
    assert signaled.seen == ["went on"] * 3 + ["cancelled", "closed in order"]


def test_a_second_signal_interrupts_and_not_in_the_midst_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    signaled = Signaled(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(signaled.run(0, TOGETHER))
    assert signaled.seen[:2] == ["went on"] * 2


def test_a_third_signal_waits_for_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    signaled = Signaled(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(signaled.run(0, TOGETHER, TOGETHER))
    assert signaled.seen == ["went on"] * 2


def test_a_signal_wakes_the_loop_by_its_descriptor_while_signals_are_heard() -> None:
    """Else one that comes just before the loop goes to sleep is heard when something else wakes it."""

    def descriptor() -> int:
        found = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(found)
        return found

    async def look() -> tuple[int, int, int]:
        before = descriptor()
        with ended_in_order():
            within = descriptor()
        return before, within, descriptor()

    before, within, after = asyncio.run(look())
    assert within != -1 and before == after == -1
