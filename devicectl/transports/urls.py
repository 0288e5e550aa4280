"""Device URLs: what they may say, checked before anything is opened.

sim://?seed=7&anesthesia_wait_s=1          in process, virtual time
sim+pty://  sim+tcp://                     a simulator of its own, over a real transport, in real time
serial:///dev/ttyUSB0?baud=115200          a serial port
tcp://127.0.0.1:4001                       a device, or a gateway, on TCP
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from devicectl.errors import UrlError

EXAMPLES: Final[Mapping[str, str]] = {
    "sim": "sim://?seed=7",
    "sim+pty": "sim+pty://?seed=7",
    "sim+tcp": "sim+tcp://?seed=7",
    "serial": "serial:///dev/ttyUSB0?baud=115200",
    "tcp": "tcp://127.0.0.1:4001",
}
"""Scheme -> a URL that is right."""

DEFAULT_BAUD: Final = 115_200
_INTEGER: Final = re.compile(r"-?[0-9]{1,20}\Z")
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\Z")
MOST_SEED: Final = 2**63 - 1
"""What a signed 64-bit column of the session log holds."""


@dataclass(frozen=True, slots=True)
class DeviceUrl:
    """A checked URL. `path` is a serial port's, `parameters` are the simulated device's; what is not said is None."""

    text: str
    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    baud: int = 0
    seed: int | None = None
    nvm: str | None = None
    speed: float | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether this program itself brings the device."""
        return self.scheme.startswith("sim")


def parse_url(text: str) -> DeviceUrl:
    """A device URL from text.

    Raises:
        UrlError: names the part that is wrong and shows a right one.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UrlError(text, "address", str(error), EXAMPLES["tcp"]) from error
    scheme = parts.scheme.lower()
    if scheme not in EXAMPLES or "://" not in text:
        known = ", ".join(f"{name}://" for name in EXAMPLES)
        raise UrlError(text, "scheme", f"{scheme or 'none'} is not one of {known}", EXAMPLES["sim"])
    example = EXAMPLES[scheme]
    if parts.username is not None or parts.password is not None:
        raise UrlError(text, "user", "a device URL has no user or password", example)
    if parts.fragment:
        raise UrlError(text, "fragment", f"#{parts.fragment} means nothing here", example)
    options = _options(text, parts.query, example)
    if scheme == "serial":
        return _serial(text, unquote(parts.netloc + parts.path), options)
    if scheme == "tcp":
        return _tcp(text, host, port, parts.path, options)
    if parts.netloc or parts.path.strip("/"):
        raise UrlError(text, "address", f"{scheme}:// brings its own device; options follow a ?", example)
    return _simulated(text, scheme, options)


def _options(text: str, query: str, example: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=100)
    except ValueError as error:
        raise UrlError(text, "options", f"{query!r} is not name=value&name=value", example) from error
    options = dict(pairs)
    if len(options) != len(pairs):
        double = next(name for index, (name, _) in enumerate(pairs) if name in dict(pairs[:index]))
        raise UrlError(text, "options", f"{double} is given twice", example)
    return options


def _serial(text: str, path: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES["serial"]
    if not path.strip("/"):
        raise UrlError(text, "path", "no serial port is named", example)
    baud = _integer(text, "baud", options.pop("baud", str(DEFAULT_BAUD)), 300, 4_000_000, example)
    _none_left(text, options, "baud", example)
    return DeviceUrl(text, "serial", path=path, baud=baud)


def _tcp(text: str, host: str, port: int | None, path: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES["tcp"]
    if not host:
        raise UrlError(text, "host", "no host is named", example)
    if not port:
        raise UrlError(text, "port", "a port from 1 to 65535 is needed", example)
    if path.strip("/"):
        raise UrlError(text, "path", f"{path} means nothing over TCP", example)
    _none_left(text, options, "no option", example)
    return DeviceUrl(text, "tcp", host=host, port=port)


def _simulated(text: str, scheme: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES[scheme]
    seed = options.pop("seed", None)
    nvm = options.pop("nvm", None)
    if nvm == "":
        raise UrlError(text, "nvm", "a file is needed", f"{scheme}://?nvm=handpiece.nvm")
    baud, speed = 0, None
    if scheme == "sim":
        if "baud" in options:
            baud = _integer(text, "baud", options.pop("baud"), 300, 4_000_000, "sim://?baud=115200")
        if "speed" in options:
            speed = _speed(text, options.pop("speed"))
    return DeviceUrl(
        text,
        scheme,
        baud=baud,
        seed=None if seed is None else _integer(text, "seed", seed, 0, MOST_SEED, example),
        nvm=nvm,
        speed=speed,
        parameters={name: _number(text, name, value, f"{scheme}://?{name}=1") for name, value in options.items()},
    )


def _speed(text: str, value: str) -> float | None:
    """None for max: virtual time runs as fast as it can."""
    if value == "max":
        return None
    speed = _number(text, "speed", value, "sim://?speed=1")
    if not 0.01 <= speed <= 10_000:
        raise UrlError(text, "speed", f"{value} is not max or a factor from 0.01 to 10000", "sim://?speed=1")
    return speed


def _integer(text: str, name: str, value: str, low: int, high: int, example: str) -> int:
    if not _INTEGER.match(value) or not low <= int(value) <= high:
        raise UrlError(text, name, f"{value!r} is not a whole number from {low} to {high}", example)
    return int(value)


def _number(text: str, name: str, value: str, example: str) -> float:
    if not _NUMBER.match(value):
        raise UrlError(text, name, f"{value!r} is not a finite number", example)
    return float(value)


def _none_left(text: str, options: dict[str, str], known: str, example: str) -> None:
    if options:
        raise UrlError(text, "options", f"{next(iter(options))} is not known here; {known} is", example)
