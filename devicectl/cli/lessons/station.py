"""`devicectl station`: the trainers' station, a server on this machine for a class."""

import importlib.util
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import LogOption, whole_number
from devicectl.cli.files import log_files, refuse_clash
from devicectl.errors import DevicectlError
from devicectl.log.paths import default_log_path
from handpiece_shell.files import NamedFile, Use
from protocols.text.addresses import MAX_PORT
from protocols.text.escape import printable
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.station.server.classroom import Doors

_HOST = "Address to listen at. Another than this machine's own needs --allow-network."
_PORT = "Port to listen at, 8765 unless given; 0 is any that is free."
_ALLOW = "Let other machines of the network reach the station, over HTTP: everybody there can read along."
_DEMO = "Show one session, armed and driven by the automatic operator, on the presenter's page."
_PRACTICE = "Let trainees start their lessons alone; the debrief waits for the instructor."
_TCP = "Station 1 is for somebody else's host, which connects here; port 0 is any free one."
_PTY = "Station 1 is for somebody else's host, which opens a serial port."
_MQTT = "Station 1 is for somebody else's host, which works it behind this MQTT 5 broker: mqtt://HOST/SITE/DEVICE."
_LESSON = "A ready lesson, or a scenario's FILE; more than once. The stations begin with the first."
_STATIONS = "Stations to begin with, 1 to 8; one unless given."
_SEED = "Seed of the first station; each further one has the next. Without it they are drawn."
_OPEN = "Open the page of the instructor, or with --demo of the presenter, in this machine's browser."

_Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help=_HOST)]
_Port = Annotated[int | None, typer.Option("--port", metavar="PORT", parser=whole_number, help=_PORT)]
_Allow = Annotated[bool, typer.Option("--allow-network", metavar="", help=_ALLOW)]
_Demo = Annotated[bool, typer.Option("--demo", metavar="", help=_DEMO)]
_Practice = Annotated[bool, typer.Option("--practice", metavar="", help=_PRACTICE)]
_Tcp = Annotated[str | None, typer.Option("--tcp", metavar="HOST:PORT", help=_TCP)]
_Pty = Annotated[bool, typer.Option("--pty", metavar="", help=_PTY)]
_Mqtt = Annotated[str | None, typer.Option("--mqtt", metavar="URL", help=_MQTT)]
_Lessons = Annotated[list[str] | None, typer.Option("--lesson", metavar="NAME|FILE", help=_LESSON)]
_Stations = Annotated[int | None, typer.Option("--stations", metavar="N", parser=whole_number, help=_STATIONS)]
_Seed = Annotated[int | None, typer.Option("--seed", metavar="N", parser=whole_number, help=_SEED)]
_Open = Annotated[bool | None, typer.Option("--open/--no-open", metavar="", help=_OPEN)]

EXTRA: Final = ("segno", "starlette", "uvicorn", "websockets")
DEFAULT_PORT: Final = 8765


class StationError(DevicectlError):
    """The station cannot begin as it was asked for."""

    exit_code = 2


def station(
    host: _Host = "127.0.0.1",
    port: _Port = None,
    allow_network: _Allow = False,
    demo: _Demo = False,
    practice: _Practice = False,
    tcp: _Tcp = None,
    pty: _Pty = False,
    mqtt: _Mqtt = None,
    lesson: _Lessons = None,
    stations: _Stations = None,
    seed: _Seed = None,
    log: LogOption = None,
    open_page: _Open = None,
) -> int:
    """Show a simulated handpiece to a class: pages for presenter, instructor and trainees.

    It prints a link for each page. Ctrl-C, SIGTERM and SIGHUP end it; a lesson that is not
    over then can be continued, from the instructor's page, when the station begins again.

    Exit codes:

    0 it was ended

    2 wrong arguments or lesson, the port is taken, or the packages of devicectl[station] are missing

    3 somebody else's host cannot be given its place: that is taken, or the broker is not there

    4 the session log cannot be written
    """
    missing = [name for name in EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise StationError(f"the station needs {', '.join(missing)}: pip install 'devicectl[station]'")
    from devicectl.station.server.admission.security import is_loopback

    if not is_loopback(host) and not allow_network:
        raise typer.BadParameter(
            f"{host} is reached by others: --allow-network lets everybody in this network read along, over HTTP",
            param_hint="--host",
        )
    places = {"tcp": tcp, "pty": "" if pty else None, "mqtt": mqtt}
    given = {name: value for name, value in places.items() if value is not None}
    if demo and given:
        raise StationError("--demo: the automatic operator drives it, and somebody else's host cannot: leave one out")
    if port is not None and port > MAX_PORT:
        raise typer.BadParameter(f"must be a whole number from 0 to {MAX_PORT}", param_hint="--port")
    number = 1 if stations is None else stations
    _check_numbers(number, seed)
    from devicectl.station.server.library import library_of  # what is wrong in the numbers is said before lessons load
    from devicectl.station.server.transports.place import parse_host

    where = default_log_path(log)
    files = [NamedFile("--lesson", name, Use.READ) for name in lesson or () if Path(name).suffix]
    place = parse_host(given, allow_network=allow_network)
    refuse_clash([*files, *(place.files if place is not None else ()), *log_files(log, where, Use.WRITE)])
    library = library_of(lesson or [], demo=demo)
    import asyncio  # and what is wrong in the lessons before the server loads

    from devicectl.cli.signals import taken_as_ctrl_c
    from devicectl.station.server.classroom import Wanted, hold_class
    from devicectl.station.server.serving import listen

    wanted = Wanted(
        library=library,
        stations=number,
        seed=seed,
        log=where,
        demo=demo,
        practice=practice,
        host=place,
    )
    shown = demo if open_page is None else open_page
    with taken_as_ctrl_c(), listen(host, DEFAULT_PORT if port is None else port) as listening:
        try:
            asyncio.run(hold_class(wanted, listening, lambda doors: _announce(doors, demo=demo, shown=shown)))
        except KeyboardInterrupt:
            print("the station has ended")
    return 0


def _check_numbers(stations: int, seed: int | None) -> None:
    from devicectl.station.server.admission.limits import MAX_STATIONS
    from devicectl.transports.simulated import MAX_SEED

    if not 1 <= stations <= MAX_STATIONS:
        raise typer.BadParameter(f"must be a whole number from 1 to {MAX_STATIONS}", param_hint="--stations")
    if seed is not None and not 0 <= seed <= MAX_SEED - stations + 1:
        raise typer.BadParameter(f"must be a whole number from 0 to {MAX_SEED - stations + 1}", param_hint="--seed")


def _announce(doors: "Doors", *, demo: bool, shown: bool) -> None:
    print(f"{NOTICE}\n")
    print(f"instructor   {doors.instructor}")
    for number, links in doors.stations.items():
        for view, link in links.items():
            print(f"{view:<11}{number}  {link}")
    if doors.host:
        print(f"host       1  {doors.host}")
    for lesson in doors.unfinished:
        title = printable(lesson.start.title)
        print(f"not finished: lesson {lesson.key}, {title}; the instructor's page offers to continue it")
    first = "the presenter's link first, and press Run" if demo else "the instructor's link first: it shows the others"
    print(f"\nOpen {first}.\nCtrl-C ends the station.", flush=True)
    if shown:
        webbrowser.open(doors.stations[1]["presenter"] if demo else doors.instructor)
