"""What was reported stored is there, whenever the process or the power goes."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicectl.log.reader import LogReader
from devicectl.log.store import SessionLog
from tests.integration.log.log_builders import a_start, cycle_batch

ROOT = Path(__file__).parents[2]
BATCHES = 12
PER_BATCH = 7

WRITER = """
import sys
from devicectl.log.store import SessionLog
from tests.integration.log.log_builders import a_start, cycle_batch
log = SessionLog.open(sys.argv[1])
key = log.begin(a_start())
for first in range(1, 10_000_000, 7):
    log.store(key, cycle_batch(first, 7))
    print(first + 6, flush=True)
"""


def assert_whole(path: Path, reported: int) -> int:
    """The log has everything that was reported, in whole batches, and goes on; how many records it has."""
    with LogReader.open(path) as reader:
        report = reader.session(1)
    stored = len(report.records)
    assert stored >= reported and stored % PER_BATCH == 0
    assert report.next_event_no == stored + 1 and report.counts.cycles == stored and report.differences == ()
    with SessionLog.open(path) as log:
        assert log.load(1).next_event_no == stored + 1
        log.store(1, cycle_batch(stored + 1, PER_BATCH))
        assert log.load(1).counts.cycles == stored + PER_BATCH
    return stored


@given(reports=st.integers(1, 60))
@settings(max_examples=6, deadline=None)
def test_a_killed_writer_loses_nothing_it_reported(reports: int) -> None:
    """Killed without warning, right after a report or in the middle of what follows it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as writer:
            assert writer.stdout is not None
            for _ in range(reports):
                reported = int(writer.stdout.readline())
            writer.kill()
            reported = max([reported, *map(int, writer.stdout.read().split())])
        assert_whole(path, reported)


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[int]]]:
    """A log whose write-ahead file was never folded in, and that file's size after each commit."""
    folder = tmp_path_factory.mktemp("torn")
    path, wal = folder / "log.sqlite", folder / "log.sqlite-wal"
    with SessionLog.open(path) as log:
        key = log.begin(a_start())
        sizes = [wal.stat().st_size]
        for first in range(1, BATCHES * PER_BATCH, PER_BATCH):
            log.store(key, cycle_batch(first, PER_BATCH))
            sizes.append(wal.stat().st_size)
        copy = folder / "copy"
        copy.mkdir()
        shutil.copy(path, copy)
        shutil.copy(wal, copy)
    yield copy, sizes


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_file_torn_anywhere_holds_whole_batches(torn: tuple[Path, list[int]], data: st.DataObject) -> None:
    """Power loss: what was synced stays, and of what was not any part may be missing or be garbage."""
    source, sizes = torn
    at = data.draw(st.one_of(st.integers(sizes[0], sizes[-1]), st.sampled_from(sizes)))
    garbage = data.draw(st.binary(max_size=200))
    batches = max(index for index, size in enumerate(sizes) if size <= at)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        shutil.copy(source / "log.sqlite", path)
        wal = (source / "log.sqlite-wal").read_bytes()
        Path(f"{path}-wal").write_bytes(wal[:at] + garbage)
        stored = assert_whole(path, batches * PER_BATCH)
        assert stored <= (batches + (len(garbage) > 0)) * PER_BATCH
