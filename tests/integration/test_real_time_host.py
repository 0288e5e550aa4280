"""The host's real-time driver by itself: what time it is for a procedure that it starts."""

from typing import Any

import pytest

from devicectl import clock
from devicectl.real_time import RealTimeDriver
from devicectl.session.engine import Engine
from devicectl.session.procedures import Procedure
from devicectl.transports.port import Receiver, Transport
from protocols.units import SECOND, Micros


class Nowhere:
    """A transport that leads to nobody."""

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
