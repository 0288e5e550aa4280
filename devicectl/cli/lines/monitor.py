"""`devicectl monitor`: a tap between a host and a device."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.files import output_file, refuse_clash
from devicectl.cli.output import require_written
from handpiece_shell.files import NamedFile, Use, explain_no_file
from handpiece_shell.streams import has_reader, say
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.monitor.places import Place
    from devicectl.monitor.selection import Selection
    from devicectl.monitor.statistics import Statistics
    from handpiece_shell.recording_file import RecordingFile

_A: Final = (
    "Where the host connects: tcp://HOST:PORT to listen at (port 0: any), pty:// or pty:///PATH for a pseudo-terminal "
    "that is made, or serial:///dev/ttyUSB1 for a port that the host's cable leads to."
)
_B: Final = (
    "Where the device is: tcp://HOST:PORT, serial:///dev/ttyUSB0?baud=115200, or rfc2217://HOST:PORT?baud=115200 for "
    "the port of a gateway."
)
_ONLY: Final = "Show these messages alone: Punch,Count* and so on; BadFrame for bytes that are none."
_FROM: Final = "Show one direction alone."
_RECORD: Final = "Write both directions as pcapng, which `devicectl check` and Wireshark open."
_QUIET: Final = "Show no messages, only lines that come and go, and the statistics."
_JSON: Final = "Print JSON alone: an object with the URL for the host, and at the end one with the statistics."

_Host = Annotated[str, typer.Argument(metavar="A", help=_A, show_default=False)]
_Device = Annotated[str, typer.Argument(metavar="B", help=_B, show_default=False)]
_Only = Annotated[str | None, typer.Option("--only", metavar="NAME,...", help=_ONLY)]
_From = Annotated[str | None, typer.Option("--from", metavar="host|device", help=_FROM)]
_Record = Annotated[Path | None, typer.Option("--record", metavar="FILE", help=_RECORD)]
_Quiet = Annotated[bool, typer.Option("--quiet", help=_QUIET, metavar="")]
_Json = Annotated[bool, typer.Option("--json", help=_JSON, metavar="")]


def monitor(
    a: _Host,
    b: _Device,
    only: _Only = None,
    sender: _From = None,
    record: _Record = None,
    quiet: _Quiet = False,
    as_json: _Json = False,
) -> int:
    """Watch the line between a host and a device: everything is passed on untouched, and decoded after that.

    Start it, and point the host at A. Ctrl-C, SIGTERM and SIGHUP end it with the
    statistics: frames, errors, rates, and how long each command waited. Without
    --record it also ends when whoever reads its output has gone.

    Exit codes:

    0 it was ended

    1 standard output could not be written

    2 wrong arguments

    3 an end cannot be opened, or a serial port has gone
    """
    from devicectl.monitor.places import parse_device_place, parse_host_place

    host, device = parse_host_place(a), parse_device_place(b)
    selection = _selection(only, sender)
    ports = [NamedFile(f"the port of {end}", at.path, Use.HOLD) for end, at in (("A", host), ("B", device)) if at.path]
    refuse_clash([*ports, *output_file("--record", record)])
    with _recording(record, host, device) as recording:
        _watch(host, device, selection, recording, quiet=quiet, as_json=as_json)
    require_written()
    return 0


def _selection(only: str | None, sender: str | None) -> "Selection":
    from devicectl.monitor.selection import Selection
    from devicectl.transports.names import SelectionError, parse_names

    if sender not in (None, "host", "device"):
        raise typer.BadParameter(f"{sender!r} is neither host nor device", param_hint="--from")
    try:
        return Selection(frozenset() if only is None else parse_names(only), sender or "")
    except SelectionError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from error


@contextlib.contextmanager
def _recording(path: Path | None, host: "Place", device: "Place") -> "Iterator[RecordingFile | None]":
    if path is None:
        yield None
        return
    from handpiece_shell.recording_file import RecordingFile, comment_of

    comment = comment_of("devicectl monitor", None, notice=NOTICE, host=host.text, device=device.text)
    try:
        file = RecordingFile(str(path), comment, lambda text: say(f"devicectl: warning: --record {text}"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(explain_no_file(f"write {path}", error), param_hint="--record") from error
    with contextlib.closing(file):
        yield file


def _watch(
    host: "Place",
    device: "Place",
    selection: "Selection",
    recording: "RecordingFile | None",
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    from devicectl.monitor.report import report
    from devicectl.monitor.screen import Screen
    from devicectl.monitor.selection import NONE
    from devicectl.monitor.watch import Watch
    from devicectl.monitor.watching import Watching

    screen = Screen(sys.stdout)
    watch = Watch(NONE if quiet or as_json else selection)

    def listening(url: str) -> None:
        said = {"notice": NOTICE, "host": url, "device": device.text}
        words = [NOTICE, f"connect the host to {url}; the device is {device.text}"]
        screen.show([json.dumps(said)] if as_json else words, always=True)

    def show(lines: list[str]) -> None:
        if not as_json:
            screen.show(lines)

    watching = Watching(watch, show, recording, listening, lambda: has_reader(sys.stdout))
    try:
        watching.run(host, device)
    finally:
        statistics = watch.statistics
        if recording is not None:
            recording.verdict = {name: _counts(statistics, name) for name in statistics.sent}
        if statistics.first_us is not None or not watching.watched.failure:
            last = {**statistics.as_json(), "unwatched": watching.watched.unwatched, "lines": watching.watched.lines}
            screen.show([json.dumps(last)] if as_json else report(statistics), always=True)
            if screen.not_shown and not as_json:
                screen.show([f"{screen.not_shown} lines were not shown: the screen took no more"], always=True)
        screen.close()


def _counts(statistics: "Statistics", sender: str) -> dict[str, int]:
    sent = statistics.sent[sender]
    return {"bytes": sent.bytes, "frames": sent.frames, "errors": sent.errors.total()}
