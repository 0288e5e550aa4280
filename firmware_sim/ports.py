"""The device's ports: one transport's place each, the end of a link on it, and the askers there."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from protocols.language.enums import Role
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros
from protocols.link.budget import MAX_LINKS_PER_SECOND, Budget
from protocols.link.device_end import DeviceEnd
from protocols.link.pace import IDLE_PACE
from protocols.link.port import AnyWire
from protocols.serial.wire import SerialWire


class LinkEnd(Enum):
    """Reason for the end of a link."""

    TRANSPORT = auto()
    HELLO = auto()
    """A new one, on this port or, by the same host, on another."""
    LOST = auto()
    """The host took leave, or its lease ran out."""


class Port:
    """One transport's place at the device, and the link on it. `make_wire` gives the wire, a new one at each start."""

    def __init__(
        self, name: str, beat: Callable[[Micros], Message], make_wire: Callable[[], AnyWire] = SerialWire
    ) -> None:
        self.name = name
        self._beat = beat
        self._make_wire = make_wire
        self.links = Budget(MAX_LINKS_PER_SECOND)
        """Budget of the port, and not of a link or a life of the device."""
        self.restart()

    def restart(self) -> None:
        """Begin again, with no link and nothing half received."""
        self.exchange: DeviceEnd[Any] = DeviceEnd(self._make_wire(), self._beat)
        self.role = Role.VIEWER
        self.host_id = 0
        self.max_payload_size = MAX_PAYLOAD_SIZE
        """Bytes that the host takes, as it said in HELLO."""
        self.idle_pace = self.armed_pace = IDLE_PACE
        """Paces as WELCOME told them: a parameter that is set later counts for the next link."""
        self.hurried = False
        """True while the pace of this link is that of an armed device."""
        self.stream_us = 0
        self.stream_due = Micros(0)

    def set_stream(self, interval_ms: int, now: Micros) -> None:
        """Send telemetry every `interval_ms` from now on; 0 for none."""
        self.stream_us = interval_ms * MILLISECOND
        self.stream_due = Micros(now + self.stream_us)


class PortAsker:
    """Sender of a command on a port. After the link is gone its exchange no longer knows the correlation id."""

    __slots__ = ("correlation_id", "exchange")

    def __init__(self, exchange: DeviceEnd[Any], correlation_id: int) -> None:
        self.exchange = exchange
        self.correlation_id = correlation_id

    def reply(self, message: Message, now: Micros, *, replayed: bool = False) -> None:
        """Answer; no-op when the link is gone."""
        self.exchange.reply(self.correlation_id, message, now, replayed=replayed)
