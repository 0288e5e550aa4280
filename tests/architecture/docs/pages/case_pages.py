"""The page of the cases of `devicectl conform`, and how many of them a way to an end can show."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.controller.cases.declare import scene_of
from devicectl.conformance.controller.catalogue import CONTROLLER_CASES, lacking
from devicectl.conformance.device.catalogue import DEVICE_CASES
from devicectl.conformance.device.runner import Claims
from devicectl.conformance.device.session import Wanted, met_needs
from devicectl.transports.urls import parse_url

WAYS_TO_A_DEVICE: Final = {
    "TCP, and `sim://` in virtual time": "sim+tcp://",
    "a serial port, also behind RFC 2217": "sim+pty://",
    "a broker": "sim+mqtt://",
}
"""Way -> a device that is reached by it."""
OUR_OWN: Final = Claims(simulated=True, minor=1, takes_faults=True, session_no=0, model="", serial="", firmware="")
WAYS_TO_A_CONTROLLER: Final = {"TCP, a pseudo-terminal or RFC 2217": "tcp", "a broker": "mqtt"}


def page() -> str:
    """Write the page."""
    return "\n".join(_lines()) + "\n"


def count_device(way: str) -> int:
    """Return the number of cases that our own device is tried by."""
    wanted = Wanted(parse_url(WAYS_TO_A_DEVICE[way]), DEVICE_CASES)
    return sum(one.needs <= met_needs(wanted, OUR_OWN, power=False) for one in DEVICE_CASES)


def count_controller(way: str) -> int:
    """Return the number of cases that a way to a controller can show."""
    return len(CONTROLLER_CASES) - len(lacking(WAYS_TO_A_CONTROLLER[way], CONTROLLER_CASES))


def _lines() -> Iterator[str]:
    yield from ("# Cases", "")
    yield "Generated from the catalogues in `devicectl/conformance/`. [Conformance](../conformance.md) says how they"
    yield "are tried. TRAINING SIMULATOR - NOT A MEDICAL DEVICE."
    yield ""
    scenes = {scene_of(one).name: scene_of(one) for one in CONTROLLER_CASES}
    faulty = sum(bool(scene.faults) for scene in scenes.values())
    yield f"There are {len(DEVICE_CASES)} for a device and {len(CONTROLLER_CASES)} for a controller, these in"
    yield f"{len(scenes)} scenes, {faulty} of them with a fault of line, device or memory."
    yield from ("", "| end | over | cases that our own end is tried by, and passes |", "| --- | --- | --- |")
    yield from (f"| a device | {way} | {count_device(way)} |" for way in WAYS_TO_A_DEVICE)
    yield from (f"| a controller | {way} | {count_controller(way)} |" for way in WAYS_TO_A_CONTROLLER)
    yield from ("", "## A device", "")
    yield "What a case needs beside a link is in its last column:"
    yield from ("", "| word | is | cases |", "| --- | --- | --- |")
    for need in Need:
        found = sum(need in one.needs for one in DEVICE_CASES)
        yield from [f"| {need.word} | {need} | {found} |"] * bool(found)
    yield from _groups(DEVICE_CASES)
    yield from ("", "## A controller")
    yield from _groups(CONTROLLER_CASES)


def _groups(cases: Sequence[Case]) -> Iterator[str]:
    """Write the cases by their names: the order in which a run takes them is for the run."""
    for name, found in groupby(sorted(cases, key=lambda one: one.id), key=lambda one: one.id.partition(".")[0]):
        yield from ("", f"### `{name}.*`", "", "| case | rules | tries | needs |", "| --- | --- | --- | --- |")
        yield from _rows(found)


def _rows(cases: Iterable[Case]) -> Iterator[str]:
    for one in cases:
        needs = ", ".join(need.word for need in Need if need in one.needs)
        level = "" if one.level == "must" else f" ({one.level})"
        yield f"| `{one.id}` | {' '.join(one.rules)}{level} | {one.title} | {needs} |"
