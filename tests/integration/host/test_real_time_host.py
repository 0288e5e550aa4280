"""The host's real-time driver by itself: what time it is for a procedure that it starts, and an opener that raises."""

import asyncio
from typing import Any

import pytest

from devicectl import clock
from devicectl.real_time import REOPEN_S, RealTimeDriver
from devicectl.session.engine import Engine
from devicectl.session.procedures import Procedure
from devicectl.transports.port import Receiver, Transport
from protocols.language.units import SECOND, Micros
from tests.patience import patience


class Nowhere:
    """A transport that leads to nobody."""

    boot_us = Micros(0)

    def write(self, data: Any) -> None:
        """It is gone."""

    def close(self) -> None:
        """There is nothing to close."""


async def nowhere(receiver: Receiver) -> Transport:
    return Nowhere()


@pytest.mark.asyncio
async def test_a_procedure_starts_now_and_not_when_the_link_was_last_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first command's retries, and a PUNCH's deadline, count from there."""
    engine, now, seen = Engine(host_id=1, draw_nonce=lambda: 2), [Micros(0)], []

    def look() -> Procedure[None]:
        seen.append(engine.link.now)
        yield from ()

    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    async with RealTimeDriver(engine, nowhere, lambda entries: None) as driver:
        now[0] = Micros(4 * SECOND)
        await driver.perform(look())
    assert seen == [4 * SECOND]


# --- an opener that raises what it should not -----------------------------------------------------------------------


class Opener:
    """It opens at first, has a defect the second time, and opens from then on."""

    def __init__(self) -> None:
        self.times = 0
        self.failed = asyncio.Event()
        self.open_again = asyncio.Event()

    async def __call__(self, receiver: Receiver) -> Transport:
        self.times += 1
        if self.times == 2:
            self.failed.set()
            raise ZeroDivisionError("a defect of the opener")
        if self.times == 3:
            self.open_again.set()
        return Nowhere()


def driver_of(opener: Opener) -> RealTimeDriver:
    engine = Engine(host_id=1, draw_nonce=lambda: 2)
    return RealTimeDriver(engine, opener, lambda entries: None)


@pytest.mark.asyncio
async def test_what_an_opener_raises_is_raised_where_the_session_is_awaited_and_it_is_tried_again() -> None:
    opener = Opener()
    async with asyncio.timeout(patience(5)), driver_of(opener) as driver:
        driver.closed("pulled")
        with pytest.raises(ZeroDivisionError, match="a defect of the opener"):
            await driver.perform(driver.engine.connect())
        await opener.open_again.wait()


@pytest.mark.asyncio
async def test_what_an_opener_raises_is_not_lost_where_nothing_is_awaited_any_more() -> None:
    opener = Opener()
    async with asyncio.timeout(patience(5)):
        with pytest.raises(ZeroDivisionError, match="a defect of the opener"):
            async with driver_of(opener) as driver:
                driver.closed("pulled")
                await opener.failed.wait()


# --- how long it waits before it opens again --------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_transport_that_never_carries_a_link_is_opened_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that throws out whoever comes is not asked twenty times a second."""
    waits: list[float] = []
    opened = asyncio.Event()

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    async def opener(receiver: Receiver) -> Transport:
        opened.set()
        return Nowhere()

    monkeypatch.setattr(clock, "pause", pause)
    engine = Engine(host_id=1, draw_nonce=lambda: 2)
    async with asyncio.timeout(patience(5)), RealTimeDriver(engine, opener, lambda entries: None) as driver:
        for _ in range(7):
            opened.clear()
            driver.closed("thrown out")
            await opened.wait()
        engine.link.exchange._state.begin(5, driver.now)
        opened.clear()
        driver.closed("pulled")
        await opened.wait()
    assert waits == [*REOPEN_S, 1.0, 1.0, REOPEN_S[0]]
