"""The guard before everything else of the server: each request and each socket passes it or gets one line.

Law: nothing of a request is used, and no body is read, before it has passed; what a handler reads is bounded here.
"""

from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devicectl import clock
from devicectl.station.server.admission.limits import MAX_BODY_BYTES, REQUESTS, Budgets
from devicectl.station.server.admission.security import (
    HEADERS,
    READING,
    Refusal,
    form_refusal,
    host_refusal,
    origin_refusal,
    values_of,
)
from devicectl.station.server.admission.tokens import Tokens, Who

_HEADERS: Final = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
SAFE_METHOD: Final = "GET"


class TooLargeError(Exception):
    """A body has more bytes than it may have: the application answers by `refuse_too_large`."""


class Guard:
    """Lets in what `security` and `tokens` allow, and says to the application in `scope["state"]["who"]` who it is."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens
        self._requests = Budgets(REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refuse(refusal, scope, receive, send)
            return
        await self._app(scope, _bounded(receive), send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers, local = scope["headers"], scope["server"]
        address = scope["client"][0] if scope["client"] else ""
        if not self._requests.take(address, clock.monotonic()):
            return Refusal(429, "rate: too many requests")
        method = scope.get("method", SAFE_METHOD)
        refusal = form_refusal(method, scope["raw_path"], headers) or host_refusal(headers, (local[0], local[1]))
        if refusal is not None:
            return refusal
        if _length_of(scope) > MAX_BODY_BYTES:
            return _too_large()
        by_bearer, bearer = self._bearer(headers)
        writes = scope["type"] == "websocket" or method not in READING
        scope.setdefault("state", {})["who"] = bearer if by_bearer else self._by_cookies(scope)
        return origin_refusal(headers, needed=writes and not by_bearer)

    def _bearer(self, headers: list[tuple[bytes, bytes]]) -> tuple[bool, list[Who]]:
        shown = values_of(headers, b"authorization")
        found = self._tokens.by_bearer(shown[0]) if len(shown) == 1 else None
        return bool(shown), [] if found is None else [found]

    def _by_cookies(self, scope: Scope) -> list[Who]:
        return self._tokens.by_cookies(HTTPConnection(scope).cookies)


def _length_of(scope: Scope) -> int:
    """Return the length that a body is said to have; one that is no number is refused by h11 before."""
    return max((int(value) for value in values_of(scope["headers"], b"content-length")), default=0)


def _too_large() -> Refusal:
    return Refusal(413, f"body: at most {MAX_BODY_BYTES // 1024} KiB")


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            given = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(pair for pair in _HEADERS if pair[0] not in given)]
        await send(message)

    return send_with_headers


def _bounded(receive: Receive) -> Receive:
    """Return what receives the same, and gives up a body that is longer than it may be, whatever its head says."""
    taken = 0

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > MAX_BODY_BYTES:
                raise TooLargeError
        return message

    return receive_bounded


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a refusal, and end the connection: the rest of a body is not read."""
    await _refused(refusal)(scope, receive, send)


async def refuse_too_large(request: Request, error: Exception) -> Response:
    """Answer to `TooLargeError`, for an application to which it comes while it reads a body."""
    return _refused(_too_large())


def _refused(refusal: Refusal) -> Response:
    return JSONResponse({"words": refusal.words}, refusal.status, headers={"Connection": "close"})
