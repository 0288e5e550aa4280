"""The operations of the control API.

Law: who may do it, and that its form is right, was decided before: by the table and by `app`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.responses import HTMLResponse, Response

from devicectl import clock
from devicectl.log.lessons.lesson import LessonSummary
from devicectl.station.acts import ACTS
from devicectl.station.debrief.page import POLICY
from devicectl.station.debrief.stored import debrief_of
from devicectl.station.lesson import Lesson
from devicectl.station.lesson_file import parse_lesson
from devicectl.station.moment import at_moment, lesson_as_yaml
from devicectl.station.possible import OF_THE_PERSON
from devicectl.station.server.admission.limits import MAX_STATIONS
from devicectl.station.server.admission.security import NO_EMBEDDING
from devicectl.station.server.admission.tokens import PRESENTER, TRAINEE, Tokens, Who
from devicectl.station.server.control import forms
from devicectl.station.server.control.debriefs import Debriefs
from devicectl.station.server.control.for_trainers import FOR_TRAINERS
from devicectl.station.server.control.links import link_of
from devicectl.station.server.control.operations import YAML
from devicectl.station.server.hub import Hub
from devicectl.station.server.pace import MAX_SPEED, MIN_SPEED, STEPS, STOPS
from devicectl.station.server.sockets import Sockets
from devicectl.station.server.station import Station
from devicectl.station.views.guidance import situation
from firmware_sim.faults.catalogue import CATALOGUE
from protocols.language.units import MILLISECOND

AForm = TypeVar("AForm", bound=forms.Form)
NOTHING: Final = forms.NothingForm()
VIEWS: Final = (TRAINEE, PRESENTER)
"""Views that have links of their own at each station."""


class ApiError(Exception):
    """A request cannot be done: a status of HTTP, and a sentence."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True)
class Call:
    """A request that was let in: by whom, at which station, with which form."""

    who: Who
    station: int = 0
    form: forms.Form = NOTHING

    def asked(self, kind: type[AForm]) -> AForm:
        """Return its form, which is of the kind that the table has for it."""
        assert isinstance(self.form, kind)
        return self.form


class Api:
    """The operations. `base` is the address by which others reach the server."""

    def __init__(
        self,
        hub: Hub,
        tokens: Tokens,
        sockets: Sockets,
        *,
        library: Mapping[str, Lesson],
        base: str,
        practice: bool,
    ) -> None:
        self._hub = hub
        self._tokens = tokens
        self._sockets = sockets
        self._library = library
        self._base = base
        self._practice = practice
        self._debriefs = Debriefs(debrief_of)

    def at(self, number: int) -> Station:
        """Return the station of a number."""
        station = self._hub.stations.get(number)
        if station is None:
            raise ApiError(404, f"there is no station {number}")
        return station

    # --- what there is -------------------------------------------------------------------------------------------

    async def scenarios(self, call: Call) -> forms.Scenarios:
        """List the lessons that can be started."""
        return forms.Scenarios(scenarios=[_scenario(name, lesson) for name, lesson in self._library.items()])

    async def catalogue(self, call: Call) -> forms.Catalogue:
        """List what can be injected, done and stopped at."""
        return CATALOGUE_SHOWN

    async def roster(self, call: Call) -> forms.Roster:
        """List the stations."""
        return forms.Roster(
            limit=MAX_STATIONS,
            stations=[self._row(station) for _, station in sorted(self._hub.stations.items())],
            unfinished=[_unfinished(lesson) for lesson in self._hub.unfinished()],
        )

    async def station(self, call: Call) -> forms.Station:
        """Show a station with its links."""
        station = self.at(call.station)
        links = {view: self._link(view, station.number) for view in VIEWS}
        return forms.Station.model_validate({**self._row(station).model_dump(), "links": links})

    # --- lessons -------------------------------------------------------------------------------------------------

    async def start(self, call: Call) -> forms.Row | forms.Answer:
        """Start a lesson, or go on with one."""
        form = call.asked(forms.StartForm)
        if form.discard is not None:
            await self._hub.discard(form.discard)
            return forms.Answer(ok=True)
        if form.resume is not None:
            station = await self._hub.go_on(form.resume)
        else:
            name, lesson = self._lesson(form)
            station = await self._hub.start(
                lesson, name=name, number=form.station, seed=form.seed, trainee=form.trainee
            )
        self.admit(station.number)
        return self._row(station)

    def _lesson(self, form: forms.StartForm) -> tuple[str, Lesson]:
        if form.text is not None:
            lesson = parse_lesson(form.text, "the scenario")
            return lesson.title, lesson
        assert form.scenario is not None
        if form.scenario not in self._library:
            raise ApiError(404, f"scenario: one of {', '.join(self._library)} is right")
        return form.scenario, self._library[form.scenario]

    def admit(self, number: int) -> None:
        """Make the links of a station that has none yet."""
        for view in VIEWS:
            if Who(view, number) not in self._tokens.known():
                self._tokens.renew(Who(view, number))

    async def remove(self, call: Call) -> forms.Answer:
        """End a station."""
        self.at(call.station)
        await self._hub.remove(call.station)
        self._tokens.forget(call.station)
        self._sockets.remove(call.station)
        return forms.Answer(ok=True)

    async def rewind(self, call: Call) -> forms.Row:
        """Go back to a time of the lesson."""
        return await self._back(self.at(call.station), call.asked(forms.RewindForm).to_ms)

    async def reset(self, call: Call) -> forms.Row:
        """Go back to the beginning."""
        return await self._back(self.at(call.station), 0)

    async def _back(self, station: Station, to_ms: int) -> forms.Row:
        if station.executing:
            raise ApiError(409, station.executing)
        if to_ms * MILLISECOND > station.room.now - station.room.began:
            raise ApiError(422, "to_ms: a time that this attempt has reached is right")
        await self._hub.rewind(station, to_ms)
        return self._row(station)

    async def moment(self, call: Call) -> Response:
        """Show this moment as a scenario's file."""
        room = self.at(call.station).room
        lesson = at_moment(room.lesson, room.seed, room.acts, room.began, room.now, situation(room))
        return Response(lesson_as_yaml(lesson), media_type=YAML)

    async def report(self, call: Call) -> Response:
        """Show the debrief of this attempt, up to now if it goes on."""
        return await self.debrief(self.at(call.station).attempt.key)

    async def debrief(self, lesson: int) -> Response:
        """Show the debrief of a lesson of the log.

        Raises:
            LogError: the log has no such lesson.
            DebriefError: this version cannot execute it again.
        """
        page = await self._debriefs.page(lesson, self._hub.attempts(lesson), self._hub.now_in(lesson))
        return HTMLResponse(page, headers={"Content-Security-Policy": f"{POLICY}; {NO_EMBEDDING}"})

    # --- acts and the clock --------------------------------------------------------------------------------------

    async def act(self, call: Call) -> forms.Answer:
        """Do an act."""
        form = call.asked(forms.ActForm)
        answer = self.at(call.station).act(call.who.role, form.name, form.arguments, clock.monotonic())
        self._hub.wake()
        if not answer.ok:
            raise ApiError(422, answer.words)
        return forms.Answer(ok=True)

    async def pace(self, call: Call) -> forms.Answer:
        """Move the clock."""
        form = call.asked(forms.PaceForm)
        station = self.at(call.station)
        if call.who.role == TRAINEE and not (
            self._practice and form.model_dump(exclude_none=True) == {"running": True}
        ):
            raise ApiError(403, "the instructor runs this lesson")
        if call.who.role == TRAINEE and not station.unbegun:
            raise ApiError(403, "the lesson has begun: the instructor runs it on")
        unknown = [stop for stop in form.stops or () if stop not in STOPS]
        if unknown:
            raise ApiError(422, f"stops: any of {', '.join(STOPS)} is right")
        answer = station.set_pace(clock.monotonic(), **form.model_dump())
        if not answer.ok:
            raise ApiError(409, answer.words)
        self._hub.wake()
        return forms.Answer(ok=True)

    # --- links ---------------------------------------------------------------------------------------------------

    async def link(self, call: Call) -> forms.Link:
        """Make a new link; who came in by the earlier one is out."""
        self.at(call.station)
        form = call.asked(forms.LinkForm)
        who = Who(form.view, call.station)
        self._tokens.renew(who)
        self._sockets.revoke(who)
        return self._link(form.view, call.station)

    def _link(self, view: str, number: int) -> forms.Link:
        return link_of(self._tokens, Who(view, number), self._base)

    def _row(self, station: Station) -> forms.Row:
        return forms.Row.model_validate({**station.row(), "connected": self._sockets.connected(station.number)})


def _scenario(name: str, lesson: Lesson) -> forms.Scenario:
    return forms.Scenario(
        scenario=name,
        title=lesson.title,
        minutes=lesson.minutes,
        objectives=list(lesson.objectives),
        prebrief=lesson.prebrief,
    )


def _unfinished(lesson: LessonSummary) -> forms.Unfinished:
    start = lesson.start
    began = "" if lesson.began_wall is None else f" of {lesson.began_wall:%Y-%m-%d %H:%M} UTC"
    words = f"lesson {lesson.key}{began}: {start.title}, station {start.station}, {lesson.acts} acts"
    return forms.Unfinished(
        lesson=lesson.key,
        title=start.title,
        trainee=start.trainee,
        station=start.station,
        acts=lesson.acts,
        words=words,
    )


CATALOGUE_SHOWN: Final = forms.Catalogue(
    faults=[
        forms.Fault(
            fault=kind.name,
            words=FOR_TRAINERS.get(kind.name, ""),
            target=kind.target.value,
            sentence=kind.sentence,
            quantities=[forms.Quantity.model_validate(quantity._asdict()) for quantity in kind.quantities],
        )
        for kind in CATALOGUE.values()
        if kind.name not in OF_THE_PERSON
    ],
    acts=[forms.ActShown(act=kind.name, views=list(kind.views), sentence=kind.sentence) for kind in ACTS.values()],
    stops=[{"stop": stop.stop, "words": stop.words} for stop in STOPS.values()],
    steps=list(STEPS),
    speeds=(MIN_SPEED, MAX_SPEED),
)
"""Everything that can be injected, done and stopped at: the same for all stations."""
