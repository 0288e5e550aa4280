"""The debrief in a browser and on paper: axe finds nothing, nothing is loaded, nothing is wider than the page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from devicectl.station.debrief.page import debrief_page
from tests.e2e.station.axe import violations
from tests.e2e.station.browser.test_looks import AT_EACH_SIZE, CUT_OFF, LONG, SIZES
from tests.patience import patience
from tests.unit.devicectl.station.debrief.samples import empty_facts, full_facts

PAGES: Final = {"full": full_facts(LONG), "empty": empty_facts()}
A4_WIDTH_PX: Final = 794
CUT_OFF_UNLESS_SCROLLED: Final = CUT_OFF.replace("&& (", '&& !node.parentElement.closest(".wide") && (')


class Opened:
    """The page of a debrief as a file in a browser, and all that the browser said or asked for."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(path.as_uri())


@pytest.fixture(params=list(PAGES))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "debrief.html"
    path.write_text(debrief_page(PAGES[request.param]), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Browser, path: Path) -> Iterator[Opened]:
    # The page forbids scripts, so axe has to be let past its policy; that it holds is tested without.
    with browser.new_context(color_scheme="light", bypass_csp=True) as context:
        context.set_default_timeout(patience() * 1000)
        yield Opened(context.new_page(), path)


@pytest.mark.parametrize("size", AT_EACH_SIZE)
def test_axe_finds_nothing_in_either_scheme(opened: Opened, size: str) -> None:
    width, height = SIZES[size]
    opened.page.set_viewport_size({"width": width, "height": height})
    assert violations(opened.page) == []
    opened.page.emulate_media(color_scheme="dark")
    assert violations(opened.page) == []


def test_the_page_is_no_wider_than_its_screen(opened: Opened) -> None:
    for size, (width, height) in SIZES.items():
        opened.page.set_viewport_size({"width": width, "height": height})
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, size
        assert opened.page.evaluate(CUT_OFF_UNLESS_SCROLLED) == [], size


def test_nothing_is_cut_off_on_paper(opened: Opened) -> None:
    """A table that is scrolled on a screen is whole on paper."""
    opened.page.emulate_media(media="print", color_scheme="dark")
    opened.page.set_viewport_size({"width": A4_WIDTH_PX, "height": 1_000})
    assert opened.page.evaluate(CUT_OFF) == []
    assert opened.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_its_policy_lets_its_style_in_and_nothing_is_loaded_or_said(browser: Browser, path: Path) -> None:
    with browser.new_context() as context:
        context.set_default_timeout(patience() * 1000)
        opened = Opened(context.new_page(), path)
        heading = opened.page.locator("h1")
        assert heading.evaluate("node => getComputedStyle(node.ownerDocument.body).margin") == "0px"
        assert opened.said == [] and opened.asked == [path.as_uri()]
        opened.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<style>h1 { color: red }</style>')")
        assert any("Content Security Policy" in one for one in opened.said)
