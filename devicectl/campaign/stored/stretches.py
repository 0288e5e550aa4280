"""Stretches of one wire: messages that can be judged together, between two losses of all that a device knows.

Law: pieces in, recordings of a trial's form out. A WELCOME of another epoch begins a stretch, since the device's memory
was erased, or another device is there.
"""

from collections.abc import Sequence
from typing import NamedTuple

from devicectl.campaign.recording import Recorded
from devicectl.campaign.stored.sorting import Piece
from protocols.language.units import Micros


class Stretches(NamedTuple):
    """The stretches of one wire, and how many frames were left out before: of links from before the capture."""

    recordings: list[list[Recorded]]
    left_out: int


def divide(pieces: Sequence[Piece]) -> Stretches:
    """Divide the pieces of a wire that any program may have recorded."""
    kept = _without_earlier_links(pieces)
    recordings: list[list[Recorded]] = [[]]
    epoch = None
    for piece in kept:
        if piece.grants is not None:
            if epoch not in (None, piece.grants[1]):
                recordings.append([])
            epoch = piece.grants[1]
        recordings[-1] += as_recorded(piece)
    return Stretches(recordings, len(pieces) - len(kept))


def as_recorded(piece: Piece) -> list[Recorded]:
    """Return a piece at each of its places."""
    return [Recorded(Micros(piece.at_us), where, piece.data) for where in piece.places]


def _without_earlier_links(pieces: Sequence[Piece]) -> list[Piece]:
    """Leave out frames of links whose WELCOME was before the first piece; the HELLO tells where no device is heard."""
    answered = any(piece.grants is not None for piece in pieces)
    known: set[int] = set()
    in_the_midst, met = False, False
    kept = []
    for piece in pieces:
        if piece.grants is not None:
            known.add(piece.grants[0])
        met = met or piece.greets or piece.grants is not None
        if piece.link_id in known or not piece.link_id or piece.grants is not None:
            kept.append(piece)
        elif not met:
            in_the_midst = True
        elif not in_the_midst or not answered:
            kept.append(piece)
    return kept
