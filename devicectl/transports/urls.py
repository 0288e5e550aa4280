"""Device URLs: one row for each way to a device, checked before anything is opened.

sim://?seed=7&anesthesia_wait_s=1          in process, virtual time
sim+pty://  sim+tcp://  sim+mqtt://        a simulator of its own, over a real transport, in real time
serial:///dev/ttyUSB0?baud=115200          a serial port; wait=2.5, dtr=0, rts=0 and rtscts=1 are for boards and modems
rfc2217://127.0.0.1:4002?baud=115200       the serial port of a gateway, which this host sets; options as of serial://
tcp://127.0.0.1:4001                       a device, or a gateway, on TCP
mqtt://127.0.0.1:1883/bench/sim-7          a device behind an MQTT 5 broker; mqtts:// with TLS
ws://127.0.0.1:9001/bench/sim-7            the same in WebSockets; wss:// with TLS
spy+URL                                    any of them, with a tap in front: what is said is shown on standard error

A new transport is a row of `SCHEMES` and the module that it names, in this package: what a URL says (`parse`), how
messages become bytes (`make_wire`), and how it is opened (`open_transport`). Errors and help follow from the row.

Law: pure. A module is imported when a URL names it, so that nobody waits for a library that is not used.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from devicectl.errors import UrlError
from devicectl.transports.foreign import FOREIGN
from protocols.mqtt.broker_url import BrokerUrl
from protocols.text.url_text import parse_number, parse_whole, scheme_of, split_options

if TYPE_CHECKING:  # the messages behind it take longer to import than a command line that only prints its help
    from devicectl.transports.port import Receiver, Transport
    from protocols.link.port import AnyWire


class Scheme(NamedTuple):
    """One way to a device. `form` is what help shows, "" for a variant of the row before; `module` opens it.

    `served` are the options of `firmware-sim serve` that bring a device of its own, `{broker}` in them the address of a
    broker that is brought as well.
    """

    scheme: str
    form: str
    example: str
    module: str
    served: tuple[str, ...] = ()


_BROKER: Final = "?ca=ca.pem&credentials=host.txt"
_SERVED_BROKER: Final = ("--mqtt", "mqtt://{broker}/sim/handpiece")

SCHEMES: Final[Mapping[str, Scheme]] = {
    row.scheme: row
    for row in (
        Scheme("sim", "sim://", "sim://?seed=7", "simulated"),
        Scheme("sim+tcp", "sim+tcp://", "sim+tcp://?seed=7", "simulated", ("--tcp", "127.0.0.1:0")),
        Scheme("sim+pty", "sim+pty://", "sim+pty://?seed=7", "simulated", ("--pty",)),
        Scheme("sim+mqtt", "sim+mqtt://", "sim+mqtt://?seed=7", "simulated", _SERVED_BROKER),
        Scheme("serial", "serial:///dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=115200", "serial_port"),
        Scheme("rfc2217", "rfc2217://HOST:PORT", "rfc2217://127.0.0.1:4002?baud=115200", "rfc2217"),
        Scheme("tcp", "tcp://HOST:PORT", "tcp://127.0.0.1:4001", "tcp"),
        Scheme("mqtt", "mqtt://HOST/SITE/DEVICE", "mqtt://127.0.0.1:1883/bench/sim-7", "mqtt"),
        Scheme("mqtts", "", f"mqtts://127.0.0.1:8883/bench/sim-7{_BROKER}", "mqtt"),
        Scheme("ws", "", "ws://127.0.0.1:9001/bench/sim-7", "mqtt"),
        Scheme("wss", "", f"wss://127.0.0.1:443/bench/sim-7{_BROKER}", "mqtt"),
    )
}
"""Every scheme of a device URL, in the order in which help and errors name them."""
DEFAULT_SCHEME: Final = "sim"
DEFAULT_URL: Final = f"{DEFAULT_SCHEME}://"
"""The device where none is named."""
_LOOKS: Final = {"serial": re.compile(r"/|\.{1,2}/|tty|COM[0-9]", re.IGNORECASE), "tcp": re.compile(r"[^/]*:[0-9]+$")}
"""Scheme -> the look of a text that has none and is a port's name or an address."""

DEFAULT_BAUD: Final = 115_200
MIN_BAUD: Final = 4_800
"""Bits a second. The longest frame takes 506 ms at 4,800, and at 2,400 longer than an armed device's lease of 600 ms,
in which nothing else can be heard: a test holds it."""
MAX_BAUD: Final = 4_000_000
NEEDS_BRACKETS: Final = "an IPv6 address needs brackets, as in tcp://[::1]:4001"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
"""Name of a parameter; anything else is not repeated in an error."""


@dataclass(frozen=True, slots=True)
class SerialLine:
    """Settings with which a serial port is opened, beside its speed; None leaves a line as the system sets it."""

    wait_s: float = 0.0
    dtr: bool | None = None
    rts: bool | None = None
    rtscts: bool = False


AS_IT_IS: Final = SerialLine()


SPY: Final = "spy+"
"""Before the scheme of a URL: with a tap in front of the device."""
_SPY_EXAMPLE: Final = "spy+tcp://127.0.0.1:4001?spy_only=Punch,Count*"


@dataclass(frozen=True, slots=True)
class Spy:
    """The tap in front of a device: names of the messages that are shown, none for all, and the file of a recording."""

    names: frozenset[str] = frozenset()
    record: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceUrl:
    """A checked URL. What it does not say is None.

    `path` is that of a serial port. `answer_s` is how long a gateway may take to set its port; by `ignore_control`
    its answers about lines are not awaited. `simulated` tells that this program brings the device, with `parameters`;
    `served` are the options with which `firmware-sim serve` is started for it, none where it is in this process.
    """

    text: str
    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    baud: int = 0
    line: SerialLine = AS_IT_IS
    answer_s: float = 0.0
    ignore_control: bool = False
    seed: int | None = None
    nvm: str | None = None
    speed: float | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    broker: BrokerUrl | None = None
    simulated: bool = False
    served: tuple[str, ...] = ()
    spy: Spy | None = None

    @property
    def in_process(self) -> bool:
        """True where the device is in this process, and its time is virtual."""
        return self.simulated and not self.served


class TransportModule(Protocol):
    """Functions of a row's module. Simulated devices are opened by `devicectl.simulation`: theirs has `parse` alone."""

    def parse(self, text: str, row: Scheme) -> DeviceUrl:
        """Check a URL, or raise UrlError."""

    def make_wire(self, url: DeviceUrl, client: str) -> "AnyWire":
        """Make what carries the messages of this host, which is `client` to others."""

    async def open_transport(self, url: DeviceUrl, client: str, receiver: "Receiver") -> "Transport":
        """Open it, or raise LinkError."""


def module_of(scheme: str) -> TransportModule:
    """Import the module of a known scheme."""
    module: Any = import_module(f"devicectl.transports.{SCHEMES[scheme].module}")
    found: TransportModule = module
    return found


def place_of(url: DeviceUrl) -> str:
    """Name the place of a device for a report: its URL without the options."""
    if url.broker is not None:
        return str(url.broker.for_others).partition("?")[0]
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{url.path}{host}{f':{url.port}' if url.port else ''}"


def describe_schemes() -> str:
    """Name the forms of a device URL, for help: `sim://, ... or mqtt://HOST/SITE/DEVICE`."""
    *forms, last = [row.form for row in SCHEMES.values() if row.form]
    return f"{', '.join(forms)} or {last}"


def parse_url(text: str) -> DeviceUrl:
    """Check a device URL.

    Raises:
        UrlError: names the part that is wrong and shows a right one.
    """
    scheme = scheme_of(text)
    if scheme.startswith(SPY):
        return _parse_spied(text)
    if scheme in FOREIGN:
        reason, example = FOREIGN[scheme]
        raise UrlError(text, "scheme", reason, example)
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        wrong = f"{scheme!r} is not one of" if scheme else "it begins with none of"
        raise UrlError(text, "scheme", f"{wrong} {known}", SCHEMES[_meant(text, scheme)].example)
    row = SCHEMES[scheme]
    if not text.isprintable():
        raise UrlError(text, "address", "it has characters that cannot be printed", row.example)
    return module_of(scheme).parse(text, row)


def _meant(text: str, scheme: str) -> str:
    """Return the scheme that a text with none, or with a wrong one, is most likely to need."""
    if scheme:
        from difflib import get_close_matches  # for a wrong scheme alone

        return (get_close_matches(scheme, SCHEMES, 1) or [DEFAULT_SCHEME])[0]
    return next((name for name, look in _LOOKS.items() if look.match(text)), DEFAULT_SCHEME)


def _parse_spied(text: str) -> DeviceUrl:
    """Check a URL with a tap in front: the options of the tap are taken out, all else is the device's."""
    inner, mark, query = text[len(SPY) :].partition("?")
    if scheme_of(inner).startswith(SPY):
        raise UrlError(text, "scheme", f"one {SPY} is enough", _SPY_EXAMPLE)
    given = [pair for pair in query.split("&") if pair.startswith("spy_")]
    options = _options(text, "&".join(given), _SPY_EXAMPLE)
    rest = "&".join(pair for pair in query.split("&") if pair not in given)
    url = parse_url(inner + (mark and rest and f"?{rest}"))
    names, record = options.pop("spy_only", None), options.pop("spy_record", None)
    none_left(text, options, "of the tap spy_only or spy_record", _SPY_EXAMPLE)
    if record is not None and (not record or not record.isprintable()):
        raise UrlError(text, "spy_record", "its value is no file", "spy+sim://?spy_record=line.pcapng")
    return replace(url, text=text, spy=Spy(_names(text, names), record))


def _names(text: str, names: str | None) -> frozenset[str]:
    if names is None:
        return frozenset()
    from devicectl.transports.names import SelectionError, parse_names  # the messages, which no other URL needs

    try:
        return parse_names(names)
    except SelectionError as error:
        raise UrlError(text, "spy_only", str(error), _SPY_EXAMPLE) from error


def split(text: str, row: Scheme) -> tuple[str, str, dict[str, str]]:
    """Split a URL without user and fragment into its address, its path and its options.

    Raises:
        UrlError: it is none.
    """
    example = row.example
    try:
        parts = urlsplit(text)
    except ValueError:
        reason = NEEDS_BRACKETS if "[" in text or "]" in text else "it has characters that no address may have"
        raise UrlError(text, "address", reason, example) from None  # its own words quote the URL
    if "@" in parts.netloc:
        raise UrlError(text, "user", "a device URL has no user or password", example)
    if "#" in text:
        raise UrlError(text, "fragment", "a # means nothing here", example)
    return parts.netloc, parts.path, _options(text, parts.query, example)


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


def parse_baud(text: str, value: str, example: str) -> int:
    """Check bits a second."""
    baud = integer(text, "baud", value, 1, MAX_BAUD, example)
    if baud < MIN_BAUD:
        reason = f"{baud} is too slow: a frame takes longer than the lease of an armed device; {MIN_BAUD} is the least"
        raise UrlError(text, "baud", reason, example)
    return baud


def integer(text: str, name: str, value: str, low: int, high: int, example: str) -> int:
    """Check an option that is a whole number."""
    found = parse_whole(value)
    if found is None or not low <= found <= high:
        raise UrlError(text, name, f"its value is not a whole number from {low} to {high}", example)
    return found


def number(text: str, name: str, value: str, example: str) -> float:
    """Check an option that is a number."""
    found = parse_number(value)
    if found is None:
        raise UrlError(text, name, "its value is not a finite number", example)
    return found


def none_left(text: str, options: dict[str, str], known: str, example: str) -> None:
    """Check that every option was taken out; `known` names those that there are."""
    if options:
        raise UrlError(text, "options", f"one is not known here; {known} is", example)
