"""Differences of a view's document: merge patches (RFC 7386), and their numbers.

A view is a JSON object in which null is nowhere: in a patch it takes a key away. A list is sent whole where anything
in it has changed.
"""

import json
from collections import deque
from typing import Final

Document = dict[str, object]
"""A view as JSON has it. A key always has values of one type: True and 1 are equal here and are not in JSON."""

KEPT_PATCHES: Final = 80
"""Some six seconds: a client that was away for longer is sent the whole view. It is given all of them at once, and so
they are fewer than the messages that may wait for it."""


def merge_patch(before: Document, after: Document) -> Document:
    """Return what makes `after` of `before`; empty where they are equal."""
    patch: Document = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if old is value or old == value:
            continue
        if isinstance(old, dict) and isinstance(value, dict):
            patch[key] = merge_patch(old, value)
        else:
            patch[key] = value
    return patch


class History:
    """One view as it was sent: its last document with its number, and the patches that led to it.

    Messages are texts, encoded once for all the sockets of the view. A client that comes back names the last number
    that it has, and one that has nothing yet says 0. Another run of the server has to choose a higher `first` than any
    number of this one.
    """

    def __init__(self, document: Document, first: int = 1) -> None:
        self.no = first
        self.document = document
        self._patches: deque[str] = deque(maxlen=KEPT_PATCHES)

    def update(self, document: Document) -> str | None:
        """Take the next document; return the message for clients that have the last one, None if nothing changed."""
        patch = merge_patch(self.document, document)
        if not patch:
            return None
        self.no += 1
        self.document = document
        message = _encode({"type": "patch", "no": self.no, "patch": patch})
        self._patches.append(message)
        return message

    def snapshot(self) -> str:
        """Return the message with the whole view."""
        return _encode({"type": "snapshot", "no": self.no, "view": self.document})

    def resume(self, last: int) -> list[str]:
        """Return the messages that a client with number `last` has to be sent: the missing patches, or a snapshot."""
        missing = self.no - last
        if last == 0 or not 0 <= missing <= len(self._patches):
            return [self.snapshot()]
        return list(self._patches)[len(self._patches) - missing :]


def _encode(message: Document) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
