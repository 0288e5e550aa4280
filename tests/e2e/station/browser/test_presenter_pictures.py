"""The needle array between the times of its phases: moved by the browser, still where motion is not wanted."""

import itertools
import re
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.station.documents import clock, presenter
from tests.e2e.station.stage import Stage

PATH: Final = "/presenter/1"
CYCLE: Final = [("punch", 80), ("suction", 150), ("advance", 60), ("count", 50)]
SPEED: Final = 0.05
LAG_MS: Final = 150
"""Wall time by which the pictures are behind the lesson."""


def _phases(began_ms: int = 0) -> list[dict[str, Any]]:
    phases = []
    for phase, takes_ms in CYCLE:
        phases.append({"cycle_no": 42, "phase": phase, "began_ms": began_ms, "takes_ms": takes_ms})
        began_ms += takes_ms
    return phases


def _with_clock(stage: Stage, context: BrowserContext, view: dict[str, Any], *, reduced: bool = False) -> Page:
    """Show a view with the browser's time in the test's hands."""
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce" if reduced else "no-preference")
    page.clock.install(time=0)
    page.goto("http://localhost" + PATH)
    stage.until(page, lambda: bool(stage.sockets) and bool(stage.sockets[0].received), "the page asks")
    page.clock.pause_at(60_000)
    stage.sockets[0].send(type="snapshot", no=1, view=view)
    page.get_by_text("connected", exact=True).wait_for()
    return page


def _slow_cycle(stage: Stage, context: BrowserContext, *, reduced: bool = False) -> Page:
    """Show a cycle at a twentieth of its speed."""
    view = presenter(running=True, speed=SPEED) | {"phases": _phases()}
    return _with_clock(stage, context, view, reduced=reduced)


def _depth(page: Page) -> float:
    found = re.search(
        r"translate\(0 ([\d.]+)\)", page.locator(".array g:has(> g > .needle)").get_attribute("transform") or ""
    )
    return float(found[1]) if found else 0.0


def _current(page: Page) -> list[str]:
    return page.locator("#strip [aria-current=step]").all_inner_texts()


def test_the_needles_go_out_and_come_back_within_the_time_of_the_punch(stage: Stage, context: BrowserContext) -> None:
    page = _slow_cycle(stage, context)
    depths = []
    for _ in range(20):
        depths.append(_depth(page))
        page.clock.run_for(100)  # 5 ms of the lesson
    deepest = depths.index(max(depths))
    assert depths[:deepest] == sorted(depths[:deepest]), "out, without a jump"
    assert depths[deepest:] == sorted(depths[deepest:], reverse=True), "and back"
    steps = [abs(after - before) for before, after in itertools.pairwise(depths)]
    assert max(steps) <= 90 / 30 * 5 * 1.3, "90 units in 30 ms, a picture each 5 ms"
    assert max(depths) == 90
    assert depths[-1] == 0, "home before the suction begins"
    assert 30 <= (deepest * 100 - LAG_MS) * SPEED <= 40, "30 ms after the punch has begun"


def test_each_phase_is_named_while_it_lasts(stage: Stage, context: BrowserContext) -> None:
    page = _slow_cycle(stage, context)
    named = []
    for _ in range(72):
        page.clock.run_for(100)
        if _current(page) not in named:
            named.append(_current(page))
    assert named == [["Punch"], ["Suction"], ["Advance"], ["Count"], []]


def test_the_text_beside_the_drawing_says_what_is_drawn(stage: Stage, context: BrowserContext) -> None:
    page = _slow_cycle(stage, context)
    page.clock.run_for(LAG_MS + 400)
    assert (
        "Cycle 42: 3 hollow needles go 3.0 mm deep into the skin and back." in page.locator("#array-twin").inner_text()
    )
    page.clock.run_for(1_800)
    assert "suction lifts the cores" in page.locator("#array-twin").inner_text()


def test_a_cycle_that_is_faster_than_words_has_one_caption_for_all_of_it(stage: Stage, context: BrowserContext) -> None:
    view = presenter(running=True, speed=1) | {"phases": _phases(), "caption": {"phase": "punch", "words": "A punch."}}
    page = _with_clock(stage, context, view)
    captions = set()
    for _ in range(40):
        page.clock.run_for(20)
        captions.add(page.locator("#caption").inner_text())
        assert _current(page) == []
    assert len(captions) == 1
    assert "faster than words" in captions.pop()
    stage.sockets[0].send(type="patch", no=2, patch={"clock": clock(t_ms=800)})
    page.get_by_role("button", name="Run").wait_for()
    page.clock.run_for(2 * LAG_MS)
    assert page.locator("#caption").inner_text() == "A punch."


def test_what_is_held_shows_the_phase_at_which_it_is_held(stage: Stage) -> None:
    view = presenter(t_ms=100) | {
        "phases": _phases()[:2],
        "caption": {"phase": "suction", "words": "Cores are lifted."},
    }
    page = stage.shown(PATH, view)
    page.get_by_text("Cores are lifted.").wait_for()
    assert _current(page) == ["Suction"]


def test_before_the_first_cycle_the_skin_is_whole(stage: Stage) -> None:
    waits = {"cycle_no": 0, "phase": "none", "began_ms": 0, "takes_ms": 0}
    counts = {"cores": 0, "target": 230, "cycles": 0}
    page = stage.shown(PATH, presenter(running=True, t_ms=9_000) | {"phases": [waits], "counts": counts})
    page.get_by_text("The array rests on the skin.").wait_for()
    assert page.locator(".hole[visibility=visible]").count() == 0
    assert page.locator("#coverage").inner_text() == "none yet"


def test_cycles_leave_their_holes_beside_the_array(stage: Stage) -> None:
    for no, (ended, phase, seen) in enumerate(
        ((2, "suction", 9), (50, "suction", 12), (50, "count", 9), (1, "none", 3))
    ):
        phases = [{"cycle_no": 7, "phase": phase, "began_ms": 0, "takes_ms": 150}]
        counts = {"cores": 6, "target": 230, "cycles": ended}
        page = stage.shown(PATH, presenter(t_ms=100) | {"phases": phases, "counts": counts}, no=no + 1)
        assert page.locator(".hole[visibility=visible]").count() == seen, (ended, phase)


def test_after_going_back_the_picture_is_that_of_the_earlier_time(stage: Stage) -> None:
    page = stage.shown(PATH, presenter(t_ms=50_000) | {"phases": _phases(49_900)})
    assert _current(page) == ["Suction"]
    earlier = {"clock": clock(t_ms=20), "phases": _phases()[:1]}
    stage.sockets[0].send(type="patch", no=2, patch=earlier)
    stage.until(page, lambda: _current(page) == ["Punch"], "the earlier phase")
    assert _depth(page) == pytest.approx(60, abs=1)


def test_where_motion_is_not_wanted_each_phase_is_one_still_picture(stage: Stage, context: BrowserContext) -> None:
    page = _slow_cycle(stage, context, reduced=True)
    depths = set()
    for _ in range(30):
        page.clock.run_for(100)
        depths.add(_depth(page))
    assert depths == {0, 90}, "in the skin, or home"


def test_a_clogged_needle_is_drawn_otherwise_and_said(stage: Stage) -> None:
    page = stage.shown(PATH, presenter() | {"outcomes": ["core", "clogged", "core"]})
    assert page.locator(".needle.clogged").count() == 1
    assert "In the last cycle 2 of 3 needles brought a core." in page.locator("#array-twin").inner_text()


def test_single_keys_move_the_lesson_until_they_are_switched_off(stage: Stage) -> None:
    pace = "/api/stations/1/pace"
    stage.answers["POST", pace] = {}
    page = stage.shown(PATH, presenter())
    for key in ("Space", "ArrowRight", "ArrowDown", "a", "+", "-"):
        page.keyboard.press(key)
    moves = [{"running": True}, {"step": "phase"}, {"step": "cycle"}, {"step": "alarm"}, {"speed": 2}, {"speed": 0.5}]
    stage.until(page, lambda: stage.asked("POST", pace) == moves, "the moves")
    page.get_by_text("Keys", exact=True).click()
    page.get_by_label("Use single keys").uncheck()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.reload()
    stage.until(page, lambda: len(stage.sockets) == 2 and bool(stage.sockets[1].received), "the page asks")
    stage.sockets[1].send(type="snapshot", no=1, view=presenter())
    page.get_by_text("connected", exact=True).wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Hold").or_(page.get_by_role("button", name="Run")).click()
    stage.until(page, lambda: len(stage.asked("POST", pace)) > len(moves), "the button still works")
    assert stage.asked("POST", pace)[len(moves) :] == [{"running": True}], (
        "the keys have done nothing, after a reload either"
    )


def test_the_space_bar_runs_the_lesson_after_a_click_elsewhere(stage: Stage) -> None:
    pace = "/api/stations/1/pace"
    stage.answers["POST", pace] = {}
    page = stage.shown(PATH, presenter())
    page.get_by_text("Press Run, or the space bar, to begin.").wait_for()
    page.get_by_text("Keys", exact=True).click()
    page.keyboard.press("Space")
    stage.until(page, lambda: stage.asked("POST", pace) == [{"running": True}], "it runs")


def test_stops_that_are_chosen_are_sent_together(stage: Stage) -> None:
    pace = "/api/stations/1/pace"
    stage.answers["POST", pace] = {}
    page = stage.shown(PATH, presenter())
    page.get_by_label("before the first punch").check()
    page.get_by_label("at the first alarm").check()
    sent = [{"stops": ["first_punch"]}, {"stops": ["first_punch", "first_alarm"]}]
    stage.until(page, lambda: stage.asked("POST", pace) == sent, "both stops")


def test_the_map_fills_cells_from_below_and_says_where_the_hand_is(stage: Stage) -> None:
    page = stage.shown(PATH, presenter())
    heights = [float(cell.get_attribute("height") or 0) for cell in page.locator("#map .cell").all()]
    assert heights == pytest.approx([0.84, 0.42])
    assert page.locator("#map .cell.full").count() == 1
    assert page.locator("#map .cell-here").get_attribute("x") == "1"
    twin = page.locator("#map .twin")
    assert twin.inner_text() == "12 cells: 1 full, 1 begun. The handpiece is on cell 2 of chin, filled to 50 %."
    stage.sockets[0].send(type="patch", no=2, patch={"cells": {"0:1": 100}, "place": None})
    stage.until(
        page, lambda: twin.inner_text() == "12 cells: 2 full, 0 begun. The handpiece is on no cell.", "the words"
    )
    assert page.locator("#map .cell.full").count() == 2


def test_background_is_marked_and_turned_by_hand(stage: Stage) -> None:
    page = stage.shown(PATH, presenter())
    part = page.get_by_role("region", name="Background, not predicted")
    assert "under half a millimeter" in part.inner_text()
    part.get_by_role("button", name="Next").click()
    assert "a month apart" in part.inner_text()
    part.get_by_role("button", name="Next").click()
    assert "under half a millimeter" in part.inner_text(), "the first one again"
