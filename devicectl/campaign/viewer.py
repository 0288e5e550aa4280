"""Another host, which asks for what a viewer may not have, and then says STOP, which it may."""

from collections.abc import Callable
from typing import Final

from devicectl.campaign.recording import Recording
from firmware_sim.device import Device
from protocols.language.enums import Role
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.message import Message
from protocols.language.messages import Disarm, Hello, JournalAck, Stop
from protocols.language.schema import schema_id
from protocols.language.units import Micros
from protocols.language.version import MAJOR, MINOR
from protocols.link.happenings import Answered
from protocols.link.host_end import HostEnd
from protocols.link.port import AnyWire
from protocols.mqtt.wire import Publication

NAME: Final = "viewer"
_HOST_ID: Final = 99
_NONCE: Final = 5


def say_stop(
    device: Device, recording: Recording, device_wire: Callable[[], AnyWire], wire: AnyWire, now: Micros
) -> None:
    """Link at a port of its own, ask, say STOP, and go."""
    port = device.attach(NAME, device_wire)
    viewer: HostEnd[bytes | Publication] = HostEnd(wire)
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
    asked: tuple[Message, ...] = (JournalAck(epoch=device.nvm.epoch, upto=device.nvm.head), Disarm(), Stop())
    for command in asked if viewer.linked else ():
        viewer.submit(command, now)
        for data in viewer.take():
            device.receive(port, data, now)
        answers = [one for data in port.exchange.take() for one in viewer.receive(data, now)]
        answer = next((one.message for one in answers if isinstance(one, Answered)), None)
        recording.event("viewer", now, asked=command.__class__.__name__, answer=answer.__class__.__name__)
    device.detach(port, now)
