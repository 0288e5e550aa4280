"""A recorded device again: the recorded calls, at the recorded times, to a new device.

How it works: the first event is the boot, with seed, parameters and memory. Every other event that names a call, and
every packet to the device, is made again; every packet from the device is held against what the new one sends.

    events   boot           seed 7, at 5,000,000      Device(seed=7, now=5000000)
    events   attach         tcp:127.0.0.1:50312       port = device.attach(...)
    tcp:...  to the device  HELLO, at 5,100,000       device.receive(port, HELLO, 5100000), which sends a WELCOME
    tcp:...  from it        WELCOME                   the same bytes? else that is the first difference

Law: no I/O, no clock. What a recording holds may be anybody's, so that one that is no device's is a CaptureError.
"""

import contextlib
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from firmware_sim.device import Device
from firmware_sim.errors import SimulatorError
from firmware_sim.memory.image import restore
from firmware_sim.model.parameters import Parameters
from firmware_sim.ports import Port
from protocols.capture.contents import decode_object, decode_publication_of, where_of
from protocols.capture.packet import EVENTS, FROM_DEVICE, TO_DEVICE, Capture, CaptureError, JsonObject, Packet
from protocols.language.enums import ByeReason
from protocols.language.errors import ProtocolError
from protocols.language.units import SECOND, Micros
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, Publication

Sent = bytes | Publication


class Difference(NamedTuple):
    """The first packet of a port that is not the same again: None on the side that has none."""

    at_us: int
    port: str
    recorded: Sent | None
    repeated: Sent | None


def replay_device(capture: Capture) -> Difference | None:
    """Make all recorded calls again; return the first packet that differs, None if there is none.

    Raises:
        CaptureError: it is no recording of a device, or was spoiled.
    """
    packets = iter(capture.packets)
    replay = _begin(packets, capture)
    packet = None
    for packet in packets:
        difference = replay.take(packet, capture.interfaces[packet.interface])
        if difference is not None:
            return difference
    # Where the recording never came to its end, the last answers may not be in it.
    if packet is None or capture.comment.get("verdict") is None:
        return None
    return replay.unheld(packet.at_us)


def _begin(packets: Iterator[Packet], capture: Capture) -> "_Replay":
    """Power the device on as the first event says."""
    packet = next(packets, None)
    if packet is None or capture.interfaces[packet.interface] != EVENTS:
        raise CaptureError("packet 1", "no event", "the boot of a served device")
    boot = decode_object(packet)
    with _repeated(packet):
        memory, start = boot["memory"], int(boot["now_us"])
        nvm = None if memory is None else restore(memory)
        device = Device(seed=boot["seed"], now=Micros(start), parameters=Parameters(boot["parameters"]), nvm=nvm)
    return _Replay(device, start)


class _Replay:
    """A device in the midst of its calls. What it has sent and no packet was held against yet is `_unheld`."""

    def __init__(self, device: Device, start: int) -> None:
        self._device = device
        self._start = start
        self._at_us = 0
        self._ports: dict[str, Port] = {}
        self._unheld: dict[str, list[Sent]] = {}

    def take(self, packet: Packet, name: str) -> Difference | None:
        """Make a packet's call again, or hold it against what the device sent."""
        if packet.direction == FROM_DEVICE:
            return self._hold(packet, name)
        call = self._call_of(packet, name)
        if call is None:
            return None
        if packet.at_us < self._at_us:
            raise CaptureError(where_of(packet), "a call", f"none before {self._at_us / SECOND:.6f} s, as the last one")
        if packet.at_us > self._at_us and (difference := self.unheld(self._at_us)) is not None:
            return difference
        self._at_us = packet.at_us
        with _repeated(packet):
            call(Micros(self._start + packet.at_us))
        for one, port in self._ports.items():
            self._unheld[one] += port.exchange.take()
        return None

    def unheld(self, at_us: int) -> Difference | None:
        """Return the first thing that the device sent and that was not recorded."""
        for name, sent in self._unheld.items():
            if sent:
                return Difference(at_us, name, None, _joined(sent)[0])
        return None

    def _call_of(self, packet: Packet, name: str) -> Callable[[Micros], None] | None:
        if packet.direction == TO_DEVICE:
            port = self._ports.get(name)
            if port is None:  # what came to no port: the device did not hear it
                return None
            data = decode_publication_of(packet) if _is_mqtt(port) else packet.data
            return partial(self._device.receive, port, data)
        if name != EVENTS:
            return None
        event = decode_object(packet)
        call = _CALLS.get(str(event.get("event")))
        return None if call is None else partial(call, self, event)

    def _hold(self, packet: Packet, name: str) -> Difference | None:
        """Hold a packet from the device against what this one sent: publications singly, bytes however cut."""
        port, sent = self._ports.get(name), _joined(self._unheld.get(name, []))
        repeated = sent[0] if sent else None
        recorded: Sent = decode_publication_of(packet) if port is not None and _is_mqtt(port) else packet.data
        if repeated == recorded:
            self._unheld[name] = sent[1:]
        elif isinstance(repeated, bytes) and isinstance(recorded, bytes) and repeated.startswith(recorded):
            self._unheld[name] = [repeated[len(recorded) :]]
        else:
            return Difference(packet.at_us, name, recorded, repeated)
        return None

    # --- calls -----------------------------------------------------------------------------------------------

    def _attach(self, event: JsonObject, now: Micros) -> None:
        name = event["port"]
        if "client" in event:
            topics, client = DeviceTopics(event["site"], event["device"], event["root"]), event["client"]
            self._ports[name] = self._device.attach(name, lambda: DeviceWire(topics, client))
        else:
            self._ports[name] = self._device.attach(name)
        self._unheld[name] = []

    def _detach(self, event: JsonObject, now: Micros) -> None:
        port = self._ports.pop(event["port"])
        self._unheld.pop(event["port"])
        self._device.detach(port, now)

    def _advance(self, event: JsonObject, now: Micros) -> None:
        self._device.advance(now)

    def _set_alarm(self, event: JsonObject, now: Micros) -> None:
        self._device.set_alarm(event["code"], present=event["present"], now=now)

    def _close(self, event: JsonObject, now: Micros) -> None:
        for port in self._ports.values():
            port.exchange.bye(ByeReason.CLOSING, now)


_CALLS: Final = {
    "attach": _Replay._attach,
    "detach": _Replay._detach,
    "advance": _Replay._advance,
    "set_alarm": _Replay._set_alarm,
    "close": _Replay._close,
}
"""Events that are calls; all others tell something about the run."""


def _is_mqtt(port: Port) -> bool:
    return isinstance(port.exchange.wire, DeviceWire)


def _joined(sent: list[Sent]) -> list[Sent]:
    """Return what was sent with all bytes in one piece: a shell sends several frames at once."""
    pieces = [one for one in sent if isinstance(one, bytes)]
    return [b"".join(pieces)] if pieces else sent


@contextlib.contextmanager
def _repeated(packet: Packet) -> Iterator[None]:
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
