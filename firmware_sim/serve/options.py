"""What a command line asks for, checked before anything is opened.

Law: nothing is opened or made that stays; a seed may be drawn, and files that are named are looked at.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from firmware_sim.serve.errors import OptionError
from handpiece_shell.files import NamedFile, Use, find_clash
from protocols.mqtt.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url
from protocols.text.addresses import can_be_host, format_address, show_host
from protocols.text.url_text import parse_number, parse_whole

MOST_SEED: Final = 2**63 - 1
"""What a signed 64-bit column of a session log holds."""
DRAWN_SEED_BITS: Final = 32
"""Short enough to be typed again."""
DEFAULT_TCP: Final = "127.0.0.1:0"
"""What is served when nothing is asked for: TCP works everywhere, and on this address for nobody else."""
MOST_SECONDS: Final = 1e9
"""Some thirty years; what every system's timers hold."""
STANDARD_ERROR: Final = "-"
"""Where a trace goes that has no file."""

MAX_SHOWN: Final = 80
"""Characters of a wrong value: a line of a terminal."""
_ADDRESS: Final = re.compile(r"(?:\[(?P<v6>[^\]\s]+)\]|(?P<name>[^:\[\]\s/]+)):(?P<port>[0-9]{1,5})\Z")
_TCP_EXAMPLES: Final = "for example 127.0.0.1:0, 127.0.0.1:4001 or [::1]:4001"


class Address(NamedTuple):
    """Where TCP listens; `port` 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        """As in a URL: IPv6 in brackets."""
        return format_address(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Options:
    """A checked command line. `parameters` are names and values; whether a device can have them is its own matter."""

    seed: int | None = None
    pty: bool = False
    link: str | None = None
    tcp: Address | None = None
    mqtt: BrokerUrl | None = None
    forget: bool = False
    parameters: Mapping[str, float] = field(default_factory=dict)
    nvm: str | None = None
    trace: str | None = None
    report: str | None = None
    strict: bool = False
    ready_file: str | None = None
    max_seconds: float | None = None
    keep_running: bool | None = None
    json: bool = False

    def named_files(self) -> list[NamedFile]:
        """The files that it names: those that are read, then the memory, then those that are made anew."""
        read = {} if self.mqtt is None else self.mqtt.files
        given = [
            ("--nvm", self.nvm, Use.WRITE),
            ("--link", self.link, Use.HOLD),
            ("--trace", None if self.trace == STANDARD_ERROR else self.trace, Use.WRITE),
            ("--report", self.report, Use.WRITE),
            ("--ready-file", self.ready_file, Use.WRITE),
        ]
        return [
            *(NamedFile(f"{name} of --mqtt", path, Use.READ) for name, path in read.items()),
            *(NamedFile(option, path, use) for option, path, use in given if path is not None),
        ]


def refuse_clash(options: Options) -> None:
    """See that no two files of a command line are one.

    Raises:
        OptionError: two are, and one of them would be written.
    """
    clash = find_clash(options.named_files())
    if clash is not None:
        raise OptionError(clash.option, clash.reason)


def parse_address(text: str) -> Address:
    """HOST:PORT.

    Raises:
        OptionError: it is not that.
    """
    found = _ADDRESS.match(text)
    if found is None:
        bare = text.count(":") > 1 and "[" not in text and "/" not in text
        reason = "an IPv6 address stands in brackets" if bare else f"{show_host(text)} is not HOST:PORT"
        raise OptionError("--tcp", f"{reason}; {_TCP_EXAMPLES}")
    if int(found["port"]) > 0xFFFF:
        raise OptionError("--tcp", f"port {found['port']} is above 65535; port 0 takes a free one")
    host = found["v6"] or found["name"]
    if not can_be_host(host):
        raise OptionError("--tcp", f"{show_host(host)} is no host name; {_TCP_EXAMPLES}")
    return Address(host, int(found["port"]))


def parse_broker(text: str) -> BrokerUrl:
    """A broker's URL with site and device, and with files that can be used.

    Raises:
        OptionError: it is not that.
    """
    try:
        url = parse_broker_url(text)
    except BrokerUrlError as error:
        raise OptionError("--mqtt", f"{error}; for example mqtt://127.0.0.1:1883/bench/sim-7") from error
    from handpiece_shell.broker_files import check_broker_files  # with TLS, which nobody else waits for

    try:
        check_broker_files(url)
    except BrokerUrlError as error:
        raise OptionError("--mqtt", str(error)) from error
    return url


def parse_parameters(texts: Sequence[str]) -> dict[str, float]:
    """NAME=VALUE, each name once.

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
    """A seed; None where none is given.

    Raises:
        OptionError: it is not a whole number that fits.
    """
    if text is None:
        return None
    seed = parse_whole(text)
    if seed is None or not 0 <= seed <= MOST_SEED:
        raise OptionError("--seed", f"{text[:MAX_SHOWN]!r} is not a whole number from 0 to {MOST_SEED}")
    return seed


def draw_seed() -> int:
    """A seed that nobody asked for."""
    return random.SystemRandom().getrandbits(DRAWN_SEED_BITS)


def parse_seconds(text: str | None) -> float | None:
    """How long to serve, in seconds.

    Raises:
        OptionError: it is not a number of seconds.
    """
    if text is None:
        return None
    seconds = parse_number(text)
    if seconds is None or not 0 < seconds <= MOST_SECONDS:
        raise OptionError("--max-seconds", f"{text[:MAX_SHOWN]!r} is not a number of seconds above 0; for example 60")
    return seconds
