"""The place at which somebody else's host finds its station: options, checked, and opened as `firmware-sim serve` does.

Law: nothing POSIX-only is imported unless a pseudo-terminal is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from devicectl.campaign.scenario import MQTT, SERIAL
from devicectl.errors import DevicectlError
from firmware_sim.serve.errors import ServeError
from firmware_sim.serve.transports.table import parse_places
from protocols.text.addresses import is_loopback

if TYPE_CHECKING:
    from devicectl.station.server.transports.far_device import FarDevice
    from firmware_sim.serve.transports.table import Place, Transport
    from handpiece_shell.files import NamedFile

NEEDS_NETWORK: Final = "is reached by others: --allow-network lets every machine of this network drive the handpiece"


class PlaceError(DevicectlError):
    """A host cannot be given its place."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class HostPlace:
    """A checked place, and the wire of a lesson there."""

    place: "Place"
    wire: str

    @property
    def files(self) -> "Sequence[NamedFile]":
        """Files that its options name."""
        return self.place.files

    async def open_transport(self, device: "FarDevice") -> "Transport":
        """Open it.

        Raises:
            PlaceError: it cannot be had.
        """
        try:
            return await self.place.open_transport(device)
        except ServeError as error:
            raise PlaceError(str(error), error.exit_code) from error


def parse_host(given: Mapping[str, str], *, allow_network: bool) -> HostPlace | None:
    """Check the options by name, of which there is one at most; None where there is none.

    Raises:
        PlaceError: it cannot be carried out, or others would reach it.
    """
    if not given:
        return None
    names = [f"--{name}" for name in given]
    if len(names) > 1:
        raise PlaceError(f"{' and '.join(names)}: a station has one host: give one of them", 2)
    try:
        (place,) = parse_places(given)
    except ServeError as error:
        raise PlaceError(str(error), error.exit_code) from error
    if place.host and not is_loopback(place.host) and not allow_network:
        raise PlaceError(f"{names[0]}: {place.host} {NEEDS_NETWORK}", 2)
    return HostPlace(place, MQTT if "mqtt" in given else SERIAL)
