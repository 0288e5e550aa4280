"""The presenter's view: the cycle in pictures, for a class that looks at a wall.

Law: counts and readings are those of the trainee's view; the phases are the device's own, with the times at which they
began, and the browser moves the needles between two of them.
"""

from collections.abc import Mapping
from typing import Final

from devicectl.session.machine import State
from devicectl.station.room import Room
from devicectl.station.views.patch import Document
from devicectl.station.views.trainee import phase_of
from protocols.language.enums import NeedleOutcome
from protocols.language.records import unpack_outcomes

MAX_PHASES: Final = 16
"""Phases that are sent: more than three cycles, for a browser that has missed some."""
CAPTIONS: Final[Mapping[str, str]] = {
    "none": "Between two cycles. The needles are home.",
    "punch": "Punch: the hollow needles go into the skin and come back. Each has cut out a core.",
    "suction": "Suction: the vacuum draws the cores out of the needles.",
    "advance": "Advance: the stage moves the needles on by one pitch.",
    "count": "Count: the sensor counts the cores that have come.",
}
BACKGROUND: Final = "background, not predicted"
FACTS: Final = (
    "A needle is less than half a millimeter wide.",
    "A treatment removes 4 to 8 % of the skin in the treated area.",
    "About 10,000 cores are taken in about 30 minutes.",
    "Three sessions, a month apart, are usual.",
    "About three days of downtime follow a session.",
    "Aftercare: keep the skin clean and moist, and out of the sun.",
    "Results are seen after four to six months.",
)
_SHARED: Final = ("notice", "title", "state", "counts", "vacuum", "cells", "zones", "alarms")
"""Parts that are those of the trainee's view."""


def presenter_view(room: Room, trainee: Document) -> Document:
    """Return what the presenter shows beside a trainee's view; clock and stops are put in by who paces the room."""
    view: Document = {
        "role": "presenter",
        **{name: trainee[name] for name in _SHARED},
        "caption": _caption(room),
        "phases": [phase_of(room, phase) for phase in room.phases[-MAX_PHASES:]],
        "needles": room.bench.device.parameters.needles,
        "depth_um": room.controller.plan.depth_um,
        "outcomes": _outcomes(room),
        "facts": [{"words": words, "mark": BACKGROUND} for words in FACTS],
        "automatic": room.controller.automatic,
    }
    if "place" in trainee:
        view["place"] = trainee["place"]
    return view


def _caption(room: Room) -> Document:
    phase = room.phases[-1].phase if room.phases else "none"
    stopped = phase == "none" and room.controller.screen.state is State.RECOVERING
    return {"phase": phase, "words": "Stopped." if stopped else CAPTIONS[phase]}


def _outcomes(room: Room) -> list[str]:
    """Return what each needle has brought in the cycle that ended last."""
    cycle = room.bench.device.nvm.last_outcome
    if cycle is None:
        return []
    flagged = room.controller.flagged
    came = unpack_outcomes(cycle.outcomes, cycle.needles)
    return [_outcome(outcome, bool(flagged >> needle & 1)) for needle, outcome in enumerate(came)]


def _outcome(outcome: NeedleOutcome, flagged: bool) -> str:
    if outcome is NeedleOutcome.COUNTED:
        return "core"
    return "clogged" if flagged else "none"
