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


def test_a_number_of_the_memory_is_one_line(tree: ChangedTree) -> None:
    """It is in the image, the file, its replay and what a compacted file has; a file of before has its default."""
    memory = "firmware_sim/memory/contents.py"
    tree.add(memory, after="    canister_ul: float = 0.0\n", text="    purges: int = 5\n")
    assert tree.run(_PURGES) == "5 6 7 8 5\n"
    assert tree.places == {memory}


_PURGES = """
from pathlib import Path
from tempfile import TemporaryDirectory
from firmware_sim.memory.image import restore, snapshot
from firmware_sim.memory.steps import Put
from firmware_sim.memory_file import close, load

found = []
with TemporaryDirectory() as folder:
    for compacted in (False, True, False):
        nvm = load(Path(folder, "device.memory"))
        found.append(nvm.purges)
        nvm.keep(Put("purges", nvm.purges + 1))
        nvm.sync()
        if compacted:
            nvm.store.rewrite()
        close(nvm)
image = snapshot(nvm)
found.append(image.pop("purges"))
print(*found, restore(image).purges)
"""
