"""The instructor's page: what each control asks of the server, and what stays in place while patches come."""

from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.e2e.station import documents
from tests.e2e.station.stage import Stage

PATH: Final = "/instructor/1"
API: Final = "/api/stations/1"


LOST: Final = """() => {
  window.lost = new Promise((looked) => new MutationObserver(() => {
    if (!document.querySelector("#link.lost")) return;
    const run = [...document.querySelectorAll("button")].find((button) => button.textContent === "Run");
    looked({trainee: document.getElementById("trainee").innerText, border: getComputedStyle(run).borderStyle});
  }).observe(document.getElementById("link"), {attributes: true}));
}"""
"""Has the page look at itself in the moment in which it says that the link is lost: it is back soon."""


@pytest.fixture
def page(stage: Stage) -> Page:
    """The page of station 1, with its catalogue."""
    stage.answers |= documents.answers()
    stage.answers |= {("POST", f"{API}/{what}"): {} for what in ("rewind", "reset", "pace")}
    page = stage.shown(PATH, documents.instructor(), no=1)
    page.locator("#quantities input").first.wait_for()
    return page


def _acts(stage: Stage) -> list[tuple[str, dict[str, Any]]]:
    acts = [message for message in stage.sockets[0].received if message["type"] == "act"]
    return [(act["name"], act["arguments"]) for act in acts]


def _done(stage: Stage, page: Page, *acts: tuple[str, dict[str, Any]]) -> None:
    """Wait for these acts and no others, and answer the last one."""
    stage.until(page, lambda: len(_acts(stage)) >= len(acts), "the acts")
    assert _acts(stage) == list(acts)
    stage.sockets[0].send(type="answer", id=stage.sockets[0].received[-1]["id"], ok=True, words="")


def test_a_fault_is_brought_in_with_the_quantities_of_its_kind(stage: Stage, page: Page) -> None:
    page.get_by_role("combobox", name="Fault").select_option("leak")
    form = page.get_by_role("form", name="Bring in a fault")
    assert "air that comes in (1 to 60 kPa/s)" in form.inner_text()
    form.get_by_label("kpa per s").fill("25.5")
    form.get_by_label("strokes").fill("2")
    form.get_by_label("direction").select_option("host")
    form.get_by_role("button").click()
    fault = {"fault": "leak", "kpa_per_s": 25.5, "strokes": 2, "direction": "host"}
    _done(stage, page, ("inject", {"fault": fault}))


def test_a_quantity_out_of_its_range_is_not_sent(stage: Stage, page: Page) -> None:
    form = page.get_by_role("form", name="Bring in a fault")
    for label, wrong, right in (("kpa per s", "61", "60"), ("kpa per s", "", "1"), ("strokes", "1.5", "1")):
        form.get_by_label(label).fill(wrong)
        form.get_by_role("button").click()
        assert form.locator("input:invalid").count() == 1
        form.get_by_label(label).fill(right)
    page.get_by_role("button", name="Stop the treatment").click()
    _done(stage, page, ("stop", {}))


def test_items_of_the_script_are_fired_and_skipped_and_counted_down(stage: Stage, page: Page) -> None:
    script = page.locator("#rail")
    assert "due in 0:05" in script.inner_text()
    stage.sockets[0].send(type="patch", no=2, patch={"clock": {"t_ms": 18_500}})
    page.get_by_text("due in 0:01").wait_for()
    page.get_by_role("button", name="Fire now: the hose comes loose").click()
    page.get_by_role("button", name="Skip: a needle is clogged").click()
    _done(stage, page, ("fire", {"item": "leak"}), ("skip", {"item": "clog"}))
    assert script.get_by_role("button", name="the handle warms up").count() == 0, "what has fired cannot fire"


def test_a_fault_is_withdrawn_by_its_number(stage: Stage, page: Page) -> None:
    page.get_by_role("button", name="Withdraw: leak, kpa_per_s 25").click()
    _done(stage, page, ("withdraw", {"fault": 0}))
    assert page.get_by_role("button", name="Withdraw").count() == 1, "what is over is not withdrawn"


def test_a_check_is_overridden_with_a_reason_alone(stage: Stage, page: Page) -> None:
    page.get_by_role("button", name="Override: Looks for the leak").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Override").click()
    assert dialog.is_visible(), "no reason yet"
    dialog.get_by_role("button", name="Cancel").click()
    assert not dialog.is_visible()
    page.get_by_role("button", name="Override: Looks for the leak").click()
    dialog.get_by_label("Reason").fill("did it by word of mouth")
    dialog.get_by_role("button", name="Override").click()
    arguments = {"check": "looks", "passed": True, "reason": "did it by word of mouth"}
    _done(stage, page, ("override", arguments))
    stage.sockets[0].send(
        type="patch", no=2, patch={"checks": [documents.instructor()["checks"][2] | {"overridden": arguments}]}
    )
    verdict = page.locator("#checks .check-passed", has_text="Looks for the leak").locator(".state")
    verdict.wait_for()
    assert verdict.inner_text() == "✓ passed, overridden: did it by word of mouth (by itself: ✕ failed at 0:15)", (
        "the verdict that counts comes first, in its color"
    )


def test_a_check_says_what_it_waits_for_and_then_until_when(stage: Stage, page: Page) -> None:
    first = documents.instructor()["checks"][0]
    state = page.locator("#checks .state").first
    for no, (told, words) in enumerate(
        (
            ({"waits_for": "the alarm"}, "○ open: waits for the alarm; then 5 s"),
            ({"due_ms": 20_000}, "○ open until 0:20"),
        ),
        2,
    ):
        stage.sockets[0].send(type="patch", no=no, patch={"checks": [first | told]})
        stage.until(page, lambda words=words: state.inner_text() == words, words)  # type: ignore[misc]


def test_the_faults_of_a_lesson_are_those_that_can_be_in_it_and_trainers_ones_come_first(page: Page) -> None:
    groups = page.locator("#kind optgroup")
    assert [group.get_attribute("label") for group in groups.all()] == ["For trainers", "For engineers: the wire"]
    assert page.locator("#kind option").all_inner_texts() == [
        "air comes in (leak)",
        f"{documents.LONGEST} (cores invented)",
        "drop",
    ]


def test_a_fault_that_is_there_twice_is_said_to_be(stage: Stage, page: Page) -> None:
    words = page.locator("#answer")
    _bring_in(stage, page, "drop", 1)
    assert words.inner_text() == "", "there is no other drop"
    _bring_in(stage, page, "leak", 2)
    stage.until(page, lambda: "This lesson has leak twice now" in words.inner_text(), "the words")


def _bring_in(stage: Stage, page: Page, fault: str, count: int) -> None:
    """Bring in a fault, as the act of that number, which the server takes."""
    page.get_by_role("combobox", name="Fault").select_option(fault)
    page.get_by_role("button", name="Bring it in now").click()
    stage.until(page, lambda: len(_acts(stage)) == count, "the act")
    stage.sockets[0].send(type="answer", id=stage.sockets[0].received[-1]["id"], ok=True, words="")


def test_an_override_that_was_not_taken_is_asked_for_again_with_its_reason(stage: Stage, page: Page) -> None:
    page.get_by_role("button", name="Override: Looks for the leak").click()
    dialog, reason = page.get_by_role("dialog"), page.get_by_role("dialog").get_by_label("Reason")
    reason.fill("did it aloud")
    dialog.get_by_label("failed").check()
    dialog.get_by_role("button", name="Override").click()
    stage.until(page, lambda: len(_acts(stage)) == 1, "the override")
    assert not dialog.is_visible()
    stage.sockets[0].close(1012)
    dialog.get_by_text("The connection was lost before the station answered.").wait_for()
    assert reason.input_value() == "did it aloud"
    stage.until(page, lambda: len(stage.sockets) == 2 and bool(stage.sockets[1].received), "the page asks again")
    dialog.get_by_role("button", name="Override").click()
    again = stage.sockets[1].received
    stage.until(page, lambda: again[-1]["type"] == "act", "the override again")
    assert again[-1]["arguments"] == {"check": "looks", "passed": False, "reason": "did it aloud"}
    stage.sockets[1].send(type="answer", id=again[-1]["id"], ok=True, words="")
    page.get_by_role("button", name="Override: Looks for the leak").click()
    assert reason.input_value() == "" and not dialog.get_by_text("The connection was lost").count()


def test_a_note_is_cleared_when_it_is_kept_and_not_before(stage: Stage, page: Page) -> None:
    words = page.get_by_label("Note", exact=True)
    words.fill("looked away")
    page.get_by_role("button", name="Add a note").click()
    stage.until(page, lambda: len(_acts(stage)) == 1, "the note")
    refused = stage.sockets[0].received[-1]["id"]
    stage.sockets[0].send(type="answer", id=refused, ok=False, words="The lesson has ended.")
    page.get_by_text("The lesson has ended.").wait_for()
    assert words.input_value() == "looked away"
    page.get_by_role("button", name="Add a bookmark here").click()
    _done(stage, page, ("note", {"text": "looked away"}), ("bookmark", {"text": "looked away"}))
    stage.until(page, lambda: words.input_value() == "", "an empty field")


def test_the_slider_follows_the_lesson_until_a_moment_is_chosen(stage: Stage, page: Page) -> None:
    slider = page.get_by_role("slider")
    assert slider.input_value() == "15000"
    stage.sockets[0].send(type="patch", no=2, patch={"clock": {"t_ms": 16_000}})
    stage.until(page, lambda: slider.input_value() == "16000", "the slider")
    slider.fill("4000")
    stage.sockets[0].send(type="patch", no=3, patch={"clock": {"t_ms": 17_000}})
    stage.until(page, lambda: slider.get_attribute("max") == "17000", "the later end")
    assert slider.input_value() == "4000"
    assert slider.get_attribute("aria-valuetext") == "0:04"
    page.get_by_role("button", name="Go back there").click()
    stage.until(page, lambda: stage.asked("POST", f"{API}/rewind") == [{"to_ms": 4_000}], "the moment")


def test_a_moment_of_the_list_is_chosen_and_gone_back_to_by_the_button_alone(stage: Stage, page: Page) -> None:
    page.get_by_role("button", name="Choose 0:12").first.click()
    assert page.get_by_role("slider").input_value() == "12000"
    assert stage.asked("POST", f"{API}/rewind") == []
    page.get_by_role("button", name="Go back there").click()
    page.get_by_text("The earlier try is kept as lesson 1").wait_for()
    assert page.get_by_role("link", name="its debrief").get_attribute("href") == "/debrief/1"
    assert stage.asked("POST", f"{API}/rewind") == [{"to_ms": 12_000}]


def test_nobody_goes_back_to_where_the_lesson_is(stage: Stage, page: Page) -> None:
    page.get_by_role("button", name="Go back there").click()
    page.get_by_text("The lesson is at that moment").wait_for()
    assert stage.asked("POST", f"{API}/rewind") == []


def test_without_a_connection_nothing_is_said_to_be_up_and_no_control_looks_as_if_it_worked(
    stage: Stage, page: Page
) -> None:
    page.evaluate(LOST)
    stage.sockets[0].close(1012)
    lost = page.evaluate("window.lost")
    assert lost["trainee"].count("not known: there is no connection") == 2
    assert lost["border"] == "dashed"
    stage.until(page, lambda: len(stage.sockets) == 2 and bool(stage.sockets[1].received), "the page comes back")
    page.locator("#trainee").get_by_text("armed").wait_for()


def test_another_lesson_of_the_station_has_its_own_title(stage: Stage, page: Page) -> None:
    stage.answers["GET", API] |= {"title": "Link loss", "trainee": "Bo"}
    stage.sockets[0].send(type="patch", no=2, patch={"lesson": 2})
    page.get_by_role("heading", name="1: Link loss").wait_for()
    assert page.get_by_text("Trainee: Bo").is_visible()
    assert page.get_by_role("link", name="Next lesson").get_attribute("href") == "/#next-1"


def test_an_attempt_is_named_by_its_lesson_in_the_log(stage: Stage, page: Page) -> None:
    page.get_by_text("kept as lesson 1").wait_for()
    stage.sockets[0].send(type="patch", no=2, patch={"lesson": 12})
    page.get_by_text("kept as lesson 12").wait_for()
    assert page.get_by_role("link", name="Debrief").get_attribute("href") == "/debrief/12"
    del stage.answers["POST", f"{API}/rewind"]
    page.get_by_role("button", name="Choose 0:12").first.click()
    page.get_by_role("button", name="Go back there").click()
    page.get_by_text("The stage has no").wait_for()
    assert page.get_by_text("kept as lesson 12").is_visible(), "what was refused has changed nothing"


def test_beginning_again_is_asked_once_more(stage: Stage, page: Page) -> None:
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Begin again").click()
    assert stage.asked("POST", f"{API}/reset") == []
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Begin again").click()
    stage.until(page, lambda: stage.asked("POST", f"{API}/reset") == [{}], "the reset")


def test_a_control_keeps_its_focus_while_everything_around_it_changes(stage: Stage, page: Page) -> None:
    button = page.get_by_role("button", name="Skip: a needle is clogged")
    button.focus()
    lines = [{"at_ms": 15_000 + no, "words": f"line {no}"} for no in range(30)]
    rail = [item | {"state": "fired"} for item in documents.instructor()["rail"][:1]] + documents.instructor()["rail"][
        1:
    ]
    stage.sockets[0].send(type="patch", no=2, patch={"journal": lines, "log": lines, "rail": rail, "faults": []})
    page.get_by_text("line 29").first.wait_for()
    assert button.evaluate("button => button === document.activeElement")


def test_other_pages_of_the_station_are_linked(page: Page) -> None:
    links = {"All stations": "/", "Presenter": "/presenter/1", "Debrief": "/debrief/1"}
    for name, path in links.items():
        assert page.get_by_role("link", name=name).get_attribute("href") == path
    save = page.get_by_role("link", name="Save this moment as a scenario")
    assert save.get_attribute("href") == f"{API}/moment"
    assert save.get_attribute("download") == "station-1-moment.yaml"
    assert page.get_by_text("Trainee: Ana").is_visible()


def test_the_instructor_may_do_the_acts_of_the_trainee(stage: Stage, page: Page) -> None:
    page.get_by_text("Do it for the trainee").click()
    page.get_by_role("button", name="Release it").click()
    _done(stage, page, ("trigger_release", {"why": "let_go"}))
    arm = page.get_by_role("button", name="Arm", exact=True)
    assert arm.get_attribute("title") == "The handpiece is armed."
    assert arm.is_disabled()


def test_the_instructor_holds_the_trigger_as_the_trainee_does(stage: Stage, page: Page) -> None:
    page.get_by_text("Do it for the trainee").click()
    page.get_by_role("button", name="Hold the trigger").focus()
    page.keyboard.down(" ")
    received = stage.sockets[-1].received
    stage.until(page, lambda: sum(one["type"] == "hold" for one in received) >= 2, "it is renewed while it is held")
    page.keyboard.up(" ")
    _done(stage, page, ("trigger_press", {}), ("trigger_release", {"why": "let_go"}))


COUNT_CHANGES: Final = """node => {
  node.changes = [];
  const changes = new MutationObserver(() => node.changes.push(node.textContent));
  changes.observe(node, {childList: true, subtree: true, characterData: true});
}"""


def test_news_is_said_in_turn_and_what_is_out_of_date_is_not(stage: Stage, page: Page) -> None:
    spoken = page.locator("#spoken")
    spoken.evaluate(COUNT_CHANGES)
    first, *rest = documents.instructor()["checks"]
    stage.sockets[0].send(type="patch", no=2, patch={"trainee": {"alarms": [documents.ALARM]}})
    for no, state in ((3, "passed"), (4, "failed")):
        stage.sockets[0].send(type="patch", no=no, patch={"checks": [first | {"state": state}, *rest]})
    alarm, check = f"medium alarm: {documents.ALARM['words']}", "Stops the treatment: failed"
    stage.until(page, lambda: spoken.inner_text() == check, "the last of them")
    assert spoken.evaluate("node => node.changes") == [alarm, check], "once each, and nothing of the passed check"


def test_what_has_not_changed_is_not_written_again(stage: Stage, page: Page) -> None:
    for part in ("#trainee", "#title", "#next"):
        page.locator(part).evaluate(COUNT_CHANGES)
    stage.sockets[0].send(type="patch", no=2, patch={"trainee": {"counts": {"cores": 120}}, "clock": {"t_ms": 16_000}})
    page.get_by_text("0:16").first.wait_for()
    for part in ("#trainee", "#title", "#next"):
        assert page.locator(part).evaluate("node => node.changes") == []
