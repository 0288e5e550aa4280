"""Time from the opening of a page to its first document: `python -m benchmarks.station.ready`, in Debian's Chromium.

Each page of a real server is opened again and again, each time in a browser that has nothing stored but the cookie. The
page itself sets the mark `ready`; its time counts from the beginning of the navigation. A page whose 95th percentile is
beyond the bound ends the program with 1.
"""

import json
import statistics
import sys
from typing import Any, Final

from playwright.sync_api import Browser

from benchmarks.station.browser import chromium, until
from benchmarks.station.load import Class, held

OPENINGS: Final = 20
MAX_MS: Final = 1_000.0
PAGES: Final = {
    "start": "/instructor",
    "instructor": "/instructor/1",
    "presenter": "/presenter/1",
    "trainee": "/trainee/1",
}
"""Page -> its path at the first station; the instructor may open each."""
_READY: Final = 'performance.getEntriesByName("ready")'


def measure(openings: int = OPENINGS) -> dict[str, dict[str, float]]:
    """Return median, 95th percentile and maximum of the milliseconds until each page is ready."""
    with held(1) as server, chromium() as browser:
        cookie = _cookie(browser, server)
        taken: dict[str, list[float]] = {name: [] for name in PAGES}
        for _ in range(openings):
            for name, path in PAGES.items():
                taken[name].append(_opened(browser, cookie, f"http://{server.host}{path}"))
    return {name: figures(values) for name, values in taken.items()}


def figures(taken: list[float]) -> dict[str, float]:
    """Return what the times in milliseconds come to."""
    percent = statistics.quantiles(taken, n=20, method="inclusive")  # of few, the last would be beyond them all
    shown = {"median_ms": statistics.median(taken), "p95_ms": percent[-1], "max_ms": max(taken)}
    return {name: round(value, 1) for name, value in shown.items()}


def _cookie(browser: Browser, server: Class) -> Any:
    context = browser.new_context()
    context.new_page().goto(f"http://{server.host}/enter/{server.token}")
    state = context.storage_state()
    context.close()
    return state


def _opened(browser: Browser, cookie: Any, url: str) -> float:
    context = browser.new_context(storage_state=cookie)
    page = context.new_page()
    page.goto(url, wait_until="commit")
    until(page, f"{_READY}.length > 0")
    ready_ms = float(page.evaluate(f"{_READY}[0].startTime"))
    context.close()
    return ready_ms


def main() -> int:
    """Measure, print, and judge."""
    found = measure()
    print(json.dumps(found))
    return 0 if all(one["p95_ms"] < MAX_MS for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
