"""Stations of a class, their log among them: what is kept, what is continued, and what a defect leaves alone."""

import asyncio
import gc
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import pytest

from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.lessons.lesson import LessonStart, TimedAct
from devicectl.log.lessons.store import LessonLog
from devicectl.log.store import SessionLog
from devicectl.station.lesson import Lesson
from devicectl.station.lesson_file import parse_lesson
from devicectl.station.moment import at_moment, lesson_as_yaml
from devicectl.station.ready import find_lesson
from devicectl.station.room import Room
from devicectl.station.server.admission.limits import ACTS_OF_STATION
from devicectl.station.server.attempt import Shelf
from devicectl.station.server.hub import TICK_US, ChangedError, Hub
from devicectl.station.server.lease import LEASE_US
from devicectl.station.server.projections import projections
from devicectl.station.server.station import ALONE_US, RETRY_US, Station
from devicectl.station.views.patch import Document
from devicectl.station.views.trainee import trainee_view
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.e2e.station.pages import merged

LESSON = find_lesson("suction-leak")
PAGE = 7
LATE = Micros(2**60)
"""Wall time of a server that has run for long."""
AFTER_CLOSE = Micros(60 * SECOND)


class Nobody:
    """A page that reads nothing."""

    def take(self, message: str) -> None:
        pass


class Watching:
    """A page that keeps the document as it is shown."""

    def __init__(self) -> None:
        self.view: dict[str, Any] = {}

    def take(self, message: str) -> None:
        data = json.loads(message)
        self.view = data["view"] if data["type"] == "snapshot" else merged(self.view, data["patch"])


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with SessionLog.open("sqlite://") as log:
        yield Shelf(log, LessonLog(log))


def hub_of(shelf: Shelf) -> Hub:
    return Hub(shelf, projections(practice=False), lambda: 7)


async def started(hub: Hub, lesson: Lesson = LESSON) -> Station:
    return await hub.start(lesson, name="suction-leak")


def full(*_: object, **__: object) -> NoReturn:
    raise LogError(LogErrorKind.UNWRITABLE, "the log", "the disk is full")


@pytest.mark.asyncio
async def test_act_that_is_not_kept_is_said_and_kept_with_the_next(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = await started(hub_of(shelf))
    with monkeypatch.context() as patch:
        patch.setattr(shelf.lessons, "append", full)
        answer = station.act("instructor", "note", {"text": "one"}, Micros(0))
    assert not answer.ok and "not kept" in answer.words and "disk is full" in answer.words
    assert "disk is full" in str(station.row()["trouble"])
    assert station.act("instructor", "note", {"text": "two"}, Micros(0)).ok
    kept = shelf.lessons.load(station.attempt.key).acts
    assert [act.arguments["text"] for act in kept] == ["one", "two"] and station.row()["trouble"] is None


@pytest.mark.asyncio
async def test_lesson_has_a_time_while_it_goes_on_here(shelf: Shelf) -> None:
    hub = hub_of(shelf)
    station = await started(hub)
    station.room.advance(Micros(station.room.now + SECOND))
    assert hub.now_in(station.attempt.key) == station.room.now
    assert hub.now_in(station.attempt.key + 1) is None
    for name in ("stop", "close"):
        assert station.act("instructor", name, {}, Micros(0)).ok
        station.room.advance(Micros(station.room.now + 30 * SECOND))
    assert station.room.ended and hub.now_in(station.attempt.key) is None


@pytest.mark.asyncio
async def test_seed_is_the_one_that_is_asked_for_else_that_of_the_file_else_one_that_is_drawn(shelf: Shelf) -> None:
    hub, own = hub_of(shelf), parse_lesson("name: my own", "lab")
    assert LESSON.seed == 14
    seeds = [
        (await hub.start(lesson, name="a lesson", seed=seed)).room.seed
        for lesson, seed in ((LESSON, 3), (LESSON, None), (own, None))
    ]
    assert seeds == [3, 14, 7]


@pytest.mark.asyncio
async def test_lesson_that_was_over_when_its_program_ended_is_ended_when_it_is_continued(shelf: Shelf) -> None:
    start = LessonStart(title=LESSON.title, text=lesson_as_yaml(LESSON), seed=7, station=1)
    key = shelf.lessons.begin(start)
    shelf.lessons.append(key, (Room(LESSON, 7).now, "trainee", "close", {}))
    hub = hub_of(shelf)
    assert [lesson.key for lesson in hub.unfinished()] == [key]
    station = await hub.go_on(key)
    station.pace.run(Micros(0))
    for wall in range(0, 60 * SECOND, 100 * MILLISECOND):
        station.tick(Micros(wall))
    assert station.room.ended and shelf.lessons.load(key).summary.session_key is not None
    assert shelf.lessons.unfinished() == []


@pytest.mark.asyncio
async def test_defect_of_one_lesson_holds_it_alone(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = hub_of(shelf)
    broken, other = await started(hub), await started(hub)
    for station in (broken, other):
        station.pace.run(Micros(0))

    def advance(to: Micros) -> NoReturn:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(broken.room, "advance", advance)
    hub.tick(Micros(SECOND // 10))
    assert not broken.pace.running and broken.row()["trouble"] == "ZeroDivisionError: a defect"
    assert other.pace.running and other.clock()["t_ms"] == 100
    assert "station 1 is held" in capsys.readouterr().err


def defect(*_: object) -> NoReturn:
    raise ZeroDivisionError("a defect")


@pytest.mark.parametrize("asked", ["act", "set_pace"])
@pytest.mark.asyncio
async def test_defect_in_what_somebody_asks_for_is_answered_and_shown_to_the_instructor(
    shelf: Shelf, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hub_of(shelf)
    station, page = await started(hub), Watching()
    station.join("instructor", page, 0)
    station.pace.run(Micros(0))
    with monkeypatch.context() as patch:
        patch.setattr(station.room, "advance", defect)
        now = Micros(SECOND)
        answer = station.act("trainee", "stop", {}, now) if asked == "act" else station.set_pace(now, speed=2.0)
    assert not answer.ok and "ZeroDivisionError: a defect" in answer.words and not station.pace.running
    assert page.view["trouble"] == "ZeroDivisionError: a defect"
    await hub.rewind(station, 0)
    assert "trouble" not in page.view and station.row()["trouble"] is None


@pytest.mark.asyncio
async def test_defect_of_a_lesson_whose_trigger_is_held_is_said_once(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    station = await pressed(hub_of(shelf))
    monkeypatch.setattr(station.room, "advance", defect)
    station.pace.run(Micros(0))
    hold(station, 0, for_us=2 * LEASE_US)
    assert capsys.readouterr().err.count("station 1 is held") == 1 and station.at_rest


@pytest.mark.asyncio
async def test_lesson_that_nobody_watches_is_held_after_ten_minutes(shelf: Shelf) -> None:
    station, page = await started(hub_of(shelf)), Nobody()
    station.join("trainee", page, 0)
    station.set_pace(Micros(0), running=True)
    station.tick(ALONE_US)
    station.leave("trainee", page, PAGE, ALONE_US)
    station.tick(Micros(2 * ALONE_US - 1))
    assert station.pace.running
    station.tick(Micros(2 * ALONE_US))
    assert not station.pace.running and station.at_rest


@pytest.mark.asyncio
async def test_acts_of_one_station_are_bounded_but_for_those_that_make_safe(shelf: Shelf) -> None:
    station = await pressed(hub_of(shelf))
    answers = [station.act("trainee", "silence", {}, Micros(0)) for _ in range(ACTS_OF_STATION[1])]
    assert not answers[-1].ok and "60 acts a second" in answers[-1].words and answers[0].ok
    assert station.act("trainee", "trigger_release", {"why": "let_go"}, Micros(0)).ok
    assert station.act("trainee", "stop", {}, Micros(0)).ok
    assert station.act("trainee", "silence", {}, Micros(SECOND)).ok


@pytest.mark.asyncio
async def test_attempt_of_a_class_that_went_back_keeps_the_earlier_one(shelf: Shelf) -> None:
    hub = hub_of(shelf)
    station = await started(hub)
    station.act("instructor", "note", {"text": "one"}, Micros(0))
    station.pace.run(Micros(0))
    station.tick(Micros(SECOND // 10))
    station.act("instructor", "note", {"text": "two"}, Micros(SECOND // 10))
    first = station.attempt.key
    await hub.rewind(station, 50)
    earlier, later = shelf.lessons.load(first), shelf.lessons.load(station.attempt.key)
    assert [act.arguments["text"] for act in earlier.acts] == ["one", "two"] and earlier.summary.ended_us is not None
    assert [act.arguments["text"] for act in later.acts] == ["one"]
    assert (later.start.parent, later.start.parent_at_us) == (first, station.room.began + 50 * MILLISECOND)
    assert station.room.now == station.room.began + 50 * MILLISECOND and not station.pace.running


class Listener:
    """A page that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, dict[str, dict[str, object]]]] = []

    def take(self, message: str) -> None:
        self.messages.append(json.loads(message))


@pytest.mark.asyncio
async def test_press_of_the_trigger_is_answered_with_the_motion(shelf: Shelf) -> None:
    station = await started(hub_of(shelf))
    page = Listener()
    station.join("trainee", page, 0)
    station.pace.run(Micros(0))
    assert station.act("trainee", "trigger_press", {}, Micros(5 * MILLISECOND), holder=PAGE).ok
    assert page.messages[-1]["patch"]["cycle"]["phase"] == "punch"  # at once, and not with the next tick


def hold(station: Station, now: int, *, for_us: int, renewed_by: int | None = None) -> None:
    """Let wall time pass in the server's small steps; a page renews its lease all along."""
    for wall in range(now, now + for_us, TICK_US):
        if renewed_by is not None:
            station.renew(renewed_by, Micros(wall))
        station.tick(Micros(wall))


def why_let_go(station: Station) -> object:
    """Reason for which the server has let go of the trigger last."""
    assert not station.room.controller.held and station.at_rest
    act = station.room.acts[-1]
    assert (act.view, act.name) == ("server", "trigger_release")
    return act.arguments["why"]


async def closed(hub: Hub) -> Station:
    """A lesson whose session is closed, at wall time `AFTER_CLOSE`."""
    station = await started(hub)
    station.act("trainee", "close", {}, Micros(0))
    run_to_the_end(station)
    return station


def run_to_the_end(station: Station) -> None:
    """Let the lesson run until its session is closed."""
    station.pace.run(Micros(0))
    for wall in range(0, AFTER_CLOSE, 100 * MILLISECOND):
        if not station.room.ended:
            station.tick(Micros(wall))
    assert station.room.ended


async def pressed(hub: Hub, holder: int = PAGE) -> Station:
    station = await started(hub)
    assert station.act("trainee", "trigger_press", {}, Micros(0), holder=holder).ok
    return station


@pytest.mark.asyncio
async def test_lesson_is_executed_again_without_garbage_collection(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hub_of(shelf)
    station = await started(hub)
    collects: list[bool] = []

    def execute(*given: object) -> Room:
        collects.append(gc.isenabled())
        return station.room

    monkeypatch.setattr(Room, "execute", execute)
    await hub.rewind(station, 0)
    assert collects == [False] and gc.isenabled()


@pytest.mark.asyncio
async def test_garbage_is_collected_again_after_a_lesson_that_cannot_begin(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Room, "_begin", full)
    with pytest.raises(LogError):
        await started(hub_of(shelf))
    assert gc.isenabled()


@pytest.mark.asyncio
async def test_trigger_that_was_held_there_is_let_go_when_nobody_holds_it(shelf: Shelf) -> None:
    hub = hub_of(shelf)
    station = await pressed(hub)
    station.pace.run(Micros(0))
    station.tick(Micros(SECOND // 10))
    await hub.rewind(station, 50)
    assert station.room.controller.held and not station.at_rest
    hold(station, LATE, for_us=LEASE_US + 2 * TICK_US)
    assert why_let_go(station) == "lease"


@pytest.mark.asyncio
async def test_trigger_that_was_held_when_the_program_ended_is_let_go_when_nobody_holds_it(shelf: Shelf) -> None:
    killed = await pressed(hub_of(shelf))
    station = await hub_of(shelf).go_on(killed.attempt.key)
    assert station.room.controller.held and not station.at_rest
    hold(station, LATE, for_us=LEASE_US + 2 * TICK_US)
    assert why_let_go(station) == "lease"


@pytest.mark.asyncio
async def test_trigger_that_is_held_at_a_saved_moment_is_let_go_when_nobody_holds_it(shelf: Shelf) -> None:
    hub = hub_of(shelf)
    room = (await pressed(hub)).room
    station = await started(hub, at_moment(room.lesson, room.seed, room.acts, room.began, room.now, "It goes on."))
    assert station.room.controller.held and not station.room.acts and not station.at_rest
    hold(station, LATE, for_us=LEASE_US + 2 * TICK_US)
    assert why_let_go(station) == "lease"


@pytest.mark.asyncio
async def test_page_that_presses_holds_a_trigger_that_nobody_held(shelf: Shelf) -> None:
    killed = await pressed(hub_of(shelf))
    station = await hub_of(shelf).go_on(killed.attempt.key)
    station.tick(LATE)
    station.act("trainee", "trigger_press", {}, LATE, holder=PAGE)
    hold(station, LATE, for_us=3 * LEASE_US, renewed_by=PAGE)
    assert station.room.controller.held


@pytest.mark.asyncio
async def test_second_press_leaves_the_trigger_to_who_holds_it(shelf: Shelf) -> None:
    station = await pressed(hub_of(shelf))
    assert station.act("instructor", "trigger_press", {}, Micros(0)).ok
    hold(station, 0, for_us=3 * LEASE_US, renewed_by=PAGE)
    assert station.room.controller.held
    hold(station, 3 * LEASE_US, for_us=LEASE_US + TICK_US)
    assert why_let_go(station) == "lease"


@pytest.mark.asyncio
async def test_release_that_cannot_be_done_while_the_lesson_is_executed_is_done_afterwards(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hub_of(shelf)
    station = await pressed(hub)

    def broken(*_: object) -> NoReturn:
        station.leave("trainee", Nobody(), PAGE, Micros(0))
        assert station.room.controller.held
        raise LogError(LogErrorKind.UNWRITABLE, "the lesson", "it cannot be executed")

    monkeypatch.setattr(Room, "execute", broken)
    with pytest.raises(LogError):
        await hub.rewind(station, 0)
    assert station.room.controller.held and not station.at_rest
    station.tick(Micros(TICK_US))
    assert why_let_go(station) == "connection"


@pytest.mark.asyncio
async def test_acts_of_an_attempt_are_stored_at_once(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_of(shelf)
    station = await started(hub)
    for number in range(5):
        station.act("instructor", "note", {"text": str(number)}, Micros(0))
    calls: list[int] = []
    append = shelf.lessons.append

    def counted(key: int, *acts: TimedAct) -> None:
        calls.append(len(acts))
        append(key, *acts)

    monkeypatch.setattr(shelf.lessons, "append", counted)
    await hub.rewind(station, 0)
    assert calls == [5] and len(shelf.lessons.load(station.attempt.key).acts) == 5


# --- lessons that somebody else begins, ends or continues meanwhile ---------------------------------------------------


@pytest.mark.asyncio
async def test_lesson_is_continued_once_however_often_it_is_asked_for(shelf: Shelf) -> None:
    key = (await started(hub_of(shelf))).attempt.key
    hub = hub_of(shelf)
    results = await asyncio.gather(hub.go_on(key), hub.go_on(key), return_exceptions=True)
    assert len(hub.stations) == 1 and str(results[1]) == f"lesson {key} is at station 1"


@pytest.mark.asyncio
async def test_lesson_that_has_ended_is_neither_continued_nor_ended_again(shelf: Shelf) -> None:
    station = await closed(hub_of(shelf))
    key, hub = station.attempt.key, hub_of(shelf)
    session = shelf.lessons.load(key).summary.session_key
    for asked in (hub.go_on, hub.discard):
        with pytest.raises(ChangedError, match=f"lesson {key} has ended"):
            await asked(key)
    assert session is not None and shelf.lessons.load(key).summary.session_key == session and not hub.stations


@pytest.mark.asyncio
async def test_lesson_that_runs_here_is_not_discarded(shelf: Shelf) -> None:
    hub = hub_of(shelf)
    key = (await started(hub)).attempt.key
    with pytest.raises(ChangedError, match=f"lesson {key} is at station 1"):
        await hub.discard(key)
    assert shelf.lessons.load(key).summary.ended_us is None


@pytest.mark.asyncio
async def test_station_that_is_ended_while_its_lesson_is_executed_leaves_nothing_behind(shelf: Shelf) -> None:
    hub = hub_of(shelf)
    station = await started(hub)
    await asyncio.gather(hub.rewind(station, 0), hub.remove(station.number))
    assert not hub.stations and not hub.unfinished()


@pytest.mark.asyncio
async def test_lesson_that_is_started_while_the_one_before_is_executed_stays(shelf: Shelf) -> None:
    hub = hub_of(shelf)
    station = await started(hub)
    await asyncio.gather(hub.rewind(station, 0), hub.start(LESSON, name="next", number=station.number))
    assert station.attempt.name == "next"
    assert [lesson.key for lesson in shelf.lessons.unfinished()] == [station.attempt.key]


@pytest.mark.asyncio
async def test_rewind_of_a_lesson_that_has_gone_meanwhile_is_refused(shelf: Shelf) -> None:
    hub = hub_of(shelf)
    station = await started(hub)
    started_anew = hub.start(LESSON, name="next", number=station.number)
    results = await asyncio.gather(started_anew, hub.rewind(station, 0), return_exceptions=True)
    assert isinstance(results[1], ChangedError) and station.attempt.name == "next"


# --- the session of a lesson that was closed --------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_closed_session_that_could_not_be_stored_is_stored_once_when_it_can(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shelf.lessons, "end", full)
        station = await closed(hub_of(shelf))
        assert "disk is full" in str(station.row()["trouble"]) and not station.at_rest
        with pytest.raises(LogError):
            shelf.log.load(1)
    now = AFTER_CLOSE + RETRY_US
    station.tick(Micros(now))
    assert shelf.lessons.load(station.attempt.key).summary.session_key == 1
    assert shelf.log.load(1) and station.row()["trouble"] is None and station.at_rest


@pytest.mark.asyncio
async def test_log_that_cannot_be_written_is_tried_seldom(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    station = await started(hub_of(shelf))
    tried: list[None] = []

    def failing(*_: object) -> NoReturn:
        tried.append(None)
        full()

    monkeypatch.setattr(shelf.lessons, "append", failing)
    station.act("instructor", "note", {"text": "one"}, Micros(0))
    hold(station, 0, for_us=2 * RETRY_US + TICK_US)
    assert len(tried) == 3


@pytest.mark.asyncio
async def test_what_the_trainee_sees_is_made_once_for_all_views_and_not_for_nobody(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Page:
        def take(self, message: str) -> None:
            """Take it."""

    station = await started(hub_of(shelf))
    made: list[Room] = []

    def counted(room: Room) -> Document:
        made.append(room)
        return trainee_view(room)

    monkeypatch.setattr("devicectl.station.server.station.trainee_view", counted)
    station.push(Micros(0))
    assert made == []
    for view in ("trainee", "presenter", "instructor"):
        station.join(view, Page(), 0)
    made.clear()
    station.push(Micros(0))
    assert len(made) == 1


@pytest.mark.asyncio
async def test_closed_session_has_the_day_on_which_its_lesson_began() -> None:
    first = datetime(2027, 3, 1, 12, tzinfo=UTC)
    days = itertools.count()
    with SessionLog.open("sqlite://", wall_clock=lambda: first + timedelta(days=next(days))) as log:
        shelf = Shelf(log, LessonLog(log))
        killed = await started(hub_of(shelf))
        assert killed.act("trainee", "close", {}, Micros(0)).ok
        station = await hub_of(shelf).go_on(killed.attempt.key)
        run_to_the_end(station)
        assert log.load(1).summary.start.session_date == first.astimezone().date()
