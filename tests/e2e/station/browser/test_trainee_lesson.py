"""A trainee's whole lesson in a real browser against a real server: from the task to the debrief.

The trainee does what the page says next and nothing else: once by mouse, once by keyboard alone. The debrief is then
opened by the instructor, from whom the trainee has it, in the same way.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page
from websockets.sync.client import ClientConnection

from devicectl.station.ready import FOLDER
from firmware_sim.clock import monotonic
from tests.e2e.station.axe import violations
from tests.e2e.station.served import Served, served
from tests.patience import deadline, patience

SPEED: Final = 10
"""Times as fast as the hand works."""
TARGET: Final = 70
"""Cores of two cells."""
LOOK_MS: Final = 20
NAME: Final = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()"
HOLDS: Final = "Hold the trigger"
WATCHES: Final = "Cycles follow each other"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Served]:
    """A class of one, in which the trainee may begin alone, with two cells of the normal session."""
    lesson = tmp_path / "short.yaml"
    usual = (FOLDER / "normal-session.yaml").read_text(encoding="utf-8")
    lesson.write_text(usual.replace("target_cores: 390", f"target_cores: {TARGET}"), encoding="utf-8")
    with served(tmp_path / "log.sqlite", "--practice", "--stations", "1", "--lesson", str(lesson)) as station:
        station.done("POST", "/api/stations/1/pace", {"speed": SPEED})
        yield station


@pytest.fixture
def page(context: BrowserContext, station: Served) -> Page:
    """The trainee's page, come to by the link. An error in its script or against its policy fails the test."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(station.links["trainee-1"])
    page.get_by_text("connected", exact=True).wait_for()
    return page


def _next(page: Page) -> str:
    return page.locator("#next").inner_text()


def _until(page: Page, condition: Callable[[], bool], what: str) -> None:
    end = deadline()
    while not condition():
        assert monotonic() < end, f"never: {what}; next: {_next(page)}; said: {page.locator('#said').inner_text()}"
        page.wait_for_timeout(LOOK_MS)


def _obey(page: Page, hands: dict[str, Callable[[Page, str], None]]) -> None:
    """Do what the page says until the session is closed."""
    while not page.locator("#end").is_visible():
        words = _next(page)
        hand = next((hand for pattern, hand in hands.items() if re.search(pattern, words)), None)
        if hand is not None:
            hand(page, words)
        _until_after(page, words)


def _until_after(page: Page, words: str) -> None:
    """Wait until something else is to be done, or the session is closed."""
    _until(page, lambda: _next(page) != words or page.locator("#end").is_visible(), f"what follows {words!r}")


def _hold_by_mouse(page: Page, words: str) -> None:
    box = page.locator("#trigger").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    _until_after(page, words)
    _until(page, lambda: WATCHES not in _next(page), "the end of the cell")
    page.mouse.up()


def _click(name: str) -> Callable[[Page, str], None]:
    return lambda page, words: page.get_by_role("button", name=name, exact=True).click()


def _confirm_by_mouse(page: Page, words: str) -> None:
    zone = words.removeprefix("See if ").partition(" is numb")[0]
    page.get_by_role("button", name=f"Confirm: {zone}").click()


def _instructor(page: Page, station: Served) -> Page:
    """The start page of the instructor, in another window."""
    desk = page.context.new_page()
    desk.goto(station.links["instructor"])
    desk.get_by_role("link", name="Instructor of station 1").wait_for()
    return desk


def _read(debrief: Page, page: Page) -> None:
    """Look in the debrief for what the trainee's page has said at the end."""
    debrief.get_by_role("heading", name="Debrief: Normal session").wait_for()
    text = debrief.inner_text("body")
    cores = re.findall(r"(\d+) cores are counted", page.locator("#end-words").inner_text())
    assert [f"{count} of {TARGET} cores were counted" in text for count in cores] == [True]
    assert "closed as completed" in text


def test_by_mouse(page: Page, station: Served) -> None:
    page.get_by_role("button", name="Turn on and test the sound").click()
    page.get_by_role("button", name="I have read it").click()
    hands = {
        "confirm it": _confirm_by_mouse,
        "Arm the handpiece": _click("Arm"),
        "next cell": _click("Next cell"),
        HOLDS: _hold_by_mouse,
        "close the session": _click("Close the session"),
    }
    _obey(page, hands)
    assert "Controller and handpiece agree" in page.locator("#end-words").inner_text()
    assert violations(page) == []
    desk = _instructor(page, station)
    desk.get_by_role("link", name="Instructor of station 1").click()
    desk.get_by_role("link", name="Debrief").click()
    _read(desk, page)


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the element of that name has the focus."""
    for _ in range(80):
        if page.evaluate(NAME) == name:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no element {name!r} can be reached by Tab")


def _enter(name: str) -> Callable[[Page, str], None]:
    def press(page: Page, words: str) -> None:
        _tab_to(page, name)
        page.keyboard.press("Enter")

    return press


def _confirm_by_keys(page: Page, words: str) -> None:
    zone = words.removeprefix("See if ").partition(" is numb")[0]
    _tab_to(page, f"Confirm: {zone}")
    page.keyboard.press("Enter")


def _hold_by_keys(page: Page, words: str) -> None:
    for _ in range(80):
        if page.evaluate("document.activeElement.id") == "trigger":
            break
        page.keyboard.press("Tab")
    page.keyboard.down(" ")
    _until_after(page, words)
    _until(page, lambda: WATCHES not in _next(page), "the end of the cell")
    page.keyboard.up(" ")


def test_by_keyboard_alone(page: Page, station: Served) -> None:
    _tab_to(page, "I have read it: begin")
    page.keyboard.press("Enter")
    hands = {
        "confirm it": _confirm_by_keys,
        "Arm the handpiece": lambda page, words: page.keyboard.press("a"),
        "next cell": lambda page, words: page.keyboard.press("n"),
        HOLDS: _hold_by_keys,
        "close the session": _enter("Close the session"),
    }
    _obey(page, hands)
    assert "Controller and handpiece agree" in page.locator("#end-words").inner_text()
    assert page.evaluate("document.activeElement.id") == "end-title", "the focus is where something new is to be read"
    desk = _instructor(page, station)
    for name in ("Instructor of station 1", "Debrief"):
        desk.get_by_role("link", name=name).and_(desk.locator("[href]")).wait_for()
        _enter(name)(desk, "")
    _read(desk, page)


def test_a_page_that_closes_lets_the_trigger_go(page: Page, station: Served) -> None:
    page.get_by_role("button", name="I have read it").click()
    with station.socket("instructor") as watching:
        watching.send('{"type": "resume", "last": 0}')
        box = page.locator("#trigger").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 30, box["y"] + 30)
        page.mouse.down()
        _until_said(watching, '"held":true')
        page.close()
        _until_said(watching, '"held":false')


def _until_said(socket: ClientConnection, text: str) -> None:
    end = deadline()
    while text not in socket.recv(timeout=patience()):
        assert monotonic() < end, f"never: {text}"
