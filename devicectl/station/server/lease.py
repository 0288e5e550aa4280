"""The lease of a trigger that is held: the server's, renewed by the page that holds it.

Law: pure. A page that is hidden, slept, crashed or cut off renews nothing, and so lets go. A trigger that is held keeps
its holder: somebody else's press changes nothing.
"""

from typing import Final

from protocols.language.units import MILLISECOND, Micros

LEASE_US: Final = Micros(1_000 * MILLISECOND)
"""Wall time of a lease; pages renew it every 200 ms, so that four renewals may be lost on bad Wi-Fi."""
LATE_US: Final = Micros(100 * MILLISECOND)
"""Time between two looks after which the server itself was late: renewals that have come meanwhile are not read yet."""
NOBODY: Final = 0
"""Holder of a trigger that no page holds: its lease is never renewed, and the next page that presses has it."""


class TriggerLease:
    """Holder of the trigger of one station, and the end of his lease. A holder is one socket, by its number."""

    def __init__(self) -> None:
        self._holder: int | None = None
        self._until = Micros(0)
        self._lost = False
        self._looked = Micros(0)
        self._excused = False

    @property
    def held(self) -> bool:
        """True while somebody holds it."""
        return self._holder is not None

    def take(self, holder: int, now: Micros) -> None:
        """Begin the lease of the one who has pressed, or renew his; no-op where another page has it."""
        if self._holder in (None, NOBODY):
            self._holder, self._looked, self._lost = holder, now, False
        self.renew(holder, now)

    def renew(self, holder: int, now: Micros) -> None:
        """Renew it; only its holder can."""
        if self._holder == holder:
            self._until, self._excused = Micros(now + LEASE_US), False

    def drop(self) -> None:
        """End it: the trigger was let go."""
        self._holder = None

    def lose(self, holder: int) -> None:
        """Take note that this one's socket has gone: his lease is over."""
        self._lost = self._lost or self._holder == holder

    def over(self, now: Micros) -> str:
        """Return why it is over; "" while it is not. It is over until it is dropped or taken.

        A look that comes late lets nobody go, but the one after it does in any case.
        """
        late = now - self._looked > LATE_US
        self._looked = now
        if self.held and self._lost:
            return "connection"
        if not self.held or now < self._until:
            return ""
        if late and not self._excused:
            self._excused = True
            return ""
        return "lease"
