"""Views as a station sends them: the room's part by role, with what only the server knows - clock, stops, attempt.

Law: what a role may not see is not in its view: nothing is taken out of it later.
"""

from collections.abc import Mapping

from devicectl.station.acts import INSTRUCTOR, PRESENTER, TRAINEE
from devicectl.station.server.pace import STOPS
from devicectl.station.server.station import Projection, Station
from devicectl.station.views.instructor import instructor_view
from devicectl.station.views.patch import Document
from devicectl.station.views.presenter import presenter_view


def projections(*, practice: bool) -> Mapping[str, Projection]:
    """Return what makes each view. In `practice` the trainee's says that he may begin."""

    def trainee(station: Station, seen: Document) -> Document:
        allowed: Document = {"practice": True} if practice and station.unbegun else {}
        return {**seen, "clock": station.clock(), **allowed}

    return {TRAINEE: trainee, PRESENTER: _presenter, INSTRUCTOR: _instructor}


def _presenter(station: Station, seen: Document) -> Document:
    return {**presenter_view(station.room, seen), "clock": station.clock(), "stops": _stops(station)}


def _instructor(station: Station, seen: Document) -> Document:
    clock = station.clock()
    return {
        **instructor_view(station.room, {**seen, "clock": clock}),
        "clock": clock,
        "stops": _stops(station),
        "lesson": station.attempt.key,
        **({"trouble": station.trouble} if station.trouble else {}),
        **({} if station.far_device is None else {"host": station.far_device.words()}),
    }


def _stops(station: Station) -> list[Document]:
    pace = station.pace
    return [
        {"stop": stop.stop, "words": stop.words, "chosen": stop.stop in pace.stops, "done": stop.stop in pace.done}
        for stop in STOPS.values()
    ]
