"""A stage for the pages: the real files under the real policy, and a server whose every message the test says.

What the server itself does is for the tests that start one. Here are the moments that it seldom has: patches that are
lost, sockets that die, answers that never come, names as long as they may be.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute

from firmware_sim.clock import monotonic
from tests.architecture.tree import ROOT
from tests.patience import deadline

PAGES: Final = ROOT / "devicectl" / "station" / "server" / "pages"
ORIGIN: Final = "http://localhost"
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LOOK_MS: Final = 20

Json = dict[str, Any]


class Socket:
    """One socket that a page has opened, as its server sees it."""

    def __init__(self, route: WebSocketRoute) -> None:
        self._route = route
        self.path = urlsplit(route.url).path
        self.received: list[Json] = []
        route.on_message(lambda text: self.received.append(json.loads(text)))

    def send(self, **message: object) -> None:
        """Send the page a message."""
        self._route.send(json.dumps(message))

    def close(self, code: int) -> None:
        """Close it from the server's side."""
        self._route.close(code=code)


class Stage:
    """Pages of one browser. `answers` are those of the control API, by method and path."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.sockets: list[Socket] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.answers: dict[tuple[str, str], Any] = {}
        self.lets_in = True
        self.troubles: list[str] = []
        context.route("**/*", self._serve)
        context.route_web_socket("**/ws/**", lambda route: self.sockets.append(Socket(route)))

    def open(self, path: str) -> Page:
        """Open a page; an error in its script or against its policy is a trouble."""
        page = self.context.new_page()
        page.on("console", lambda message: self.troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.goto(ORIGIN + path)
        return page

    def shown(self, path: str, view: Json, no: int = 1) -> Page:
        """Open the page of a view, and send it a snapshot."""
        count = len(self.sockets)
        page = self.open(path)
        self.until(page, lambda: len(self.sockets) > count and bool(self.sockets[-1].received), "the page asks")
        self.sockets[-1].send(type="snapshot", no=no, view=view)
        page.get_by_text("connected", exact=True).first.wait_for()
        return page

    def until(self, page: Page, condition: Callable[[], bool], what: str) -> None:
        """Wait until the page has come so far."""
        end = deadline()
        while not condition():
            assert monotonic() < end, f"never: {what}"
            page.wait_for_timeout(LOOK_MS)

    def asked(self, method: str, path: str) -> list[Any]:
        """Bodies of the requests of that kind, in order."""
        return [body for one, other, body in self.requests if (one, other) == (method, path)]

    def _serve(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        if not path.startswith("/api/"):
            self._show(route, path)
            return
        self.requests.append((request.method, path, request.post_data_json if request.post_data else None))
        answer = self.answers.get((request.method, path))
        if answer is None:
            route.fulfill(status=404, json={"words": f"The stage has no {path}."})
        else:
            route.fulfill(json=answer)

    def _show(self, route: Route, path: str) -> None:
        name = path.removeprefix("/pages/") if path.startswith("/pages/") else _page_of(path)
        file = PAGES / Path(name).name
        if not self.lets_in or not file.is_file():
            route.fulfill(status=401 if file.is_file() else 404, body="no entry")
            return
        headers = {"content-type": KINDS[file.suffix], "content-security-policy": CSP}
        route.fulfill(body=file.read_bytes(), headers=headers)


def _page_of(path: str) -> str:
    first = path.split("/")[1]
    return "index.html" if path in {"/", "/instructor"} else f"{first}.html"
