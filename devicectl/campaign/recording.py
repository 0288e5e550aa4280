"""The recording of one run in memory: what both ends sent and received, and what no wire shows.

Law: it only appends. Judges read it, a file is made of it; nothing of a run depends on it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from protocols.capture.packet import JsonObject
from protocols.language.units import Micros
from protocols.mqtt.wire import Publication

PROGRAM: Final = "devicectl campaign"
"""Maker of a trial's recording, in its comment; also where it is `run --scenario`."""
HOST_SENT: Final = "host>"
DEVICE_HEARD: Final = ">device"
DEVICE_SENT: Final = "device>"
HOST_HEARD: Final = ">host"
EVENT: Final = "event"
SENT: Final[Mapping[str, str]] = {"host": HOST_SENT, "device": DEVICE_SENT}
HEARD: Final[Mapping[str, str]] = {"host": DEVICE_HEARD, "device": HOST_HEARD}
"""By the sender of a piece: where it was sent, and where it was heard."""


Event = JsonObject
"""Something that no wire shows: its name is in `event`."""


class Recorded(NamedTuple):
    """One packet: bytes, a publication, or an event as data that JSON has."""

    at_us: Micros
    where: str
    data: bytes | Publication | Event


class Recording(list[Recorded]):
    """The packets of a run in their order."""

    def event(self, name: str, now: Micros, **values: object) -> None:
        """Append something that no wire shows."""
        self.append(Recorded(now, EVENT, {"event": name, **values}))
