"""A class that is really served, in a real browser: the demonstration, and an instructor's whole lesson."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page

from devicectl.station.lesson_file import parse_lesson
from firmware_sim.clock import monotonic
from tests.e2e.station.served import Served, served
from tests.patience import deadline

NAMES: Final = """() => {
  window.named = [];
  const look = () => {
    const current = document.querySelector("#strip [aria-current=step]");
    if (current && window.named.at(-1) !== current.textContent) window.named.push(current.textContent);
  };
  new MutationObserver(look).observe(document.getElementById("strip"), {subtree: true, attributes: true});
}"""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Served]:
    """A class with one station that is ready to be shown."""
    with served(tmp_path / "log.db", "--demo") as running:
        yield running


@pytest.fixture
def classroom(tmp_path: Path) -> Iterator[Served]:
    """A class with one station."""
    with served(tmp_path / "log.db") as running:
        yield running


def _until(page: Page, condition: Callable[[], bool], what: str) -> None:
    end = deadline()
    while not condition():
        assert monotonic() < end, f"never: {what}"
        page.wait_for_timeout(20)


def _number(page: Page, selector: str) -> int:
    return int(page.locator(selector).inner_text().replace(",", ""))


def _opened(context: BrowserContext, link: str) -> Page:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(link)
    page.get_by_text("connected", exact=True).wait_for()
    origin = "/".join(link.split("/")[:3])
    assert [url for url in asked if not url.startswith((origin, origin.replace("http", "ws")))] == []
    return page


def _held(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).wait_for()


def _next_phase(page: Page) -> None:
    seen = page.evaluate("window.named.length")
    page.get_by_role("button", name="Next phase").click()
    _until(page, lambda: page.evaluate("window.named.length") > seen, "the next phase")
    _held(page)


def test_the_demonstration_shows_phases_holds_at_stops_and_steps(demo: Served, context: BrowserContext) -> None:
    page = _opened(context, demo.links["presenter-1"])
    begun = _number(page, "#cores")
    page.get_by_label("Speed").select_option("10")
    page.get_by_role("button", name="Next cycle").click()
    _held(page)
    page.get_by_label("Speed").select_option("0.05")
    page.evaluate(NAMES)
    page.get_by_role("button", name="Run").click()
    phases = ["Punch", "Suction", "Advance", "Count"]
    # Each phase and the one after it, of whichever cycle: a page that gets no time for a second skips what it missed.
    _until(page, lambda: set(pairwise(phases)) <= set(pairwise(page.evaluate("window.named"))), "a cycle in pictures")
    page.get_by_role("button", name="Hold").click()
    _held(page)

    page.get_by_label("Speed").select_option("1")
    for _ in range(len(phases) + 1):
        _next_phase(page)
    _until(page, lambda: _number(page, "#cores") > begun, "cores are counted")

    page.get_by_role("button", name="faster").click()
    page.get_by_role("button", name="Next cycle").click()
    _held(page)
    assert re.search(r"\d+ cells: \d+ full, \d+ begun", page.locator("#map .twin").inner_text())


def test_a_stop_that_was_chosen_holds_the_lesson(demo: Served, context: BrowserContext) -> None:
    page = _opened(context, demo.links["presenter-1"])
    page.get_by_label("Speed").select_option("10")
    page.get_by_label("when the first cores are counted").check()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("when the first cores are counted (done)").wait_for()
    _held(page)


def test_an_instructor_starts_a_lesson_and_leads_it_to_its_debrief(classroom: Served, context: BrowserContext) -> None:
    page = _opened(context, classroom.links["instructor"])
    page.get_by_role("radio", name="Suction leak").check()
    page.get_by_label("Name of the trainee").fill("Ana <i>")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Start").click()
    dialog = page.get_by_role("dialog", name="Links of station 2: Ana <i>")
    dialog.get_by_role("link").nth(1).wait_for()
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Instructor of station 2").click()
    page.get_by_role("heading", name="2: Suction leak").wait_for()
    page.get_by_text("connected", exact=True).wait_for()

    _drive_to_the_leak(page)
    _note_and_override(page)
    _go_back_and_try_again(page)
    page.get_by_role("link", name="Debrief", exact=True).click()
    page.get_by_role("heading", level=1).wait_for()
    assert "Suction leak" in page.inner_text("body")


def _drive_to_the_leak(page: Page) -> None:
    """Let the automatic operator work, bring the script's fault and one of the catalogue, and stop."""
    page.get_by_role("button", name="Automatic operator").click()
    page.get_by_role("button", name="Run").click()
    page.locator("#time", has_text=re.compile("0:0[1-9]")).wait_for()
    page.get_by_role("button", name="Hold", exact=True).click()
    _held(page)  # after the time that is gone back to, and before the item fires by itself
    page.get_by_role("button", name="Fire now").first.click()
    page.locator("#rail").get_by_text("fired").first.wait_for()
    page.get_by_label("Speed").select_option("5")
    page.get_by_role("button", name="Run").click()
    page.locator("#timeline").get_by_text("alarm MC-0401").first.wait_for()
    form = page.get_by_role("form", name="Bring in a fault")
    form.get_by_role("combobox", name="Fault").select_option("vent_blocked")
    form.get_by_role("button").click()
    page.locator("#faults").get_by_text("vent blocked").wait_for()
    page.get_by_role("button", name="Withdraw: vent blocked").click()
    page.locator("#faults").get_by_text("withdrawn").wait_for()
    page.get_by_role("button", name="Stop the treatment").click()
    page.locator("#timeline").get_by_text("stop").first.wait_for()


def _note_and_override(page: Page) -> None:
    page.get_by_role("button", name="Hold", exact=True).click()
    page.get_by_label("Note", exact=True).fill("the <b>class</b> saw it")
    page.get_by_role("button", name="Add a note").click()
    page.locator("#timeline").get_by_text("the <b>class</b> saw it").wait_for()
    page.get_by_role("button", name="Override").first.click()
    page.get_by_role("dialog").get_by_label("Reason").fill("did it aloud")
    page.get_by_role("dialog").get_by_role("button", name="Override").click()
    page.get_by_text("passed, overridden: did it aloud").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save this moment as a scenario").click()
    text = saved.value.path().read_text(encoding="utf-8")
    assert parse_lesson(text, "moment.yaml").acts, "the moment is a lesson with what was done so far"


def _go_back_and_try_again(page: Page) -> None:
    """The class tries again from before the leak: the script waits again, and the note is of the earlier attempt."""
    page.get_by_role("slider").fill("100")
    page.get_by_role("button", name="Go back there").click()
    page.locator("#time", has_text="0:00").wait_for()
    assert page.locator("#rail").get_by_text("fired").count() == 0
    assert page.locator("#timeline").get_by_text("saw it").count() == 0
