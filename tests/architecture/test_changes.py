"""The changes of "Where to start" in docs/architecture.md, made on a copy of the tree: where, and what follows."""

from pathlib import Path

import pytest

from tests.architecture.changed_tree import ChangedTree


@pytest.fixture
def tree(tmp_path: Path) -> ChangedTree:
    return ChangedTree(tmp_path)


def test_a_changed_tree_is_what_runs(tree: ChangedTree) -> None:
    tree.add("protocols/language/interlocks.py", after="SELF_TEST: Final = 23\n", text="HUMIDITY: Final = 24\n")
    assert tree.run("from protocols.language import interlocks; print(interlocks.HUMIDITY)") == "24\n"
    assert tree.places == {"protocols/language/interlocks.py"}


def test_an_edit_needs_its_place_and_a_run_its_success(tree: ChangedTree) -> None:
    with pytest.raises(AssertionError, match="has 0 times, and not once: 'no such line'"):
        tree.add("protocols/language/units.py", after="no such line", text="")
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        tree.run("1 / 0")
    assert not tree.places
