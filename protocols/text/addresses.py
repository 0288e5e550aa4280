"""Network addresses: reading and writing one, and telling if it can be one and if it is of this machine alone.

Law: pure. A name is judged as it is written, and never looked up.
"""

import re
from enum import Enum
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote

_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{1,40}\Z")
_ADDRESS: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?\Z")
_NAME: Final = re.compile(r"[^:\[\]\s/@]*\Z")
_PORT: Final = re.compile(r"[0-9]{1,5}\Z")
MAX_PORT: Final = 0xFFFF
MAX_HOST_LENGTH: Final = 253
"""Characters of a host's name. [RFC 1035, 2.3.4: 255 bytes with the lengths of its labels]"""


class Flaw(Enum):
    """Kinds of error in an address."""

    BARE = "an IPv6 address without brackets"
    FORM = "not HOST, HOST:PORT or [IPV6]:PORT"
    NO_HOST = "nothing before the port"
    HOST = "a name that no host can have"
    PORT = "a port that is no number of at most five digits"
    HIGH_PORT = "a port above 65535"


class AddressError(ValueError):
    """A text is no address: `flaw` says in which way, the message in a sentence."""

    def __init__(self, flaw: Flaw, reason: str) -> None:
        self.flaw = flaw
        super().__init__(reason)

    @property
    def part(self) -> str:
        """The part that is wrong: `host` or `port`."""
        return "port" if self.flaw in (Flaw.PORT, Flaw.HIGH_PORT) else "host"


def split_address(text: str, *, of_url: bool = False) -> tuple[str, int | None]:
    """Return host and port of HOST, HOST:PORT or [IPV6]:PORT; the port is None where the text has none.

    In an address `of_url` the host may be written with %-escapes, and the port may not.

    Raises:
        AddressError: it is no such text.
    """
    found = _ADDRESS.match(text)
    if found is None:
        if text.count(":") > 1 and "/" not in text:
            raise AddressError(Flaw.BARE, "an IPv6 address needs brackets")
        raise AddressError(Flaw.FORM, "it is no host name")
    host, port = found["v6"] or found["name"], found["port"]
    host = unquote(host) if of_url else host
    if not (found["v6"] or _NAME.match(host)) or not host.isprintable():
        raise AddressError(Flaw.FORM, "it is no host name")
    if not host:
        raise AddressError(Flaw.NO_HOST, "no host is named")
    if not can_be_host(host):
        raise AddressError(Flaw.HOST, f"{show_host(host)} is no host name")
    if port is None:
        return host, None
    if not _PORT.match(port):
        raise AddressError(Flaw.PORT, f"a port is a number from 0 to {MAX_PORT}")
    if int(port) > MAX_PORT:
        raise AddressError(Flaw.HIGH_PORT, f"port {port} is above {MAX_PORT}")
    return host, int(port)


def format_address(host: str, port: int) -> str:
    """Host and port, as in a URL: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def can_be_host(name: str) -> bool:
    """Return True if a name or an address can be looked up at all; each of its labels has 1 to 63 characters.

    What the system's own look-up makes of any other is no OSError.
    """
    if not 0 < len(name) <= MAX_HOST_LENGTH:
        return False
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return True


def show_host(name: str) -> str:
    """Show a name that is no host's: all of it where it could pass for one, else none of it.

    It may be a user's name or password.
    """
    return repr(name) if _PLAIN.match(name) else "it"


def is_loopback(host: str) -> bool:
    """Return True if a name or an address without brackets leads to this machine; of names only localhost does."""
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback  # which is asked since Python 3.13 alone
