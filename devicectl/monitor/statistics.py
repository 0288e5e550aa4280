"""Statistics of lines that are watched: messages, errors, rates, and how long each command waits for its answers.

Law: they grow with the kinds of messages and not with their number; a request that is never answered is forgotten.
"""

from collections import Counter
from typing import Final, NamedTuple

from devicectl.monitor.histogram import Histogram
from protocols.language.enums import Kind
from protocols.language.units import SECOND
from protocols.link.header import RETRANSMIT, Header

MAX_REQUESTS: Final = 4_096
"""Requests that wait for an answer: a window of a link is five."""
_MEDIAN, _P95 = 0.5, 0.95
_HELLO: Final = "Hello"
_NOT_THE_END: Final = ("Received", "Progress")
_ANSWERS: Final = (Kind.REPLY, Kind.PROGRESS, Kind.LINK)


class Latency:
    """Durations of one command: to its first answer, and to the answer that ends it."""

    def __init__(self) -> None:
        self.first = Histogram()
        self.end = Histogram()


class _Asked(NamedTuple):
    name: str
    at_us: int
    answered: bool


class Sent:
    """Counts of one sender."""

    def __init__(self) -> None:
        self.bytes = 0
        self.messages: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.retransmitted = 0
        self.most_in_a_second = 0
        self._second = (-1, 0)

    @property
    def frames(self) -> int:
        """Messages of all names."""
        return self.messages.total()

    def message(self, name: str, at_us: int) -> None:
        """Count a message."""
        self.messages[name] += 1
        second, count = self._second
        count = count + 1 if second == at_us // SECOND else 1
        self._second = (at_us // SECOND, count)
        self.most_in_a_second = max(self.most_in_a_second, count)


class Statistics:
    """Counts and latencies of all lines, from the first piece to the last."""

    def __init__(self) -> None:
        self.sent = {"host": Sent(), "device": Sent()}
        self.latencies: dict[str, Latency] = {}
        self.forgotten = 0
        self.first_us: int | None = None
        self.last_us = 0
        self._asked: dict[tuple[int, int, int], _Asked] = {}

    @property
    def unanswered(self) -> int:
        """Requests that have no end yet, or were forgotten."""
        return len(self._asked) + self.forgotten

    def heard(self, sender: str, size: int, at_us: int) -> None:
        """Count bytes."""
        if self.first_us is None:
            self.first_us = at_us
        self.last_us = at_us
        self.sent[sender].bytes += size

    def failed(self, sender: str, reason: str) -> None:
        """Count bytes that are no frame."""
        self.sent[sender].errors[reason] += 1

    def message(self, line: int, sender: str, name: str, header: Header, at_us: int) -> None:
        """Count a message, and match it with what asked for it."""
        sent = self.sent[sender]
        sent.message(name, at_us)
        kind = header.major_and_kind & 0x0F
        if sender == "host":
            if header.flags & RETRANSMIT:
                sent.retransmitted += 1
            elif kind == Kind.COMMAND or name == _HELLO:
                self._ask(line, name, header, at_us)
        elif kind in _ANSWERS and header.correlation_id:
            self._answer(line, name, header, at_us)

    def _ask(self, line: int, name: str, header: Header, at_us: int) -> None:
        if len(self._asked) == MAX_REQUESTS:
            del self._asked[next(iter(self._asked))]
            self.forgotten += 1
        self._asked[line, 0 if name == _HELLO else header.link_id, header.correlation_id] = _Asked(name, at_us, False)

    def _answer(self, line: int, name: str, header: Header, at_us: int) -> None:
        key = (line, header.link_id, header.correlation_id)
        if key not in self._asked:
            key = (line, 0, header.correlation_id)  # WELCOME is on the link that it grants
        asked = self._asked.get(key)
        if asked is None:
            return
        latency = self.latencies.setdefault(asked.name, Latency())
        waited_us = at_us - asked.at_us
        if not asked.answered:
            latency.first.add(waited_us)
        if name in _NOT_THE_END:
            self._asked[key] = asked._replace(answered=True)
        else:
            latency.end.add(waited_us)
            del self._asked[key]

    def as_json(self) -> dict[str, object]:
        """Return all of it as JSON has it."""
        duration_us = self.last_us - (self.first_us or 0)
        return {
            "duration_us": duration_us,
            "unanswered": self.unanswered,
            **{sender: _sent(sent, duration_us) for sender, sent in self.sent.items()},
            "latencies_us": {
                name: {"first": _quantiles(latency.first), "end": _quantiles(latency.end)}
                for name, latency in sorted(self.latencies.items())
            },
        }


def _sent(sent: Sent, duration_us: int) -> dict[str, object]:
    return {
        "bytes": sent.bytes,
        "frames": sent.frames,
        "frames_per_s": round(sent.frames * SECOND / duration_us, 1) if duration_us else None,
        "most_in_a_second": sent.most_in_a_second,
        "errors": dict(sent.errors),
        "retransmitted": sent.retransmitted,
        "messages": dict(sorted(sent.messages.items())),
    }


def _quantiles(histogram: Histogram) -> dict[str, int]:
    return {
        "count": histogram.count,
        "median": histogram.quantile(_MEDIAN),
        "p95": histogram.quantile(_P95),
        "max": histogram.greatest,
    }
