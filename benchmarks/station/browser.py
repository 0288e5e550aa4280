"""Debian's Chromium, for the benchmarks of the pages."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from devicectl import clock
from protocols.language.units import SECOND

WAIT_US: Final = 30 * SECOND
LOOK_MS: Final = 5


def is_installed() -> bool:
    """Return True if there is a Chromium on this machine."""
    return shutil.which("chromium") is not None


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def until(page: Page, condition: str) -> None:
    """Wait for it. Playwright's own wait executes a text in the page, which the page's policy refuses."""
    end = clock.monotonic() + WAIT_US
    while not page.evaluate(condition):
        assert clock.monotonic() < end, condition
        page.wait_for_timeout(LOOK_MS)
