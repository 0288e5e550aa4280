"""The pace of a link: how often an end sends a heartbeat, and how long it bears silence."""

from dataclasses import dataclass
from typing import Final, Self

from protocols.language.units import MILLISECOND, SECOND, Micros, from_ms

MIN_HEARTBEAT_US: Final = Micros(50 * MILLISECOND)
"""The least, whatever a peer's WELCOME asks for: a heartbeat of 0 would be sent without end."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Longest own silence before a heartbeat, and longest silence of the other end. A lease of 0 never expires."""

    heartbeat_us: Micros
    lease_us: Micros

    @classmethod
    def of_ms(cls, heartbeat_ms: int, lease_ms: int) -> Self:
        """Make a pace of milliseconds, as WELCOME and the parameters have them."""
        return cls(from_ms(heartbeat_ms), from_ms(lease_ms))

    def bounded(self) -> "Pace":
        """Return a pace that an end can keep: its heartbeat is `MIN_HEARTBEAT_US` at least."""
        return self if self.heartbeat_us >= MIN_HEARTBEAT_US else Pace(MIN_HEARTBEAT_US, self.lease_us)


IDLE_PACE: Final = Pace(Micros(5 * SECOND), Micros(15 * SECOND))
"""Before WELCOME has said otherwise."""
