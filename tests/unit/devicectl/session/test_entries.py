"""What the engine hands to the log: plain values that cannot change on their way."""

import dataclasses

import pytest

from devicectl.session import entries
from devicectl.session.entries import Batch, Finish, Kept, Note, SessionStart, StoredSession

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
