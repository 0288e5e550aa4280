"""The campaign of short sessions: each is of 20 cycles, and all are in its log."""

import asyncio
from pathlib import Path

from benchmarks import campaign
from devicectl.log.reader import LogReader


def test_every_session_is_held_to_its_end_and_logged(tmp_path: Path) -> None:
    assert asyncio.run(campaign.rate(str(tmp_path / "log.sqlite"), 2)) > 0
    with LogReader.open(tmp_path / "log.sqlite") as reader:
        found = list(reader.sessions())
    assert [one.start.seed for one in found] == [*range(campaign.WARM_UP + 2)]
    assert {(one.state, one.reconciled, one.counts.cycles) for one in found} == {("completed", True, 20)}
