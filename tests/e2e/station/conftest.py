"""Debian's Chromium, driven by Playwright."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.e2e.station.stage import Stage
from tests.patience import patience

CHROMIUM: Final = ("--no-sandbox", "--disable-gpu")
"""Without a GPU, Chromium emulates one, and a page costs three times the processor time."""


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    """A browser for one module: Playwright's loop would be in the way of other modules' tests of asyncio."""
    path = program("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser: no cookies, nothing stored."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 800})
    fresh.set_default_timeout(patience() * 1000)
    yield fresh
    fresh.close()


@pytest.fixture
def stage(context: BrowserContext) -> Stage:
    """The pages with a server that the test plays."""
    return Stage(context)
