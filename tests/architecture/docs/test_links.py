"""Links of Markdown files lead to files and headings that exist; so do the names in tables of the architecture page."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.tree import ROOT, tracked

_LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_PAGES: Final = [path for path in tracked() if path.suffix == ".md"]


def _headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    lines = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
    titles = [line.lstrip("#").strip().lower() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_resolve(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z+]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        if not found.exists() or ROOT not in (found, *found.parents) or (anchor and anchor not in _headings(found)):
            broken.append(target)
    assert not broken


_ARCHITECTURE: Final = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
_ROWS: Final = [line for line in _ARCHITECTURE.splitlines() if line.startswith("| ")]

PLACES: Final = {
    "add a transport": ("devicectl/transports/urls.py", "firmware_sim/serve/transports/table.py"),
    "add an interlock": ("protocols/language/interlocks.py", "firmware_sim/model/interlocks.py"),
    "add a field to the session log": ("devicectl/session/entries.py", "devicectl/session/engine.py"),
    "add a number that survives a power cut": ("firmware_sim/memory/contents.py",),
    "add a message": ("protocols/language/messages/", "firmware_sim/commands/rules.py", "tests/vectors/catalogue.txt"),
    "add a step to the session": ("devicectl/session/machine.py", "devicectl/session/operators/automatic.py"),
}
"""Change -> the places that it begins at; `test_changes` makes most of them."""


def test_architecture_is_at_most_three_pages() -> None:
    assert len(_ARCHITECTURE.splitlines()) <= 3 * 55


def _files(row: str) -> list[Path]:
    """Files and folders that a row names; one without a folder is in that of the one before it."""
    found: list[Path] = []
    for name in re.findall(r"`([\w/]+(?:/|\.\w+))`", row):
        beside = [found[-1] if found[-1].is_dir() else found[-1].parent] if found else []
        found.append(next((folder / name for folder in (*beside, ROOT) if (folder / name).exists()), ROOT / name))
    return found


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.split("|")[1].strip())
def test_what_a_row_names_exists(row: str) -> None:
    assert not [path for path in _files(row) if not path.exists()]


@pytest.mark.parametrize("change", PLACES)
def test_a_change_begins_where_the_page_says(change: str) -> None:
    (row,) = (row for row in _ROWS if row.startswith(f"| {change} "))
    assert {ROOT / place for place in PLACES[change]} <= set(_files(row))


def test_a_name_without_a_folder_is_beside_the_one_before() -> None:
    assert _files("| `protocols/link/exchange.py`, `pace.py` |") == [
        ROOT / "protocols/link/exchange.py",
        ROOT / "protocols/link/pace.py",
    ]
    assert not _files("| `protocols/link/gone.py` |")[0].exists()


_DECISIONS: Final = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_decisions_are_numbered_without_a_gap_or_a_number_twice() -> None:
    assert [int(page.name[:4]) for page in _DECISIONS] == list(range(1, len(_DECISIONS) + 1))


@pytest.mark.parametrize("page", _DECISIONS, ids=lambda page: page.stem)
def test_each_decision_has_its_number_its_parts_and_at_most_80_lines(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert len(text.splitlines()) <= 80
    for heading in ("context", "decision", "consequences", "would change our mind"):
        assert heading in text.lower(), f"{page.name} has no {heading}"
