"""The injector: which fault of a run begins and ends when. Virtual time and real time use the same object.

How it works: a run declares `mute` when `frame("COUNT", 3)`, for 400 ms.

    injector.acts["mute"] = wire.begin       somebody does what a mute is
    injector.sent("host", data, now)         each piece is counted before it is carried; the third COUNT is one of them
      -> acts["mute"](firing, now)           the trigger holds: it begins, and says how it is ended
      firing.struck(now)                     the wire has swallowed a piece: it has fired
    injector.next_deadline()                 400 ms later
    injector.advance(now) -> ends it

Law: no I/O and no clock. A fault begins once, and at the start of the run if its trigger holds then. What it does is
the act's; an act that may not run in the midst of what its caller does is put off by the one who registers it.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final, assert_never

from firmware_sim.faults.fault import Fault
from firmware_sim.faults.trigger import (
    FRAMES,
    NAMES,
    SENDERS,
    At,
    Compare,
    Moment,
    Trigger,
    View,
    condition,
    counted_from,
    leaves,
)
from protocols.language.units import MILLISECOND, Micros
from protocols.link.header import Header
from protocols.mqtt.wire import Publication, decode_publication
from protocols.serial.framing import Frame, FrameDecoder

LOOK_EVERY_US: Final = 10 * MILLISECOND
"""Time between two looks at a quantity that changes by itself: the shortest phase of a cycle has 20 ms."""
_NAME_OF: Final = {key: name for name, key in FRAMES.items()}
MAX_MET: Final = 1_000
"""Pieces that are kept of what a fault has met: a device that is served for days must not grow."""
_TIME: Final = ("time", "")
_STATE: Final = ("state", "")
_BEGIN: Final = Micros(0)

Place = Moment | At
"""Place in a run: a piece, a write or a commit by its number, else a time."""
Counts = Mapping[tuple[str, str], int]
"""Event of a moment -> how many of it there were."""
End = Callable[[Micros], None]
"""Ends a fault that has begun."""


class Firing:
    """One declared fault in a run, and what has become of it. Times are None until it has."""

    __slots__ = (
        "_noted",
        "before",
        "began",
        "began_at",
        "effects",
        "end",
        "ended_at",
        "fault",
        "holds",
        "index",
        "met",
        "random",
    )

    def __init__(self, index: int, fault: Fault, when: Trigger, seed: int, noted: "Noted") -> None:
        self.index = index
        self.fault = fault
        self.holds = condition(when)
        """Tells if the fault's trigger holds; it is counted from the beginning of the run."""
        self.random = random.Random(f"{seed}:{fault.kind.name}:{index}")
        self.began_at: Micros | None = None
        self.ended_at: Micros | None = None
        self.began: Place | None = None
        self.before: Counts = {}
        """Events of a run that there were when it began, the one by which it began among them."""
        self.met: list[Moment] = []
        """The first `MAX_MET` pieces that a fault of single pieces has met."""
        self.effects = 0
        """Times that it has changed something; one that has changed nothing has not fired."""
        self.end: End | None = None
        self._noted = noted

    def struck(self, now: Micros) -> None:
        """Note that it has changed something."""
        self.effects += 1
        if self.effects == 1:
            self._noted("fired", self, now)

    def meet(self, place: Moment, now: Micros) -> None:
        """Note that it has changed that piece."""
        if len(self.met) < MAX_MET:
            self.met.append(place)
        self.struck(now)

    @property
    def under_way(self) -> bool:
        """True while it may still change something."""
        return self.began_at is not None and self.ended_at is None


Noted = Callable[[str, Firing, Micros], None]
"""Hears that a fault has "fired" or "ended"."""
Act = Callable[[Firing, Micros], End | None]
"""Begins a fault, and returns what ends it; None where nothing is left to end."""


def ignore(event: str, firing: Firing, now: Micros) -> None:
    """Hear it and do nothing."""


class Injector:
    """The faults of one run. `acts` does what each kind is; a kind without one must not be declared.

    The run begins at `began_at`.
    """

    def __init__(
        self, faults: Sequence[Fault], seed: int, view: View, noted: Noted = ignore, began_at: Micros = _BEGIN
    ) -> None:
        self.acts: dict[str, Act] = {}
        self.firings: list[Firing] = []
        self.view = view
        self._seed = seed
        self._noted = noted
        self._counts: dict[tuple[str, str], int] = {}
        self._last_piece = _TIME
        self._waiting: dict[tuple[str, str], list[Firing]] = {}
        """Event that may let a fault begin -> those that wait for it."""
        self._of_frames = False
        """True while one of them waits for a frame."""
        self._times: list[Micros] = []
        self._ends: list[tuple[Micros, int, Firing]] = []
        self._look_at: Micros | None = None
        self._decoders: dict[tuple[str, str], FrameDecoder] = {}
        for fault in faults:
            self.add(fault, began_at)

    def add(self, fault: Fault, now: Micros) -> Firing:
        """Declare a fault in the midst of a run: times and numbers of its trigger count from now on."""
        when = counted_from(fault.when, now, self._counts)
        firing = Firing(len(self.firings), fault, when, self._seed, self._noted)
        self.firings.append(firing)
        self._times.append(now)  # its trigger may hold already
        self._waiting.setdefault(_TIME, []).append(firing)
        for leaf in leaves(when):
            self._wait(firing, leaf)
        return firing

    def _wait(self, firing: Firing, leaf: Compare | At | Moment) -> None:
        match leaf:
            case At(us):
                self._times.append(us)
                key = _TIME
            case Moment(event, of, _):
                key = (event, of)
            case Compare(name):
                key = _STATE
                if NAMES[name].continuous:
                    self._look_at = Micros(0)
            case _:
                assert_never(leaf)
        waiting = self._waiting.setdefault(key, [])
        if firing not in waiting:
            waiting.append(firing)
        self._of_frames = self._of_frames or key[0] == "frame"

    # --- what a run reports --------------------------------------------------------------------------------------

    def sent(self, sender: str, data: bytes | Publication, now: Micros, port: str = "") -> None:
        """Note a piece that `sender` gives to its transport, before anything is done with it.

        `port` tells transports apart that carry frames beside each other.
        """
        self._last_piece = key = ("piece", sender)
        self._count(key, now)
        if self._of_frames:
            for header in self._headers((sender, port), data):
                name = _NAME_OF.get((header.kind, header.message_id))
                if name is not None:
                    self._count(("frame", name), now)

    def wrote(self, now: Micros) -> None:
        """Note that a step is about to be written to the memory."""
        self._count(("write", ""), now)

    def committed(self, now: Micros) -> None:
        """Note that the host is about to write to its log."""
        self._count(("commit", ""), now)

    def look(self, now: Micros) -> None:
        """Note that the device may have changed."""
        self._judge(_STATE, now)

    def next_deadline(self) -> Micros | None:
        """Return the time at which `advance` has something to do; None for never."""
        due = self._ends[0][0] if self._ends else None
        if self._look_at is not None and _STATE in self._waiting and (due is None or self._look_at < due):
            due = self._look_at
        for time in self._times:
            if due is None or time < due:
                due = time
        return due

    def advance(self, now: Micros) -> None:
        """Do what is due."""
        while self._ends and self._ends[0][0] <= now:
            self.finish(heappop(self._ends)[2], now)
        if any(time <= now for time in self._times):
            self._times = [time for time in self._times if time > now]
            self._judge(_TIME, now)
        if self._look_at is not None and self._look_at <= now:
            self._look_at = Micros(now + LOOK_EVERY_US)
            self.look(now)

    # --- places --------------------------------------------------------------------------------------------------

    @property
    def counts(self) -> Counts:
        """Pieces, writes and commits so far, and frames while a trigger waits for one."""
        return dict(self._counts)

    def last_of(self, event: str, of: str) -> Moment:
        """Return the place of the last event of a kind."""
        return Moment(event, of, self._counts[event, of])

    def _place(self, key: tuple[str, str], now: Micros) -> Place:
        if key in (_TIME, _STATE):
            return At(now)
        return self.last_of(*(self._last_piece if key[0] == "frame" else key))

    # --- beginnings and ends -------------------------------------------------------------------------------------

    @property
    def unfired(self) -> list[Firing]:
        """Faults that have changed nothing."""
        return [firing for firing in self.firings if not firing.effects]

    def finish(self, firing: Firing, now: Micros) -> None:
        """End a fault that is under way: its time is over, or there is nothing left that it may change."""
        if firing.under_way:
            firing.ended_at = now
            end, firing.end = firing.end, None
            if end is not None:
                end(now)
            self._noted("ended", firing, now)

    def withdraw(self, firing: Firing, now: Micros) -> bool:
        """End a fault, or let it never begin; False where it has ended."""
        if firing.ended_at is not None:
            return False
        self._forget(firing)
        if firing.began_at is None:
            firing.ended_at = now
        self.finish(firing, now)
        return True

    def finish_all(self, now: Micros) -> None:
        """End every fault, and let none begin any more."""
        self._waiting.clear()
        self._times.clear()
        self._ends.clear()
        for firing in self.firings:
            self.finish(firing, now)

    def _count(self, key: tuple[str, str], now: Micros) -> None:
        self._counts[key] = self._counts.get(key, 0) + 1
        self._judge(key, now)

    def _judge(self, key: tuple[str, str], now: Micros) -> None:
        """Begin those that wait for `key` and whose trigger holds now."""
        waiting = self._waiting.get(key)
        if waiting is None:
            return
        ripe = [one for one in waiting if one.holds(now, self.view, self._counts)]
        for firing in ripe:
            self._forget(firing)
        for firing in ripe:
            firing.began, firing.before = self._place(key, now), self.counts
            self._begin(firing, now)

    def _forget(self, firing: Firing) -> None:
        """Let nothing wait for a fault any more."""
        for key in [key for key, ones in self._waiting.items() if firing in ones]:
            self._waiting[key].remove(firing)
            if not self._waiting[key]:
                del self._waiting[key]
        self._of_frames = any(event == "frame" for event, _ in self._waiting)

    def _begin(self, firing: Firing, now: Micros) -> None:
        fault = firing.fault
        firing.began_at = now
        if fault.for_us:
            heappush(self._ends, (Micros(now + fault.for_us), firing.index, firing))
        if fault.kind.at_once:
            firing.struck(now)
        firing.end = self.acts[fault.kind.name](firing, now)
        if firing.end is None and not fault.for_us and fault.kind.at_once:
            self.finish(firing, now)

    def forget(self, port: str) -> None:
        """Drop what a transport that is gone has carried of a frame."""
        for sender in SENDERS:
            self._decoders.pop((sender, port), None)

    def _headers(self, line: tuple[str, str], data: bytes | Publication) -> list[Header]:
        if not isinstance(data, bytes):
            return [decode_publication(data).header]
        decoder = self._decoders.setdefault(line, FrameDecoder())
        return [found.header for found in decoder.feed(data) if isinstance(found, Frame)]
