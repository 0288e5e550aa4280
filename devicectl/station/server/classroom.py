"""A class from its beginning to its end: the log, the stations, who may come in, and the server.

Law: it says where to go, and then serves until a signal ends it; each lesson that is not over can be continued later.
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from devicectl import clock
from devicectl.log.lessons.lesson import LessonSummary
from devicectl.log.lessons.store import LessonLog
from devicectl.log.store import SessionLog
from devicectl.station.acts import PRESENTER
from devicectl.station.lesson import Lesson
from devicectl.station.moment import for_foreign_host
from devicectl.station.server.admission.tokens import INSTRUCTOR, Tokens, Who
from devicectl.station.server.app import Application
from devicectl.station.server.attempt import Shelf
from devicectl.station.server.control.api import VIEWS, Api
from devicectl.station.server.hub import Hub
from devicectl.station.server.projections import projections
from devicectl.station.server.serving import reached_at, serve
from devicectl.station.server.sockets import Sockets
from devicectl.station.server.transports.far_device import FarDevice
from devicectl.station.server.transports.place import HostPlace
from firmware_sim.faults.scenario import MAX_SEED


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A class as the user wants it. At its `host` the first station has somebody else's host for a trainee.

    `library` has its lessons by name; each station begins with the first one.
    """

    library: Mapping[str, Lesson]
    stations: int
    seed: int | None
    log: str
    demo: bool
    practice: bool
    host: HostPlace | None = None


@dataclass(frozen=True, slots=True)
class Doors:
    """Links by which people come in: the instructor's, and those of each station's views.

    `host` is the URL at which somebody else's host finds the first station, "" where it has a trainee.
    """

    instructor: str
    stations: Mapping[int, Mapping[str, str]]
    host: str
    unfinished: tuple[LessonSummary, ...]


async def hold_class(wanted: Wanted, listening: socket.socket, announce: Callable[[Doors], None]) -> None:
    """Hold a class until a signal ends it. `announce` is called as soon as people may come.

    Raises:
        LogError: the log cannot be written.
    """
    base = reached_at(listening)
    tokens = Tokens(secrets.token_urlsafe, listening.getsockname()[1])
    tokens.renew(Who(INSTRUCTOR))
    with SessionLog.open(wanted.log, wall_clock=clock.wall) as log:
        hub = Hub(
            Shelf(log, LessonLog(log)), projections(practice=wanted.practice), lambda: secrets.randbelow(MAX_SEED)
        )
        left = tuple(hub.unfinished())
        sockets = Sockets(hub)
        api = Api(hub, tokens, sockets, library=wanted.library, base=base, practice=wanted.practice)
        await _begin(wanted, hub, api)
        async with _reached(hub, wanted.host) as url:
            announce(_doors(tokens, hub, base, left, url))
            await serve(Application(api, sockets, tokens).guarded(), listening, hub.keep_time)


async def _begin(wanted: Wanted, hub: Hub, api: Api) -> None:
    name = next(iter(wanted.library))
    for number in range(1, wanted.stations + 1):
        seed = None if wanted.seed is None else wanted.seed + number - 1
        lesson = wanted.library[name]
        if number == 1 and wanted.host is not None:
            lesson = for_foreign_host(lesson, wanted.host.wire)
        station = await hub.start(lesson, name=name, seed=seed)
        api.admit(station.number)
        if wanted.demo:
            station.act(PRESENTER, "automatic", {"on": True}, clock.monotonic())


@contextlib.asynccontextmanager
async def _reached(hub: Hub, host: HostPlace | None) -> AsyncIterator[str]:
    """Let somebody else's host reach the first station while the context lasts; gives the URL for it, "" for none.

    Raises:
        PlaceError: its place cannot be had.
    """
    if host is None:
        yield ""
        return
    station = hub.stations[1]
    station.far_device = far_device = FarDevice(station, hub.wake)
    transport = await host.open_transport(far_device)
    asyncio.get_running_loop().set_exception_handler(far_device.failed)
    far_device.opened(transport)
    try:
        yield transport.url
    finally:
        await transport.close()


def _doors(tokens: Tokens, hub: Hub, base: str, unfinished: tuple[LessonSummary, ...], host: str) -> Doors:
    stations = {number: {view: f"{base}{tokens.link(Who(view, number))}" for view in VIEWS} for number in hub.stations}
    return Doors(f"{base}{tokens.link(Who(INSTRUCTOR))}", stations, host, unfinished)
