"""The trainee's page: at every size, in both colors and with every trouble, the hand and what is wrong can be seen."""

from typing import Final

import pytest
from playwright.sync_api import Page

from tests.e2e.station.axe import violations
from tests.e2e.station.browser.test_looks import AT_EACH_SIZE, SIZES
from tests.e2e.station.documents import ALARM, Json, trainee
from tests.e2e.station.stage import Stage

PATH: Final = "/trainee/1"
LONG: Final = "Zygomaticusmuskelansatzbereichsmarkierung " * 3
ALARMS: Final = [
    {
        **ALARM,
        "code": 1501,
        "label": "MC-1501",
        "priority": "high",
        "words": "The link was lost. " + LONG,
        "sounds": True,
    },
    {**ALARM, "sounds": True},
    {**ALARM, "code": 801, "label": "MC-0801", "state": "latched", "sounds": False},
    {**ALARM, "code": 601, "label": "MC-0601", "priority": "low", "state": "acknowledged", "sounds": False},
]


def troubled() -> Json:
    """Return a document with all that makes a page long or wide."""
    zones = [
        {"zone": n, "name": f"{n} {LONG}"[:32], "area_cm2": 70, "confirmed": False, "cells_done": 0} for n in range(8)
    ]
    said = [{"no": n, "at_ms": 1_000 * n, "kind": "refusal", "words": f"PUNCH: {LONG}"} for n in range(1, 21)]
    return trainee() | {"title": LONG, "alarms": ALARMS, "zones": zones, "messages": said, "prebrief": LONG * 9}


def empty() -> Json:
    """Return a document of a controller that knows nothing yet."""
    view = trainee() | {"zones": [], "cells": {}, "canister": {"warn_percent": 80, "full_percent": 95}}
    view |= {"cartridge": {"warn": 1, "life": 2}, "vacuum": {"low_kpa": -40, "stop_kpa": -30, "set_kpa": -55}}
    view |= {
        "link": {"up": False, "words": "There is no link to the handpiece."},
        "counts": {"cores": 0, "target": 9, "cycles": 0},
    }
    del view["temperature_c"], view["place"]
    return view


def ended() -> Json:
    """Return a document of a session that is closed."""
    end = {
        "state": "completed",
        "reconciled": True,
        "cores": 400,
        "words": "The session is completed.",
    }
    return trainee() | {"end": end, "clock": {"t_ms": 9_000, "speed": 1, "running": False, "ended": True}}


DOCUMENTS: Final = {"usual": trainee, "troubled": troubled, "empty": empty, "ended": ended}


@pytest.mark.parametrize("size", AT_EACH_SIZE)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_axe_finds_nothing_in_either_scheme(stage: Stage, name: str, size: str) -> None:
    page = stage.shown(PATH, DOCUMENTS[name]())
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(reduced_motion="reduce")
    assert violations(page) == []
    page.get_by_role("button", name="I have read it").click()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.get_by_role("button", name="Task").click()
    assert violations(page) == []
    assert stage.troubles == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_hand_and_the_notice_can_be_seen_at_every_size(stage: Stage, name: str) -> None:
    page = stage.shown(PATH, DOCUMENTS[name]())
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for top in (0, 10_000):
            page.evaluate(f"window.scrollTo(0, {top})")
            for part in ("#trigger", "#stop", "#notice", "#alarm-bar"):
                assert _is_on_top(page, part), f"{part} at {size} when scrolled to {top}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{size}: it is wider"


def _is_on_top(page: Page, part: str) -> bool:
    """Return True if all corners of an element are on the screen, and nothing is over them."""
    return bool(
        page.evaluate(
            """(part) => {
              const node = document.querySelector(part);
              const { left, right, top, bottom } = node.getBoundingClientRect();
              const corners = [[left, top], [right, top], [left, bottom], [right, bottom]];
              const inside = (x, y) => [x + (x === left ? 6 : -6), y + (y === top ? 6 : -6)];
              return corners.every(([x, y]) => node.contains(document.elementFromPoint(...inside(x, y))));
            }""",
            part,
        )
    )


def test_an_alarm_moves_no_control(stage: Stage) -> None:
    page = stage.shown(PATH, trainee())
    page.get_by_role("button", name="I have read it").click()
    buttons = page.locator("button:visible")
    before = [buttons.nth(n).bounding_box() for n in range(buttons.count())]
    stage.sockets[-1].send(type="patch", no=2, patch={"alarms": ALARMS})
    page.get_by_text("(4 alarms)").wait_for()
    assert [buttons.nth(n).bounding_box() for n in range(buttons.count())] == before


def test_what_has_the_focus_is_not_behind_the_hand(stage: Stage) -> None:
    page = stage.shown(PATH, troubled())
    page.set_viewport_size({"width": 640, "height": 400})
    page.get_by_role("button", name="I have read it").click()
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        assert page.evaluate(
            """() => {
              const node = document.activeElement;
              const { top, bottom } = node.getBoundingClientRect();
              const hand = document.getElementById('hand');
              return hand.contains(node) || (top < hand.getBoundingClientRect().top - 8 && bottom > 40);
            }"""
        ), page.evaluate("document.activeElement.outerHTML")
    assert {"trigger", "stop"} <= seen


def test_each_priority_has_its_own_flash_and_none_is_faster_than_three_a_second(stage: Stage) -> None:
    alarms = [{**ALARM, "code": n, "priority": name} for n, name in enumerate(("high", "medium", "low"), 1)]
    page = stage.shown(PATH, trainee() | {"alarms": alarms})
    seconds = page.locator(".alarm .sign").evaluate_all(
        "all => all.map(one => parseFloat(getComputedStyle(one).animationDuration))"
    )
    names = page.locator(".alarm .sign").evaluate_all("all => all.map(one => getComputedStyle(one).animationName)")
    assert 1.4 <= 1 / seconds[0] <= 2.8
    assert 0.4 <= 1 / seconds[1] <= 0.8
    assert names == ["flash", "flash", "none"]
    assert page.locator(".alarm .sign").all_inner_texts() == ["!!!", "!!", "!"], "color is not the only sign"
    page.emulate_media(reduced_motion="reduce")
    names = page.locator(".alarm .sign").evaluate_all("all => all.map(one => getComputedStyle(one).animationName)")
    assert names == ["none"] * 3


def test_each_thing_is_announced_once(stage: Stage) -> None:
    stage.context.clock.install()
    page = stage.shown(PATH, trainee())
    page.evaluate(
        """() => {
          window.spoken = [];
          const hear = () => window.spoken.push(document.getElementById('live').textContent);
          new MutationObserver(hear).observe(document.getElementById('live'), {childList: true});
        }"""
    )
    said = {"no": 1, "at_ms": 100, "kind": "refusal", "words": "no vacuum"}
    patches: list[Json] = [{"alarms": [ALARM], "messages": [said]}, *({"counts": {"cores": n}} for n in range(5))]
    for no, patch in enumerate(patches, 2):
        stage.sockets[-1].send(type="patch", no=no, patch=patch)
        cores = patch.get("counts", {"cores": 120})["cores"]
        stage.until(page, lambda cores=cores: page.locator("#cores").inner_text() == str(cores), "the patch")  # type: ignore[misc]
        page.clock.run_for(2_500)  # longer than a sentence waits for the next
    spoken = page.evaluate("window.spoken")
    assert sorted(text for text in spoken if "vacuum" in text) == sorted(
        ["no vacuum", f"Alarm, Medium priority: {ALARM['words']}"]
    )
    assert page.locator("[aria-live], [role=status], [role=alert]").count() == 1, "one region speaks"


def test_a_refusal_is_shown_at_the_hand(stage: Stage) -> None:
    page = stage.shown(PATH, trainee())
    said = {"no": 1, "at_ms": 100, "kind": "refusal", "words": "PUNCH was refused: the zone is not numb"}
    stage.sockets[-1].send(type="patch", no=2, patch={"messages": [said]})
    page.locator("#said", has_text="the zone is not numb").wait_for()


def test_a_control_that_is_not_possible_says_why_and_sends_nothing(stage: Stage) -> None:
    view = trainee()
    view["controls"]["resume"] = {"enabled": False, "why": "the treatment is not paused"}
    page = stage.shown(PATH, view)
    page.get_by_role("button", name="I have read it").click()
    page.get_by_role("button", name="Resume").click(force=True)
    page.locator("#said", has_text="the treatment is not paused").wait_for()
    assert [one for one in stage.sockets[-1].received if one["type"] == "act"] == []


NO_SOUND: Final = """
AudioContext.prototype.resume = () => new Promise(() => {});
Object.defineProperty(AudioContext.prototype, "state", { get: () => "suspended" });
"""


def test_the_sound_says_what_the_browser_says_of_it(stage: Stage) -> None:
    stage.context.add_init_script(NO_SOUND)
    page = stage.shown(PATH, trainee())
    page.get_by_role("button", name="Turn on and test the sound").click()
    page.get_by_text('The sound did not start: the browser says "suspended"').wait_for()
    page.get_by_text("The sound is off: turn it on at the task.").wait_for()


def test_the_sound_is_on_where_the_browser_says_so(stage: Stage) -> None:
    page = stage.shown(PATH, trainee())
    page.get_by_role("button", name="Turn on and test the sound").click()
    page.get_by_text("The sound is on. Did you hear three tones?").wait_for()


def test_a_browser_without_sound_says_so(stage: Stage) -> None:
    stage.context.add_init_script("delete window.AudioContext")
    page = stage.shown(PATH, trainee())
    page.get_by_role("button", name="Turn on and test the sound").click()
    page.get_by_text("This browser makes no sound").wait_for()


SOUNDS: Final = """
window.tones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  window.tones.push(this.frequency.value);
  return start.call(this, at);
};
"""


def _tones(page: Page) -> int:
    return int(page.evaluate("window.tones.length"))


def test_only_alarms_that_sound_are_heard_and_the_most_urgent_of_them(stage: Stage) -> None:
    stage.context.add_init_script(SOUNDS)
    page = stage.shown(PATH, trainee())
    page.get_by_role("button", name="Turn on and test the sound").click()
    page.get_by_text("The sound is on. Did").wait_for()
    test = _tones(page)
    stage.sockets[-1].send(type="patch", no=2, patch={"alarms": [{**ALARM, "sounds": False}]})
    page.locator("#alarms .alarm").wait_for()
    assert _tones(page) == test, "one that is paused is not heard"
    stage.sockets[-1].send(type="patch", no=3, patch={"alarms": ALARMS})
    stage.until(page, lambda: _tones(page) == test + 10, "ten pulses of high priority")


def test_each_new_alarm_is_heard_at_once_although_another_sounds(stage: Stage) -> None:
    stage.context.add_init_script(SOUNDS)
    page = stage.shown(PATH, trainee())
    page.get_by_role("button", name="Turn on and test the sound").click()
    page.get_by_text("The sound is on. Did").wait_for()
    first = {**ALARM, "sounds": True}
    stage.sockets[-1].send(type="patch", no=2, patch={"alarms": [first]})
    stage.until(page, lambda: _tones(page) == 6, "three pulses after those of the test")
    stage.sockets[-1].send(type="patch", no=3, patch={"alarms": [{**first, "code": 402}, first]})
    page.get_by_text("(2 alarms)").wait_for()
    assert _tones(page) == 9
    stage.sockets[-1].send(type="patch", no=4, patch={"alarms": [first], "counts": {"cores": 7}})
    stage.until(page, lambda: page.locator("#cores").inner_text() == "7", "the patch")
    assert _tones(page) == 9, "one that is over is no news"


@pytest.mark.parametrize("size", AT_EACH_SIZE)
def test_what_is_to_be_done_next_is_on_the_screen_once_the_task_is_read(stage: Stage, size: str) -> None:
    page = stage.shown(PATH, trainee() | {"prebrief": LONG * 9, "alarms": ALARMS[:1]})
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("button", name="I have read it").scroll_into_view_if_needed()
    page.get_by_role("button", name="I have read it").click()
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.activeElement.id") == "trigger"
    assert _is_on_top(page, "#next")


FITS: Final = "bar => bar.scrollHeight <= bar.clientHeight && bar.scrollWidth <= bar.clientWidth"


def test_a_sentence_of_the_alarm_bar_has_two_lines_where_the_page_is_narrow(stage: Stage) -> None:
    words = "The link to the controller was lost: the handpiece has made itself safe."
    page = stage.shown(PATH, trainee() | {"alarms": [{**ALARMS[0], "words": words}]})
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator("#alarm-bar").evaluate(FITS)


def test_the_task_of_another_lesson_is_shown_and_a_rewound_one_is_not_read_again(stage: Stage) -> None:
    page = stage.shown(PATH, trainee(t_ms=9_000))
    read, task = page.get_by_role("button", name="I have read it"), page.get_by_role("heading", name="Your task")
    read.click()
    for no, (patch, shows) in enumerate(
        (
            ({"clock": {"t_ms": 4_000}, "counts": {"cores": 1}}, False),
            ({"prebrief": "Another task.", "counts": {"cores": 2}}, True),
            ({"clock": {"t_ms": 0}, "counts": {"cores": 3}}, True),
        ),
        2,
    ):
        stage.sockets[-1].send(type="patch", no=no, patch=patch)
        stage.until(page, lambda no=no: page.locator("#cores").inner_text() == str(no - 1), "the patch")  # type: ignore[misc]
        assert task.is_visible() == shows
        if shows:
            read.click()


def test_without_a_connection_the_handpiece_is_not_said_to_be_linked(stage: Stage) -> None:
    page = stage.shown(PATH, trainee())
    stage.sockets[-1].close(1012)
    page.get_by_text("How the handpiece is now is not known.").wait_for()
    stage.until(page, lambda: len(stage.sockets) == 2 and bool(stage.sockets[1].received), "the page comes back")
    page.get_by_text("The link to the handpiece is up.").wait_for()


def test_a_lesson_that_may_be_begun_alone_is_begun_by_its_reader(stage: Stage) -> None:
    stage.answers["POST", "/api/stations/1/pace"] = {"ok": True, "words": ""}
    page = stage.shown(PATH, trainee(running=False) | {"practice": True})
    page.get_by_text("It waits for you to begin.").wait_for()
    page.get_by_role("button", name="I have read it: begin").click()
    stage.until(page, lambda: bool(stage.asked("POST", "/api/stations/1/pace")), "it is run")
    assert stage.asked("POST", "/api/stations/1/pace") == [{"running": True}]


def test_a_held_lesson_waits_for_the_instructor(stage: Stage) -> None:
    page = stage.shown(PATH, trainee(running=False))
    page.get_by_text("It waits for the instructor to let it run.").wait_for()
    page.get_by_role("button", name="I have read it", exact=True).click()
    assert stage.requests == []


def test_the_end_says_what_the_session_has_come_to_and_who_has_the_debrief(stage: Stage) -> None:
    page = stage.shown(PATH, ended())
    page.get_by_text("The session is completed.").wait_for()
    page.get_by_text("The instructor opens the debrief.").wait_for()


def test_a_cell_is_asked_for_as_people_count(stage: Stage) -> None:
    page = stage.shown(PATH, trainee())
    page.get_by_label("Cell", exact=True).fill("2")
    page.get_by_role("button", name="Go to this cell").click()
    sent = stage.sockets[-1].received
    stage.until(page, lambda: sent[-1]["type"] == "act", "the act")
    assert sent[-1]["arguments"] == {"zone": 0, "cell": 1}
