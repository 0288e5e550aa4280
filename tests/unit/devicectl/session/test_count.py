"""The fold: counts from records, and everything that keeps them from being believed."""

import math
from typing import Any

import pytest

from devicectl.session.count import Counts, Fold, coverage_percent, reconcile, tally
from protocols.language.enums import CloseReason, Ending, NeedleOutcome, Phase
from protocols.language.records import (
    Boot,
    Cycle,
    Gap,
    Record,
    SessionClosed,
    SessionOpened,
    encode_record,
    pack_outcomes,
)

COUNTED, EMPTY, UNCOUNTED = NeedleOutcome.COUNTED, NeedleOutcome.EMPTY, NeedleOutcome.UNCOUNTED
ALL_COUNTED = pack_outcomes([COUNTED] * 3)


def a_cycle(event_no: int, cycle_no: int, **changes: Any) -> Cycle:
    values: dict[str, Any] = {
        "event_no": event_no,
        "uptime_ms": event_no * 260,
        "ending": Ending.COMPLETED,
        "phase": Phase.COUNT,
        "needles": 3,
        "cycle_no": cycle_no,
        "outcomes": ALL_COUNTED,
        "cell": 0,
        "depth_um": 3_000,
        "total_punctures": 3 * cycle_no,
        "total_cores_counted": 3 * cycle_no,
    }
    return Cycle(**{**values, **changes})


def folded(*records: Record, **settings: Any) -> Fold:
    fold = Fold(3, 1, **settings)
    for record in records:
        fold.add(record)
    return fold


def opened(event_no: int, session_no: int, first_cycle_no: int) -> SessionOpened:
    return SessionOpened(
        event_no=event_no,
        uptime_ms=0,
        session_no=session_no,
        target_cores=10,
        first_cycle_no=first_cycle_no,
        coverage_bp=600,
        depth_um=3_000,
        cells=240,
        zones=5,
    )


def closed(event_no: int, session_no: int, cycles: int) -> SessionClosed:
    return SessionClosed(
        event_no=event_no,
        uptime_ms=0,
        reason=CloseReason.COMPLETED,
        session_no=session_no,
        cycles=cycles,
        punctures=3 * cycles,
        cores_counted=3 * cycles,
    )


def test_nothing_is_zero() -> None:
    fold = Fold(3, 1)
    assert fold.counts == Counts()
    assert (fold.cells, fold.problems, fold.last_cycle_no) == (set(), [], None)


def test_counts_each_ending_and_outcome() -> None:
    fold = folded(
        opened(1, 9, 1),
        a_cycle(2, 1),
        a_cycle(3, 2, outcomes=pack_outcomes([EMPTY, COUNTED, NeedleOutcome.NOT_PUNCTURED]), cell=1,
                total_punctures=5, total_cores_counted=4),
        a_cycle(4, 3, ending=Ending.ABORTED, phase=Phase.SUCTION, outcomes=pack_outcomes([UNCOUNTED] * 3), cell=1,
                total_punctures=8, total_cores_counted=4),
        a_cycle(5, 4, ending=Ending.AMBIGUOUS, phase=Phase.PUNCH, outcomes=pack_outcomes([NeedleOutcome.AMBIGUOUS] * 3),
                cell=7, total_punctures=11, total_cores_counted=4),
    )  # fmt: skip
    assert fold.problems == []
    assert fold.counts == Counts(cycles=4, completed=2, aborted=1, ambiguous=1, punctures=11, cores_counted=4)
    assert fold.cells == {0, 1, 7}
    assert (fold.last_cycle_no, fold.next_event_no) == (4, 6)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([COUNTED, COUNTED, COUNTED], (3, 3, ())),
        ([NeedleOutcome.NOT_PUNCTURED] * 3, (0, 0, ())),
        ([EMPTY, UNCOUNTED, NeedleOutcome.AMBIGUOUS], (3, 0, ())),
    ],
)
def test_tally(outcomes: list[NeedleOutcome], expected: tuple[int, int, tuple[int, ...]]) -> None:
    assert tally(pack_outcomes(outcomes), 3) == expected


def test_a_needle_of_unknown_outcome_counts_as_punctured() -> None:
    assert tally(0x9_01, 3) == (2, 1, (2,))


PROBLEMS = {
    "a missing event": (
        [a_cycle(1, 1), a_cycle(4, 2)],
        ["events 2..3 are missing from the journal"],
    ),
    "a missing first event": (
        [a_cycle(2, 1)],
        ["events 1..1 are missing from the journal"],
    ),
    "an event again": (
        [a_cycle(1, 1), a_cycle(1, 1)],
        ["event 1 came again or out of order: 2 was next"],
    ),
    "an overwritten part": (
        [a_cycle(1, 1), Gap(event_no=2, uptime_ms=0, missing=3), a_cycle(5, 2)],
        ["events 2..4 were overwritten on the device before they were read"],
    ),
    "a missing cycle": (
        [a_cycle(1, 1), a_cycle(2, 4, total_punctures=6, total_cores_counted=6)],
        ["cycles 2..3 have no ending"],
    ),
    "a missing first cycle": (
        [a_cycle(1, 2, total_punctures=3, total_cores_counted=3)],
        ["cycles 1..1 have no ending"],
    ),
    "two endings": (
        [a_cycle(1, 1), a_cycle(2, 1, ending=Ending.ABORTED)],
        ["cycle 1 has two endings; the first one counts"],
    ),
    "a late ending": (
        [
            a_cycle(1, 2, total_punctures=3, total_cores_counted=3),
            a_cycle(2, 1, total_punctures=6, total_cores_counted=6),
        ],
        ["cycles 1..1 have no ending", "cycle 1 ended after cycle 2: out of order"],
    ),
    "another array": (
        [a_cycle(1, 1, needles=2, outcomes=0x11, total_punctures=2, total_cores_counted=2)],
        ["cycle 1: 2 needles, the session has 3"],
    ),
    "an unknown outcome": (
        [a_cycle(1, 1, outcomes=0x911, total_cores_counted=2)],
        ["cycle 1: unknown outcome of needle 3"],
    ),
    "an open ending": (
        [a_cycle(1, 1, ending=Ending.OPEN)],
        ["cycle 1: its ending is OPEN, which is none"],
    ),
    "an unknown ending": (
        [a_cycle(1, 1, ending=Ending.UNKNOWN)],
        ["cycle 1: its ending is UNKNOWN, which is none"],
    ),
    "running totals that leave the fold": (
        [a_cycle(1, 1), *(a_cycle(n, n, total_punctures=3 * n + 1) for n in (2, 3))],
        ["cycle 2: running punctures 7 on the device, 6 here"],
    ),
    "running totals that leave it twice": (
        [
            a_cycle(1, 1, total_cores_counted=2),
            a_cycle(2, 2, total_punctures=7),
        ],
        [
            "cycle 1: running cores_counted 2 on the device, 3 here",
            "cycle 2: running punctures 7 on the device, 6 here",
        ],
    ),
    "a session inside this one": (
        [a_cycle(1, 1), opened(2, 10, 2)],
        ["event 2: session 10 was opened inside this one"],
    ),
    "a close that disagrees": (
        [opened(1, 9, 1), a_cycle(2, 1), closed(3, 9, 2)],
        ["event 3: closed with cycles, punctures, cores_counted (2, 6, 6) on the device, (1, 3, 3) here"],
    ),
}


@pytest.mark.parametrize(("records", "problems"), PROBLEMS.values(), ids=PROBLEMS)
def test_says_what_is_wrong(records: list[Record], problems: list[str]) -> None:
    fold = folded(*records, first_event_no=1)
    assert fold.problems == problems
    assert not reconcile(fold, fold.counts).reconciled


def test_an_ending_that_is_none_is_no_completed_cycle() -> None:
    counts = folded(a_cycle(1, 1, ending=Ending.UNKNOWN)).counts
    assert (counts.cycles, counts.completed, counts.aborted, counts.ambiguous) == (1, 0, 0, 0)


def test_a_second_ending_counts_once() -> None:
    assert folded(a_cycle(1, 1), a_cycle(2, 1)).counts == Counts(cycles=1, completed=1, punctures=3, cores_counted=3)


def test_an_earlier_session_in_the_same_journal_is_passed_over() -> None:
    fold = Fold(3, 5)
    for record in (opened(1, 8, 4), a_cycle(2, 4), closed(3, 8, 1), opened(4, 9, 5)):
        fold.add(record)
    fold.add(a_cycle(5, 5, total_punctures=3, total_cores_counted=3))
    fold.add(closed(6, 9, 1))
    assert fold.problems == []
    assert fold.counts == Counts(cycles=1, completed=1, punctures=3, cores_counted=3)


def test_other_records_only_move_the_cursor() -> None:
    fold = folded(Boot(event_no=1, uptime_ms=3, boot_count=1, open_cycle_no=0, phase=Phase.NONE), a_cycle(2, 1))
    assert fold.problems == [] and fold.counts.cycles == 1


def test_an_array_of_more_needles_than_a_record_holds_does_not_raise() -> None:
    fold = folded(a_cycle(1, 1, needles=200, outcomes=0x1111_1111))
    assert fold.counts.punctures == 8
    assert "cycle 1: 200 needles, the session has 3" in fold.problems


def test_add_raw_returns_the_record() -> None:
    fold = Fold(3, 1)
    record = a_cycle(1, 1)
    assert fold.add_raw(encode_record(record)) == record
    assert fold.counts.cycles == 1


def test_a_kind_of_a_later_version_is_no_problem() -> None:
    fold = Fold(3, 1, first_event_no=1)
    assert fold.add_raw((1).to_bytes(4, "little") + bytes(4) + b"\x77" + bytes(23)) is None
    fold.add(a_cycle(2, 1))
    assert fold.problems == [] and fold.next_event_no == 3


def test_an_unreadable_record_is_a_problem_and_does_not_raise() -> None:
    fold = Fold(3, 1, first_event_no=7)
    assert fold.add_raw((7).to_bytes(4, "little") + bytes(5)) is None
    assert fold.problems[0].startswith("event 7: unreadable record: ")
    assert fold.next_event_no == 8


@pytest.mark.parametrize(
    "last",
    [
        a_cycle(0xFFFF_FFFF, 1, uptime_ms=9),
        Gap(event_no=0xFFFF_FFFE, uptime_ms=0, missing=2),
        Gap(event_no=7, uptime_ms=0, missing=0xFFFF_FFFF),
    ],
)
@pytest.mark.parametrize("first", [0, 0xFFFF_FFFF])
def test_a_record_that_none_could_follow_is_a_problem_and_moves_nothing(first: int, last: Record) -> None:
    """Else the host would ask for a number that the wire does not have."""
    fold = Fold(3, 1, first_event_no=first)
    fold.add_raw(encode_record(last))
    assert fold.next_event_no == first and fold.counts == Counts()
    assert len(fold.problems) == 1


def test_the_last_number_of_a_journal_counts() -> None:
    fold = Fold(3, 1, first_event_no=0xFFFF_FFFE)
    fold.add_raw(encode_record(a_cycle(0xFFFF_FFFE, 1, uptime_ms=9)))
    assert fold.problems == [] and (fold.next_event_no, fold.counts.cycles) == (0xFFFF_FFFF, 1)


def test_reconciled_when_both_ends_agree() -> None:
    fold = folded(a_cycle(1, 1), a_cycle(2, 2))
    verdict = reconcile(fold, Counts(cycles=2, completed=2, punctures=6, cores_counted=6))
    assert verdict.reconciled and verdict.differences == []


def test_every_difference_has_both_numbers() -> None:
    verdict = reconcile(folded(a_cycle(1, 1)), Counts(cycles=1, completed=1, punctures=4, cores_counted=2))
    assert not verdict.reconciled
    assert verdict.differences == ["punctures: 4 on the device, 3 here", "cores_counted: 2 on the device, 3 here"]


@pytest.mark.parametrize(
    ("cores", "cells", "core_um", "percent"),
    [
        (0, 0, 400, 0.0),
        (10, 0, 400, 0.0),
        (0, 3, 400, 0.0),
        (10_000, 213, 400, 5.9),
        (63, 1, 400, 7.917),
        (48, 1, 400, 100 * 48 * math.pi * 0.2**2 / 100),
        (100, 2, 500, 100 * 100 * math.pi * 0.25**2 / 200),
        (63, 1, 300, 4.453),
    ],
)
def test_coverage_is_of_the_cells_begun(cores: int, cells: int, core_um: int, percent: float) -> None:
    assert coverage_percent(cores, cells, core_um) == pytest.approx(percent, abs=0.001)
