"""`devicectl conform learn`: the machine that a device is, and the shortest sequence of commands that shows it wrong.

Law: thin. It checks the command line before anything is opened, and writes what the run came to.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import URL_VARIABLE, device_url
from devicectl.cli.conform import options
from devicectl.cli.files import device_files, write_file
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.conformance.learn.learner import Learned
    from devicectl.transports.urls import DeviceUrl

CALM: Final = "sim://?clog_hazard=0&miss_p=0&partial_p=0&sensor_false_negative_p=0&sensor_false_positive_p=0"
"""A simulated device that leaves nothing to chance: alarms by chance make no machine."""
_DEVICE = f"URL of the device; else ${URL_VARIABLE}, else a simulated one that leaves nothing to chance"
_MOTION = "Let a device be moved that is no simulator."
_WHOLE = "Try each state, each command, and then what tells the states apart: thousands of words."
_DOT = "Write the learned machine for Graphviz."
PROGRESS_EVERY: Final = 250

_Device = Annotated[str | None, typer.Option("--device", metavar="URL", help=_DEVICE)]
_Motion = Annotated[bool, typer.Option("--allow-motion", metavar="", help=_MOTION)]
_Whole = Annotated[bool, typer.Option("--whole", metavar="", help=_WHOLE)]
_Dot = Annotated[Path | None, typer.Option("--dot", metavar="FILE", help=_DOT)]


def learn(
    url: _Device = None,
    allow_motion: _Motion = False,
    whole: _Whole = False,
    json_file: options.Json = None,
    dot: _Dot = None,
    seed: options.Seed = None,
) -> int:
    """Learn the machine that a device is, and hold it against the procedure.

    Sixteen commands are given in thousands of sequences, each from an idle device.
    The answers make a machine; the shortest sequence on which it differs from what
    docs/protocol.md says is the report. It moves the device. Needs the extra learn.

    Exit codes:

    0 the device is the expected machine, as far as the words go

    1 it differs; or a file cannot be written

    2 wrong arguments

    3 no device that links, or it was lost

    130 interrupted
    """
    target, named_by = device_url(url, seed, None, CALM)
    options.check_named(device_files(target, named_by), {"--json": json_file, "--dot": dot})
    from devicectl import clock
    from devicectl.cli.signals import taken_as_ctrl_c
    from devicectl.conformance.learn.learner import learn as learn_it
    from devicectl.conformance.learn.session import opened
    from devicectl.conformance.learn.words import crossing, suite
    from handpiece_shell.streams import to_utf8

    to_utf8(sys.stdout)
    print(NOTICE)
    began = clock.monotonic()
    with taken_as_ctrl_c(), opened(target, allow_motion=allow_motion) as query:
        learned = learn_it(query, suite() if whole else crossing(), _progress)
    _say(learned, (clock.monotonic() - began) / 1e6)
    write_file("--json", json_file, _report(target, learned))
    write_file("--dot", dot, learned.machine.encode())
    return 0 if learned.split is None else 1


def _progress(words: int) -> None:
    if words % PROGRESS_EVERY == 0:
        print(f"{words} words", file=sys.stderr)


def _say(learned: "Learned", seconds: float) -> None:
    from devicectl.conformance.learn.words import count_states

    print(
        f"learned: {learned.states} states, from {learned.words} words of {learned.letters} letters in {seconds:.1f} s"
    )
    print(f"expected: {count_states()} states")
    split = learned.split
    if split is not None:
        print(f"the shortest difference: {' '.join(split.word)}")
        print(f"    expected {split.expected}, found {split.found}")
    print(f"verdict: {'as expected' if split is None else 'another machine'}")


def _report(target: "DeviceUrl", learned: "Learned") -> bytes:
    from devicectl.conformance.learn.words import count_states
    from handpiece_shell.recording_file import versions

    report = {
        "notice": NOTICE,
        "versions": versions(),
        "device": f"{target.scheme}://",
        "states": learned.states,
        "expected_states": count_states(),
        "words": learned.words,
        "letters": learned.letters,
        "difference": None if learned.split is None else learned.split._asdict(),
    }
    return (json.dumps(report, indent=1) + "\n").encode()
