"""Time from a press of the trigger to the needles' motion on the trainee's page, in Debian's Chromium.

A real server in a process of its own, a real page, and real clicks of the mouse. The clock is the page's: it begins
with the time stamp that the browser has put on the press, and ends with the frame that has the phase in it.

python -m benchmarks.station.press [PRESSES]      prints median, 95th percentile and maximum in milliseconds, as JSON
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from devicectl import clock
from devicectl.station.acts import TRAINEE
from devicectl.station.ready import find_lesson
from devicectl.station.server.classroom import Doors, Wanted, hold_class
from devicectl.station.server.serving import listen
from protocols.language.units import SECOND

PRESSES: Final = 200
WAIT_US: Final = 30 * SECOND
LOOK_MS: Final = 5
LESSON: Final = "normal-session"
HOST: Final = "127.0.0.1"
MEASURE: Final = """() => {
  window.took = [];
  const trigger = document.getElementById("trigger"), phase = document.getElementById("phase");
  let pressed;
  trigger.addEventListener("pointerdown", (event) => (pressed = event.timeStamp), true);
  new MutationObserver(() => {
    if (pressed === undefined || phase.textContent === "") return;
    const began = pressed;
    pressed = undefined;
    requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - began)));
  }).observe(phase, { childList: true, characterData: true, subtree: true });
}"""


def serve() -> None:
    """Hold a class of one, which begins by itself; print the link of its trainee."""
    lesson = {LESSON: find_lesson(LESSON)}
    wanted = Wanted(library=lesson, stations=1, seed=1, log="sqlite://", demo=False, practice=True)

    def announce(doors: Doors) -> None:
        print(doors.stations[1][TRAINEE], flush=True)

    asyncio.run(hold_class(wanted, listen(HOST, 0), announce))


def press_ms(presses: int = PRESSES) -> list[float]:
    """Return the milliseconds of so many presses."""
    command = [sys.executable, "-m", "benchmarks.station.press", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        assert server.stdout is not None
        link = server.stdout.readline().strip()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(link)
        try:
            return _measured(page, presses)
        finally:
            browser.close()
            server.kill()


def _measured(page: Page, presses: int) -> list[float]:
    page.get_by_role("button", name="I have read it").click()
    page.evaluate(MEASURE)
    taken: list[float] = []
    while len(taken) < presses:
        _come_to_a_cell(page)
        page.locator("#trigger").hover()
        page.mouse.down()
        _until(page, f"window.took.length > {len(taken)}")
        page.mouse.up()
        _until(page, "document.getElementById('phase').textContent === ''")
        taken = page.evaluate("window.took")
    return taken


def _come_to_a_cell(page: Page) -> None:
    """Do what the page says until the trigger is what is next."""
    while "Hold the trigger" not in (words := page.locator("#next").inner_text()):
        button = page.locator("button.first[data-act]:visible")
        if button.count() and not words.startswith("Wait"):
            button.first.click()
        _until(page, f"document.getElementById('next').textContent !== {json.dumps(words)}")


def _until(page: Page, condition: str) -> None:
    """Wait for it. Playwright's own wait executes a text in the page, which the page's policy refuses."""
    end = clock.monotonic() + WAIT_US
    while not page.evaluate(condition):
        assert clock.monotonic() < end, condition
        page.wait_for_timeout(LOOK_MS)


def figures(taken: list[float]) -> dict[str, Any]:
    """Return what the presses come to."""
    percent = statistics.quantiles(taken, n=20)
    shown = {"median_ms": statistics.median(taken), "p95_ms": percent[-1], "max_ms": max(taken)}
    return {"presses": len(taken), **{name: round(value, 1) for name, value in shown.items()}}


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve()
    else:
        print(json.dumps(figures(press_ms(*map(int, sys.argv[1:])))))
