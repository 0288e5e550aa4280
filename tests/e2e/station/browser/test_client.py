"""The socket of a page: it shows what comes, asks for what it has missed, and says when it is alone."""

from playwright.sync_api import Page

from tests.e2e.station.documents import presenter
from tests.e2e.station.stage import Stage

PATH = "/presenter/1"


def _cores(page: Page) -> str:
    return page.locator("#cores").inner_text()


def test_a_patch_changes_what_the_snapshot_has_shown(stage: Stage) -> None:
    page = stage.shown(PATH, presenter(), no=5)
    assert _cores(page) == "120"
    stage.sockets[0].send(type="patch", no=6, patch={"counts": {"cores": 1_234}})
    stage.until(page, lambda: _cores(page) == "1,234", "the new count")
    assert page.locator("#target").inner_text() == "10,000"
    assert stage.troubles == []


def test_a_patch_that_is_missing_is_asked_for_by_number(stage: Stage) -> None:
    page = stage.shown(PATH, presenter(), no=5)
    assert stage.sockets[0].received == [{"type": "resume", "last": 0}]
    stage.sockets[0].send(type="patch", no=7, patch={"counts": {"cores": 999}})
    stage.until(page, lambda: len(stage.sockets) == 2 and bool(stage.sockets[1].received), "the page comes back")
    assert stage.sockets[1].received == [{"type": "resume", "last": 5}]
    assert _cores(page) == "120", "a patch of an unknown document is not applied"
    for no, cores in ((6, 121), (7, 123)):
        stage.sockets[1].send(type="patch", no=no, patch={"counts": {"cores": cores}})
    stage.until(page, lambda: _cores(page) == "123", "what was missed, in order")


def test_a_lost_connection_is_said_and_made_again(stage: Stage) -> None:
    page = stage.shown(PATH, presenter(), no=5)
    stage.sockets[0].close(1012)
    page.get_by_text("The connection is lost").wait_for()
    stage.until(page, lambda: len(stage.sockets) == 2 and bool(stage.sockets[1].received), "the page comes back")
    stage.sockets[1].send(type="patch", no=6, patch={"counts": {"cores": 121}})
    page.get_by_text("connected", exact=True).wait_for()
    assert _cores(page) == "121"


def test_a_page_that_comes_back_and_lacks_nothing_is_connected(stage: Stage) -> None:
    page = stage.shown(PATH, presenter(), no=5)
    stage.sockets[0].close(1012)
    page.get_by_text("The connection is lost").wait_for()
    stage.until(page, lambda: len(stage.sockets) == 2 and bool(stage.sockets[1].received), "the page comes back")
    page.get_by_text("connected", exact=True).wait_for()


def test_a_link_that_was_revoked_is_said_and_not_tried_again(stage: Stage) -> None:
    page = stage.shown(PATH, presenter())
    stage.sockets[0].close(1008)
    page.get_by_text("ask the instructor for a new one").wait_for()
    assert len(stage.sockets) == 1


def test_a_station_that_has_ended_is_said_and_not_tried_again(stage: Stage) -> None:
    page = stage.shown(PATH, presenter())
    stage.sockets[0].close(1001)
    page.get_by_text("This station has ended").wait_for()
    assert len(stage.sockets) == 1


def test_a_page_that_is_let_in_no_more_says_so(stage: Stage) -> None:
    page = stage.shown(PATH, presenter())
    stage.lets_in = False
    stage.sockets[0].close(1012)
    page.get_by_text("ask the instructor for a new one").wait_for()
    assert len(stage.sockets) == 1


def test_a_running_lesson_that_has_become_silent_is_asked_for_again(stage: Stage) -> None:
    page = stage.context.new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1)  # on a busy machine a second of the page's time is over before the test has seen it
    page.goto("http://localhost" + PATH)
    stage.until(page, lambda: bool(stage.sockets) and bool(stage.sockets[0].received), "the page asks")
    stage.sockets[0].send(type="snapshot", no=3, view=presenter(running=True))
    page.get_by_text("connected", exact=True).wait_for()
    page.clock.run_for(4_500)
    page.get_by_text("The connection is lost").wait_for()

    def comes_back(times: int) -> bool:
        page.clock.run_for(20)
        return len(stage.sockets) == 1 + times and bool(stage.sockets[-1].received)

    stage.until(page, lambda: comes_back(1), "the page comes back")
    assert stage.sockets[1].received == [{"type": "resume", "last": 3}]
    page.clock.run_for(2_000)
    assert len(stage.sockets) == 2, "a socket that is new has its own time to answer"
    stage.until(page, lambda: comes_back(2), "the page gives that one up as well")


def test_an_act_whose_answer_never_came_is_said_to_be_so(stage: Stage) -> None:
    page = stage.shown(PATH, presenter())
    page.get_by_role("button", name="Automatic operator").click()
    stage.until(page, lambda: len(stage.sockets[0].received) == 2, "the act")
    act = stage.sockets[0].received[1]
    assert act == {"type": "act", "id": act["id"], "name": "automatic", "arguments": {"on": True}}
    stage.sockets[0].close(1012)
    page.get_by_text("The connection was lost before the station answered.").wait_for()


def test_a_refusal_is_shown_in_its_words(stage: Stage) -> None:
    page = stage.shown(PATH, presenter())
    page.get_by_role("button", name="Automatic operator").click()
    stage.until(page, lambda: len(stage.sockets[0].received) == 2, "the act")
    act = stage.sockets[0].received[1]
    stage.sockets[0].send(type="answer", id=act["id"], ok=False, words="wait: the handpiece is moving")
    page.get_by_text("wait: the handpiece is moving").wait_for()


def test_a_text_of_others_is_never_markup(stage: Stage) -> None:
    hostile = "<img src=x onerror=document.title='taken'><b>bold</b>"
    page = stage.shown(PATH, {**presenter(), "title": hostile})
    assert page.locator("#title").inner_text() == hostile
    assert page.locator("#title *").count() == 0
    assert page.title() != "taken"
