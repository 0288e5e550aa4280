"""The control API as one table: routes and OpenAPI document are made of it.

Law: a row says who may; nothing else does. `handler` names the method of `Api` that does it.
"""

from typing import Final, NamedTuple

from pydantic import BaseModel

from devicectl.station.server.admission.tokens import INSTRUCTOR, PRESENTER, TRAINEE
from devicectl.station.server.control import forms

ANYBODY: Final = frozenset({INSTRUCTOR, PRESENTER, TRAINEE})
SPEAKERS: Final = frozenset({INSTRUCTOR, PRESENTER})
INSTRUCTORS: Final = frozenset({INSTRUCTOR})
JSON: Final = "application/json"
YAML: Final = "application/yaml"
HTML: Final = "text/html"


class Operation(NamedTuple):
    """One operation: its request has the `form`, if any, and its answer one of the shapes `answers`, or is a text."""

    method: str
    path: str
    handler: str
    sentence: str
    who: frozenset[str]
    form: type[forms.Form] = forms.NothingForm
    answers: tuple[type[BaseModel], ...] = ()
    media: str = JSON


OPERATIONS: Final = (
    Operation("GET", "/api/scenarios", "scenarios", "List the lessons that can be started by name.", SPEAKERS,
              answers=(forms.Scenarios,)),
    Operation("GET", "/api/catalogue", "catalogue", "List faults, acts and stops with their parameters.", SPEAKERS,
              answers=(forms.Catalogue,)),
    Operation("GET", "/api/stations", "roster", "List the stations, and the lessons that nobody has ended.",
              INSTRUCTORS, answers=(forms.Roster,)),
    Operation("POST", "/api/stations", "start", "Start a lesson, held at its beginning; or go on with one.",
              INSTRUCTORS, forms.StartForm, (forms.Row, forms.Answer)),
    Operation("GET", "/api/stations/{station:int}", "station", "Show a station with the links of its views.",
              INSTRUCTORS, answers=(forms.Station,)),
    Operation("DELETE", "/api/stations/{station:int}", "remove", "End a station.", INSTRUCTORS,
              answers=(forms.Answer,)),
    Operation("POST", "/api/stations/{station:int}/acts", "act", "Do an act at this moment, as the token's view.",
              ANYBODY, forms.ActForm, (forms.Answer,)),
    Operation("POST", "/api/stations/{station:int}/pace", "pace",
              "Run, hold, step, and set speed and stops. A trainee may only run, in practice.",
              ANYBODY, forms.PaceForm, (forms.Answer,)),
    Operation("POST", "/api/stations/{station:int}/rewind", "rewind", "Go back to a time of the lesson, held there.",
              INSTRUCTORS, forms.RewindForm, (forms.Row,)),
    Operation("POST", "/api/stations/{station:int}/reset", "reset", "Go back to the beginning, held there.",
              INSTRUCTORS, forms.NothingForm, (forms.Row,)),
    Operation("POST", "/api/stations/{station:int}/link", "link", "Make a new link; the earlier one ends.",
              INSTRUCTORS, forms.LinkForm, (forms.Link,)),
    Operation("GET", "/api/stations/{station:int}/moment", "moment", "Show this moment as a scenario's file.",
              INSTRUCTORS, media=YAML),
    Operation("GET", "/api/stations/{station:int}/report", "report", "Show the debrief of this attempt.",
              INSTRUCTORS, media=HTML),
)  # fmt: skip
