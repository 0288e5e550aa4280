"""The sockets of pages: what a view sends and is sent, and how each of them ends.

Law: what comes is bounded and checked here, and what is sent waits in a bounded queue: a slow reader is closed, and
comes back for what it lacks.
"""

import asyncio
import contextlib
import itertools
import json
from typing import Final, NamedTuple

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from devicectl import clock
from devicectl.station.server.admission.limits import (
    MAX_PENDING,
    MESSAGES,
    SOCKETS_OF_ONE,
    STUCK_US,
    Budget,
    parse_json,
)
from devicectl.station.server.admission.tokens import Who
from devicectl.station.server.hub import Hub
from devicectl.station.server.station import Station
from protocols.capture.packet import JsonObject
from protocols.language.units import SECOND

GOING_AWAY: Final = 1001
NOT_UNDERSTOOD: Final = 1003
REVOKED: Final = 1008
TRY_AGAIN: Final = 1013
MAX_ID: Final = 2**53
"""The largest whole number of a page."""


class Ending(NamedTuple):
    """The code and the reason by which the server ends a socket."""

    code: int
    reason: str


class MessageError(Exception):
    """A page has sent what no page sends; its text is one line."""


class Page:
    """One socket of a page that has come in as somebody. `number` is its own, and that of a trigger's holder."""

    _numbers = itertools.count(1)

    def __init__(self, who: Who, view: str, station: Station) -> None:
        self.who = who
        self.view = view
        self.station = station
        self.number = next(self._numbers)
        self.outbox: asyncio.Queue[str] = asyncio.Queue(MAX_PENDING)
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def take(self, message: str) -> None:
        """Send a message; a page that has not taken the earlier ones is closed."""
        try:
            self.outbox.put_nowait(message)
        except asyncio.QueueFull:
            self.end(TRY_AGAIN, "too slow: come back with resume")

    def end(self, code: int, reason: str) -> None:
        """End the socket."""
        if not self._ending.done():
            self._ending.set_result(Ending(code, reason))

    async def ended(self) -> Ending:
        """Wait for the end."""
        return await asyncio.shield(self._ending)


class Sockets:
    """All open sockets of a server."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._pages: set[Page] = set()

    def connected(self, number: int) -> dict[str, int]:
        """Return how many pages of each view of a station are open."""
        views = [page.view for page in self._pages if page.station.number == number]
        return {view: views.count(view) for view in ("trainee", "presenter")}

    def full(self, who: Who, number: int) -> bool:
        """Return whether somebody has as many sockets at a station as one may have."""
        return sum((page.who, page.station.number) == (who, number) for page in self._pages) >= SOCKETS_OF_ONE

    def revoke(self, who: Who) -> None:
        """End all sockets that came in by a link that is no longer valid."""
        for page in self._pages:
            if page.who == who:
                page.end(REVOKED, "this link is no longer valid")

    def remove(self, number: int) -> None:
        """End all sockets of a station that is no more."""
        for page in self._pages:
            if page.station.number == number:
                page.end(GOING_AWAY, "this station is closed")

    async def serve(self, websocket: WebSocket, page: Page) -> None:
        """Serve a socket that was let in, to its end."""
        self._pages.add(page)
        try:
            await websocket.accept()
            ending = await self._until_ended(websocket, page)
        finally:
            self._pages.discard(page)
            page.station.leave(page.view, page, page.number, clock.monotonic())
        if ending is not None and websocket.client_state is WebSocketState.CONNECTED:
            with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(STUCK_US / SECOND):
                    await websocket.close(ending.code, ending.reason)

    async def _until_ended(self, websocket: WebSocket, page: Page) -> Ending | None:
        async with asyncio.TaskGroup() as group:
            receiving = group.create_task(self._receive(websocket, page))
            sending = group.create_task(_send(websocket, page))
            ending = group.create_task(page.ended())
            await asyncio.wait((receiving, sending, ending), return_when=asyncio.FIRST_COMPLETED)
            for task in (receiving, sending, ending):
                task.cancel()
        return ending.result() if not ending.cancelled() else None

    async def _receive(self, websocket: WebSocket, page: Page) -> None:
        """Take the page's messages; it begins with the last number that it has."""
        budget = Budget(MESSAGES, clock.monotonic())
        joined = False
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                message = await websocket.receive()
                if message["type"] != "websocket.receive":
                    return
                if not budget.take(1, clock.monotonic()):
                    page.end(TRY_AGAIN, "too many messages")
                    return await _for_ever()
                try:
                    data = _parsed(message.get("text"))
                    if not joined:
                        page.station.join(page.view, page, _last_of(data))
                        joined = True
                    else:
                        self._handle(page, data)
                except MessageError as error:
                    page.end(NOT_UNDERSTOOD, str(error))
                    return await _for_ever()

    def _handle(self, page: Page, data: JsonObject) -> None:
        match data.get("type"):
            case "hold":
                page.station.renew(page.number, clock.monotonic())
            case "act":
                _act(page, data)
                self._hub.wake()
            case _:
                raise MessageError("type: act or hold is right, after resume")


async def _send(websocket: WebSocket, page: Page) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await page.outbox.get())


async def _for_ever() -> None:
    await asyncio.Event().wait()


def _parsed(text: str | None) -> JsonObject:
    if text is None:
        raise MessageError("a text message is needed")
    try:
        return parse_json(text)
    except ValueError as error:
        raise MessageError(str(error)) from error


def _last_of(data: JsonObject) -> int:
    last = data.get("last")
    if data.get("type") != "resume" or type(last) is not int:
        raise MessageError('{"type": "resume", "last": NUMBER} has to come first')
    return last


def _act(page: Page, data: JsonObject) -> None:
    number = data.get("id")
    if type(number) is not int or not 0 <= number < MAX_ID:
        raise MessageError("id: a whole number is needed")
    name, arguments = data.get("name"), data.get("arguments", {})
    answer = page.station.act(page.view, name, arguments, clock.monotonic(), page.number)
    page.take(json.dumps({"type": "answer", "id": number, "ok": answer.ok, "words": answer.words}))
