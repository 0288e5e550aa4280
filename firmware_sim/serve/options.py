"""Options of a command line, checked before anything is opened.

Law: nothing is opened or made that stays; a seed may be drawn, and files that are named are looked at.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware_sim.serve.errors import OptionError
from handpiece_shell.files import NamedFile, Use, find_clash
from protocols.text.url_text import parse_number, parse_whole

if TYPE_CHECKING:
    from firmware_sim.faults.scenario import Start
    from firmware_sim.serve.transports.table import Place

MAX_SEED: Final = 2**63 - 1
"""The largest number in a signed 64-bit column of a session log."""
DRAWN_SEED_BITS: Final = 32
"""Short enough to be typed again."""
MAX_SECONDS: Final = 1e9
"""Some thirty years; what every system's timers hold."""
STANDARD_ERROR: Final = "-"
"""Name of a trace that has no file."""

MAX_SHOWN: Final = 80
"""Characters of a wrong value: a line of a terminal."""


@dataclass(frozen=True, slots=True)
class Options:
    """A checked command line. `parameters` are names and values; the device itself judges whether it can have them."""

    places: "Sequence[Place]"
    seed: int | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    nvm: str | None = None
    scenario: str | None = None
    start: "Start | None" = None
    """The device's part of the scenario."""
    behind_broker: bool = False
    trace: str | None = None
    record: str | None = None
    report: str | None = None
    strict: bool = False
    ready_file: str | None = None
    max_seconds: float | None = None
    keep_running: bool | None = None
    json: bool = False

    def named_files(self) -> list[NamedFile]:
        """Return the files that it names: those that are read, then the memory, then those that are written fresh."""
        of_places = [file for place in self.places for file in place.files]
        written = [
            ("--trace", None if self.trace == STANDARD_ERROR else self.trace),
            ("--record", self.record),
            ("--report", self.report),
            ("--ready-file", self.ready_file),
        ]
        return [
            *(file for file in of_places if file.use is Use.READ),
            *([] if self.scenario is None else [NamedFile("--scenario", self.scenario, Use.READ)]),
            *([] if self.nvm is None else [NamedFile("--nvm", self.nvm, Use.WRITE)]),
            *(file for file in of_places if file.use is not Use.READ),
            *(NamedFile(option, path, Use.WRITE) for option, path in written if path is not None),
        ]


def refuse_clash(options: Options) -> None:
    """See that no two files of a command line are one.

    Raises:
        OptionError: two are, and one of them would be written.
    """
    clash = find_clash(options.named_files())
    if clash is not None:
        raise OptionError(clash.option, clash.reason)


def parse_parameters(texts: Sequence[str]) -> dict[str, float]:
    """Check texts of NAME=VALUE, each name once.

    Raises:
        OptionError: one of them is not that.
    """
    parameters: dict[str, float] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        if not (name and equals):
            raise OptionError("--param", f"{text!r} is not NAME=VALUE; for example anesthesia_wait_s=1")
        if name in parameters:
            raise OptionError("--param", f"{name} is given twice")
        value = parse_number(number)
        if value is None:
            raise OptionError("--param", f"{name}: {number[:MAX_SHOWN]!r} is not a finite number")
        parameters[name] = value
    return parameters


def parse_seed(text: str | None) -> int | None:
    """Check a seed; None if none is given.

    Raises:
        OptionError: it is not a whole number that fits.
    """
    if text is None:
        return None
    seed = parse_whole(text)
    if seed is None or not 0 <= seed <= MAX_SEED:
        raise OptionError("--seed", f"{text[:MAX_SHOWN]!r} is not a whole number from 0 to {MAX_SEED}")
    return seed


def draw_seed() -> int:
    """Draw a seed, for a device without one."""
    return random.SystemRandom().getrandbits(DRAWN_SEED_BITS)


def parse_seconds(text: str | None) -> float | None:
    """Check a number of seconds to serve.

    Raises:
        OptionError: it is not a number of seconds.
    """
    if text is None:
        return None
    seconds = parse_number(text)
    if seconds is None or not 0 < seconds <= MAX_SECONDS:
        raise OptionError("--max-seconds", f"{text[:MAX_SHOWN]!r} is not a number of seconds above 0; for example 60")
    return seconds
