"""Time from a press of the trigger to the needles' motion on the trainee's page, in Debian's Chromium.

A real server in a process of its own, a real page, and real clicks of the mouse. The clock is the page's: it begins
with the time stamp that the browser has put on the press, and ends with the frame that has the phase in it.

python -m benchmarks.station.press [PRESSES]      prints median, 95th percentile and maximum in milliseconds, as JSON;
                                                  ends with 1 where the percentile is beyond its bound
"""

import asyncio
import json
import subprocess
import sys
from typing import Final

from playwright.sync_api import Page

from benchmarks.station.browser import chromium, until
from benchmarks.station.ready import figures
from benchmarks.station.rewind import long_lesson
from devicectl.station.acts import TRAINEE
from devicectl.station.server.classroom import Doors, Wanted, hold_class
from devicectl.station.server.serving import listen

PRESSES: Final = 200
MAX_MS: Final = 60.0
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
    wanted = Wanted(library={"long": long_lesson()}, stations=1, seed=1, log="sqlite://", demo=False, practice=True)

    def announce(doors: Doors) -> None:
        print(doors.stations[1][TRAINEE], flush=True)

    asyncio.run(hold_class(wanted, listen(HOST, 0), announce))


def press_ms(presses: int = PRESSES) -> list[float]:
    """Return the milliseconds of so many presses."""
    command = [sys.executable, "-m", "benchmarks.station.press", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, chromium() as browser:
        assert server.stdout is not None
        link = server.stdout.readline().strip()
        page = browser.new_page()
        page.goto(link)
        try:
            return _measured(page, presses)
        finally:
            server.kill()


def _measured(page: Page, presses: int) -> list[float]:
    page.get_by_role("button", name="I have read it").click()
    page.evaluate(MEASURE)
    taken: list[float] = []
    while len(taken) < presses:
        _come_to_a_cell(page)
        page.mouse.down()
        until(page, f"window.took.length > {len(taken)}")
        page.mouse.up()
        until(page, "document.getElementById('phase').textContent === ''")
        taken = page.evaluate("window.took")
    return taken


def _come_to_a_cell(page: Page) -> None:
    """Do what the page says until the trigger is what is next."""
    while "Hold the trigger" not in (words := page.locator("#next").inner_text()):
        button = page.locator("button.first[data-act]:visible")
        if button.count() and not words.startswith("Wait"):
            button.first.click()
        until(page, f"document.getElementById('next').textContent !== {json.dumps(words)}")
    if not page.locator("#trigger:hover").count():  # only then: to hover waits for frames, and may scroll
        page.locator("#trigger").hover()


def main(presses: int = PRESSES) -> int:
    """Measure, print, and judge."""
    found = figures(press_ms(presses))
    print(json.dumps({"presses": presses, **found}))
    return 0 if found["p95_ms"] < MAX_MS else 1


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve()
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
