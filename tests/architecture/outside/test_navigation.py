"""docs/README.md, of which the site's navigation is made, has each page once."""

import re
from typing import Final

from tests.architecture.tree import ROOT, tracked

PLACES: Final = ("*.md", "benchmarks/*.md", "docs/**/*.md", "examples/**/*.md", "findings/*.md", "tests/README.md")
ELSEWHERE: Final = ("docs/README.md", "docs/package.md", "docs/decisions/0*.md")
"""The list itself; a page for the package index; the decisions, which their own page lists."""


def _files(patterns: tuple[str, ...]) -> set[str]:
    found = {path.relative_to(ROOT).as_posix() for pattern in patterns for path in ROOT.glob(pattern)}
    return found & {path.relative_to(ROOT).as_posix() for path in tracked()}


def test_each_page_is_in_one_of_the_lists() -> None:
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    links = [(ROOT / "docs" / target).resolve() for target in re.findall(r"^- \[.+?\]\((.+?)\)", text, re.MULTILINE)]
    assert sorted(link.relative_to(ROOT).as_posix() for link in links) == sorted(_files(PLACES) - _files(ELSEWHERE))


def test_the_four_kinds_are_there() -> None:
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[:4] == ["Tutorials", "How-to guides", "Reference", "Explanation"]
