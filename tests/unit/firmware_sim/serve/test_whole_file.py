"""Files that appear whole, as reports and ready files do: nothing beside them is touched, nor what they lead to."""

import os
from pathlib import Path

import pytest

from firmware_sim.serve.errors import OptionError, ServeError
from firmware_sim.serve.whole_file import WholeFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.txt"


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A user's own file, elsewhere."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    file = folder / "precious"
    file.write_text("mine")
    return file


def test_a_file_is_there_only_when_it_is_complete(path: Path) -> None:
    path.write_text("of an earlier run")
    file = WholeFile("--report", str(path))
    assert list(path.parent.iterdir()) == []
    file.write("good")
    assert path.read_text() == "good" and list(path.parent.iterdir()) == [path]


def test_a_link_beside_the_file_is_not_followed(path: Path, precious: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that which a version before took, nor the one that it draws."""
    old = path.with_name(f"report.txt.{os.getpid()}.new")
    old.symlink_to(precious)
    file = WholeFile("--report", str(path))
    file.write("good")
    assert old.is_symlink() and precious.read_text() == "mine"
    monkeypatch.setattr(os, "urandom", bytes)
    path.with_name("report.txt.00000000.new").symlink_to(precious)
    with pytest.raises(ServeError, match="report.txt: File exists"):
        file.write("better")
    with pytest.raises(OptionError, match="File exists"):
        WholeFile("--report", str(path))
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_link_under_its_own_name_is_replaced_and_not_followed(path: Path, precious: Path, when: str) -> None:
    if when == "before":
        path.symlink_to(precious)
    file = WholeFile("--report", str(path))
    if when == "meanwhile":
        path.symlink_to(precious)
    file.write("good")
    assert path.read_text() == "good" and not path.is_symlink() and precious.read_text() == "mine"


def test_a_file_that_cannot_be_written_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = WholeFile("--report", str(path))
    path.mkdir()
    with pytest.raises(ServeError, match="--report .*report.txt: Is a directory"):
        file.write("good")
    assert list(path.parent.iterdir()) == [path]
