"""The two ends of a line that is watched, as the command line names them.

    A, where the host connects     tcp://HOST:PORT to listen at (0: any port), pty:// or pty:///PATH for a
                                   pseudo-terminal that is made, serial:///dev/ttyUSB1 for a port with the host's cable
    B, where the device is         tcp://HOST:PORT, serial:///dev/ttyUSB0, rfc2217://HOST:PORT

Law: pure; both are checked before anything is opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from devicectl.errors import UrlError
from devicectl.transports.urls import AS_IT_IS, SCHEMES, DeviceUrl, Scheme, SerialLine, none_left, parse_url, split
from protocols.text.addresses import AddressError, split_address
from protocols.text.url_text import scheme_of

_HOST_EXAMPLE: Final = "tcp://127.0.0.1:0"
_PTY: Final = Scheme("pty", "pty://", "pty:///tmp/handpiece", "")
_FOR_HOST: Final = ("tcp", "pty", "serial")
_FOR_DEVICE: Final = ("tcp", "serial", "rfc2217")


_BROKER: Final = "a broker is no line between two ends: put the tap into the host, spy+mqtt://"
_NO_LINE: Final = dict.fromkeys(("mqtt", "mqtts", "ws", "wss"), _BROKER)
"""Scheme of a device that is behind no line of bytes -> what to do instead."""
_NO_HOST: Final = {
    "rfc2217": "a host cannot set this port: the monitor is no gateway. It opens a gateway's port as the device's end",
    **_NO_LINE,
}
"""Scheme with which no host connects -> what to do instead."""


class Way(StrEnum):
    """Ways to an end."""

    LISTEN = "listen"
    CONNECT = "connect"
    GATEWAY = "gateway"
    """Connect, and have the port set that is there."""
    PTY = "pty"
    SERIAL = "serial"


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a line; `text` is what it was parsed of."""

    way: Way
    text: str
    host: str = ""
    port: int = 0
    path: str = ""
    baud: int = 0
    line: SerialLine = AS_IT_IS


def parse_host_place(text: str) -> Place:
    """Check A.

    Raises:
        UrlError: it is no place where a host can connect.
    """
    scheme = scheme_of(text)
    _require(text, scheme, _FOR_HOST, _NO_HOST, "the host's end", _HOST_EXAMPLE)
    if scheme == "pty":
        netloc, path, options = split(text, _PTY)
        none_left(text, options, "no option", _PTY.example)
        if netloc:
            raise UrlError(text, "path", "three slashes begin a path", _PTY.example)
        return Place(Way.PTY, text, path=path)
    if scheme == "serial":
        return _serial(parse_url(text))
    address, path, options = split(text, SCHEMES["tcp"])
    none_left(text, options, "no option", _HOST_EXAMPLE)
    try:
        host, port = split_address(address, of_url=True)
    except AddressError as error:
        raise UrlError(text, error.part, str(error), _HOST_EXAMPLE) from None
    if port is None or path.strip("/"):
        raise UrlError(text, "port", "a port to listen at is needed, 0 for any, and nothing after it", _HOST_EXAMPLE)
    return Place(Way.LISTEN, text, host=host, port=port)


def parse_device_place(text: str) -> Place:
    """Check B.

    Raises:
        UrlError: it is no place where a device can be.
    """
    scheme = scheme_of(text)
    _require(text, scheme, _FOR_DEVICE, _NO_LINE, "the device's end", SCHEMES["tcp"].example)
    url = parse_url(text)
    if scheme == "serial":
        return _serial(url)
    return Place(Way.GATEWAY if scheme == "rfc2217" else Way.CONNECT, text, host=url.host, port=url.port)


def _serial(url: DeviceUrl) -> Place:
    return Place(Way.SERIAL, url.text, path=url.path, baud=url.baud, line=url.line)


def _require(
    text: str, scheme: str, known: tuple[str, ...], instead: Mapping[str, str], end: str, example: str
) -> None:
    if scheme in instead:
        raise UrlError(text, "scheme", instead[scheme], example)
    if scheme not in known:
        ways = ", ".join(f"{name}://" for name in known)
        raise UrlError(text, "scheme", f"{end} of a line of bytes is one of {ways}", example)
