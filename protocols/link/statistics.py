"""Counters of one end of a link."""

from dataclasses import dataclass


@dataclass(slots=True)
class Statistics:
    """Counts since the end was made; for reports, never for decisions."""

    frames_sent: int = 0
    frames_received: int = 0
    bad_frames: int = 0
    retries: int = 0
    replays: int = 0
    naks: int = 0
    strays: int = 0
    echoes: int = 0
    """Frames that this end had sent itself, as a line that echoes brings them back."""
    leases_expired: int = 0
