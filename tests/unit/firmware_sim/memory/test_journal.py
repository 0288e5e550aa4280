"""The journal: a ring whose numbers never go back, and that says what it has lost."""

import pytest

from firmware_sim.memory.journal import JOURNAL_SLOTS, Journal
from protocols.language.records import Gap, decode_record


def raw(number: int) -> bytes:
    """Return 32 bytes that tell which they are."""
    return number.to_bytes(4, "big") * 8


def journal(count: int) -> Journal:
    """A journal to which so many records were written."""
    made = Journal()
    for number in range(1, count + 1):
        made.append(raw(number))
    return made


def test_a_new_journal_begins_at_1_so_that_no_record_is_0() -> None:
    made = Journal()
    assert (made.head, made.tail, made.oldest, made.free) == (1, 1, 1, JOURNAL_SLOTS)
    assert made.read(0, 10) == (1, [])


def test_a_record_has_the_number_that_the_head_was() -> None:
    made = journal(3)
    assert (made.head, made.oldest) == (4, 1)
    assert made.read(2, 1) == (2, [raw(2)])


@pytest.mark.parametrize(
    ("first", "most", "numbers"),
    [(0, 2, [1, 2]), (1, 2, [1, 2]), (9, 5, [9, 10]), (11, 5, []), (99, 5, []), (4, 0, [])],
)
def test_a_page_is_what_is_there_from_its_first_number_on(first: int, most: int, numbers: list[int]) -> None:
    assert journal(10).read(first, most) == (max(first, 1), [raw(number) for number in numbers])


def test_the_tail_moves_by_an_acknowledgement_never_back_and_never_beyond_the_head() -> None:
    made = journal(5)
    assert [made.acknowledge(upto) for upto in (4, 2, 4, 1_000)] == [4, 4, 4, 6]
    assert made.tail == made.head == 6


def test_what_is_not_acknowledged_takes_room() -> None:
    made = journal(5)
    assert made.free == JOURNAL_SLOTS - 5
    made.acknowledge(4)
    assert made.free == JOURNAL_SLOTS - 2


def test_a_full_ring_forgets_its_oldest_record_acknowledged_or_not() -> None:
    made = journal(JOURNAL_SLOTS)
    assert (made.oldest, made.free) == (1, 0)
    made.append(raw(JOURNAL_SLOTS + 1))
    assert (made.oldest, made.tail, made.free) == (2, 1, 0)


def test_what_the_ring_has_lost_is_a_gap_that_counts_it() -> None:
    made = journal(JOURNAL_SLOTS + 10)
    first, (gap, *rest) = made.read(3, 4)
    assert (first, decode_record(gap)) == (3, Gap(event_no=3, uptime_ms=0, missing=8))
    assert rest == [raw(11), raw(12), raw(13)], "the gap is one of the four"
    assert made.read(11, 1) == (11, [raw(11)])
    assert len(made.read(3, 1)[1]) == 1


def test_no_page_is_longer_than_the_ring() -> None:
    assert len(journal(JOURNAL_SLOTS + 10).read(11, 5_000)[1]) == JOURNAL_SLOTS


def test_a_journal_is_the_same_after_its_snapshot_also_when_it_has_wrapped() -> None:
    made = journal(JOURNAL_SLOTS + 99)
    made.acknowledge(500)
    copy = Journal()
    copy.restore(*made.snapshot())
    assert (copy.head, copy.tail, copy.free, copy.oldest) == (made.head, made.tail, made.free, made.oldest)
    assert copy.read(1, 2_000) == made.read(1, 2_000)
