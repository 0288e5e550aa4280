"""A session over a real pseudo-terminal whose bytes are paced as a serial line's are."""

import json
import os
from pathlib import Path

import pytest

from devicectl import Plan, connect
from protocols.serial.line import BITS_PER_BYTE
from tests.e2e.lines import PtyLine
from tests.programs import Served, serve

QUICK = ("--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01")
SLICE = 16
"""Bytes that are given out at once."""
MOST_IN_VAIN = 3
"""None where everybody is on time; on a busy machine somebody is late now and then. It was a quarter of all frames."""


class PacedLine(PtyLine):
    """Each direction gives out its bytes one after the other, at `baud`."""

    def __init__(self, served: Served, link: Path, baud: int) -> None:
        super().__init__(served, link)
        self._s_per_byte = BITS_PER_BYTE / baud
        self._free_at = {"host": 0.0, "device": 0.0}

    def _asked(self) -> None:
        self._carry("host", os.read(self._ends[0], 4096), self._device)

    def _answered(self) -> None:
        self._carry("device", os.read(self._device, 4096), self._ends[0])

    def _carry(self, sender: str, data: bytes, to: int) -> None:
        for start in range(0, len(data), SLICE):
            piece = data[start : start + SLICE]
            free_at = max(self._free_at[sender], self._loop.time()) + len(piece) * self._s_per_byte
            self._free_at[sender] = free_at
            self._loop.call_at(free_at, os.write, to, piece)


@pytest.mark.asyncio
@pytest.mark.parametrize("baud", [4_800, 9_600])
async def test_hardly_a_frame_is_sent_twice(baud: int, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with serve("--pty", "--seed", "7", "--report", str(report), *QUICK) as served:
        async with PacedLine(served, tmp_path / "line", baud).listening() as url:
            async with (
                connect(f"{url}?baud={baud}") as handpiece,
                handpiece.open_session(Plan(target_cores=18)) as session,
            ):
                await session.confirm_anesthesia()
                async for _ in session.run():
                    pass
            assert session.summary.reconciled
        served.stop()
    (host,) = json.loads(report.read_text(encoding="utf-8"))["hosts"]
    assert host["frames"]["received"] > 50 and host["links"] == 1
    assert host["frames"]["received_again"] <= MOST_IN_VAIN
