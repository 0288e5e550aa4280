"""Random numbers of the plant, by stream, cycle and act, so that what is drawn in one cycle changes no other cycle.

How it works. An act is one use of a stream: a stroke, a purge, a look of the sensor. Acts of one stream are counted
from 0 in each cycle. Act *a* of every stream in cycle *c* has its words in one hash, each stream at its own place:

    SHAKE-128("seed:c:a")    with earlier boots: "seed:boots:c:a"    -> words of 32 bits, `needles` for each of NAMES

So the second try of a stalled stroke in cycle 3 is in the hash of "7:3:1", and cycle 4 draws what it would have drawn
without a stall. Nearly every cycle needs one hash alone, since nothing in it is done twice.
"""

from hashlib import shake_128
from struct import unpack
from typing import Final

NAMES: Final = ("clog", "needles", "evacuation", "sensor", "encoder", "purge", "hand", "hand's angle")
"""Streams, in the order of their words. A new one goes to the end, where it moves no other."""

WORDS: Final = 2**32
"""Number of words there are: a thing with chance p happens where the word is below `int(p * WORDS)`."""


class Streams:
    """Streams of one device with so many needles, each in the same cycle."""

    __slots__ = ("_acts", "_cycle", "_first", "_needles", "_prefix")

    def __init__(self, seed: int, earlier_boots: int, needles: int) -> None:
        self._prefix = f"{seed}:{earlier_boots}" if earlier_boots else f"{seed}"
        self._needles = needles
        self._cycle = 0  # all that is drawn before the first one
        self._acts: dict[str, int] = {}
        self._first: tuple[int, ...] = ()
        """Words of the cycle's act 0, once they are drawn from: an idle device needs none."""

    def begin_cycle(self) -> None:
        """Go on to the next cycle, in which no stream has been used yet."""
        self._cycle += 1
        self._acts.clear()
        self._first = ()

    def draw(self, name: str) -> tuple[int, ...]:
        """Draw a word for each needle, for the next act of the stream `name` in this cycle."""
        act = self._acts.get(name, 0)
        self._acts[name] = act + 1
        if act:
            words = self._words(act)
        else:
            words = self._first = self._first or self._words(0)
        place = _PLACES[name] * self._needles
        return words[place : place + self._needles]

    def word_at(self, name: str, moment: int) -> int:
        """Return the word of `name` for a moment, whichever cycle it is in, such as the number of a sample."""
        (word,) = unpack("<I", shake_128(f"{self._prefix}:{name}:{moment}".encode()).digest(4))
        return int(word)

    def _words(self, act: int) -> tuple[int, ...]:
        """Words of all streams for one act of the present cycle."""
        count = len(NAMES) * self._needles
        return unpack(f"<{count}I", shake_128(f"{self._prefix}:{self._cycle}:{act}".encode()).digest(4 * count))


_PLACES: Final = {name: place for place, name in enumerate(NAMES)}
