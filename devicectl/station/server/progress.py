"""Counts of what has been seen in a room, kept up as it goes on.

Law: pure. Evidence and phases are only ever added to, so that each is counted once.
"""

from collections import Counter

from devicectl.station.room import Room
from devicectl.station.server.pace import Seen

PUNCH = "punch"
BETWEEN = "none"
"""Phase of a handpiece that is in no cycle."""


class Progress:
    """Counts of one room since its lesson began."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._kinds: Counter[str] = Counter()
        self._punches = 0
        self._evidence = 0
        self._phases = 0
        self._looked = sum(phase.at_us < room.began for phase in room.phases)
        self._shown = (0, 0)

    def seen(self) -> Seen:
        """Return the counts up to now."""
        self._count()
        kinds = self._kinds
        return Seen(
            phases=self._phases,
            punches=self._punches,
            counts=kinds["cores"],
            alarms=kinds["alarm"],
            refusals=kinds["refusal"],
            closed=kinds["closed"],
        )

    def changed(self) -> bool:
        """Return whether there is more than was shown."""
        return self._shown != (len(self._room.evidence), len(self._room.phases))

    def shown(self) -> None:
        """Take note that all of it was shown."""
        self._shown = len(self._room.evidence), len(self._room.phases)

    def _count(self) -> None:
        room = self._room
        self._kinds.update(evidence.kind for evidence in room.evidence[self._evidence :])
        begun = [phase.phase for phase in room.phases[self._looked :] if phase.phase != BETWEEN]
        self._phases += len(begun)
        self._punches += begun.count(PUNCH)
        self._evidence, self._looked = len(room.evidence), len(room.phases)
