"""`devicectl sessions list` of small and large logs: processor time beside the start-up alone, and peak memory.

A log is built by bulk insert, one session again and again. Of sessions of 10,000 cores only the last hundred have all
their rows, since a whole log of 10,000 takes 4.5 GB: that a list reads nothing of the rest is held by
tests/integration/log/test_log_lists.py, which counts the database's steps. Short sessions, of one cycle, have all.
"""

import re
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from devicectl import Plan
from devicectl.log.store import SessionLog
from devicectl.session.count import Counts
from devicectl.session.entries import Batch, Finish, SessionStart
from protocols.language.enums import Ending, NeedleOutcome, Phase
from protocols.language.records import Cycle, encode_record, pack_outcomes

CYCLES: Final = 3_334
"""Cycles of a session of 10,000 cores."""
WHOLE_ROWS: Final = 100 * CYCLES
"""Cycles of the sessions that have all their rows."""


class Case(NamedTuple):
    """A log of so many sessions, of so many cycles each, and the options beside the log's."""

    sessions: int
    cycles: int = CYCLES
    options: tuple[str, ...] = ()


ALL: Final = ("--last", "all")
CASES: Final = {
    "empty": Case(0),
    "1,000": Case(1_000),
    "10,000": Case(10_000),
    "10,000, all": Case(10_000, options=ALL),
    "100,000 short, all": Case(100_000, 1, ALL),
}


class Used(NamedTuple):
    """Seconds of processor time, and the most memory at any moment; None where the system does not say."""

    cpu_s: float
    peak_mib: float | None


_LIST: Final = """
import atexit, sys
from devicectl.cli import main

def say_peak():
    try:
        with open("/proc/self/status") as status:
            sys.stderr.writelines(line for line in status if line.startswith("VmHWM"))
    except OSError:
        pass

atexit.register(say_peak)
sys.argv[0] = "devicectl"
main()
"""
"""The peak is asked inside: what the system tells a parent of its child's begins at the parent's own size."""


def measure(rounds: int, folder: Path) -> list[dict[str, Used]]:
    """Return what each case takes, a dictionary a round."""
    paths = {case[:2]: folder / f"list-{case.sessions}-{case.cycles}.sqlite" for case in CASES.values()}
    for (sessions, cycles), path in paths.items():
        _build(path, sessions, cycles)
        _list(path)  # what is compiled and read from the disk once
    return [{name: _list(paths[case[:2]], *case.options) for name, case in CASES.items()} for _ in range(rounds)]


def _list(path: Path, *options: str) -> Used:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = [sys.executable, "-c", _LIST, "sessions", "list", "--log", str(path), *options]
    done = subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = re.search(r"VmHWM:\s+(\d+) kB", done.stderr)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Used(cpu_s, None if peak is None else int(peak[1]) / 1024)


def _build(path: Path, sessions: int, cycles: int) -> None:
    with SessionLog.open(path) as log:
        if sessions:
            _one(log, cycles)
    if sessions < 2:
        return
    whole = WHOLE_ROWS // cycles
    with closing(sqlite3.connect(path)) as raw, raw:
        _copy(raw, ("sessions", "totals"), 2, sessions)
        if sessions > whole:
            for table in ("records", "cycles"):
                raw.execute(f"UPDATE {table} SET session_key = {sessions}")
            _copy(raw, ("records", "cycles"), sessions - whole + 1, sessions - 1)
        else:
            _copy(raw, ("records", "cycles"), 2, sessions)


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


def _one(log: SessionLog, cycles: int) -> None:
    """Store a session of so many cycles, as a log has it."""
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
        for number in range(1, cycles + 1)
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
    log.store(key, Batch(epoch=1, first_event_no=1, next_event_no=cycles + 1, records=records))
    totals = Counts(cycles=cycles, completed=cycles, punctures=3 * cycles, cores_counted=3 * cycles)
    log.finish(key, Finish("completed", True, 870.0, 3.0, totals, cycles // 16 + 1))
