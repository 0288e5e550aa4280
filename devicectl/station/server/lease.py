"""The lease of a trigger that is held: the server's, renewed by the page that holds it.

Law: pure. A page that is hidden, slept, crashed or cut off renews nothing, and so lets go.
"""

from typing import Final

from protocols.language.units import MILLISECOND, Micros

LEASE_US: Final = Micros(1_000 * MILLISECOND)
"""Wall time of a lease; pages renew it every 200 ms, so that four renewals may be lost on bad Wi-Fi."""


class TriggerLease:
    """Holder of the trigger of one station, and the end of his lease. A holder is one socket, by its number."""

    def __init__(self) -> None:
        self._holder: int | None = None
        self._until = Micros(0)

    @property
    def held(self) -> bool:
        """True while somebody holds it."""
        return self._holder is not None

    def take(self, holder: int, now: Micros) -> None:
        """Begin the lease of the one who has pressed."""
        self._holder, self._until = holder, Micros(now + LEASE_US)

    def renew(self, holder: int, now: Micros) -> None:
        """Renew it; only its holder can."""
        if self._holder == holder:
            self._until = Micros(now + LEASE_US)

    def drop(self) -> None:
        """End it: the trigger was let go."""
        self._holder = None

    def lost(self, holder: int) -> bool:
        """End it if this one held it, whose socket has gone; True if so."""
        held = self._holder == holder
        if held:
            self.drop()
        return held

    def lapsed(self, now: Micros) -> bool:
        """End it if it was not renewed in time; True if so."""
        lapsed = self.held and now >= self._until
        if lapsed:
            self.drop()
        return lapsed
