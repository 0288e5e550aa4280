"""`devicectl spec`: what another language needs comes with the package, from any folder."""

import json
import os
from pathlib import Path

import pytest

from devicectl.simulation.spec import FILES
from tests.e2e.processes import devicectl, one_line


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_file_is_written_as_it_is_told(folder: Path) -> None:
    done = devicectl("spec", "--out", "made/here", code=0)
    told = [line.split()[0] for line in done.stdout.splitlines()]
    assert told == list(FILES) and sorted(told) == sorted(os.listdir("made/here"))
    for name, (_, text_of) in FILES.items():
        assert (folder / "made" / "here" / name).read_text(encoding="utf-8") == text_of()
    for name in ("frames.json", "schemas.json", "asyncapi-host.json"):
        json.loads((folder / "made" / "here" / name).read_text(encoding="utf-8"))
    assert "#define HLP1_" in (folder / "made" / "here" / "hlp1.h").read_text(encoding="utf-8")


def test_spec_writes_over_files_that_it_wrote_before(folder: Path) -> None:
    devicectl("spec", "--out", ".", code=0)
    devicectl("spec", "--out", ".", code=0)


def test_without_a_folder_they_are_listed(folder: Path) -> None:
    done = devicectl("spec", code=0)
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(FILES)
    assert "--out DIR writes them" in done.stderr and list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["another file", "a link", "a folder"])
def test_nothing_of_anybodys_is_overwritten(kind: str, folder: Path) -> None:
    (folder / "mine").write_text("precious")
    place = folder / "out" / "records.json"
    place.parent.mkdir()
    match kind:
        case "another file":
            place.write_text("precious")
        case "a link":
            place.symlink_to(folder / "mine")
        case "a folder":
            place.mkdir()
    said = one_line(devicectl("spec", "--out", "out", code=2))
    assert "--out" in said and (kind == "a folder" or "records.json is there and is another" in said)
    assert (folder / "mine").read_text() == "precious" and os.listdir("out") == ["records.json"]


def test_a_place_that_is_no_folder(folder: Path) -> None:
    (folder / "mine").write_text("precious")
    for place in ("mine", "mine/below"):
        assert "cannot be written: " in one_line(devicectl("spec", "--out", place, code=2))
