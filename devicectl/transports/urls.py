"""Device URLs: what they may say, checked before anything is opened.

sim://?seed=7&anesthesia_wait_s=1          in process, virtual time
sim+pty://  sim+tcp://  sim+mqtt://        a simulator of its own, over a real transport, in real time
serial:///dev/ttyUSB0?baud=115200          a serial port; wait=2.5, dtr=0, rts=0 and rtscts=1 are for boards and modems
tcp://127.0.0.1:4001                       a device, or a gateway, on TCP
mqtt://127.0.0.1:1883/bench/sim-7          a device behind an MQTT 5 broker; mqtts:// with TLS
ws://127.0.0.1:9001/bench/sim-7            the same in WebSockets; wss:// with TLS
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from devicectl.errors import UrlError
from protocols.mqtt.broker_url import PORTS, BrokerUrl, BrokerUrlError, parse_broker_url
from protocols.text.addresses import can_be_host, show_host
from protocols.text.url_text import parse_number, parse_whole, scheme_of, split_options

EXAMPLES: Final[Mapping[str, str]] = {
    "sim": "sim://?seed=7",
    "sim+pty": "sim+pty://?seed=7",
    "sim+tcp": "sim+tcp://?seed=7",
    "sim+mqtt": "sim+mqtt://?seed=7",
    "serial": "serial:///dev/ttyUSB0?baud=115200",
    "tcp": "tcp://127.0.0.1:4001",
    "mqtt": "mqtt://127.0.0.1:1883/bench/sim-7",
    "mqtts": "mqtts://127.0.0.1:8883/bench/sim-7?ca=ca.pem&credentials=host.txt",
    "ws": "ws://127.0.0.1:9001/bench/sim-7",
    "wss": "wss://127.0.0.1:443/bench/sim-7?ca=ca.pem&credentials=host.txt",
}
"""Scheme -> a URL that is right."""

_BOARD: Final = "serial:///dev/ttyUSB0?wait=2.5&dtr=0"
MAX_WAIT_S: Final = 8
"""Longer than a board boots. A port that is opened again in a session has ten seconds in all to be there."""
_ONE: Final = EXAMPLES["serial"]
_GATEWAY: Final = "tcp://192.168.1.20:4001"
_NO_PORTS: Final[Mapping[str, tuple[str, str]]] = {
    "rfc2217": ("rfc2217:// is not spoken here, a gateway's raw TCP port is", _GATEWAY),
    "socket": ("socket:// is pyserial's word for a raw TCP port, which has a URL of its own here", _GATEWAY),
    "loop": ("loop:// gives back what it is sent, and no device is there", _ONE),
    "hwgrep": ("hwgrep:// may find several ports; name one that `python -m serial.tools.list_ports` shows", _ONE),
    "spy": ("spy:// is not needed: name the port itself, and --trace FILE shows what goes over it", _ONE),
    "alt": ("alt:// is not supported: name the port itself", _ONE),
    "cp2110": ("cp2110:// is a HID device and no serial port", _ONE),
}
"""Scheme of pyserial's -> what to say of it, and a URL that is right."""
SIMULATED_OPTIONS: Final = ("seed", "nvm")
"""What a simulated URL may say beside the parameters of its device."""
SIM_OPTIONS: Final = (*SIMULATED_OPTIONS, "baud", "speed")
"""The same of `sim://`."""

DEFAULT_BAUD: Final = 115_200
LEAST_BAUD: Final = 4_800
"""Bits a second. The longest frame takes 506 ms at 4,800, and at 2,400 longer than an armed device's lease of 600 ms,
in which nothing else can be heard: a test holds it."""
MOST_BAUD: Final = 4_000_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
"""Name of a parameter; anything else is not repeated in an error."""
_ADDRESS: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[^:\[\]\s/]*))(?::(?P<port>[^:]*))?\Z")
_LOST_MARK: Final = re.compile(r"[&;,](?:baud|wait|dtr|rts|rtscts)=")
_PORT: Final = re.compile(r"[0-9]{1,5}\Z")
_IPV6: Final = "an IPv6 address stands in brackets, as in tcp://[::1]:4001"
MOST_SEED: Final = 2**63 - 1
"""What a signed 64-bit column of the session log holds."""
DRAWN_SEED_BITS: Final = 32
"""Of a seed that nobody asked for: short enough to be typed again."""


@dataclass(frozen=True, slots=True)
class SerialLine:
    """Settings with which a serial port is opened, beside its speed; None leaves a line as the system sets it."""

    wait_s: float = 0.0
    dtr: bool | None = None
    rts: bool | None = None
    rtscts: bool = False


AS_IT_IS: Final = SerialLine()


@dataclass(frozen=True, slots=True)
class DeviceUrl:
    """A checked URL. `path` is a serial port's, `parameters` are the simulated device's; what is not said is None."""

    text: str
    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    baud: int = 0
    line: SerialLine = AS_IT_IS
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
    scheme = scheme_of(text)
    if scheme not in EXAMPLES:
        known = ", ".join(f"{name}://" for name in EXAMPLES)
        wrong = f"{scheme!r} is not one of" if scheme else "it begins with none of"
        raise UrlError(text, "scheme", f"{wrong} {known}", EXAMPLES["sim"])
    example = EXAMPLES[scheme]
    if not text.isprintable():
        raise UrlError(text, "address", "it has characters that cannot be printed", example)
    if scheme in PORTS:
        return _broker(text, scheme)
    try:
        parts = urlsplit(text)
    except ValueError:
        reason = _IPV6 if "[" in text or "]" in text else "it has characters that stand in no address"
        raise UrlError(text, "address", reason, example) from None  # its own words quote the URL
    if "@" in parts.netloc:
        raise UrlError(text, "user", "a device URL has no user or password", example)
    if "#" in text:
        raise UrlError(text, "fragment", "a # means nothing here", example)
    if scheme.startswith("sim") and (parts.netloc or parts.path.strip("/")):
        raise UrlError(text, "address", f"{scheme}:// brings its own device; options follow a ?", example)
    options = _options(text, parts.query, example)
    if scheme == "serial":
        return _serial(text, unquote(parts.netloc + parts.path), options)
    if scheme == "tcp":
        return _tcp(text, parts.netloc, parts.path, options)
    return _simulated(text, scheme, options)


def _options(text: str, query: str, example: str) -> dict[str, str]:
    try:
        pairs = split_options(query)
    except ValueError as error:
        raise UrlError(text, "options", f"they are {error}", example) from error
    options: dict[str, str] = {}
    for number, (name, value) in enumerate(pairs, 1):
        if not _NAME.match(name):
            raise UrlError(text, "options", f"number {number} is not known here", example)
        if name in options:
            raise UrlError(text, "options", f"number {number} is given twice", example)
        options[name] = value
    return options


def _serial(text: str, path: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES["serial"]
    if not path.strip("/") or "\0" in path:
        raise UrlError(text, "path", "no serial port is named", example)
    if _LOST_MARK.search(path):
        raise UrlError(text, "path", "options follow a ?", example)
    inner, is_url, _ = path.partition("://")
    if is_url:
        reason, instead = _NO_PORTS.get(inner.lower(), ("a URL within the URL is no serial port", example))
        raise UrlError(text, "path", reason, instead)
    baud = _baud(text, options.pop("baud", str(DEFAULT_BAUD)), example)
    line = _serial_line(text, options)
    _none_left(text, options, "baud, wait, dtr, rts or rtscts", example)
    return DeviceUrl(text, "serial", path=path, baud=baud, line=line)


def _serial_line(text: str, options: dict[str, str]) -> SerialLine:
    wait_s = _number(text, "wait", options.pop("wait", "0"), _BOARD)
    if not 0 <= wait_s <= MAX_WAIT_S:
        raise UrlError(text, "wait", f"{wait_s:g} is not a time from 0 to {MAX_WAIT_S} s", _BOARD)
    dtr, rts, rtscts = (_switch(text, name, options.pop(name, None)) for name in ("dtr", "rts", "rtscts"))
    if rtscts and rts is not None:
        raise UrlError(text, "rts", "with rtscts=1 the flow control sets it; leave one of the two out", _BOARD)
    return SerialLine(wait_s, dtr, rts, bool(rtscts))


def _switch(text: str, name: str, value: str | None) -> bool | None:
    if value not in (None, "0", "1"):
        raise UrlError(text, name, "its value is neither 0 nor 1", _BOARD)
    return None if value is None else value == "1"


def _tcp(text: str, address: str, path: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES["tcp"]
    found = _ADDRESS.match(unquote(address))
    if found is None and address.count(":") > 1:
        raise UrlError(text, "host", _IPV6, example)
    if found is None or not found[0].isprintable():
        raise UrlError(text, "host", "it is no host name", example)
    host = found["v6"] or found["name"]
    if not host:
        raise UrlError(text, "host", "no host is named", example)
    if not can_be_host(host):
        raise UrlError(text, "host", f"{show_host(host)} is no host name", example)
    port = found["port"] or ""
    if not _PORT.match(port) or not 0 < int(port) <= 0xFFFF:
        raise UrlError(text, "port", "a port from 1 to 65535 is needed", example)
    if path.strip("/"):
        raise UrlError(text, "path", "a path means nothing over TCP", example)
    _none_left(text, options, "no option", example)
    return DeviceUrl(text, "tcp", host=host, port=int(port))


def _broker(text: str, scheme: str) -> DeviceUrl:
    try:
        broker = parse_broker_url(text)
    except BrokerUrlError as error:
        raise UrlError(text, error.part, error.reason, EXAMPLES[scheme]) from error
    return DeviceUrl(text, scheme, host=broker.host, port=broker.port, broker=broker)


def _simulated(text: str, scheme: str, options: dict[str, str]) -> DeviceUrl:
    example = EXAMPLES[scheme]
    seed = options.pop("seed", None)
    nvm = options.pop("nvm", None)
    if nvm is not None and (not nvm or not nvm.isprintable()):
        raise UrlError(text, "nvm", "its value is no file", f"{scheme}://?nvm=handpiece.nvm")
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
        raise UrlError(text, "speed", f"{speed:g} is not max or a factor from 0.01 to 10000", "sim://?speed=1")
    return speed


def _baud(text: str, value: str, example: str) -> int:
    baud = _integer(text, "baud", value, 1, MOST_BAUD, example)
    if baud < LEAST_BAUD:
        reason = (
            f"{baud} is too slow: a frame takes longer than the lease of an armed device; {LEAST_BAUD} is the least"
        )
        raise UrlError(text, "baud", reason, example)
    return baud


def _integer(text: str, name: str, value: str, low: int, high: int, example: str) -> int:
    number = parse_whole(value)
    if number is None or not low <= number <= high:
        raise UrlError(text, name, f"its value is not a whole number from {low} to {high}", example)
    return number


def _number(text: str, name: str, value: str, example: str) -> float:
    number = parse_number(value)
    if number is None:
        raise UrlError(text, name, "its value is not a finite number", example)
    return number


def _none_left(text: str, options: dict[str, str], known: str, example: str) -> None:
    if options:
        raise UrlError(text, "options", f"one is not known here; {known} is", example)
