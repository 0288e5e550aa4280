"""The station's pages: small, strict enough for their Content-Security-Policy, and sufficient unto themselves."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.tree import ROOT

PAGES: Final = ROOT / "devicectl" / "station" / "server" / "pages"
MAX_SCRIPT_BYTES: Final = 60 * 1024
"""Of all scripts that a view loads."""
FILES: Final = sorted(path for path in PAGES.iterdir() if path.suffix in {".html", ".css", ".js"})
ADDRESS: Final = r"(https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+(\.[a-z0-9-]+)+"
"""Of another machine; the name of SVG's elements is none."""
FORBIDDEN: Final = {
    "markup is made of text": r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser",
    "a text is executed": r"\beval\(|new Function|javascript:",
    "the policy refuses a style in an attribute or an element": r"<style|\sstyle=|\.style\.cssText",
    "the policy refuses a handler in an attribute": r"<[^>]*\son[a-z]+=",
    "the policy refuses a script in the page": r"<script(?![^>]*\ssrc=)",
    "a request leaves the machine": rf"{ADDRESS}|@import|url\(",
    "a page loads itself again": r"location\.reload|http-equiv=.refresh",
}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("reason", FORBIDDEN)
def test_a_page_has_nothing_that_its_policy_or_the_law_forbids(path: Path, reason: str) -> None:
    assert re.findall(FORBIDDEN[reason], _text(path)) == [], reason


def test_the_shared_module_and_style_are_there() -> None:
    assert {"common.js", "common.css"} <= {path.name for path in FILES}


@pytest.mark.parametrize("page", [path for path in FILES if path.suffix == ".html"], ids=lambda page: page.name)
def test_a_page_says_what_it_is_and_loads_one_module_of_its_own(page: Path) -> None:
    text = _text(page)
    scripts = re.findall(r'<script type="module" src="/pages/([a-z]+\.js)"></script>', text)
    assert scripts == [f"{page.stem}.js"]
    assert "TRAINING SIMULATOR - NOT A MEDICAL DEVICE" in text
    assert text.startswith('<!doctype html>\n<html lang="en">')


def _loaded(script: Path) -> set[Path]:
    """Scripts that a page loads for this one, with itself."""
    found, ahead = {script}, [script]
    while ahead:
        imported = {PAGES / name for name in re.findall(r'from "\./([a-z]+\.js)"', _text(ahead.pop()))}
        ahead += imported - found
        found |= imported
    return found


@pytest.mark.parametrize("page", [path for path in FILES if path.suffix == ".html"], ids=lambda page: page.stem)
def test_the_scripts_of_a_view_are_small(page: Path) -> None:
    scripts = _loaded(page.with_suffix(".js"))
    assert PAGES / "common.js" in scripts
    assert sum(script.stat().st_size for script in scripts) < MAX_SCRIPT_BYTES
