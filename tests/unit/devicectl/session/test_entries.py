"""What the engine hands to the log: plain values that cannot change on their way."""

import dataclasses
from datetime import datetime, timedelta

import pytest

from devicectl.session import entries
from devicectl.session.entries import Batch, Finish, Kept, Note, SessionStart, StoredSession
from tests.integration.log.log_builders import a_start

ENTRIES = (Kept, SessionStart, Batch, Note, Finish, StoredSession)


@pytest.mark.parametrize("entry", ENTRIES)
def test_is_frozen_and_has_no_dict(entry: type) -> None:
    assert dataclasses.is_dataclass(entry)
    assert entry.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__dict__" not in dir(entry) and hasattr(entry, "__slots__")


def test_every_entry_of_the_module_is_listed() -> None:
    found = {
        value for value in vars(entries).values() if isinstance(value, type) and value.__module__ == entries.__name__
    }
    assert found == set(ENTRIES)


def test_equal_values_are_equal() -> None:
    assert Note("action", 1, "arm", "", None) == Note("action", 1, "arm", "", None)
    assert Batch(1, 2, 3, (b"",)) != Batch(1, 2, 3, ())
    assert hash(Batch(1, 2, 3, (b"",))) == hash(Batch(1, 2, 3, (b"",)))


MONDAY = datetime(2024, 3, 4, 12, 0, 0)
HOUR = timedelta(hours=1)


def stored(began: datetime | None, last: datetime | None) -> StoredSession:
    return StoredSession(3, a_start(), began, last)


def test_a_session_is_open_since_its_first_commit() -> None:
    assert stored(MONDAY, MONDAY + HOUR).open_s(MONDAY + 2 * HOUR) == 7_200.0
    assert stored(MONDAY, MONDAY).open_s(MONDAY) == 0.0


@pytest.mark.parametrize(
    ("began", "last", "now"),
    [
        (None, MONDAY, MONDAY + HOUR),
        (MONDAY, None, MONDAY + HOUR),
        (MONDAY, MONDAY + HOUR, MONDAY),
        (MONDAY + HOUR, MONDAY, MONDAY + 2 * HOUR),
    ],
    ids=["no beginning", "no commit", "gone back since", "gone back within"],
)
def test_a_clock_that_is_missing_or_has_gone_back_tells_nothing(
    began: datetime | None, last: datetime | None, now: datetime
) -> None:
    assert stored(began, last).open_s(now) is None
