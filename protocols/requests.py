"""The asking half of an exchange: commands waiting, in flight, retried, answered.

Law: a retry keeps sequence number, correlation id and payload; at most five tries; windows are kept a lane each,
so that queries pass a motion and STOP passes everything.
"""

from collections import deque
from typing import Final

from protocols.enums import Lane
from protocols.message import Message
from protocols.units import MILLISECOND, Micros

FIRST_RTO_US: Final = 200 * MILLISECOND
"""Before any round trip was measured: above the slowest answer of a busy host on a 9,600 baud line."""
LEAST_RTO_US: Final = 60 * MILLISECOND
"""Below this a scheduler's hiccup on a desktop looks like loss."""
BACKOFF: Final = 1.5
MOST_TRIES: Final = 5
"""200 ms times 1.5 each: an answer that is not there after 2.6 s is not coming."""
WINDOWS: Final = {Lane.LINK: 1, Lane.STOP: 16, Lane.MOTION: 1, Lane.QUERY: 4}


class Request:
    """One command on its way. `correlation_id` and `seq` are 0 until it is first sent."""

    __slots__ = ("correlation_id", "due", "message", "received", "rto", "sent_at", "seq", "tries")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.correlation_id = 0
        self.seq = 0
        self.tries = 0
        self.received = False
        self.sent_at = Micros(0)
        self.rto = 0
        self.due: Micros | None = None

    def __repr__(self) -> str:
        return f"Request({self.message!r}, correlation {self.correlation_id}, try {self.tries})"


class RoundTrip:
    """Smoothed round trip and the timeout that follows from it (RFC 6298's filter, own bounds)."""

    __slots__ = ("_smoothed", "_variance")

    def __init__(self) -> None:
        self._smoothed: float | None = None
        self._variance = 0.0

    def sample(self, round_trip: Micros) -> None:
        """Take one round trip that was not retransmitted."""
        if self._smoothed is None:
            self._smoothed, self._variance = float(round_trip), round_trip / 2
            return
        self._variance += (abs(self._smoothed - round_trip) - self._variance) / 4
        self._smoothed += (round_trip - self._smoothed) / 8

    @property
    def rto(self) -> int:
        """Microseconds to wait for the first answer."""
        if self._smoothed is None:
            return FIRST_RTO_US
        return max(LEAST_RTO_US, int(self._smoothed + 4 * self._variance))


class Requests:
    """All commands of one link that have no final answer yet."""

    def __init__(self) -> None:
        self.round_trip = RoundTrip()
        self._waiting: dict[Lane, deque[Request]] = {lane: deque() for lane in WINDOWS}
        self._flying: dict[int, Request] = {}
        self._counts = dict.fromkeys(WINDOWS, 0)

    def submit(self, message: Message) -> Request:
        """Queue a command; `sendable` gives it out when its lane has room."""
        request = Request(message)
        self._waiting[_lane(message)].append(request)
        return request

    def sendable(self) -> list[Request]:
        """The requests that may be sent now, STOP first. The caller sends them and calls `sent`."""
        ready = []
        for lane, queue in self._waiting.items():
            while queue and self._counts[lane] < WINDOWS[lane]:
                self._counts[lane] += 1
                ready.append(queue.popleft())
        return ready

    def sent(self, request: Request, now: Micros) -> None:
        """Note a (re)transmission and set the next retry."""
        request.tries += 1
        request.rto = self.round_trip.rto if request.tries == 1 else int(request.rto * BACKOFF)
        request.due = Micros(now + request.rto)
        if request.tries == 1:
            request.sent_at = now
            self._flying[request.correlation_id] = request

    def find(self, correlation_id: int) -> Request | None:
        """The request in flight with this correlation id."""
        return self._flying.get(correlation_id)

    def answered(self, request: Request, now: Micros, *, final: bool) -> None:
        """Note an answer: the first one measures the round trip, a final one frees the window."""
        if request.tries == 1 and not request.received:
            self.round_trip.sample(Micros(now - request.sent_at))
        request.received = True
        request.due = None
        if final and self._flying.pop(request.correlation_id, None) is not None:
            self._counts[_lane(request.message)] -= 1

    def overdue(self, now: Micros) -> list[Request]:
        """Requests whose retry is due."""
        return [request for request in self._flying.values() if request.due is not None and request.due <= now]

    def not_running(self, running_correlation_id: int) -> list[Request]:
        """Requests that were received, have no final answer and are not the one that the device says is running."""
        return [
            request
            for correlation_id, request in self._flying.items()
            if request.received and request.due is None and correlation_id != running_correlation_id
        ]

    @property
    def due(self) -> Micros | None:
        """When the next retry is due."""
        dues = [request.due for request in self._flying.values() if request.due is not None]
        return min(dues) if dues else None

    def abandon(self) -> list[Request]:
        """Forget everything, in flight first; the caller is told what had no answer."""
        lost = [*self._flying.values(), *(request for queue in self._waiting.values() for request in queue)]
        self._flying.clear()
        for queue in self._waiting.values():
            queue.clear()
        self._counts = dict.fromkeys(WINDOWS, 0)
        return lost


def _lane(message: Message) -> Lane:
    lane = message.LANE
    assert lane is not None, f"{message.__class__.__name__} is not a command"
    return lane
