"""Another host, which looks at the device and says STOP."""

from collections.abc import Callable
from typing import Any, Final

from firmware_sim.device import Device
from protocols.language.enums import Role
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.messages import Hello, Stop
from protocols.language.schema import schema_id
from protocols.language.units import Micros
from protocols.language.version import MAJOR, MINOR
from protocols.link.host_end import HostEnd
from protocols.link.port import AnyWire

NAME: Final = "viewer"
_HOST_ID: Final = 99
_NONCE: Final = 5


def say_stop(device: Device, device_wire: Callable[[], AnyWire], wire: AnyWire, now: Micros) -> None:
    """Link at a port of its own, say STOP, and go."""
    port = device.attach(NAME, device_wire)
    viewer: HostEnd[Any] = HostEnd(wire)
    hello = Hello(
        majors=1 << MAJOR,
        minor=MINOR,
        role=Role.VIEWER,
        features=0,
        schema_id=schema_id(MINOR),
        host_id=_HOST_ID,
        max_payload_size=MAX_PAYLOAD_SIZE,
        nonce=_NONCE,
    )
    viewer.hello(hello, now)
    for data in viewer.take():
        device.receive(port, data, now)
    for data in port.exchange.take():
        viewer.receive(data, now)
    if viewer.linked:
        viewer.submit(Stop(), now)
        for data in viewer.take():
            device.receive(port, data, now)
    device.detach(port, now)
