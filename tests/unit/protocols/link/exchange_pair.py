"""Both ends of an exchange for tests, with handed-in time and no wire between: frames are taken and given by hand."""

from typing import Any, TypeVar

from protocols.language.enums import AlarmPriority, Code, DeviceState, Role
from protocols.language.message import Message
from protocols.language.messages import Heartbeat, Hello, Nak, Refused, TelemetryState, Welcome
from protocols.language.schema import schema_id
from protocols.language.units import Micros
from protocols.link.device_end import DeviceEnd
from protocols.link.exchange import Exchange
from protocols.link.happenings import Commanded, DeviceHappening, Greeted, Linked, LinkLost, Told
from protocols.link.header import Header
from protocols.link.host_end import HostEnd
from protocols.link.port import BadFrame
from protocols.serial.payload import encode_message
from protocols.serial.wire import SerialWire
from tests.unit.protocols.language.altered import zeros

Host = HostEnd[bytes]
Device = DeviceEnd[bytes]
End = Host | Device

Own = TypeVar("Own")
"""What happens at one kind of end only."""

LINK = 7
HEARTBEAT_US = Micros(200_000)
LEASE_US = Micros(600_000)
T0 = Micros(0)
STATE = TelemetryState(
    uptime_ms=1, state=DeviceState.IDLE, depth_um=0, vacuum_pa=0, temperature_mk=0, canister_ul=0, cartridge_cycles=0,
    cell=0, flagged=0,
)  # fmt: skip
TEXT = b"Port already in use\r\n"
"""Bytes of another program on the line."""


def hello(**changes: Any) -> Hello:
    """A HELLO that a device grants."""
    fields: dict[str, Any] = {
        "majors": 2, "minor": 0, "role": Role.CONTROLLER, "features": 0, "schema_id": schema_id(0), "host_id": 5,
        "max_payload_size": 224, "nonce": 77,
    }  # fmt: skip
    return Hello(**(fields | changes))


def welcome(**changes: Any) -> Welcome:
    """A WELCOME to that HELLO: heartbeat 200 ms, lease 600 ms."""
    fields: dict[str, Any] = zeros(Welcome)
    fields |= {
        "link_id": LINK, "nonce": 77, "role": Role.CONTROLLER, "state": DeviceState.IDLE, "simulated": True,
        "model_version": "1", "schema_id": schema_id(0), "heartbeat_idle_ms": 200, "lease_idle_ms": 600,
    }  # fmt: skip
    return Welcome(**(fields | changes))


def heartbeat(running: int = 0) -> Heartbeat:
    """A device's heartbeat."""
    fields: dict[str, Any] = zeros(Heartbeat)
    fields |= {
        "state": DeviceState.IDLE, "highest_alarm": AlarmPriority.NONE, "trigger_held": False,
        "running_correlation_id": running,
    }  # fmt: skip
    return Heartbeat(**fields)


def refused(code: Code = Code.E_STATE) -> Refused:
    """A refusal."""
    return Refused(code=code, interlock=0, expected=0, actual=0, sentence="no")


def make_host() -> Host:
    """A host's end, not linked."""
    return HostEnd(SerialWire())


def make_device() -> Device:
    """A device's end, not linked."""
    return DeviceEnd(SerialWire(), lambda _: heartbeat())


def bring(sender: End, receiver: Exchange[bytes, Own], now: int) -> list[Own | Told | LinkLost]:
    """Carry all that one end has to send to the other; what happened there."""
    return receiver.receive(b"".join(sender.take()), Micros(now))


def linked_pair(now: int = 0, **changes: Any) -> tuple[Host, Device]:
    """A host and a device with a standing link; `changes` are WELCOME's."""
    host, device = make_host(), make_device()
    host.hello(hello(), Micros(now))
    (greeted,) = bring(host, device, now)
    assert isinstance(greeted, Greeted)
    device.welcome(welcome(**changes), greeted, Micros(now))
    device.pace = type(device.pace)(HEARTBEAT_US, LEASE_US)
    (linked,) = bring(device, host, now)
    assert isinstance(linked, Linked)
    return host, device


def seen(data: list[bytes]) -> list[tuple[Header, Message]]:
    """Frames as header and message; all must be good."""
    found = []
    for item in SerialWire().feed(b"".join(data)):
        assert not isinstance(item, BadFrame)
        assert item.message is not None
        found.append((item.header, item.message))
    return found


def messages(end: End) -> list[Message]:
    """What an end has to send."""
    return [message for _, message in seen(end.take())]


def frame(message: Message, link_id: int = LINK, correlation_id: int = 0, *, seq: int = 900, flags: int = 0) -> bytes:
    """One crafted frame."""
    return encode_message(message, seq=seq, link_id=link_id, correlation_id=correlation_id, flags=flags)


def only_nak(end: End) -> tuple[Header, Nak]:
    """The one frame an end has to send, which is a NAK."""
    ((header, message),) = seen(end.take())
    assert isinstance(message, Nak)
    return header, message


def order(
    device: Device, message: Message, correlation_id: int, now: int = 0, *, link_id: int = LINK
) -> list[DeviceHappening]:
    """A command arrives at a device's end."""
    return device.receive(frame(message, link_id, correlation_id), Micros(now))


def carry_out(device: Device, message: Message, correlation_id: int, answer: Message, now: int = 0) -> None:
    """A command arrives at a device's end and is answered."""
    assert order(device, message, correlation_id, now) == [Commanded(correlation_id, message)]
    device.reply(correlation_id, answer, Micros(now))
    device.take()
