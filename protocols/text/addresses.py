"""Network addresses: how one is written, whether it can be one, and whether it is of this machine alone.

Law: pure. A name is judged as it is written, and never looked up.
"""

import re
from ipaddress import ip_address
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{1,40}\Z")
MAX_HOST_LENGTH: Final = 253
"""Characters of a host's name. [RFC 1035, 2.3.4: 255 bytes with the lengths of its labels]"""


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
