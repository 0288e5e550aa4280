"""The application: pages, sockets and control API behind the guard.

Law: each route asks who it is for; an operation's answer to that is in the table.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from devicectl.errors import DevicectlError
from devicectl.station.server.admission.guard import Guard, TooLargeError, refuse_too_large
from devicectl.station.server.admission.limits import SOCKETS_OF_ONE, parse_json
from devicectl.station.server.admission.tokens import INSTRUCTOR, PRESENTER, TRAINEE, Tokens, Who
from devicectl.station.server.assets import no_entry, read_assets, shown
from devicectl.station.server.control.api import Api, ApiError, Call
from devicectl.station.server.control.forms import Form, Trouble
from devicectl.station.server.control.openapi import document
from devicectl.station.server.control.operations import JSON, OPERATIONS, Operation
from devicectl.station.server.sockets import Page, Sockets
from handpiece_shell.version import VERSION
from protocols.text.findings import first_finding

VIEWS: Final = (INSTRUCTOR, PRESENTER, TRAINEE)
Endpoint = Callable[[Request], Awaitable[Response]]


class Application:
    """The server's application. `api` has its operations, `sockets` its open sockets."""

    def __init__(self, api: Api, sockets: Sockets, tokens: Tokens) -> None:
        self._api = api
        self._sockets = sockets
        self._tokens = tokens
        self._assets = read_assets()

    def guarded(self) -> ASGIApp:
        """Return it behind the guard."""
        routes = [
            Route("/", self._page("index.html", INSTRUCTOR)),
            Route("/instructor", self._page("index.html", INSTRUCTOR)),
            *(Route(f"/{view}/{{station:int}}", self._page(f"{view}.html", view)) for view in VIEWS),
            Route("/debrief/{lesson:int}", self._debrief),
            Route("/pages/{name}", self._asset),
            Route("/enter/{token}", self._enter),
            Route("/api/openapi.json", self._openapi),
            *(Route(one.path, self._operation(one), methods=[one.method]) for one in OPERATIONS),
            WebSocketRoute("/ws/{view}/{station:int}", self._socket),
        ]
        return Guard(Starlette(routes=routes, exception_handlers={TooLargeError: refuse_too_large}), self._tokens)

    # --- pages ---------------------------------------------------------------------------------------------------

    def _page(self, name: str, view: str) -> Endpoint:
        async def page(request: Request) -> Response:
            station = request.path_params.get("station")
            if not any(who.may_see(view, station or 0) for who in _whos(request)):
                return no_entry()
            try:
                if station is not None:
                    self._api.at(station)
            except ApiError as error:
                return PlainTextResponse(f"{error}\n", error.status)
            return shown(self._assets.get(name))

        return page

    async def _debrief(self, request: Request) -> Response:
        if not any(who.role == INSTRUCTOR for who in _whos(request)):
            return no_entry()
        try:
            return await self._api.debrief(request.path_params["lesson"])
        except DevicectlError as error:
            return PlainTextResponse(f"{error}\n", 404)

    async def _asset(self, request: Request) -> Response:
        return shown(self._assets.get(request.path_params["name"]))

    async def _enter(self, request: Request) -> Response:
        who = self._tokens.owner(request.path_params["token"])
        if who is None:
            return no_entry()
        return RedirectResponse(who.page, 303, headers={"Set-Cookie": self._tokens.cookie(who)})

    # --- the control API -----------------------------------------------------------------------------------------

    async def _openapi(self, request: Request) -> Response:
        return JSONResponse(document(VERSION)) if _whos(request) else _refused(401, "a token is needed")

    def _operation(self, operation: Operation) -> Endpoint:
        handler = getattr(self._api, operation.handler)

        async def endpoint(request: Request) -> Response:
            station = request.path_params.get("station", 0)
            whos = _whos(request)
            who = next((who for who in whos if who.may_ask(operation.who, station)), None)
            if who is None:
                return _refused(403, "this token does not allow that") if whos else _refused(401, "a token is needed")
            try:
                form = await _form(request, operation.form)
                answer = await handler(Call(who, station, form))
            except ApiError as error:
                return _refused(error.status, str(error))
            except DevicectlError as error:
                return _refused(422, str(error))
            return answer if isinstance(answer, Response) else _json(answer)

        return endpoint

    # --- sockets -------------------------------------------------------------------------------------------------

    async def _socket(self, websocket: WebSocket) -> None:
        view, number = websocket.path_params["view"], websocket.path_params["station"]
        who = next((who for who in _whos(websocket) if who.may_see(view, number)), None)
        if who is None or view not in VIEWS:
            await websocket.send_denial_response(_refused(401, "a token of this view is needed"))
            return
        try:
            station = self._api.at(number)
        except ApiError as error:
            await websocket.send_denial_response(_refused(error.status, str(error)))
            return
        if self._sockets.full(who, number):
            await websocket.send_denial_response(_refused(429, f"at most {SOCKETS_OF_ONE} pages of one link are open"))
            return
        await self._sockets.serve(websocket, Page(who, view, station))


def _whos(connection: Request | WebSocket) -> list[Who]:
    """Return everybody that the guard has let this connection in as; the one who may most is the first."""
    whos: list[Who] = connection.scope["state"]["who"]
    return sorted(whos, key=lambda who: VIEWS.index(who.role))


async def _form(request: Request, form: type[Form]) -> Form:
    body = await request.body()
    if body and request.headers.get("content-type", "").partition(";")[0].strip() != JSON:
        raise ApiError(415, f"Content-Type: {JSON} is right")
    try:
        return form.model_validate(parse_json(body or b"{}"))
    except ValidationError as error:
        raise ApiError(422, _finding(error, form)) from error
    except ValueError as error:
        raise ApiError(400, f"body: {error}") from error


def _finding(error: ValidationError, form: type[Form]) -> str:
    found = first_finding(error, form, "this request")
    return ": ".join(part for part in (".".join(map(str, found.steps)), found.right) if part)


def _json(answer: BaseModel) -> Response:
    return JSONResponse(answer.model_dump(mode="json", exclude_none=True))


def _refused(status: int, words: str) -> Response:
    return JSONResponse(Trouble(words=words).model_dump(), status)
