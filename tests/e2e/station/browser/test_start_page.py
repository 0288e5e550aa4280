"""The start page: the class, its links, interrupted lessons, and a lesson that is started."""

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page

from tests.e2e.station import documents
from tests.e2e.station.stage import Stage

API: Final = "/api/stations"


@pytest.fixture
def page(stage: Stage) -> Page:
    """The start page with two stations and an interrupted lesson."""
    stage.answers |= documents.answers()
    stage.answers["POST", API] = documents.row(1)
    page = stage.open("/")
    page.get_by_role("radio").first.wait_for()
    return page


def test_a_lesson_is_started_and_its_links_are_shown(stage: Stage, page: Page) -> None:
    page.get_by_label("Suction leak").check()
    page.get_by_label("Name of the trainee").fill("Ana <b>")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("dialog").wait_for()
    assert stage.asked("POST", API) == [{"scenario": "suction-leak", "trainee": "Ana <b>", "seed": 7}]
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("link", name="http://localhost/enter/one").is_visible()
    assert dialog.locator("svg .ink").count() == 2
    dialog.get_by_role("button", name="Close").click()
    assert not dialog.is_visible()


def test_a_lesson_of_a_file_is_sent_as_its_text(stage: Stage, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\n", encoding="utf-8")
    page.get_by_label("or a scenario's file").set_input_files(file)
    page.get_by_role("button", name="Start").click()
    stage.until(page, lambda: stage.asked("POST", API) == [{"text": "name: mine\n"}], "the text")


def test_a_station_gets_its_next_lesson_and_keeps_its_links(stage: Stage, page: Page) -> None:
    page.get_by_role("button", name="Next lesson of station 1").click()
    page.get_by_role("heading", name="Start the next lesson of station 1").wait_for()
    assert page.get_by_label("Suction leak").is_checked(), "the lesson that it has"
    page.get_by_label("A normal session").check()
    name = page.get_by_label("Name of the trainee")
    assert name.input_value() == "Ana"
    name.fill("Bo")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start").click()
    page.get_by_text("Its links and its tablet stay.").wait_for()
    assert stage.asked("POST", API) == [{"scenario": "normal", "trainee": "Bo", "station": 1}]
    assert page.get_by_role("dialog").count() == 0


def test_a_lesson_that_is_not_over_is_given_up_after_a_question_alone(stage: Stage, page: Page) -> None:
    page.get_by_role("combobox", name="Station").select_option("2")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Start").click()
    assert stage.asked("POST", API) == []


def test_the_instructors_page_leads_to_the_next_lesson_of_its_station(stage: Stage) -> None:
    stage.answers |= documents.answers()
    page = stage.open("/#next-1")
    page.get_by_role("heading", name="Start the next lesson of station 1").wait_for()
    assert page.get_by_role("combobox", name="Station").input_value() == "1"


def test_a_seed_that_is_none_is_refused_and_one_is_used_once(stage: Stage, page: Page) -> None:
    seed, start = page.get_by_label("Seed"), page.get_by_role("button", name="Start")
    seed.fill("seven")
    start.click()
    page.get_by_text("Seed: a whole number of at most 15 digits, or empty.").wait_for()
    assert stage.asked("POST", API) == []
    seed.fill("7")
    start.click()
    page.get_by_role("dialog").wait_for()
    assert page.locator("#answer").inner_text() == ""
    assert seed.input_value() == "", "the next lesson draws its own"


def test_an_interrupted_lesson_goes_on_or_is_ended(stage: Stage, page: Page) -> None:
    part = page.get_by_role("region", name="Lessons that were interrupted")
    assert "Link loss with Bo, interrupted at 2:31" in part.inner_text()
    part.get_by_role("button", name="Go on").click()
    part.get_by_role("button", name="End it").click()
    stage.until(page, lambda: stage.asked("POST", API) == [{"resume": 7}, {"discard": 7}], "both")


def test_a_new_link_replaces_the_old_one_on_the_page(stage: Stage, page: Page) -> None:
    stage.answers["POST", f"{API}/1/link"] = documents.link("fresh")
    page.get_by_role("button", name="Links of station 1").click()
    page.get_by_role("button", name="New link for the trainee").click()
    page.get_by_role("link", name="http://localhost/enter/fresh").wait_for()
    assert page.get_by_role("link", name="http://localhost/enter/one").count() == 0
    assert stage.asked("POST", f"{API}/1/link") == [{"view": "trainee"}]
    assert page.get_by_text("New link: the old one has ended.").is_visible()


def test_the_roster_says_who_is_there_and_what_they_did_last(stage: Stage, page: Page) -> None:
    card = page.locator("#stations > li").first
    for words in ("1: Suction leak", "Ana", "armed", "runs at 1x", "trigger press at 0:00", "trainee"):
        assert words in card.inner_text()
    assert card.get_by_role("link", name="Instructor of station 1").get_attribute("href") == "/instructor/1"
    stage.answers["GET", API]["stations"][0]["last_act"] = {"words": "stop", "at_ms": 61_000}
    page.get_by_text("stop at 1:01").wait_for()


def test_a_station_is_ended_after_a_question(stage: Stage, page: Page) -> None:
    stage.answers["DELETE", f"{API}/2"] = {"ok": True, "words": ""}
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="End of station 2").click()
    stage.until(page, lambda: len(stage.asked("DELETE", f"{API}/2")) == 1, "the end")


def test_a_refusal_of_the_server_is_shown_in_its_words(stage: Stage, page: Page) -> None:
    del stage.answers["POST", API]
    page.get_by_role("button", name="Start").click()
    page.get_by_text("The stage has no /api/stations.").wait_for()


def test_a_station_that_does_not_answer_is_said_to_be_so(stage: Stage, page: Page) -> None:
    del stage.answers["GET", API]
    page.locator("#link.lost").wait_for()
    stage.answers |= documents.answers()
    page.get_by_text("connected", exact=True).wait_for()
