"""Doubts about a twin: reasons for which a test run should not trust that the simulator behaves like the device.

Law: the standard library alone, and no clock: the time is handed in.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Final

from handpiece_shell.version import VERSION

VERSION_OF_DOCUMENT: Final = 1
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AGE: Final = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_TO_COME: Final = timedelta(days=1)
"""Time by which the clocks of two machines may differ."""


class TwinFileError(ValueError):
    """A text that is no outcome of `firmware-sim twin`, or no age; its text is one line."""


def parse_age(text: str) -> timedelta:
    """Return the time that a text such as `90d` says.

    Raises:
        TwinFileError: it says none.
    """
    found = _AGE.fullmatch(text)
    if found is None:
        raise TwinFileError(f"{text[:20]!r} is no age; must be hours, days or weeks, for example 90d")
    return int(found[1]) * _UNITS[found[2]]


def find_doubts(text: str, now: datetime, *, max_age: str = "", firmware: str = "") -> list[str]:
    """Return each reason not to trust the outcome in `text`; "" for an age or a firmware asks for none.

    Raises:
        TwinFileError: `text` is no such outcome, or `max_age` no age.
    """
    limit = parse_age(max_age) if max_age else None
    found = _read(text)
    date = _date_of(found)
    doubts = []
    if found.get("verdict") != "same":
        verdict = str(found.get("verdict"))[:20]
        doubts.append(f"its verdict is {verdict!r}: the simulated device does not behave like the recorded one")
    versions = found.get("versions")
    made_by = versions.get("devicectl") if isinstance(versions, dict) else None
    if made_by != VERSION:
        doubts.append(f"it was made with devicectl {made_by}, and this is {VERSION}: make it again")
    if date > now + _TO_COME:
        doubts.append(f"it is of {date:%Y-%m-%d}, which is to come")
    elif limit is not None and now - date > limit:
        doubts.append(f"it is {(now - date).days} days old, of {date:%Y-%m-%d}; at most {max_age} is trusted")
    device = found.get("device")
    of_firmware = device.get("firmware_version") if isinstance(device, dict) else None
    if firmware and of_firmware != firmware:
        doubts.append(f"it is of firmware {of_firmware or 'that nobody asked for'}; {firmware} is to be trusted")
    return doubts


def _read(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("twin") != VERSION_OF_DOCUMENT:
        raise TwinFileError(f"is no outcome of `firmware-sim twin --output` of version {VERSION_OF_DOCUMENT}")
    return found


def _date_of(found: dict[str, object]) -> datetime:
    try:
        date = datetime.fromisoformat(str(found.get("date")))
    except ValueError:
        raise TwinFileError("has no date: make it again with `firmware-sim twin --output`") from None
    if date.tzinfo is None:
        raise TwinFileError("has a date without its zone: make it again with `firmware-sim twin --output`")
    return date
