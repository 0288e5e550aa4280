"""A page's end of a socket: what it holds is the view that a browser would have."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from websockets.sync.client import ClientConnection

from firmware_sim.clock import monotonic
from tests.patience import deadline, patience


class View:
    """A view that is followed over one socket; `last` is the number that a reconnecting page has."""

    def __init__(self, socket: ClientConnection, last: int = 0, document: dict[str, Any] | None = None) -> None:
        self.socket = socket
        self.last = last
        self.document: dict[str, Any] = document or {}
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._id = 0
        self.send(type="resume", last=last)

    def send(self, **message: object) -> None:
        self.socket.send(json.dumps(message))

    def act(self, name: str, **arguments: object) -> dict[str, Any]:
        """Do an act; its answer."""
        self._id += 1
        self.send(type="act", id=self._id, name=name, arguments=arguments)
        self.until(lambda: self._id in self._answers, f"an answer to {name}")
        return self._answers.pop(self._id)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Read until the view is so."""
        end = deadline()
        while not condition():
            assert monotonic() < end, f"never: {what}; {json.dumps(self.document)[:2000]}"
            self.read()

    def read_what_came(self) -> None:
        """Read all messages that are there."""
        with contextlib.suppress(TimeoutError):
            while True:
                self.read(wait_s=0)

    def read(self, wait_s: float | None = None) -> None:
        """Read one message; with `wait_s`, raise TimeoutError if none comes in that time."""
        text = self.socket.recv(patience() if wait_s is None else wait_s)
        assert isinstance(text, str)
        self.texts.append(text)
        message = json.loads(text)
        self.kinds.append(message["type"])
        if message["type"] == "answer":
            self._answers[message["id"]] = message
            return
        if message["type"] == "snapshot":
            self.document = message["view"]
        else:
            assert message["no"] == self.last + 1, "a patch is missing"
            self.document = merged(self.document, message["patch"])
        self.last = message["no"]


def merged(target: Any, patch: Any) -> Any:
    """Return a document after a merge patch of RFC 7386, by its pseudocode."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
