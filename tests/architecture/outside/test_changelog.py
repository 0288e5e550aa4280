"""CHANGELOG.md: the headings that readers and the release know, and the version that the package has."""

import re
from typing import Final

import pytest

from tests.architecture.tree import ROOT
from tests.release import VERSION_FILE, fault_of, version_of

TEXT: Final = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
HEADINGS: Final = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Wire and log format"]
RELEASE: Final = re.compile(r"Unreleased \((?P<next>\S+)\)|(?P<done>\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d")


def _releases() -> list[tuple[str, list[str]]]:
    """Title of each release, latest first, and its headings."""
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    return [(section.splitlines()[0], re.findall(r"^### (.+)$", section, re.MULTILINE)) for section in sections]


def test_the_latest_release_is_the_packages_version() -> None:
    found = RELEASE.fullmatch(_releases()[0][0])
    assert found is not None, _releases()[0][0]
    assert (found["next"] or found["done"]) == version_of((ROOT / VERSION_FILE).read_text(encoding="utf-8"))


def test_only_the_latest_release_is_unreleased() -> None:
    assert all(re.fullmatch(RELEASE, title) and not title.startswith("Unreleased") for title, _ in _releases()[1:])


def test_each_release_has_known_headings_once_and_in_order() -> None:
    for title, headings in _releases():
        assert headings == [heading for heading in HEADINGS if heading in headings], title


def test_each_release_says_what_other_programs_and_older_files_meet() -> None:
    assert not [title for title, headings in _releases() if HEADINGS[-1] not in headings]


@pytest.mark.parametrize(
    ("tag", "heading", "said"),
    [
        ("v1.2.3", "1.2.3 - 2026-11-29", None),
        ("v1.2.4", "1.2.3 - 2026-11-29", "would have to be v1.2.3"),
        ("1.2.3", "1.2.3 - 2026-11-29", "would have to be v1.2.3"),
        ("v1.2.3", "Unreleased (1.2.3)", "right would be 1.2.3 - and the release's date"),
        ("v1.2.3", "1.2.2 - 2026-11-29", "right would be 1.2.3 - and the release's date"),
    ],
)
def test_a_tag_releases_the_version_that_the_changelog_has(tag: str, heading: str, said: str | None) -> None:
    fault = fault_of(tag, version="1.2.3", changelog=f"# Changelog\n\n## {heading}\n\n## 1.0.0 - 2026-01-01\n")
    assert fault is None if said is None else said in str(fault)
