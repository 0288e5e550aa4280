"""Device URLs of pyserial, which people bring along: what to write in the place of each.

Law: pure.
"""

from collections.abc import Mapping
from typing import Final

_TCP: Final = "tcp://192.168.1.20:4001"
_RFC2217: Final = "rfc2217://192.168.1.20:4001"
_ONE: Final = "serial:///dev/ttyUSB0?baud=115200"

FOREIGN: Final[Mapping[str, tuple[str, str]]] = {
    "socket": ("socket:// is pyserial's word for a raw TCP port, which has a URL of its own here", _TCP),
    "loop": ("loop:// gives back what it is sent, and no device is there", _ONE),
    "hwgrep": ("hwgrep:// may find several ports; name one that `python -m serial.tools.list_ports` shows", _ONE),
    "spy": ("spy:// is not needed: name the port itself, with spy+ before its URL to see what goes over it", _ONE),
    "alt": ("alt:// is not supported: name the port itself", _ONE),
    "cp2110": ("cp2110:// is a HID device and no serial port", _ONE),
}
"""Scheme of pyserial's -> what to say of it, and a URL that is right."""

WITHIN: Final[Mapping[str, tuple[str, str]]] = {
    **FOREIGN,
    "rfc2217": ("rfc2217:// is a device URL by itself: leave serial:// out", _RFC2217),
}
"""The same, for a URL within the URL of a serial port."""
