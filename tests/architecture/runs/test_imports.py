"""Each process of a run imports a part of its own first, and what cannot be imported is left to its collection."""

import gc
import sys
from pathlib import Path

import pytest

from tests.runs.imports import import_first, part_of, without_garbage


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with test modules, which can be imported and are forgotten afterwards."""
    package = tmp_path / "imported_first"
    for name, text in {
        "one": "",
        "two": "import nothing_like_it",
        "deep/three": "",
        "deep/four": "",
        "helper": "",
    }.items():
        path = package / name
        path = path if name == "helper" else path.with_name(f"test_{path.name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text)
    (package / "test_skipped.py").write_text("import pytest\npytest.skip('not here', allow_module_level=True)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def test_parts_are_all_test_modules_but_what_is_left_out(root: Path) -> None:
    places = [root / "imported_first", root / "imported_first" / "deep", root / "imported_first" / "test_one.py"]
    parts = [part_of(places, [root / "imported_first" / "test_two.py"], part, 3) for part in range(3)]
    found = [path.relative_to(root / "imported_first").as_posix() for part in parts for path in part]
    assert sorted(found) == ["deep/test_four.py", "deep/test_three.py", "test_one.py", "test_skipped.py"]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_modules_are_imported_and_those_that_cannot_be_are_passed_over(root: Path) -> None:
    import_first(part_of([root / "imported_first"], [], 0, 1), root)
    imported = {name for name in sys.modules if name.startswith("imported_first.") and ".test_" in name}
    assert imported == {f"imported_first.{name}" for name in ("test_one", "deep.test_three", "deep.test_four")}


def test_garbage_is_looked_for_afterwards_and_not_in_what_there_was() -> None:
    frozen = gc.get_freeze_count()
    with without_garbage():
        assert not gc.isenabled()
        kept = [[no] for no in range(5000)]
    try:
        assert gc.isenabled() and gc.get_freeze_count() - frozen >= len(kept)
    finally:
        gc.unfreeze()
