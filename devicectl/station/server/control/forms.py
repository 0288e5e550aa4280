"""Forms of what the control API is sent, and of what it answers: the models of its OpenAPI document.

Law: shapes alone. An act's arguments are checked by its row in `devicectl.station.acts`.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from devicectl.station.server.admission.limits import MAX_STATIONS
from devicectl.station.server.pace import MAX_SPEED, MIN_SPEED
from firmware_sim.faults.scenario import MAX_SEED

MAX_NAME = 60
MAX_TEXT = 64 * 1024
Name = Annotated[str, Field(max_length=MAX_NAME)]


class Form(BaseModel):
    """A request's body: nothing but these keys, and no value of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NothingForm(Form):
    """An empty object, or no body."""


class StartForm(Form):
    """Start a lesson: a ready one by its name, or the text of a scenario's file; or go on with an unfinished one."""

    scenario: Annotated[Name | None, Field(description="name of a lesson of GET /api/scenarios")] = None
    text: Annotated[str | None, Field(max_length=MAX_TEXT, description="a scenario's file in YAML")] = None
    resume: Annotated[int | None, Field(description="an unfinished lesson of GET /api/stations")] = None
    discard: Annotated[int | None, Field(description="an unfinished lesson that nobody will go on with")] = None
    station: Annotated[int | None, Field(ge=1, le=MAX_STATIONS, description="station that gets it; else a new one")] = (
        None
    )
    seed: Annotated[int | None, Field(ge=0, le=MAX_SEED, description="what chance follows from; else drawn")] = None
    trainee: Annotated[Name | None, Field(description="name in the roster")] = None

    @model_validator(mode="after")
    def _one_of_four(self) -> Self:
        if sum(given is not None for given in (self.scenario, self.text, self.resume, self.discard)) != 1:
            raise ValueError("exactly one of scenario, text, resume and discard is needed")
        return self


class ActForm(Form):
    """An act, as on the socket."""

    name: Annotated[Name, Field(description="name of an act of GET /api/catalogue")]
    arguments: Annotated[dict[str, object], Field(description="a mapping of the act's arguments to values")] = {}


class PaceForm(Form):
    """Move the clock: what is left out stays as it is."""

    running: Annotated[bool | None, Field(description="true to run, false to hold")] = None
    speed: Annotated[
        float | None, Field(ge=MIN_SPEED, le=MAX_SPEED, description=f"a number from {MIN_SPEED:g} to {MAX_SPEED:g}")
    ] = None
    step: Annotated[Literal["phase", "cycle", "alarm"] | None, Field(description="run to the next one, and hold")] = (
        None
    )
    stops: Annotated[list[str] | None, Field(max_length=16, description="stops of GET /api/catalogue")] = None


class RewindForm(Form):
    """Go back to a time of the lesson."""

    to_ms: Annotated[int, Field(ge=0, le=86_400_000, description="a whole number of milliseconds of lesson time")]


class LinkForm(Form):
    """Make a new link for a view."""

    view: Annotated[Literal["trainee", "presenter"], Field(description="trainee or presenter")]


class Answer(BaseModel):
    """Outcome of what was asked for."""

    ok: bool
    words: str = ""


class Trouble(BaseModel):
    """A request that was refused, in one sentence."""

    words: str


class Words(BaseModel):
    """A name with its words."""

    name: str
    words: str


class ClockShown(BaseModel):
    """The lesson's clock."""

    t_ms: int
    speed: float
    running: bool
    ended: bool


class LastAct(BaseModel):
    """The last act of anybody at a station."""

    words: str
    at_ms: int


class Row(BaseModel):
    """A station in the roster."""

    station: int
    lesson: int
    scenario: str
    title: str
    trainee: str = ""
    state: Words
    last_act: LastAct | None = None
    clock: ClockShown
    ended: bool
    connected: dict[str, int]
    host: Annotated[str | None, Field(description="where somebody else's host finds it, in place of a trainee")] = None
    executing: str | None = None
    trouble: str | None = None


class Code(BaseModel):
    """A QR code: one SVG path of a square of so many modules."""

    size: int
    d: str


class Link(BaseModel):
    """A link for a view, and its code."""

    url: str
    qr: Code


class Station(Row):
    """A station with the links of its views."""

    links: dict[str, Link]


class Unfinished(BaseModel):
    """A lesson that an earlier server did not end."""

    lesson: int
    title: str
    trainee: str
    station: int
    acts: int
    words: str


class Roster(BaseModel):
    """The class."""

    limit: int
    stations: list[Row]
    unfinished: list[Unfinished]


class Scenario(BaseModel):
    """A lesson that can be started."""

    scenario: str
    title: str
    minutes: float
    objectives: list[str]
    prebrief: str


class Scenarios(BaseModel):
    """All lessons that can be started by name."""

    scenarios: list[Scenario]


class Quantity(BaseModel):
    """A parameter of a fault or an act."""

    name: str
    unit: str
    least: float
    most: float
    usual: float | str
    help: str
    words: list[str]
    whole: bool


class Fault(BaseModel):
    """A kind of fault; `words` are plain ones for those that a trainer brings in, and empty for the others."""

    fault: str
    words: str
    target: str
    sentence: str
    quantities: list[Quantity]


class ActShown(BaseModel):
    """A kind of act."""

    act: str
    views: list[str]
    sentence: str


class Catalogue(BaseModel):
    """Everything that can be injected, done and stopped at."""

    faults: list[Fault]
    acts: list[ActShown]
    stops: list[dict[str, str]]
    steps: list[str]
    speeds: tuple[float, float]
