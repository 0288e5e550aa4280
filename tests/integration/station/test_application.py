"""The application behind its guard, asked as its server asks it: no port, no process, and the class beside it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import jsonschema
import pytest
from starlette.types import ASGIApp, Message

from devicectl.log.lessons.store import LessonLog
from devicectl.log.store import SessionLog
from devicectl.station.ready import find_lesson
from devicectl.station.server.admission.limits import MAX_BODY_BYTES, SOCKETS_OF_ONE
from devicectl.station.server.admission.tokens import INSTRUCTOR, PRESENTER, TRAINEE, Tokens, Who
from devicectl.station.server.app import Application
from devicectl.station.server.attempt import Shelf
from devicectl.station.server.control.api import Api
from devicectl.station.server.control.openapi import document
from devicectl.station.server.control.operations import JSON, OPERATIONS
from devicectl.station.server.hub import Hub
from devicectl.station.server.projections import projections
from devicectl.station.server.sockets import Sockets
from devicectl.station.views.trainee import trainee_view
from protocols.language.units import MILLISECOND, Micros
from tests.patience import patience

LESSON = "suction-leak"
TEACHER = Who(INSTRUCTOR)
PORT = 8000
CHUNK = b"x" * 100_000


class Reply(NamedTuple):
    """The messages of an answer, put together."""

    statuses: list[int]
    headers: dict[str, str]
    text: str

    @property
    def status(self) -> int:
        (status,) = self.statuses
        return status

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class Classroom:
    """A class of one station, and who may come in."""

    def __init__(self, shelf: Shelf, *, practice: bool = False) -> None:
        secrets = iter(range(1_000))
        self.tokens = Tokens(lambda size: f"secret-{next(secrets):03}", PORT)
        self.tokens.renew(Who(INSTRUCTOR))
        self.hub = Hub(shelf, projections(practice=practice), lambda: 7)
        sockets = Sockets(self.hub)
        library = {LESSON: find_lesson(LESSON)}
        base = f"http://127.0.0.1:{PORT}"
        api = Api(self.hub, self.tokens, sockets, library=library, base=base, practice=practice)
        self.app: ASGIApp = Application(api, sockets, self.tokens).guarded()

    def token(self, who: Who) -> str:
        return self.tokens.link(who).rpartition("/")[2]

    async def ask(self, method: str, path: str, body: Any = None, *, who: Who = TEACHER) -> Reply:
        """Ask as a program does, with the token of somebody."""
        head = [(b"authorization", f"Bearer {self.token(who)}".encode())]
        return await self.sent(method, path, head, [] if body is None else [json.dumps(body).encode()])

    async def sent(self, method: str, path: str, head: list[tuple[bytes, bytes]], body: list[bytes]) -> Reply:
        """Send a request whose body comes in pieces."""
        pieces = iter(
            [
                *({"type": "http.request", "body": piece, "more_body": True} for piece in body),
                {"type": "http.request", "body": b"", "more_body": False},
            ]
        )
        answer: list[Message] = []

        async def receive() -> Message:
            return next(pieces)

        async def send(message: Message) -> None:
            answer.append(message)

        await self.app(_scope("http", path, head, method), receive, send)
        starts = [message for message in answer if message["type"] == "http.response.start"]
        headers = {name.decode(): value.decode() for name, value in starts[0]["headers"]}
        text = b"".join(message.get("body", b"") for message in answer).decode()
        return Reply([start["status"] for start in starts], headers, text)


def _scope(kind: str, path: str, head: list[tuple[bytes, bytes]], method: str = "GET") -> dict[str, Any]:
    usual = [(b"host", f"127.0.0.1:{PORT}".encode()), (b"content-type", JSON.encode())]
    return {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http" if kind == "http" else "ws",
        "headers": [*usual, *head],
        "server": ("127.0.0.1", PORT),
        "client": ("127.0.0.1", 50_000),
        "extensions": {"websocket.http.response": {}},
        "subprotocols": [],
    }


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with SessionLog.open("sqlite://") as log:
        yield Shelf(log, LessonLog(log))


async def a_class(shelf: Shelf, *, practice: bool = False) -> Classroom:
    """A class whose station has a lesson."""
    classroom = Classroom(shelf, practice=practice)
    assert (await classroom.ask("POST", "/api/stations", {"scenario": LESSON})).status == 200
    return classroom


# --- the control API -------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_answer_of_each_operation_is_as_its_document_says(shelf: Shelf) -> None:
    classroom = await a_class(shelf)
    described = document("1.2.3")
    left = Hub(shelf, projections(practice=False), lambda: 7)
    key = (await left.start(find_lesson(LESSON), name=LESSON)).attempt.key
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/api/scenarios", None),
        ("GET", "/api/catalogue", None),
        ("GET", "/api/stations", None),
        ("GET", "/api/stations/1", None),
        ("POST", "/api/stations/1/acts", {"name": "note", "arguments": {"text": "one"}}),
        ("POST", "/api/stations/1/pace", {"speed": 2.0}),
        ("POST", "/api/stations/1/rewind", {"to_ms": 0}),
        ("POST", "/api/stations/1/reset", {}),
        ("POST", "/api/stations/1/link", {"view": "trainee"}),
        ("POST", "/api/stations", {"scenario": LESSON}),
        ("POST", "/api/stations", {"discard": key}),
        ("DELETE", "/api/stations/2", None),
    ]
    for method, path, body in asked:
        reply = await classroom.ask(method, path, body)
        assert reply.status == 200, (method, path, reply)
        where = path.replace("stations/1", "stations/{station}").replace("stations/2", "stations/{station}")
        said = described["paths"][where][method.lower()]["responses"]["200"]["content"][JSON]["schema"]
        jsonschema.validate(reply.body, {**said, "components": described["components"]})
    done = {(method, path.replace("stations/1", "stations/{station:int}")) for method, path, _ in asked}
    missing = {(one.method, one.path) for one in OPERATIONS if one.media == JSON} - done
    assert missing == {("DELETE", "/api/stations/{station:int}")}, "it is asked of station 2"


@pytest.mark.asyncio
async def test_presenter_runs_his_station_and_neither_sets_it_back_nor_sees_the_class(shelf: Shelf) -> None:
    classroom = await a_class(shelf)
    presenter = Who(PRESENTER, 1)
    assert (await classroom.ask("POST", "/api/stations/1/pace", {"running": True}, who=presenter)).status == 200
    for method, path in (("GET", "/api/stations"), ("POST", "/api/stations/1/reset")):
        assert (await classroom.ask(method, path, who=presenter)).status == 403


@pytest.mark.asyncio
async def test_trainee_in_practice_begins_and_ends_no_hold_of_the_instructor(shelf: Shelf) -> None:
    room = await a_class(shelf, practice=True)
    station, trainee = room.hub.stations[1], Who(TRAINEE, 1)
    view = projections(practice=True)["trainee"]
    assert view(station, trainee_view(station.room))["practice"] is True
    assert (await room.ask("POST", "/api/stations/1/pace", {"running": True}, who=trainee)).status == 200
    station.pace.hold()
    station.room.advance(Micros(station.room.began + MILLISECOND))
    refused = await room.ask("POST", "/api/stations/1/pace", {"running": True}, who=trainee)
    assert refused.status == 403 and "the instructor runs it on" in refused.text
    assert "practice" not in view(station, trainee_view(station.room)) and not station.pace.running


# --- who comes in ----------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_link_of_a_station_that_has_ended_opens_no_other_one(shelf: Shelf) -> None:
    classroom = await a_class(shelf)
    trainee, presenter = Who(TRAINEE, 1), Who(PRESENTER, 1)
    link, cookie = classroom.tokens.link(trainee), classroom.tokens.cookie(trainee).partition(";")[0]
    other = classroom.tokens.cookie(presenter).partition(";")[0]
    swapped = f"{classroom.tokens.cookie_name(trainee)}={other.partition('=')[2]}"
    assert (await classroom.sent("GET", "/trainee/1", [(b"cookie", cookie.encode())], [])).status == 200
    assert (await classroom.sent("GET", "/trainee/1", [(b"cookie", swapped.encode())], [])).status == 401
    await classroom.ask("DELETE", "/api/stations/1")
    await classroom.ask("POST", "/api/stations", {"scenario": LESSON})
    assert set(classroom.hub.stations) == {1}
    for shown in (cookie, other, swapped):
        for path in ("/trainee/1", "/presenter/1"):
            assert (await classroom.sent("GET", path, [(b"cookie", shown.encode())], [])).status == 401
    assert (await classroom.sent("GET", link, [], [])).status == 401
    assert classroom.tokens.link(trainee) != link


@pytest.mark.parametrize("view", ["trainee", "presenter", "instructor"])
@pytest.mark.asyncio
async def test_page_of_a_station_that_is_not_there_is_not_found(shelf: Shelf, view: str) -> None:
    classroom = await a_class(shelf)
    assert (await classroom.ask("GET", f"/{view}/1")).status == 200
    reply = await classroom.ask("GET", f"/{view}/2")
    assert (reply.status, reply.text) == (404, "there is no station 2\n")


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_body_that_is_too_long_is_refused_once_though_its_head_does_not_say_so(shelf: Shelf) -> None:
    classroom = await a_class(shelf)
    head = [(b"authorization", f"Bearer {classroom.token(Who(INSTRUCTOR))}".encode())]
    reply = await classroom.sent("POST", "/api/stations", head, [CHUNK] * (MAX_BODY_BYTES // len(CHUNK) + 1))
    assert reply.statuses == [413] and reply.headers["connection"] == "close"
    assert reply.body == {"words": "body: at most 256 KiB"} and "content-security-policy" in {
        name.lower() for name in reply.headers
    }


@pytest.mark.asyncio
async def test_one_link_opens_so_many_sockets_and_no_more(shelf: Shelf) -> None:
    classroom = await a_class(shelf)
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[None]] = []
        trainee = [await _opened(group, tasks, classroom, Who(TRAINEE, 1)) for _ in range(SOCKETS_OF_ONE + 1)]
        presenter = await _opened(group, tasks, classroom, Who(PRESENTER, 1))
        for task in tasks:
            task.cancel()
    assert [said["type"] for said in trainee[:-1]] == ["websocket.accept"] * SOCKETS_OF_ONE
    assert (trainee[-1]["type"], trainee[-1]["status"]) == ("websocket.http.response.start", 429)
    assert presenter["type"] == "websocket.accept"


async def _opened(
    group: asyncio.TaskGroup, tasks: list["asyncio.Task[None]"], classroom: Classroom, who: Who
) -> Message:
    """Open a socket that then says nothing; the first answer."""
    head = [(b"authorization", f"Bearer {classroom.token(who)}".encode())]
    said: asyncio.Queue[Message] = asyncio.Queue()
    coming = iter([{"type": "websocket.connect"}])

    async def receive() -> Message:
        for message in coming:
            return message
        await asyncio.Event().wait()
        raise AssertionError("it says nothing more")

    async def opening() -> None:
        await classroom.app(_scope("websocket", f"/ws/{who.role}/1", head), receive, said.put)

    tasks.append(group.create_task(opening()))
    return await asyncio.wait_for(said.get(), patience())
