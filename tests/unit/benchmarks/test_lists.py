"""The logs that lists are measured on: as many sessions as they say, each as a proper session leaves it."""

from pathlib import Path

import pytest

from benchmarks import lists
from devicectl.log.reader import LogReader


def cores_and_records(path: Path) -> list[tuple[int, int]]:
    """Cores that a list shows of each session, and the records that its report has."""
    with LogReader.open(path) as reader:
        found = list(reader.sessions())
        return [(one.counts.cores_counted, len(reader.session(one.key).records)) for one in found]


def test_short_sessions_have_all_their_rows(tmp_path: Path) -> None:
    lists._build(tmp_path / "log.sqlite", 4, 2)
    assert cores_and_records(tmp_path / "log.sqlite") == [(6, 2)] * 4


def test_of_long_sessions_the_last_ones_have_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "WHOLE_ROWS", 6)
    lists._build(tmp_path / "log.sqlite", 4, 3)
    assert cores_and_records(tmp_path / "log.sqlite") == [(9, 0), (9, 0), (9, 3), (9, 3)]


def test_a_list_takes_time_and_memory(tmp_path: Path) -> None:
    lists._build(tmp_path / "log.sqlite", 1, 1)
    used = lists._list(tmp_path / "log.sqlite", *lists.ALL)
    assert used.cpu_s > 0
    assert used.peak_mib is None or used.peak_mib > 1
