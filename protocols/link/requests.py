"""The asking half of an exchange: commands waiting, in flight, retried, answered.

Law: a retry keeps sequence number, correlation id and payload; five tries without an answer are too many, and a command
that was received has its own time to end in; windows are kept a lane each, so that queries pass a motion and STOP
passes everything.
"""

from collections import OrderedDict, deque
from typing import Final

from protocols.language.enums import Lane
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros
from protocols.link.header import REPLAYED, Header
from protocols.link.line import NO_LINE, Line

FIRST_RTO_US: Final = 200 * MILLISECOND
"""Before any round trip was measured: above the slowest answer of a busy device, without what the line takes."""
MIN_RTO_US: Final = 60 * MILLISECOND
"""Below this a scheduler's hiccup on a desktop looks like loss."""
BACKOFF: Final = 1.5
MAX_TRIES: Final = 5
"""200 ms times 1.5 each: an answer that is not there after 2.6 s is not coming."""
MAX_EXPECTED_MS: Final = 600_000
"""Longest time that a device is believed to need for a command: it may say 49 days."""
EXPECTED_TIMES: Final = 4
"""A command that was received may take as often what the device expects, and a lease at rest more: a person who moves a
hand may well need twice the time, and answers may be lost."""
MAX_DOUBTFUL: Final = 8
"""Answers whose repetition would prove something: it follows within a round trip, behind a few others."""
WINDOWS: Final = {Lane.LINK: 1, Lane.MOTION: 1, Lane.QUERY: 4}
"""Commands of a lane in flight at once. STOP has no window."""
_STOP: Final = Lane.STOP


class Request:
    """One command on its way. `correlation_id` and `seq` are 0 until it is first sent.

    `tries` counts since the last answer: a command that was received and then went unheard has five tries again, until
    `over` says that it has had its time. `unlawful`: an answer came that is none to such a command.
    """

    __slots__ = (
        "answer_us",
        "correlation_id",
        "due",
        "lane",
        "message",
        "out_us",
        "received",
        "received_at",
        "retried",
        "rto",
        "sent_at",
        "seq",
        "time_us",
        "tries",
        "trip_us",
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
        self.out_us = self.answer_us = 0
        self.trip_us: int | None = None
        self.rto = 0
        self.due = Micros(0)

    @property
    def name(self) -> str:
        """The command's name, for people."""
        return self.message.__class__.__name__

    def over(self, now: Micros) -> bool:
        """True if it was received and has not ended in its time; never where the lease is off."""
        return self.time_us > 0 and now >= self.received_at + self.time_us

    def wake(self, due: int) -> None:
        """Be looked at again at `due`, or when its time is over if that is earlier."""
        over_at = self.received_at + self.time_us
        self.due = Micros(over_at if self.time_us and over_at < due else due)

    def __repr__(self) -> str:
        return f"Request({self.message!r}, correlation {self.correlation_id}, try {self.tries})"


class RoundTrip:
    """Smoothed round trip and the timeout that follows from it (RFC 6298's filter, own bounds).

    It is what is left of a round trip without the line's own time, which is known where the line's speed is.
    """

    __slots__ = ("_smoothed", "_variance", "rto")

    def __init__(self) -> None:
        self.rto = int(FIRST_RTO_US)
        """Microseconds to wait for the first answer."""
        self._smoothed: float | None = None
        self._variance = 0.0

    def sample(self, round_trip: int) -> None:
        """Take one round trip whose answer is known to belong to one transmission."""
        if self._smoothed is None:
            self._smoothed, self._variance = float(round_trip), round_trip / 2
        else:
            self._variance += (abs(self._smoothed - round_trip) - self._variance) / 4
            self._smoothed += (round_trip - self._smoothed) / 8
        rto = int(self._smoothed + 4 * self._variance)
        self.rto = rto if rto > MIN_RTO_US else MIN_RTO_US


class Requests:
    """All commands of one link that have no final answer yet. `due` is when the next retry is.

    How it works: the answer to a command that was sent twice does not tell which of the two it answers (Karn), so its
    round trip is only kept. A second answer, marked REPLAYED, proves that the device has had both: the first answer
    was to the first of them, its round trip counts, and the next command is given that much time. Without such a
    proof a line of unknown speed would have every command sent in vain for ever.
    """

    def __init__(self, line: Line) -> None:
        self.round_trip = RoundTrip()
        self.due: Micros | None = None
        self._line = line
        self._doubtful: OrderedDict[int, int] = OrderedDict()
        """Correlation id of a command that was answered after a retry -> its round trip, if the retry was in vain."""
        self._waiting: dict[Lane, deque[Request]] = {lane: deque() for lane in Lane}
        self._flying: dict[int, Request] = {}
        self._counts = dict.fromkeys(Lane, 0)

    def has_room(self, lane: Lane) -> bool:
        """Return True if a command of this lane may be sent now."""
        return lane is _STOP or self._counts[lane] < WINDOWS[lane]

    def queue(self, request: Request) -> None:
        """Keep a command until `answered` gives it out."""
        self._waiting[request.lane].append(request)

    def sent(self, request: Request, now: Micros) -> None:
        """Note the first transmission and set the first retry."""
        request.tries = 1
        request.sent_at = now
        request.rto = rto = self.round_trip.rto
        self._flying[request.correlation_id] = request
        if self._line is not NO_LINE:
            request.out_us = self._line.out_us(now)
            request.answer_us = self._line.answer_us(request.message)
            rto += self._line_us(request.out_us)
        request.due = due = Micros(now + rto)
        self._counts[request.lane] += 1
        if self.due is None or due < self.due:
            self.due = due

    def retried(self, request: Request, now: Micros) -> None:
        """Note a retransmission and set the next one."""
        request.rto = int(request.rto * BACKOFF) if request.tries else self.round_trip.rto
        request.tries += 1
        request.retried = True
        request.wake(now + self._line_us(self._line.out_us(now)) + request.rto)
        self._find_due()

    def _line_us(self, out_us: int) -> int:
        """Time that the line alone may take until an answer is in: behind the answers to all else that is asked."""
        return out_us + sum(request.answer_us for request in self._flying.values() if not request.received)

    def find(self, correlation_id: int) -> Request | None:
        """The request in flight with this correlation id."""
        return self._flying.get(correlation_id)

    def received(
        self, request: Request, header: Header, now: Micros, expected_ms: int, heartbeat_us: int, lease_us: int
    ) -> None:
        """Note an answer that is not the last, by which the command takes `expected_ms`.

        The next answer, or a heartbeat, is to come within twice that and three heartbeats; the last one in the
        command's time, which the longest `expected_ms` sets. A lease of 0 sets none.
        """
        self._measure(request, header, now)
        expected_us = (expected_ms if expected_ms < MAX_EXPECTED_MS else MAX_EXPECTED_MS) * MILLISECOND
        if not request.received:
            request.received, request.received_at = True, now
        if lease_us and (time_us := EXPECTED_TIMES * expected_us + lease_us) > request.time_us:
            request.time_us = time_us
        request.tries = 0
        # A device that streams is never silent, hence sends no heartbeat; then only this timer sees a lost DONE.
        request.wake(now + 2 * expected_us + 3 * heartbeat_us + request.answer_us)
        self._find_due()

    def answered(self, request: Request, header: Header, now: Micros) -> Request | None:
        """Note the final answer of a request in flight; returns the command that may be sent in its place, if any."""
        self._measure(request, header, now)
        if request.trip_us is not None:
            self._doubtful[request.correlation_id] = request.trip_us
            if len(self._doubtful) > MAX_DOUBTFUL:
                self._doubtful.popitem(last=False)
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
            if not request.tries and correlation_id != running_correlation_id
        ]

    def abandon(self) -> list[Request]:
        """Everything that has no final answer, in flight first; for the caller to tell. Nothing is to follow."""
        return [*self._flying.values(), *(request for queue in self._waiting.values() for request in queue)]

    def replayed(self, correlation_id: int) -> None:
        """An answer came again for a command that has ended: its retry was in vain."""
        trip_us = self._doubtful.pop(correlation_id, None)
        if trip_us is not None:
            self.round_trip.sample(trip_us)

    def _measure(self, request: Request, header: Header, now: Micros) -> None:
        """Take the round trip of a first answer that is none of before; of a command sent again, once it is proven."""
        replayed = bool(header.flags & REPLAYED)
        if not request.received and not replayed:
            trip_us = now - request.sent_at
            if self._line is not NO_LINE:
                trip_us -= request.out_us + self._line.in_us(header)
            if trip_us < 0:
                trip_us = 0
            if request.retried:
                request.trip_us = trip_us
            else:
                self.round_trip.sample(trip_us)
        elif replayed and request.trip_us is not None:
            self.round_trip.sample(request.trip_us)
            request.trip_us = None

    def _find_due(self) -> None:
        due: Micros | None = None
        for request in self._flying.values():
            if due is None or request.due < due:
                due = request.due
        self.due = due
