"""Faults of the wire and of a broker that meet single pieces: bytes, or a publication.

Law: pieces and the time go in, pieces with the times at which they are at the other end come out. A line keeps the
order of what it carries, unless a fault reorders it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from firmware_sim.faults.injector import End, Firing, Injector
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.mqtt.wire import Publication

Piece = bytes | Publication
Copy = tuple[int, Piece]
"""A piece, and the microseconds by which it is late."""


class Carrier(Protocol):
    """A wire's own delays."""

    def arrivals(self, sender: str, data: Piece, now: Micros) -> Sequence[tuple[Micros, Piece]]:
        """Times at which `data` of `sender` reaches the other end, each with what arrives."""


class _Rule:
    """A fault of the wire that is under way."""

    def __init__(self, firing: Firing) -> None:
        values = firing.fault.values
        self.firing = firing
        self.spoil = _SPOIL[firing.fault.kind.name]
        self.overtaken = firing.fault.kind.name in _OVERTAKEN
        self.left = int(firing.fault.number("pieces")) if "pieces" in values else 0
        """Pieces that it still meets; 0 for any number."""
        self.free = {"host": Micros(0), "device": Micros(0)}
        """Time at which a narrow line has sent what came before, by the sender."""
        self._direction = values.get("direction", "both")
        self._share = firing.fault.number("share") if "share" in values else 1.0

    def meets(self, sender: str) -> bool:
        """Return True if it meets a piece of `sender`, by chance where it has a share."""
        if self._direction not in ("both", sender):
            return False
        return self._share >= 1.0 or self.firing.random.random() < self._share


class WireFaults:
    """Fate of each piece between two ends. `carrier` is the wire itself, where it takes time."""

    def __init__(self, injector: Injector, carrier: Carrier | None = None) -> None:
        self._injector = injector
        self._carrier = carrier
        self._rules: list[_Rule] = []
        self._last = {"host": Micros(0), "device": Micros(0)}
        injector.acts.update(dict.fromkeys(_SPOIL, self._begin))

    def arrivals(self, sender: str, data: Piece, now: Micros, port: str = "") -> Sequence[tuple[Micros, Piece]]:
        """Return what arrives of a piece and when; the injector hears of it first, and of the port that it is on."""
        self._injector.sent(sender, data, now, port)
        if not self._rules and self._carrier is None:
            self._last[sender] = due = max(now, self._last[sender])
            return [(due, data)]
        copies: list[Copy] = [(0, data)]
        overtaken = False
        for rule in list(self._rules):
            if copies and rule.meets(sender):
                copies = rule.spoil(rule, sender, copies, now)
                overtaken = overtaken or rule.overtaken
                self._used(rule, sender, now)
        found = []
        for late_us, piece in copies:
            sent = [(now, piece)] if self._carrier is None else self._carrier.arrivals(sender, piece, now)
            found += [(self._in_order(sender, Micros(due + late_us), overtaken), one) for due, one in sent]
        return found

    def _in_order(self, sender: str, due: Micros, overtaken: bool) -> Micros:
        if overtaken:
            return due
        self._last[sender] = due = max(due, self._last[sender])
        return due

    def _begin(self, firing: Firing, now: Micros) -> End:
        rule = _Rule(firing)
        self._rules.append(rule)

        def end(now: Micros) -> None:
            self._rules.remove(rule)

        return end

    def _used(self, rule: _Rule, sender: str, now: Micros) -> None:
        rule.firing.meet(self._injector.last_of("piece", sender), now)
        if rule.left:
            rule.left -= 1
            if not rule.left:
                self._injector.finish(rule.firing, now)


def _drop(rule: _Rule, sender: str, copies: list[Copy], now: Micros) -> list[Copy]:
    return []


def _flip(rule: _Rule, sender: str, copies: list[Copy], now: Micros) -> list[Copy]:
    draw, bits = rule.firing.random, int(rule.firing.fault.number("bits"))
    found: list[Copy] = []
    for late_us, data in copies:
        assert isinstance(data, bytes), "a broker changes no byte"
        piece = bytearray(data)
        for bit in draw.sample(range(8 * len(piece)), min(bits, 8 * len(piece))):
            piece[bit // 8] ^= 1 << bit % 8
        found.append((late_us, bytes(piece)))
    return found


def _insert(rule: _Rule, sender: str, copies: list[Copy], now: Micros) -> list[Copy]:
    draw, count = rule.firing.random, int(rule.firing.fault.number("bytes"))
    found: list[Copy] = []
    for late_us, data in copies:
        assert isinstance(data, bytes), "a broker changes no byte"
        at = draw.randint(0, len(data))
        found.append((late_us, data[:at] + draw.randbytes(count) + data[at:]))
    return found


def _duplicate(rule: _Rule, sender: str, copies: list[Copy], now: Micros) -> list[Copy]:
    return [copy for copy in copies for _ in range(2)]


def _delay(rule: _Rule, copies: list[Copy], by_us: int) -> list[Copy]:
    return [(late_us + by_us, data) for late_us, data in copies]


def _late(name: str) -> "Spoil":
    def spoil(rule: _Rule, sender: str, copies: list[Copy], now: Micros) -> list[Copy]:
        return _delay(rule, copies, round(rule.firing.fault.number(name) * MILLISECOND))

    return spoil


def _jitter(rule: _Rule, sender: str, copies: list[Copy], now: Micros) -> list[Copy]:
    most_us = round(rule.firing.fault.number("most_ms") * MILLISECOND)
    return _delay(rule, copies, rule.firing.random.randint(0, most_us))


def _bandwidth(rule: _Rule, sender: str, copies: list[Copy], now: Micros) -> list[Copy]:
    us_per_byte = SECOND / rule.firing.fault.number("bytes_per_s")
    found: list[Copy] = []
    for late_us, data in copies:
        size = len(data if isinstance(data, bytes) else data.body)
        rule.free[sender] = free = Micros(round(max(rule.free[sender], now + late_us) + size * us_per_byte))
        found.append((free - now, data))
    return found


def _freeze(rule: _Rule, sender: str, copies: list[Copy], now: Micros) -> list[Copy]:
    began_at = rule.firing.began_at
    assert began_at is not None
    return [(max(late_us, began_at + rule.firing.fault.for_us - now), data) for late_us, data in copies]


Spoil = Callable[[_Rule, str, list[Copy], Micros], list[Copy]]
_SPOIL: Final[Mapping[str, Spoil]] = {
    "drop": _drop,
    "mute": _drop,
    "flip": _flip,
    "insert": _insert,
    "duplicate": _duplicate,
    "publish_doubled": _duplicate,
    "reorder": _late("by_ms"),
    "publish_reordered": _late("by_ms"),
    "latency": _late("added_ms"),
    "jitter": _jitter,
    "bandwidth": _bandwidth,
    "broker_frozen": _freeze,
}
"""Kind of a fault -> what it makes of the copies of a piece."""
_OVERTAKEN: Final = ("reorder", "publish_reordered")
"""Kinds whose pieces others overtake."""
