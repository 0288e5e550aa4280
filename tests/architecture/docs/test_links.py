"""Every link of every Markdown file leads somewhere: to a file of the tree, and to a heading where it names one."""

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


def test_architecture_is_at_most_three_pages() -> None:
    lines = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 3 * 55


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
