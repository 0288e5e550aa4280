"""The calls of a recording, made to a new device: its boot, its ports, and what was done to it from outside.

How it works: the first event of a served device's recording is the boot, from which `power_on` makes a device; each
later event that names a call has a method here. Who makes the calls holds what the device sends against what was
recorded: `replay` byte by byte, `twin` by what it means.

Law: no I/O, no clock. What a recording holds may be anybody's, so that one that is no device's is a CaptureError.
"""

import contextlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

from firmware_sim.device import Device
from firmware_sim.errors import SimulatorError
from firmware_sim.memory.image import restore
from firmware_sim.model.parameters import Parameters
from firmware_sim.ports import Port
from protocols.capture.contents import decode_object, where_of
from protocols.capture.packet import EVENTS, Capture, CaptureError, JsonObject, Packet
from protocols.language.enums import ByeReason
from protocols.language.errors import ProtocolError
from protocols.language.units import Micros
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire


class PoweredOn(NamedTuple):
    """A device that has booted as a recording says: `start` is its clock at the recording's beginning."""

    device: Device
    start: int
    behind_broker: bool
    in_file: bool


def power_on(packet: Packet | None, capture: Capture) -> PoweredOn:
    """Power a device on as the recording's first packet says.

    Raises:
        CaptureError: that is no boot, or one that cannot be repeated.
    """
    if packet is None or capture.interfaces[packet.interface] != EVENTS:
        raise CaptureError("packet 1", "no event", "the boot of a served device")
    boot = decode_object(packet)
    with guarded(packet):
        memory, start = boot["memory"], int(boot["now_us"])
        nvm = None if memory is None else restore(memory)
        device = Device(seed=boot["seed"], now=Micros(start), parameters=Parameters(boot["parameters"]), nvm=nvm)
        return PoweredOn(device, start, bool(boot["behind_broker"]), nvm is not None)


class Calls:
    """Calls to one device; `ports` has those that are attached, by their names in the recording."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.ports: dict[str, Port] = {}
        self.of_publications: set[str] = set()
        """Names of ports behind a broker, also of those that are gone."""

    def attach(self, event: JsonObject, now: Micros) -> None:
        """Plug a transport in."""
        name = event["port"]
        if "client" in event:
            topics, client = DeviceTopics(event["site"], event["device"], event["root"]), event["client"]
            self.ports[name] = self.device.attach(name, lambda: DeviceWire(topics, client))
            self.of_publications.add(name)
        else:
            self.ports[name] = self.device.attach(name)

    def detach(self, event: JsonObject, now: Micros) -> None:
        """Pull a transport out."""
        self.device.detach(self.ports.pop(event["port"]), now)

    def set_alarm(self, event: JsonObject, now: Micros) -> None:
        """Raise or clear an alarm whose cause was found outside."""
        self.device.set_alarm(event["code"], present=event["present"], now=now)

    def close(self, event: JsonObject, now: Micros) -> None:
        """Take leave on every port."""
        for port in self.ports.values():
            port.exchange.bye(ByeReason.CLOSING, now)


@contextlib.contextmanager
def guarded(packet: Packet) -> Iterator[None]:
    """Turn whatever a spoiled event or memory image leads to into the one error."""
    try:
        yield
    except CaptureError:
        raise
    # An event or a memory image that was edited may hold anything.
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        ProtocolError,
        SimulatorError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        raise CaptureError(
            where_of(packet), f"what cannot be repeated ({error!r})", "what a device recorded"
        ) from error
