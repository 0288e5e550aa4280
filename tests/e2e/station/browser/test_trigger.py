"""The trigger of the trainee's page: a pointer, a key or a gamepad holds it; whatever takes the hand away ends it."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.station.documents import ALARM, trainee
from tests.e2e.station.stage import Socket, Stage

PATH = "/trainee/1"
RENEWAL_MS = 200


@pytest.fixture
def page(stage: Stage) -> Page:
    """The trainee's page of an armed handpiece; the test may let its time pass."""
    stage.context.clock.install()
    page = stage.shown(PATH, trainee())
    page.get_by_role("button", name="I have read it").click()
    return page


def _acts(socket: Socket) -> list[tuple[str, Any]]:
    return [(one["name"], one["arguments"]) for one in socket.received if one["type"] == "act"]


def _until_acts(stage: Stage, page: Page, *names: str) -> list[tuple[str, Any]]:
    """Acts that the page has sent, once they are these."""
    socket = stage.sockets[-1]
    stage.until(page, lambda: [name for name, _ in _acts(socket)] == list(names), f"{names}, not {_acts(socket)}")
    return _acts(socket)


def _renewals(stage: Stage) -> int:
    return sum(one["type"] == "hold" for one in stage.sockets[-1].received)


def _press(stage: Stage, page: Page) -> None:
    """Press the trigger by the mouse, which the station takes."""
    box = page.locator("#trigger").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)  # from the next event on it is captured
    _until_acts(stage, page, "trigger_press")
    stage.sockets[-1].send(type="answer", id=stage.sockets[-1].received[-1].get("id", 1), ok=True, words="")


def _is_held(page: Page) -> bool:
    return page.locator("#trigger").get_attribute("aria-pressed") == "true"


def test_a_mouse_that_is_down_holds_and_renews_until_it_is_up(stage: Stage, page: Page) -> None:
    _press(stage, page)
    stage.until(page, lambda: _renewals(stage) >= 3, "three renewals")
    assert _is_held(page)
    page.mouse.up()
    assert _until_acts(stage, page, "trigger_press", "trigger_release")[1] == ("trigger_release", {"why": "let_go"})
    count = _renewals(stage)
    page.clock.run_for(3 * RENEWAL_MS)
    assert _renewals(stage) == count, "a trigger that was let go is renewed no more"


def test_a_held_trigger_outlives_every_change_of_the_page(stage: Stage, page: Page) -> None:
    """Alarms come, controls are switched off, counts and phases go on: the same button is held all the time."""
    page.evaluate("window.button = document.getElementById('trigger')")
    _press(stage, page)
    off = {name: {"enabled": False, "why": "wait"} for name in trainee()["controls"]}
    patches: list[dict[str, Any]] = [
        {"trigger": {"held": True}},
        {"alarms": [ALARM], "state": {"name": "punching", "words": "punch"}},
        {"controls": off, "next": {"words": "Look for the leak.", "control": None}},
        *({"counts": {"cores": 120 + n}, "cycle": {"phase": ("punch", "count")[n % 2]}} for n in range(40)),
    ]
    for no, patch in enumerate(patches, 2):
        stage.sockets[-1].send(type="patch", no=no, patch=patch)
    stage.until(page, lambda: page.locator("#cores").inner_text() == "159", "the last count")
    before = _renewals(stage)
    stage.until(page, lambda: _renewals(stage) > before, "it is still renewed")
    assert _is_held(page)
    assert page.evaluate("window.button === document.getElementById('trigger')")
    page.mouse.up()
    _until_acts(stage, page, "trigger_press", "trigger_release")


def test_a_pointer_that_leaves_the_button_still_holds_it(stage: Stage, page: Page) -> None:
    _press(stage, page)
    page.mouse.move(10, 300)
    assert _is_held(page)
    page.mouse.up()
    _until_acts(stage, page, "trigger_press", "trigger_release")


@pytest.mark.parametrize("place", ["#trigger", "#hand"])
def test_space_holds_while_the_handpiece_panel_has_the_focus(stage: Stage, page: Page, place: str) -> None:
    page.locator(place).focus()
    page.keyboard.down(" ")
    _until_acts(stage, page, "trigger_press")
    page.keyboard.down(" ")  # the keyboard repeats it
    stage.until(page, lambda: _renewals(stage) >= 2, "renewals")
    page.keyboard.up(" ")
    assert _until_acts(stage, page, "trigger_press", "trigger_release")[1][1] == {"why": "let_go"}


def test_space_elsewhere_is_no_trigger(stage: Stage, page: Page) -> None:
    page.get_by_role("button", name="Task").focus()
    page.keyboard.press(" ")
    page.get_by_role("heading", name="Your task").wait_for()
    assert _acts(stage.sockets[-1]) == []


def test_focus_that_goes_elsewhere_lets_go(stage: Stage, page: Page) -> None:
    page.locator("#trigger").focus()
    page.keyboard.down(" ")
    _until_acts(stage, page, "trigger_press")
    page.keyboard.press("Tab")
    assert _until_acts(stage, page, "trigger_press", "trigger_release")[1][1] == {"why": "focus"}


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("window.dispatchEvent(new Event('blur'))", "focus"),
        ("window.dispatchEvent(new Event('pagehide'))", "hidden"),
        (
            "Object.defineProperty(document, 'hidden', {value: true});"
            "document.dispatchEvent(new Event('visibilitychange'))",
            "hidden",
        ),
        (
            "document.getElementById('trigger').dispatchEvent(new PointerEvent('pointercancel', {bubbles: true}))",
            "pointer",
        ),
        ("document.getElementById('trigger').remove()", "pointer"),
    ],
)
def test_whatever_takes_the_hand_away_lets_go(stage: Stage, page: Page, event: str, why: str) -> None:
    _press(stage, page)
    page.evaluate(event)
    page.mouse.move(20, 20)  # with the next event of the pointer a capture is known to be gone
    assert _until_acts(stage, page, "trigger_press", "trigger_release")[1][1] == {"why": why}


def test_a_connection_that_is_lost_lets_go(stage: Stage, page: Page) -> None:
    _press(stage, page)
    stage.sockets[-1].close(1012)
    stage.until(page, lambda: not _is_held(page), "let go")
    stage.until(page, lambda: len(stage.sockets) == 2 and bool(stage.sockets[1].received), "the page comes back")
    page.clock.run_for(2 * RENEWAL_MS)
    assert [one["type"] for one in stage.sockets[1].received] == ["resume"], "the hand has to press again"


def test_what_the_station_lets_go_is_not_held_here(stage: Stage, page: Page) -> None:
    """A lease that has ended, or a stop by somebody else: the page takes it, and does not say it once more."""
    _press(stage, page)
    held = {
        "trigger": {"held": True},
        "clock": {"running": False},
    }  # or the page would miss the patches, and come again
    stage.sockets[-1].send(type="patch", no=2, patch=held)
    stage.sockets[-1].send(type="patch", no=3, patch={"trigger": {"held": False}})
    stage.until(page, lambda: not _is_held(page), "let go")
    page.mouse.up()
    assert len(stage.sockets) == 1, "it was not the connection that ended it"
    assert [name for name, _ in _acts(stage.sockets[0])] == ["trigger_press"]


@pytest.mark.parametrize("end", ["lease", "connection"])
def test_a_trigger_that_the_station_has_let_go_says_why(stage: Stage, page: Page, end: str) -> None:
    _press(stage, page)
    stage.sockets[0].send(type="patch", no=2, patch={"trigger": {"held": True}})
    page.get_by_text("Held: let go to end").wait_for()
    if end == "lease":
        stage.sockets[0].send(type="patch", no=3, patch={"trigger": {"held": False, "why": "lease"}})
        page.get_by_text("this page did not answer for a second. Press again.").first.wait_for()
    else:
        stage.sockets[0].close(1012)
        page.get_by_text("the connection was lost. Press again").first.wait_for()


def test_a_trigger_that_the_page_has_let_go_says_why(stage: Stage, page: Page) -> None:
    _press(stage, page)
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.locator("#said", has_text="has lost the focus. Press again.").wait_for()


def test_what_is_said_of_an_earlier_hold_does_not_end_the_next_one(stage: Stage, page: Page) -> None:
    """On a slow connection the first hold is still seen, and its press answered, when the second one is under way."""
    socket = stage.sockets[-1]
    page.locator("#trigger").focus()
    for _ in range(2):
        page.keyboard.down(" ")
        page.keyboard.up(" ")
    page.keyboard.down(" ")
    press = "trigger_press"
    _until_acts(stage, page, press, "trigger_release", press, "trigger_release", press)
    first, _, second, _, third = (one["id"] for one in socket.received if one["type"] == "act")
    socket.send(type="patch", no=2, patch={"trigger": {"held": True}, "clock": {"running": False}})
    socket.send(type="answer", id=first, ok=True, words="")
    socket.send(type="patch", no=3, patch={"trigger": {"held": False}})
    socket.send(type="answer", id=second, ok=False, words="not that one")
    page.get_by_text("not that one").wait_for()
    assert _is_held(page)
    socket.send(type="patch", no=4, patch={"trigger": {"held": True}})
    socket.send(type="answer", id=third, ok=True, words="")
    socket.send(type="patch", no=5, patch={"trigger": {"held": False}})
    stage.until(page, lambda: not _is_held(page), "the station has let go of this one")


def test_a_press_that_came_too_early_does_not_look_held(stage: Stage, page: Page) -> None:
    _press(stage, page)
    stage.sockets[-1].send(type="patch", no=2, patch={"trigger": {"missed": True}})
    stage.until(page, lambda: not _is_held(page), "not held")
    assert page.locator("#trigger-words").inner_text() == "Let go and press again"
    page.mouse.up()
    assert _until_acts(stage, page, "trigger_press", "trigger_release")[1] == ("trigger_release", {"why": "let_go"})


def test_a_view_of_before_the_press_does_not_end_it(stage: Stage, page: Page) -> None:
    _press(stage, page)
    stage.sockets[-1].send(type="patch", no=2, patch={"counts": {"cores": 121}})
    stage.until(page, lambda: page.locator("#cores").inner_text() == "121", "the patch")
    assert _is_held(page)


def test_stop_goes_first_and_lets_go(stage: Stage, page: Page) -> None:
    page.locator("#trigger").focus()
    page.keyboard.down(" ")
    _until_acts(stage, page, "trigger_press")
    page.keyboard.press(".")
    acts = _until_acts(stage, page, "trigger_press", "stop", "trigger_release")
    assert acts[2][1] == {"why": "stop"}


def test_stop_is_sent_although_the_page_believes_it_is_of_no_use(stage: Stage, page: Page) -> None:
    patch = {"controls": {"stop": {"enabled": False, "why": "no session is open"}}}
    stage.sockets[-1].send(type="patch", no=2, patch=patch)
    page.get_by_role("button", name="Stop").click()
    _until_acts(stage, page, "stop")


def test_single_keys_can_be_switched_off_and_stay_off(stage: Stage, page: Page) -> None:
    page.get_by_label("Single keys work").uncheck()
    page.locator("#hand").focus()
    page.keyboard.press(".")
    page.keyboard.press("p")
    page.get_by_role("button", name="Stop").click()
    _until_acts(stage, page, "stop")
    again = stage.shown(PATH, trainee())
    assert not again.get_by_label("Single keys work").is_checked()


def test_keys_in_a_field_are_no_shortcuts(stage: Stage, page: Page) -> None:
    page.get_by_label("Cell", exact=True).focus()
    page.keyboard.press(".")
    page.get_by_role("button", name="Pause", exact=True).click()
    _until_acts(stage, page, "pause")


GAMEPAD = """
window.down = false;
navigator.getGamepads = () => [null, {connected: true, buttons: [{pressed: false}, {pressed: window.down}]}];
window.dispatchEvent(new Event('gamepadconnected'));
"""


def test_a_gamepad_is_a_trigger(stage: Stage, page: Page) -> None:
    page.evaluate(GAMEPAD)
    page.evaluate("window.down = true")
    _until_acts(stage, page, "trigger_press")
    page.evaluate("window.down = false")
    assert _until_acts(stage, page, "trigger_press", "trigger_release")[1][1] == {"why": "let_go"}


def test_a_gamepad_that_was_let_go_otherwise_has_to_be_pressed_again(stage: Stage, page: Page) -> None:
    page.evaluate(GAMEPAD)
    page.evaluate("window.down = true")
    _until_acts(stage, page, "trigger_press")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    _until_acts(stage, page, "trigger_press", "trigger_release")
    page.clock.run_for(2 * RENEWAL_MS)
    assert len(_acts(stage.sockets[-1])) == 2
