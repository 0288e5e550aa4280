"""What takes longest is begun first, each module stays together, and no test is lost or done twice."""

from itertools import groupby

import pytest

from tests.architecture.tree import ROOT
from tests.runs.order import WAIT, WORK, begun_early

OTHERS = [f"tests/unit/test_{no}.py" for no in range(40)]


def listed(modules: list[str], each: int = 7) -> list[tuple[str, str]]:
    """So many tests of each module."""
    return [(module, f"{module}::test_{no}") for module in modules for no in range(each)]


def modules_of(tests: list[str]) -> list[str]:
    """The modules of these tests, each as often as it is begun."""
    return [module for module, _ in groupby(test.partition("::")[0] for test in tests)]


def shares_of(tests: list[str], processes: int) -> list[list[str]]:
    """What worksteal hands to each process at first."""
    left, shares = list(tests), []
    for before in range(processes):
        size = len(left) // (processes - before)
        shares.append(left[:size])
        del left[:size]
    return shares


@pytest.mark.parametrize("processes", [2, 3, 4, 5, 9])
def test_shares_begin_with_what_takes_longest_and_half_of_them_wait(processes: int) -> None:
    tests = listed([*OTHERS[:20], *WORK, *OTHERS[20:], *WAIT])
    shares = shares_of(begun_early(tests, processes), processes)
    firsts = [modules_of(share)[0] for share in shares]
    waiting = (processes + 1) // 2
    assert firsts[:waiting] == list(WAIT[:waiting]) and firsts[waiting:] == list(WORK[: processes - waiting])


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 64])
@pytest.mark.parametrize("modules", [[], OTHERS[:1], [*OTHERS, *WAIT, *WORK], [WAIT[2], OTHERS[1]], list(WORK)])
def test_each_test_is_there_once_and_modules_stay_together_but_at_the_ends_of_shares(
    modules: list[str], processes: int
) -> None:
    tests = listed(modules)
    ordered = begun_early(tests, processes)
    assert sorted(ordered) == sorted(test for _, test in tests)
    begun = modules_of(ordered)
    assert set(begun) == set(modules) and len(begun) - len(modules) < processes
    assert list(dict.fromkeys(m for m in begun if m in OTHERS)) == [m for m in modules if m in OTHERS]


def test_one_process_or_an_order_of_ones_own_is_left_alone() -> None:
    tests = listed([OTHERS[0], WAIT[0]])
    assert begun_early(tests, 1) == [test for _, test in tests]
    pieces = [*tests[::2], *tests[1::2]]
    assert begun_early(pieces, 4) == [test for _, test in pieces]


def test_all_that_are_named_are_there() -> None:
    assert len({*WAIT, *WORK}) == len(WAIT) + len(WORK)
    assert not [name for name in (*WAIT, *WORK) if not (ROOT / name).is_file()]
