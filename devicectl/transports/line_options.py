"""Options of a serial line in a device URL: how long a board boots, and the lines of its port.

Law: pure.
"""

from typing import Final

from devicectl.errors import UrlError
from devicectl.transports.urls import SerialLine, number
from protocols.language.units import SECOND, Micros

BOOT_US: Final = Micros(6 * SECOND)
"""Many boards reset when DTR rises, which opening a port makes it do, and boot for two to five seconds."""
MAX_WAIT_S: Final = 8
"""Longer than a board boots. A port that is opened again in a session has ten seconds in all to be there."""
LINE_OPTIONS: Final = "baud, wait, dtr, rts or rtscts"
"""Options of any serial line, for errors."""


def parse_line(text: str, options: dict[str, str], example: str) -> SerialLine:
    """Take the options of a line out of `options`.

    Raises:
        UrlError: one has a wrong value; `example` is a right URL.
    """
    wait_s = number(text, "wait", options.pop("wait", "0"), example)
    if not 0 <= wait_s <= MAX_WAIT_S:
        raise UrlError(text, "wait", f"{wait_s:g} is not a time from 0 to {MAX_WAIT_S} s", example)
    dtr, rts, rtscts = (_switch(text, name, options.pop(name, None), example) for name in ("dtr", "rts", "rtscts"))
    if rtscts and rts is not None:
        raise UrlError(text, "rts", "with rtscts=1 the flow control sets it; leave one of the two out", example)
    return SerialLine(wait_s, dtr, rts, bool(rtscts))


def _switch(text: str, name: str, value: str | None, example: str) -> bool | None:
    if value not in (None, "0", "1"):
        raise UrlError(text, name, "its value is neither 0 nor 1", example)
    return None if value is None else value == "1"
