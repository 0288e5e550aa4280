"""Device URLs: what they may say, checked before anything is opened.

sim://?seed=7&anesthesia_wait_s=1          in process, virtual time
sim+pty://  sim+tcp://  sim+mqtt://        a simulator of its own, over a real transport, in real time
serial:///dev/ttyUSB0?baud=115200          a serial port
tcp://127.0.0.1:4001                       a device, or a gateway, on TCP
mqtt://127.0.0.1:1883/bench/sim-7          a device behind an MQTT 5 broker; mqtts:// with TLS
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from devicectl.errors import UrlError
from protocols.addresses import can_be_host
from protocols.broker_url import PORTS, BrokerUrl, BrokerUrlError, parse_broker_url

EXAMPLES: Final[Mapping[str, str]] = {
    "sim": "sim://?seed=7",
    "sim+pty": "sim+pty://?seed=7",
    "sim+tcp": "sim+tcp://?seed=7",
    "sim+mqtt": "sim+mqtt://?seed=7",
    "serial": "serial:///dev/ttyUSB0?baud=115200",
    "tcp": "tcp://127.0.0.1:4001",
    "mqtt": "mqtt://127.0.0.1:1883/bench/sim-7",
    "mqtts": "mqtts://127.0.0.1:8883/bench/sim-7?ca=ca.pem&credentials=host.txt",
}
"""Scheme -> a URL that is right."""

SIMULATED_OPTIONS: Final = ("seed", "nvm")
"""What a simulated URL may say beside the parameters of its device."""
SIM_OPTIONS: Final = (*SIMULATED_OPTIONS, "baud", "speed")
"""The same of `sim://`."""

DEFAULT_BAUD: Final = 115_200
LEAST_BAUD: Final = 4_800
"""Bits a second. At 4,200 a heartbeat behind a page of the journal comes later than an armed device's lease allows, at
2,400 answers come later than all tries: measured on the wire of `sim://`, and a test holds it."""
MOST_BAUD: Final = 4_000_000
_INTEGER: Final = re.compile(r"-?[0-9]{1,20}\Z")
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\Z")
_ADDRESS: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[^:\[\]\s/]*))(?::(?P<port>[^:]*))?\Z")
_PORT: Final = re.compile(r"[0-9]{1,5}\Z")
_IPV6: Final = "an IPv6 address stands in brackets, as in tcp://[::1]:4001"
MOST_SHOWN: Final = 100
"""Characters of a wrong URL, or of a part of it, in an error: a line can be read."""
MOST_SEED: Final = 2**63 - 1
"""What a signed 64-bit column of the session log holds."""
DRAWN_SEED_BITS: Final = 32
"""Of a seed that nobody asked for: short enough to be typed again."""


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
    broker: BrokerUrl | None = None

    @property
    def simulated(self) -> bool:
        """Whether this program itself brings the device."""
        return self.scheme.startswith("sim")


def parse_url(text: str) -> DeviceUrl:
    """A device URL from text.

    Raises:
        UrlError: names the part that is wrong and shows a right one.
    """
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme not in EXAMPLES:
        known = ", ".join(f"{name}://" for name in EXAMPLES)
        began = repr(_short(scheme)) if scheme else "none"
        raise _wrong(text, "scheme", f"{began} is not one of {known}", EXAMPLES["sim"])
    example = EXAMPLES[scheme]
    if not text.isprintable():
        raise _wrong(text, "address", "it has characters that cannot be printed", example)
    if scheme in PORTS:
        return _broker(text, scheme)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise _wrong(text, "address", _IPV6, example) from error
    if "@" in parts.netloc:
        raise _wrong(text, "user", "a device URL has no user or password", example)
    if "#" in text:
        raise _wrong(text, "fragment", f"#{_short(parts.fragment)} means nothing here", example)
    options = _options(text, parts.query, example)
    if scheme == "serial":
        return _serial(text, unquote(parts.netloc + parts.path), options)
    if scheme == "tcp":
        return _tcp(text, parts.netloc, parts.path, options)
    if parts.netloc or parts.path.strip("/"):
        raise _wrong(text, "address", f"{scheme}:// brings its own device; options follow a ?", example)
    return _simulated(text, scheme, options)


def _wrong(text: str, part: str, reason: str, example: str) -> UrlError:
    """The error, with no more of the URL than a line takes, and no password."""
    return UrlError(_short(re.sub(r"//[^/?#]*@", "//...@", text)), part, reason, example)


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "..."


def _options(text: str, query: str, example: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=100)
    except ValueError as error:
        raise _wrong(text, "options", f"{_short(query)!r} is not name=value&name=value", example) from error
    options: dict[str, str] = {}
    for name, value in pairs:
        if not name:
            raise _wrong(text, "options", f"{_short(query)!r} is not name=value&name=value", example)
        if name in options:
            raise _wrong(text, "options", f"{_short(name)} is given twice", example)
        options[name] = value
    return options


def _serial(text: str, path: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES["serial"]
    if not path.strip("/") or "\0" in path:
        raise _wrong(text, "path", "no serial port is named", example)
    baud = _baud(text, options.pop("baud", str(DEFAULT_BAUD)), example)
    _none_left(text, options, "baud", example)
    return DeviceUrl(text, "serial", path=path, baud=baud)


def _tcp(text: str, address: str, path: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES["tcp"]
    found = _ADDRESS.match(unquote(address))
    if found is None and (address.count(":") > 1 or "[" in address):
        raise _wrong(text, "host", _IPV6, example)
    if found is None or "\0" in found[0]:
        raise _wrong(text, "host", f"{_short(address)!r} is no host name", example)
    host = found["v6"] or found["name"]
    if not host:
        raise _wrong(text, "host", "no host is named", example)
    if not can_be_host(host):
        raise _wrong(text, "host", f"{_short(host)!r} is no host name", example)
    port = found["port"] or ""
    if not _PORT.match(port) or not 0 < int(port) <= 0xFFFF:
        raise _wrong(text, "port", "a port from 1 to 65535 is needed", example)
    if path.strip("/"):
        raise _wrong(text, "path", f"{_short(path)} means nothing over TCP", example)
    _none_left(text, options, "no option", example)
    return DeviceUrl(text, "tcp", host=host, port=int(port))


def _broker(text: str, scheme: str) -> DeviceUrl:
    try:
        broker = parse_broker_url(text)
    except BrokerUrlError as error:
        raise _wrong(text, error.part, error.reason, EXAMPLES[scheme]) from error
    return DeviceUrl(text, scheme, host=broker.host, port=broker.port, broker=broker)


def _simulated(text: str, scheme: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES[scheme]
    seed = options.pop("seed", None)
    nvm = options.pop("nvm", None)
    if nvm is not None and (not nvm or not nvm.isprintable()):
        raise _wrong(text, "nvm", f"{_short(nvm)!r} is no file", f"{scheme}://?nvm=handpiece.nvm")
    baud, speed = 0, None
    if scheme == "sim":
        if "baud" in options:
            baud = _baud(text, options.pop("baud"), "sim://?baud=115200")
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
        raise _wrong(text, "speed", f"{_short(value)} is not max or a factor from 0.01 to 10000", "sim://?speed=1")
    return speed


def _baud(text: str, value: str, example: str) -> int:
    baud = _integer(text, "baud", value, 1, MOST_BAUD, example)
    if baud < LEAST_BAUD:
        reason = f"{baud} is too slow: answers take longer than retries and leases allow; {LEAST_BAUD} is the least"
        raise _wrong(text, "baud", reason, example)
    return baud


def _integer(text: str, name: str, value: str, low: int, high: int, example: str) -> int:
    if not _INTEGER.match(value) or not low <= int(value) <= high:
        raise _wrong(text, name, f"{_short(value)!r} is not a whole number from {low} to {high}", example)
    return int(value)


def _number(text: str, name: str, value: str, example: str) -> float:
    if not _NUMBER.match(value) or not math.isfinite(float(value)):
        raise _wrong(text, _short(name), f"{_short(value)!r} is not a finite number", example)
    return float(value)


def _none_left(text: str, options: dict[str, str], known: str, example: str) -> None:
    if options:
        raise _wrong(text, "options", f"{_short(next(iter(options)))} is not known here; {known} is", example)
