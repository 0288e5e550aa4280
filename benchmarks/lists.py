"""`devicectl sessions list` of small and large logs, in processor time beside the start-up alone.

A log is built by bulk insert, a session of 10,000 cores again and again. What its last sessions are made of is there;
of the earlier ones only what a list may look at, since a whole log of 10,000 takes 4.5 GB: that a list reads nothing
of the rest is held by tests/integration/log/test_log_lists.py, which counts the database's steps.
"""

import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final

from devicectl import Plan
from devicectl.log.store import SessionLog
from devicectl.session.count import Counts
from devicectl.session.entries import Batch, Finish, SessionStart
from protocols.language.enums import Ending, NeedleOutcome, Phase
from protocols.language.records import Cycle, encode_record, pack_outcomes

CYCLES: Final = 3_334
"""Of a session of 10,000 cores."""
WHOLE: Final = 100
"""Sessions that have all their rows."""
CASES: Final = {"empty": (0, ()), "100": (100, ()), "10,000": (10_000, ()), "10,000, all": (10_000, ("--last", "all"))}
"""Name -> sessions, and the options beside the log's."""


def measure(rounds: int, folder: Path) -> list[dict[str, float]]:
    """Seconds of processor time of each case, a dictionary a round."""
    paths = {sessions: folder / f"list-{sessions}.sqlite" for sessions, _ in CASES.values()}
    for sessions, path in paths.items():
        _build(path, sessions)
        _list(path)  # what is compiled and read from the disk once
    return [
        {name: _list(paths[sessions], *options) for name, (sessions, options) in CASES.items()} for _ in range(rounds)
    ]


def _list(path: Path, *options: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = [sys.executable, "-m", "devicectl", "sessions", "list", "--log", str(path), *options]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _build(path: Path, sessions: int) -> None:
    with SessionLog.open(path) as log:
        if sessions:
            _one(log)
    if sessions < 2:
        return
    with closing(sqlite3.connect(path)) as raw, raw:
        _copy(raw, ("sessions", "totals"), 2, sessions)
        if sessions > WHOLE:
            for table in ("records", "cycles"):
                raw.execute(f"UPDATE {table} SET session_key = {sessions}")
        _copy(raw, ("records", "cycles"), max(2, sessions - WHOLE + 1), min(sessions, max(WHOLE, sessions - 1)))


def _copy(raw: sqlite3.Connection, tables: tuple[str, ...], first: int, last: int) -> None:
    """Give the sessions from `first` to `last` the rows that the one has which has rows."""
    for table in tables:
        key, *names = (row[1] for row in raw.execute(f"PRAGMA table_info({table})"))
        (source,) = raw.execute(f"SELECT max({key}) FROM {table}").fetchone()
        columns = ", ".join(names)
        raw.execute(
            f"WITH RECURSIVE n(k) AS (SELECT {first} UNION ALL SELECT k + 1 FROM n WHERE k < {last}) "
            f"INSERT INTO {table} ({key}, {columns}) SELECT k, {columns} FROM n, {table} WHERE {key} = {source}"
        )


def _one(log: SessionLog) -> None:
    """A session of 10,000 cores, as a log has it."""
    counted = NeedleOutcome.COUNTED
    records = tuple(
        encode_record(
            Cycle(
                event_no=number,
                uptime_ms=260 * number,
                ending=Ending.COMPLETED,
                phase=Phase.COUNT,
                needles=3,
                cycle_no=number,
                outcomes=pack_outcomes([counted, counted, counted]),
                cell=number // 16,
                depth_um=3_000,
                total_punctures=3 * number,
                total_cores_counted=3 * number,
            )
        )
        for number in range(1, CYCLES + 1)
    )
    start = SessionStart(
        simulated=True,
        seed=7,
        device="SIM-00000007",
        device_model="handpiece",
        session_no=1,
        epoch=1,
        first_event_no=1,
        first_cycle_no=1,
        needles=3,
        core_diameter_um=400,
        plan=Plan(),
        course="bench",
        session_date=date(2026, 1, 1),
        versions={"product": "1", "protocol": "1.0", "model": "1"},
        device_url="sim://?seed=7",
    )
    key = log.begin(start)
    log.store(key, Batch(epoch=1, first_event_no=1, next_event_no=CYCLES + 1, records=records))
    totals = Counts(cycles=CYCLES, completed=CYCLES, punctures=3 * CYCLES, cores_counted=3 * CYCLES)
    log.finish(key, Finish("completed", True, 870.0, 3.0, totals, CYCLES // 16 + 1))
