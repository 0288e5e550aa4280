"""Each page at each size, in both schemes: nothing that axe finds, nothing wider than the page, nothing cut off."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from devicectl.station.server.assets import KINDS, NO_ENTRY
from tests.e2e.station import documents
from tests.e2e.station.axe import violations
from tests.e2e.station.stage import Stage

SIZES: Final = {"projector": (1280, 800), "laptop": (1024, 768), "tablet": (390, 844), "zoomed to 200 %": (640, 400)}
AT_EACH_SIZE: Final = ["tablet", *(pytest.param(size, marks=pytest.mark.nightly) for size in SIZES if size != "tablet")]
"""The narrowest by day, where what does not fit is folded or scrolled; all of them at night."""
LONG: Final = "Donaudampfschifffahrtsgesellschaftskapitän and all of the others who are " * 2
ALARMS: Final = [
    documents.ALARM | {"code": code, "label": f"MC-{code:04d}", "priority": priority}
    for code, priority in ((101, "high"), (401, "medium"), (601, "low"), (201, "info"))
]
CUT_OFF: Final = """
[...document.querySelectorAll("body *")].filter(node => {
  const box = node.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && !node.closest("svg") && (box.right > innerWidth + 1 || box.left < -1);
}).map(node => node.outerHTML.slice(0, 80))
"""


def _presenter(stage: Stage) -> Page:
    zones = [{"zone": no, "name": f"{LONG} {no}", "area_cm2": 70, "confirmed": True, "cells_done": 0} for no in (0, 1)]
    return stage.shown("/presenter/1", documents.presenter() | {"title": LONG, "alarms": ALARMS, "zones": zones})


def _instructor(stage: Stage) -> Page:
    view = documents.instructor()
    view["trainee"] |= {"alarms": ALARMS, "next": {"words": LONG}}
    view["rail"][0]["words"] = view["checks"][0]["words"] = view["faults"][0]["words"] = LONG
    view["checks"][1]["overridden"] = {"passed": False, "reason": LONG}
    view["notes"][0]["words"] = view["journal"][0]["words"] = "x" * 300
    stage.answers["GET", "/api/stations/1"] |= {"trainee": "y" * 60, "title": LONG}
    page = stage.shown("/instructor/1", view)
    page.locator("#quantities input").first.wait_for()
    return page


def _index(stage: Stage) -> Page:
    stage.answers["GET", "/api/stations"]["stations"][1] |= {"trainee": "z" * 60, "title": LONG, "trouble": LONG}
    page = stage.open("/")
    page.get_by_role("heading", name="1: Suction leak").wait_for()
    page.get_by_role("radio").first.wait_for()
    return page


def _empty_index(stage: Stage) -> Page:
    stage.answers["GET", "/api/stations"] = {"limit": 8, "stations": [], "unfinished": []}
    page = stage.open("/")
    page.get_by_text("No station is running.").wait_for()
    page.get_by_role("radio").first.wait_for()
    return page


def _empty_instructor(stage: Stage) -> Page:
    lists = ("journal", "log", "rail", "checks", "faults", "notes", "bookmarks", "timeline")
    empty: dict[str, Any] = {name: [] for name in lists}
    page = stage.shown("/instructor/1", documents.instructor() | empty | {"truth": {}})
    page.get_by_text("This lesson has no script.").wait_for()
    page.locator("#quantities input").first.wait_for()
    return page


def _links(stage: Stage) -> Page:
    page = _index(stage)
    page.get_by_role("button", name="Links of station 1").click()
    page.get_by_role("dialog").wait_for()
    return page


def _override(stage: Stage) -> Page:
    page = _instructor(stage)
    page.get_by_role("button", name="Override").first.click()
    page.get_by_role("dialog").wait_for()
    return page


def _trainee(stage: Stage) -> Page:
    return stage.shown("/trainee/1", documents.trainee())


SCENES: Final = {
    scene.__name__[1:]: scene for scene in (_presenter, _instructor, _index, _empty_index, _empty_instructor)
}
DIALOGS: Final = {scene.__name__[1:]: scene for scene in (_links, _override)}


@pytest.mark.parametrize("size", AT_EACH_SIZE)
@pytest.mark.parametrize("scene", [*SCENES, *DIALOGS])
def test_axe_finds_nothing_in_either_scheme(stage: Stage, scene: str, size: str) -> None:
    stage.answers |= documents.answers()
    page = (SCENES | DIALOGS)[scene](stage)
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    assert stage.troubles == []


@pytest.mark.parametrize("scene", [*SCENES, *DIALOGS])
def test_nothing_is_wider_than_the_page(stage: Stage, scene: str) -> None:
    stage.answers |= documents.answers()
    page = (SCENES | DIALOGS)[scene](stage)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, size
        assert page.evaluate(CUT_OFF) == [], size


WORDS_OF_STOPS: Final = ("before the first punch", "when the first cores are counted", "at the first refusal",
                         "at the first alarm", "when the session is closed")  # fmt: skip
FIVE_STOPS: Final = [{"stop": words, "words": words, "chosen": False, "done": False} for words in WORDS_OF_STOPS]


@pytest.mark.parametrize("size", ["projector", "laptop"])
def test_a_speaker_sees_all_controls_without_scrolling(stage: Stage, size: str) -> None:
    width, height = SIZES[size]
    zones = [{"zone": no, "name": "cheek", "area_cm2": 48, "confirmed": True, "cells_done": 0} for no in range(5)]
    page = stage.shown("/presenter/1", documents.presenter() | {"zones": zones, "stops": FIVE_STOPS})
    page.set_viewport_size({"width": width, "height": height})
    for part in ("Run", "Full screen", "when the session is closed"):
        box = page.locator(".controls").get_by_text(part, exact=True).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height, part
    if size == "projector":
        assert page.evaluate("document.documentElement.scrollHeight") <= height


def test_the_instructors_toolbar_leaves_the_page_to_the_lesson(stage: Stage) -> None:
    stage.answers |= documents.answers()
    page = stage.shown("/instructor/1", documents.instructor() | {"stops": FIVE_STOPS})
    page.locator("#quantities input").first.wait_for()
    width, height = SIZES["laptop"]
    page.set_viewport_size({"width": width, "height": height})
    bar, form = page.locator(".controls").bounding_box(), page.locator("#inject").bounding_box()
    assert bar is not None
    assert form is not None
    assert bar["height"] < height / 4
    assert form["y"] < height / 2, "a fault is brought in without a search"


def test_the_page_for_who_is_not_let_in_has_the_style_of_the_others(stage: Stage) -> None:
    stage.context.route(
        "**/nobody", lambda route: route.fulfill(body=NO_ENTRY, headers={"content-type": KINDS["html"]})
    )
    page = stage.open("/nobody")
    assert page.locator(".notice").evaluate("node => getComputedStyle(node).fontWeight") == "700"
    assert violations(page) == []


def test_stop_is_on_the_screen_wherever_the_instructor_has_scrolled_to(stage: Stage) -> None:
    stage.answers |= documents.answers()
    page = _instructor(stage)
    stop = page.get_by_role("button", name="Stop the treatment")
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        for place in ("0", "document.body.scrollHeight / 2", "document.body.scrollHeight"):
            page.evaluate(f"scrollTo(0, {place})")
            box = stop.bounding_box()
            assert box is not None
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height, (width, place)
            middle = f"document.elementFromPoint({box['x'] + 5}, {box['y'] + 5}).id"
            assert page.evaluate(middle) == "stop", "nothing lies over it"


SPEAKING: Final = ":is([aria-live], [role=status], [role=alert], [role=log])"


@pytest.mark.parametrize("scene", [_presenter, _instructor, _trainee])
def test_each_drawing_is_read_once_as_its_text(stage: Stage, scene: Callable[[Stage], Page]) -> None:
    """A reader meets the text where the drawing is; it is not spoken at each change, of which there are many."""
    stage.answers |= documents.answers()
    page = scene(stage)
    assert page.locator("svg").count() > 0
    assert page.locator("svg:not([aria-hidden=true])").count() == 0
    twins = page.locator(".twin").all_inner_texts()
    read = page.locator("body").aria_snapshot()
    assert twins and [read.count(text) for text in twins] == [1] * len(twins)
    assert page.locator(f"{SPEAKING} .twin, .twin{SPEAKING}").count() == 0
    assert page.locator("[aria-live]").count() == 1, "one region speaks"
