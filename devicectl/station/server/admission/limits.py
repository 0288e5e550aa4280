"""Limits of what somebody else may send, each with the abuse that it stops.

Law: pure; times come in.
"""

import json
from typing import Final

from protocols.capture.packet import JsonObject
from protocols.language.units import SECOND, Micros

MAX_STATIONS: Final = 8
"""Stations of one server."""
MAX_HEAD_BYTES: Final = 16 * 1024
"""Request line and headers."""
MAX_BODY_BYTES: Final = 256 * 1024
"""A scenario's file may have 64 KiB, and JSON makes more of it."""
MAX_MESSAGE_BYTES: Final = 16 * 1024
"""A message of a page is an act; a note has 500 characters."""
MAX_FRAGMENTS: Final = 64
"""Frames of one message: empty ones would take memory and count for no byte of it."""
MAX_DEPTH: Final = 12
"""Nesting of JSON: a fault that is injected has four levels."""
MAX_CONNECTIONS: Final = 256
MAX_CONNECTIONS_FROM: Final = 64
"""Connections from one address: a browser with all views of eight stations open has 25 sockets, and a few more."""
REQUEST_US: Final = Micros(20 * SECOND)
"""From the beginning of a connection, or the last answer, to the next: a socket that is opened and left is closed."""
REQUESTS: Final = (100, 400)
"""Requests a second from one address, and at once: a page is eight."""
MESSAGES: Final = (50, 200)
"""Messages a second on one socket, and at once: a held trigger is renewed five times a second."""
ACTS_OF_STATION: Final = (60, 200)
"""Acts a second at one station, and at once: each is stored, and shown in three views."""
SOCKETS_OF_ONE: Final = 8
"""Sockets of one link at one station: those of a tablet that was cut off are found dead after a while."""
SOCKET_BYTES: Final = (64 * 1024, 512 * 1024)
"""Bytes a second on one socket, and at once: also of what is no message, as pings and parts of frames."""
MAX_PENDING: Final = 100
"""Messages that wait for a slow reader, five seconds' worth; then its socket is closed, and it resumes."""
STUCK_US: Final = Micros(5 * SECOND)
"""Time in which a peer has to read something of what is sent."""


class Budget:
    """So many units a second, and so many at once."""

    def __init__(self, limit: tuple[int, int], now: Micros) -> None:
        self._per_second, self._at_once = limit
        self._left = float(self._at_once)
        self._now = now

    def take(self, count: int, now: Micros) -> bool:
        """Take units; False if there are not so many."""
        gained = (now - self._now) * self._per_second / SECOND
        self._left, self._now = min(float(self._at_once), self._left + gained), now
        if count > self._left:
            return False
        self._left -= count
        return True

    def full(self, now: Micros) -> bool:
        """Return whether as much is left as at the beginning, so that it can be forgotten."""
        return self._left + (now - self._now) * self._per_second / SECOND >= self._at_once


class Budgets:
    """A budget for each address; those that are full are forgotten, so that many addresses take no memory."""

    def __init__(self, limit: tuple[int, int]) -> None:
        self._limit = limit
        self._of: dict[str, Budget] = {}

    def take(self, address: str, now: Micros) -> bool:
        """Take one unit of an address; False if it has none left."""
        if address not in self._of:
            self._of = {other: budget for other, budget in self._of.items() if not budget.full(now)}
            self._of[address] = Budget(self._limit, now)
        return self._of[address].take(1, now)


def parse_json(text: str | bytes) -> JsonObject:
    """Return a JSON object of what somebody has sent.

    Raises:
        ValueError: it is none, is nested too deep, or has a number that JSON does not know; its text is one line.
    """
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH}") from None
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8") from None
    if not isinstance(data, dict):
        raise ValueError("it has to be a JSON object")
    if _deeper_than(MAX_DEPTH, data):
        raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _deeper_than(depth: int, data: object) -> bool:
    level: list[object] = [data]
    for _ in range(depth):
        level = [
            part
            for value in level
            if isinstance(value, dict | list)
            for part in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True
