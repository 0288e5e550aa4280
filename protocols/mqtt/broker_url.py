"""URLs of a device behind an MQTT broker, as both commands take them.

mqtt://127.0.0.1:1883/bench/sim-7
mqtts://broker.example:8883/bench/sim-7?ca=ca.pem&cert=host.pem&key=host.key&credentials=host.txt
ws://127.0.0.1:9001/bench/sim-7?path=/mqtt      MQTT in WebSockets; wss:// with TLS

Law: pure; a file is named here and read by a shell. A user name or password is never in a URL, which process
lists, logs and shell histories show.
"""

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from protocols.language.errors import ProtocolError
from protocols.mqtt.topics import DEFAULT_ROOT, DeviceTopics, TopicError
from protocols.text.addresses import AddressError, Flaw, format_address, split_address
from protocols.text.names import one_form
from protocols.text.url_text import scheme_of, split_options

PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""Scheme -> the port that IANA assigned to it; brokers' WebSockets mostly have another, such as 9001."""
_SCHEMES: Final = {(False, False): "mqtt", (False, True): "mqtts", (True, False): "ws", (True, True): "wss"}
"""(in WebSockets, with TLS) -> scheme."""
DEFAULT_PATH: Final = "/mqtt"
"""Path at which a broker has its WebSockets."""
USERNAME_VARIABLE: Final = "HANDPIECE_MQTT_USERNAME"
PASSWORD_VARIABLE: Final = "HANDPIECE_MQTT_PASSWORD"
"""The environment's user name and password, where the URL names no file with `credentials`."""
_FILES: Final = ("ca", "cert", "key", "credentials")
_OPTIONS: Final = (*_FILES, "root", "path")

_IPV6: Final = "an IPv6 address needs brackets, as in mqtt://[::1]/site/device"
_PORT: Final = "it is not a port from 1 to 65535"
_NO_USER: Final = (
    f"it is never in a URL; set {USERNAME_VARIABLE} and {PASSWORD_VARIABLE}, or name a credentials=FILE"
    " (an @ in an id is written %40)"
)


class BrokerUrlError(ProtocolError, ValueError):
    """`part` of a broker's URL is wrong; `reason` says why and what would be right."""

    def __init__(self, part: str, reason: str) -> None:
        self.part = part
        self.reason = reason
        super().__init__(f"{part}: {reason}")


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """A broker and a device's topics there.

    The files are paths: CA certificates, own certificate and key, and credentials, which has two lines: the user
    name and the password.
    """

    host: str
    port: int
    topics: DeviceTopics
    tls: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    credentials: str | None = None
    path: str | None = None
    """Place of the WebSockets that carry it; None where none do."""

    @property
    def scheme(self) -> str:
        """The word before `://`."""
        return _SCHEMES[self.path is not None, self.tls]

    @property
    def address(self) -> str:
        """Host and port, for people: IPv6 in brackets."""
        return format_address(self.host, self.port)

    @property
    def files(self) -> dict[str, str]:
        """Option -> path of each file that is named."""
        given = {name: getattr(self, name) for name in _FILES}
        return {name: path for name, path in given.items() if path is not None}

    @property
    def for_others(self) -> "BrokerUrl":
        """The same place, without what says who one is: user, password and certificate are each client's own."""
        return replace(self, credentials=None, cert=None, key=None)

    def __str__(self) -> str:
        """The URL that parses to this."""
        given = self.files | ({} if self.topics.root == DEFAULT_ROOT else {"root": self.topics.root})
        given |= {} if self.path in (None, DEFAULT_PATH) else {"path": self.path}
        options = "&".join(f"{name}={quote(value)}" for name, value in given.items())
        path = "/".join(quote(level, safe="") for level in (self.topics.site, self.topics.device))
        return f"{self.scheme}://{self.address}/{path}{'?' if options else ''}{options}"


def parse_broker_url(text: str) -> BrokerUrl:
    """A broker's URL from text.

    Raises:
        BrokerUrlError: names the part that is wrong.
    """
    if not text.isprintable():  # urlsplit leaves line ends and tabs out without a word
        raise BrokerUrlError("address", "it has characters that cannot be printed")
    scheme = scheme_of(text)
    if scheme not in PORTS:
        raise BrokerUrlError(
            "scheme", f"it begins with mqtt://, mqtts://, ws:// or wss://, not with {scheme or 'another word'}"
        )
    if "@" in text.partition("?")[0]:  # wherever: a / in a password ends what would be read as its place
        raise BrokerUrlError("user", _NO_USER)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise BrokerUrlError("host", _no_address(text)) from None  # its own words quote the URL
    if "#" in text:  # also one that nothing follows
        raise BrokerUrlError("fragment", "nothing follows a #, and no id may have one")
    host, port = _address(parts.netloc, PORTS[scheme])
    options = _options(parts.query)
    tls, websockets = scheme in ("mqtts", "wss"), scheme in ("ws", "wss")
    if not tls and (misplaced := next((name for name in ("ca", "cert", "key") if name in options), None)):
        raise BrokerUrlError(misplaced, f"certificates are for {scheme}s://; {scheme}:// is not encrypted")
    if ("cert" in options) != ("key" in options):
        raise BrokerUrlError("cert", "a client's certificate and its key come together: cert=FILE&key=FILE")
    if websockets:
        options["path"] = _websocket_path(options.get("path", DEFAULT_PATH))
    elif "path" in options:
        raise BrokerUrlError("path", f"it is where WebSockets are, for ws:// and wss://; {scheme}:// has none")
    topics = _topics(parts.path, options.pop("root", DEFAULT_ROOT))
    return BrokerUrl(host, port, topics, tls, **options)


def _no_address(text: str) -> str:
    return _IPV6 if "[" in text or "]" in text else "it has characters that no address may have"


def _address(netloc: str, default_port: int) -> tuple[str, int]:
    try:
        host, port = split_address(netloc, of_url=True)
    except AddressError as error:
        reason = {Flaw.BARE: _IPV6, Flaw.PORT: _PORT, Flaw.HIGH_PORT: _PORT}.get(error.flaw, str(error))
        raise BrokerUrlError(error.part, reason) from None
    if port == 0:
        raise BrokerUrlError("port", _PORT)
    return host, default_port if port is None else port


def _options(query: str) -> dict[str, str]:
    try:
        pairs = split_options(query)
    except ValueError as error:
        raise BrokerUrlError("options", f"they are {error}") from error
    options: dict[str, str] = {}
    for number, (name, value) in enumerate(pairs, 1):
        if name not in _OPTIONS:
            raise BrokerUrlError("options", f"number {number} is not known here; {', '.join(_OPTIONS)} are")
        if name in options:
            raise BrokerUrlError("options", f"{name} is given twice")
        if not value or not value.isprintable():
            raise BrokerUrlError(name, "no file is named" if name in _FILES else "it is empty")
        options[name] = value
    return options


def _websocket_path(path: str) -> str:
    """Path that HTTP asks for."""
    if not path.startswith("/") or not path.isascii() or " " in path:
        raise BrokerUrlError("path", "where WebSockets are begins with / and has ASCII alone, as in path=/mqtt")
    return path


def _topics(path: str, root: str) -> DeviceTopics:
    levels = path.removeprefix("/").split("/")
    if len(levels) != 2 or not all(levels):
        raise BrokerUrlError("path", "/site/device is what follows the broker")
    if "=" in path:  # else a password among them were the name of a device
        raise BrokerUrlError("path", "options follow a ? (an = in an id is written %3D)")
    site, device = (one_form(unquote(level)) for level in levels)
    try:
        return DeviceTopics(site, device, one_form(root))
    except TopicError as error:
        raise BrokerUrlError(error.part, error.reason) from None  # its own words quote the id


def parse_credentials(text: str) -> tuple[str, str]:
    """User name and password from a credentials file: one line each; the password may be missing.

    Raises:
        BrokerUrlError: there is no user name, or there are more lines.
    """
    lines = re.split("\r\n|\n|\r", text)  # `splitlines` also ends one at characters that a password may have
    if not lines[0].strip() or any(lines[2:]):
        raise BrokerUrlError("credentials", "the file has two lines: the user name, then the password")
    return lines[0].strip(), lines[1] if len(lines) > 1 else ""
