"""Random streams of the plant: one for each subsystem, so that a draw in one shifts no number of another."""

import random


class Streams:
    """Streams of one device, by name. Each is made when it is first drawn from: 2.6 KiB that an idle device saves."""

    __slots__ = ("_made", "_prefix")

    def __init__(self, seed: int, earlier_boots: int) -> None:
        self._prefix = f"{seed}:{earlier_boots}" if earlier_boots else f"{seed}"
        self._made: dict[str, random.Random] = {}

    def of(self, name: str) -> random.Random:
        """Return the stream `name`, where it was left."""
        stream = self._made.get(name)
        if stream is None:
            stream = self._made[name] = random.Random(f"{self._prefix}:{name}")
        return stream
