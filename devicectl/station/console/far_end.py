"""The far end of a real transport, in the place of a host of ours: what comes from there, and what goes there.

Law: it has no protocol of its own. Pieces pass it as they are, and the bytes of a run follow from the acts alone.
"""

from collections.abc import Callable, Sequence
from typing import Final

from devicectl.session.engine import Entry
from firmware_sim.faults.wire import Piece
from protocols.language.enums import ByeReason
from protocols.language.units import Micros

ABSENT: Final = "no host is connected"
"""Cause for which the world's transport is broken while there is nobody at the far end."""


class FarEnd:
    """A host whose program runs elsewhere. For a world it is program, link and exchange in one.

    `heard(piece)` is called with each piece that arrives there, `lost(reason)` when the transport breaks.
    """

    entries: Final[Sequence[Entry]] = ()

    def __init__(self, heard: Callable[[Piece], None], lost: Callable[[str], None]) -> None:
        self.transport_up = False
        self.outbox: list[Piece] = []
        self._heard = heard
        self._lost = lost

    @property
    def link(self) -> "FarEnd":
        """Itself."""
        return self

    @property
    def exchange(self) -> "FarEnd":
        """Itself."""
        return self

    # --- for a world: its program and its link ---------------------------------------------------------------------

    def take_entries(self) -> list[Entry]:
        """Return nothing: its log is its own."""
        return []

    def logged(self, count: int, now: Micros) -> None:
        """No-op."""

    def connected(self, now: Micros) -> None:
        """Take in that the transport is there."""
        self.transport_up = True

    def disconnected(self, reason: str, now: Micros, *, final: bool = False) -> None:
        """Take in that the transport is gone."""
        if self.transport_up:
            self.transport_up = False
            self.drop()
            self._lost(reason)

    def receive(self, data: Piece, now: Micros) -> None:
        """Pass on what has arrived."""
        if self.transport_up:
            self._heard(data)

    def advance(self, now: Micros) -> None:
        """No-op: nothing here waits for a time."""

    def next_deadline(self) -> Micros | None:
        """Return None: nothing here waits for a time."""
        return None

    # --- for a world: its exchange -----------------------------------------------------------------------------------

    def take(self) -> list[Piece]:
        """Return what it has sent and nobody has carried yet."""
        taken, self.outbox = self.outbox, []
        return taken

    def bye(self, reason: ByeReason, now: Micros) -> None:
        """No-op: it takes leave by itself."""

    def drop(self) -> None:
        """Forget what was not carried yet."""
        self.outbox.clear()
