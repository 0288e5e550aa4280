"""A class that is really served: `devicectl station` as a process, its links, and requests by any of them."""

import contextlib
import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from websockets.sync.client import ClientConnection, connect

from tests.e2e.processes import DEVICECTL, read_until, started
from tests.patience import patience

_LINK = re.compile(r"^(\w+) +(\d*) *(http://(\S+):(\d+)/enter/(\S+))$", re.MULTILINE)


class Reply(NamedTuple):
    """An answer of the server; its body as JSON where it is that."""

    status: int
    headers: http.client.HTTPMessage
    body: Any


class Served:
    """A server that runs. `tokens` are those of its links: instructor, trainee-1, presenter-1, ..."""

    def __init__(self, process: "subprocess.Popen[str]", said: str, log: Path) -> None:
        found = _LINK.findall(said)
        self.log = log
        self.process = process
        self.said = said
        self.port = int(found[0][4])
        self.tokens = {f"{view}-{number}".rstrip("-"): token for view, number, _, _, _, token in found}
        self.links = {f"{view}-{number}".rstrip("-"): link for view, number, link, _, _, _ in found}

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, *, who: str = "instructor", **headers: str) -> Reply:
        """Send a request of the control API as a program does, with the token of somebody."""
        sent = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience())
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), {**sent, **headers})
            answer = connection.getresponse()
            text = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        return Reply(answer.status, answer.headers, json.loads(text) if is_json else text)

    def done(self, method: str, path: str, body: Any = None, *, who: str = "instructor") -> Any:
        """Return the body of an answer that says that it was done."""
        reply = self.ask(method, path, body, who=who)
        assert reply.status == 200, reply
        return reply.body

    def cookie(self, who: str) -> str:
        """Come in by somebody's link, as a browser; the header that it sends from then on."""
        reply = self.ask("GET", f"/enter/{self.tokens[who]}", who="")
        assert reply.status == 303, reply
        return reply.headers["Set-Cookie"].partition(";")[0]

    def socket(self, view: str, number: int = 1, *, who: str = "instructor", **headers: str) -> ClientConnection:
        """Open a socket as a program does, with the token of somebody."""
        sent = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return connect(
            f"ws://127.0.0.1:{self.port}/ws/{view}/{number}",
            additional_headers={**sent, **headers},
            compression=None,
            open_timeout=patience(),
            close_timeout=patience(),
        )


@contextlib.contextmanager
def served(log: Path, *arguments: str) -> Iterator[Served]:
    """A class, at any port that is free, which is killed at the end."""
    line = [*DEVICECTL, "station", "--port", "0", "--no-open", "--log", str(log), *arguments]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield Served(process, read_until(process, "Ctrl-C"), log)
