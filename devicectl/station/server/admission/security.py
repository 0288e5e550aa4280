"""Rules of admission to the server, and the headers of each of its answers.

Law: pure. A request is refused before anything of it is used, by a refusal of one line.

How it works: the server is reached by an address of this machine, never by a name that somebody else's DNS could lead
to it. So Host has to be the very address at which the connection has arrived, or `localhost` on the loopback; a page of
another site, which a browser marks by Origin, is refused; and a token has to be shown.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final, NamedTuple

from devicectl.station.server.admission.limits import MAX_HEAD_BYTES

NO_EMBEDDING: Final = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
CSP: Final = (
    f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; {NO_EMBEDDING}"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of each answer; a page that needs another policy sets its own."""
READING: Final = frozenset({"GET", "HEAD"})
"""Methods that change nothing, so that they may come without an Origin."""
WRITING: Final = frozenset({"DELETE", "POST"})

MAX_HEADERS: Final = 64
MAX_TARGET_BYTES: Final = 1024
"""Bytes of a path: the longest that is right has a token. Python reads no number of more than 4,300 digits."""
"""A browser sends twenty."""

Headers = Sequence[tuple[bytes, bytes]]


class Refusal(NamedTuple):
    """A request that is not served: status of HTTP, and words for its sender."""

    status: int
    words: str


def values_of(headers: Headers, name: bytes) -> list[str]:
    """Return all values of a header; its name in small letters."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def host_refusal(headers: Headers, local: tuple[str, int]) -> Refusal | None:
    """Return why the Host of a request is not the address at which it arrived; None if it is."""
    hosts = values_of(headers, b"host")
    if len(hosts) == 1 and hosts[0] in right_hosts(local):
        return None
    return Refusal(421, "Host: this server answers to its own address alone")


def right_hosts(local: tuple[str, int]) -> tuple[str, ...]:
    """Return what Host may be on a connection to this address and port."""
    text, port = local
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    literal = str(address) if address.version == 4 else f"[{address}]"
    names = (literal, "localhost") if address.is_loopback else (literal,)
    usual = names if port == 80 else ()  # a browser leaves the usual port out
    return (*(f"{name}:{port}" for name in names), *usual)


def form_refusal(method: str, target: bytes, headers: Headers) -> Refusal | None:
    """Return why the form of a request is not one that a browser sends; None if it is.

    A target that is a whole URL is meant for a proxy; two ways to say where a body ends are meant to confuse one.
    """
    if not target.startswith(b"/") or target.startswith(b"//"):
        return Refusal(400, "target: a path is needed, /...")
    if len(target) > MAX_TARGET_BYTES:
        return Refusal(414, f"target: at most {MAX_TARGET_BYTES} bytes")
    if method not in READING | WRITING:
        return Refusal(405, "method: GET, HEAD, POST and DELETE are served")
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEAD_BYTES:
        return Refusal(431, f"headers: at most {MAX_HEADERS}, of {MAX_HEAD_BYTES // 1024} KiB")
    if values_of(headers, b"transfer-encoding") and values_of(headers, b"content-length"):
        return Refusal(400, "length: either Content-Length or Transfer-Encoding")
    return None


def origin_refusal(headers: Headers, *, needed: bool) -> Refusal | None:
    """Return why the Origin of a request is not the server's own page; None if it is.

    A program that shows a token by itself has none; a browser, whose cookie comes along unasked, needs one to write.
    """
    origins = values_of(headers, b"origin")
    if not origins and not needed:
        return None
    (host,) = values_of(headers, b"host")
    if origins == [f"http://{host}"]:
        return None
    return Refusal(403, "Origin: only the server's own pages may do this")


def is_loopback(host: str) -> bool:
    """Return whether a host of the command line is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
