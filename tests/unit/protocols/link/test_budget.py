"""Budgets: so many in any second, and not only on average."""

from protocols.language.units import SECOND, Micros
from protocols.link.budget import MAX_LINKS_PER_SECOND, MAX_NAKS_PER_SECOND, Budget


def test_ten_naks_and_ten_links_a_second() -> None:
    """docs/protocol.md, sections 1 and 3."""
    assert MAX_NAKS_PER_SECOND == MAX_LINKS_PER_SECOND == 10


def test_the_limit_holds_in_any_second() -> None:
    budget = Budget(3)
    assert [budget.spend(Micros(at)) for at in (900_000, 950_000, 1_000_000, 1_000_001, 1_899_999)] == [True] * 3 + [
        False
    ] * 2
    assert budget.spend(Micros(1_900_000)), "a second after the first"
    assert not budget.spend(Micros(1_949_999))
    assert budget.spend(Micros(1_950_000))


def test_what_was_refused_does_not_count() -> None:
    budget = Budget(1)
    assert budget.spend(Micros(0))
    assert not any(budget.spend(Micros(at)) for at in range(100_000, SECOND, 100_000))
    assert budget.spend(SECOND)


def test_several_at_one_moment_are_several() -> None:
    budget = Budget(2)
    assert [budget.spend(Micros(5)) for _ in range(3)] == [True, True, False]
