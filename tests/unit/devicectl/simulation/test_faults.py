"""Faults that a host injects into its device of `sim://`."""

from pathlib import Path

import pytest

from devicectl import connect
from devicectl.errors import CommandRefusedError
from devicectl.session.procedures import ask
from devicectl.simulation.faults import injection
from protocols.language.messages import FaultInject


async def inject(url: str, command: FaultInject) -> int:
    """Return the number of the injected fault."""
    async with connect(url) as handpiece:
        done = await handpiece.driver.perform(ask(command))
        assert handpiece.driver.engine.link.exchange.linked
        return done.fault_id


@pytest.mark.asyncio
async def test_a_memory_in_ram_may_fail_and_one_in_a_file_is_left_alone(tmp_path: Path) -> None:
    full = injection("disk_full", 'at("1 s")')
    assert await inject("sim://?seed=7", full) == 1
    with pytest.raises(CommandRefusedError, match="a disk_full acts on the memory"):
        await inject(f"sim://?seed=7&nvm={tmp_path / 'nvm'}", full)
