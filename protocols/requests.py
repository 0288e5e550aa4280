"""The asking half of an exchange: commands waiting, in flight, retried, answered.

Law: a retry keeps sequence number, correlation id and payload; five tries without an answer are too many, and a command
that was received has its own time to end in; windows are kept a lane each, so that queries pass a motion and STOP
passes everything.
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
MAX_EXPECTED_MS: Final = 600_000
"""What a device says that a command takes is believed up to ten minutes: it may say 49 days."""
EXPECTED_TIMES: Final = 4
"""A command that was received may take as often what the device expects, and a lease at rest more: a person who moves a
hand may well need twice the time, and answers may be lost."""
WINDOWS: Final = {Lane.LINK: 1, Lane.MOTION: 1, Lane.QUERY: 4}
"""Commands of a lane in flight at once. STOP has no window."""


class Request:
    """One command on its way. `correlation_id` and `seq` are 0 until it is first sent.

    `tries` counts since the last answer: a command that was received and then went unheard has five tries again, until
    `over` says that it has had its time. `unlawful`: an answer came that is none to such a command.
    """

    __slots__ = (
        "correlation_id",
        "due",
        "lane",
        "message",
        "received",
        "received_at",
        "retried",
        "rto",
        "sent_at",
        "seq",
        "time_us",
        "tries",
        "unlawful",
    )

    def __init__(self, message: Message) -> None:
        assert message.LANE is not None, f"{message.__class__.__name__} is not a command"
        self.message = message
        self.lane = message.LANE
        self.correlation_id = 0
        self.seq = 0
        self.tries = 0
        self.received = False
        self.received_at = Micros(0)
        self.time_us = 0
        self.unlawful = False
        self.retried = False
        self.sent_at = Micros(0)
        self.rto = 0
        self.due = Micros(0)

    @property
    def name(self) -> str:
        """The command's name, for people."""
        return self.message.__class__.__name__

    def over(self, now: Micros) -> bool:
        """Whether it was received and has not ended in its time; never where the lease is off."""
        return self.time_us > 0 and now >= self.received_at + self.time_us

    def wake(self, due: int) -> None:
        """Be looked at again at `due`, or when its time is over if that is earlier."""
        self.due = Micros(min(due, self.received_at + self.time_us) if self.time_us else due)

    def __repr__(self) -> str:
        return f"Request({self.message!r}, correlation {self.correlation_id}, try {self.tries})"


class RoundTrip:
    """Smoothed round trip and the timeout that follows from it (RFC 6298's filter, own bounds)."""

    __slots__ = ("_smoothed", "_variance", "rto")

    def __init__(self) -> None:
        self.rto = int(FIRST_RTO_US)
        """Microseconds to wait for the first answer."""
        self._smoothed: float | None = None
        self._variance = 0.0

    def sample(self, round_trip: Micros) -> None:
        """Take one round trip that was not retransmitted."""
        if self._smoothed is None:
            self._smoothed, self._variance = float(round_trip), round_trip / 2
        else:
            self._variance += (abs(self._smoothed - round_trip) - self._variance) / 4
            self._smoothed += (round_trip - self._smoothed) / 8
        rto = int(self._smoothed + 4 * self._variance)
        self.rto = rto if rto > LEAST_RTO_US else LEAST_RTO_US


class Requests:
    """All commands of one link that have no final answer yet. `due` is when the next retry is."""

    def __init__(self) -> None:
        self.round_trip = RoundTrip()
        self.due: Micros | None = None
        self._waiting: dict[Lane, deque[Request]] = {lane: deque() for lane in Lane}
        self._flying: dict[int, Request] = {}
        self._counts = dict.fromkeys(Lane, 0)

    def has_room(self, lane: Lane) -> bool:
        """Whether a command of this lane may be sent now."""
        return lane is Lane.STOP or self._counts[lane] < WINDOWS[lane]

    def queue(self, request: Request) -> None:
        """Keep a command until `answered` gives it out."""
        self._waiting[request.lane].append(request)

    def sent(self, request: Request, now: Micros) -> None:
        """Note the first transmission and set the first retry."""
        request.tries = 1
        request.sent_at = now
        request.rto = rto = self.round_trip.rto
        request.due = due = Micros(now + rto)
        self._flying[request.correlation_id] = request
        self._counts[request.lane] += 1
        if self.due is None or due < self.due:
            self.due = due

    def retried(self, request: Request, now: Micros) -> None:
        """Note a retransmission and set the next one."""
        request.rto = int(request.rto * BACKOFF) if request.tries else self.round_trip.rto
        request.tries += 1
        request.retried = True
        request.wake(now + request.rto)
        self._find_due()

    def find(self, correlation_id: int) -> Request | None:
        """The request in flight with this correlation id."""
        return self._flying.get(correlation_id)

    def received(self, request: Request, now: Micros, expected_ms: int, heartbeat_us: int, lease_us: int) -> None:
        """Note an answer that is not the last, by which the command takes `expected_ms`.

        The next answer, or a heartbeat, is to come within twice that and three heartbeats; the last one in the
        command's time, which the longest `expected_ms` sets. A lease of 0 sets none.
        """
        self._measure(request, now)
        expected_us = min(expected_ms, MAX_EXPECTED_MS) * MILLISECOND
        if not request.received:
            request.received, request.received_at = True, now
        if lease_us:
            request.time_us = max(request.time_us, EXPECTED_TIMES * expected_us + lease_us)
        request.tries = 0
        # A device that streams is never silent, hence sends no heartbeat; then only this timer sees a lost DONE.
        request.wake(now + 2 * expected_us + 3 * heartbeat_us)
        if len(self._flying) == 1:
            self.due = request.due
        else:
            self._find_due()

    def answered(self, request: Request, now: Micros) -> Request | None:
        """Note the final answer of a request in flight; returns the command that may be sent in its place, if any."""
        self._measure(request, now)
        del self._flying[request.correlation_id]
        if self._flying:
            self._find_due()
        else:
            self.due = None
        self._counts[request.lane] -= 1
        waiting = self._waiting[request.lane]
        return waiting.popleft() if waiting else None

    def overdue(self, now: Micros) -> list[Request]:
        """Requests whose retry is due."""
        return [request for request in self._flying.values() if request.due <= now]

    def not_running(self, running_correlation_id: int) -> list[Request]:
        """Requests that were received, have no final answer and are not the one that the device says is running.

        One that is being retried already is left to its own time.
        """
        return [
            request
            for correlation_id, request in self._flying.items()
            if request.received and not request.tries and correlation_id != running_correlation_id
        ]

    def abandon(self) -> list[Request]:
        """Everything that has no final answer, in flight first; for the caller to tell. Nothing is to follow."""
        return [*self._flying.values(), *(request for queue in self._waiting.values() for request in queue)]

    def _measure(self, request: Request, now: Micros) -> None:
        """Karn's rule: the answer to a retransmitted command does not tell which transmission it answers."""
        if not request.received and not request.retried:
            self.round_trip.sample(Micros(now - request.sent_at))

    def _find_due(self) -> None:
        self.due = min([request.due for request in self._flying.values()], default=None)
