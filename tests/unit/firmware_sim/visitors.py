"""Hosts at the ports of a device, one frame at a time: no exchange of their own, no wire, no waiting."""

from typing import Any, TypeVar

from firmware_sim.device import Device, Port
from protocols.language import messages as M
from protocols.language.enums import Role
from protocols.language.message import Message
from protocols.language.units import Micros
from tests.unit.protocols.link.exchange_pair import frame, hello, seen

Said = TypeVar("Said", bound=Message)


class Visitor:
    """A host on a port of its own. It may keep silent, or speak out of turn."""

    def __init__(self, device: Device, host_id: int = 5, role: Role = Role.CONTROLLER, *, linked: bool = True) -> None:
        self.device = device
        self.host_id, self.role = host_id, role
        self.port: Port = device.attach(f"host {host_id}")
        self.now = Micros(0)
        self._correlation_id = 0
        if linked:
            (welcome,) = self.greet()
            assert isinstance(welcome, M.Welcome)

    def greet(self, **changes: Any) -> list[Message]:
        """Send HELLO; the answer to it."""
        return self.send(hello(host_id=self.host_id, role=self.role, **changes), link_id=0)

    def send(self, message: Message, link_id: int | None = None) -> list[Message]:
        """Send one message; all that the device then has to say at this port."""
        self._correlation_id += 1
        link = self.port.exchange.link_id if link_id is None else link_id
        self.device.receive(self.port, frame(message, link, self._correlation_id), self.now)
        return self.hear()

    def said(self, command: Message, kind: type[Said]) -> Said:
        """The one answer to a command, which must be of this kind."""
        (answer,) = (answer for answer in self.send(command) if not isinstance(answer, M.Heartbeat | M.Alarm))
        assert isinstance(answer, kind), answer
        return answer

    def hear(self) -> list[Message]:
        """What the device has said at this port since."""
        return [message for _, message in seen(self.port.exchange.take())]

    def wait(self, duration: int) -> list[Message]:
        """Let time go by at the device; what it says meanwhile."""
        until = Micros(self.now + duration)
        while (due := self.device.next_deadline()) is not None and due <= until:
            self.now = Micros(max(self.now, due))
            self.device.advance(self.now)
        self.now = until
        return self.hear()

    def arm(self) -> None:
        """Open a session and arm the device."""
        self.said(M.SessionOpen(target_cores=3, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)), M.SessionOpenDone)
        self.said(M.AnesthesiaStart(zone=0, age_s=600, method="cream"), M.AnesthesiaStartDone)
        self.said(M.AnesthesiaConfirm(zone=0, confirmed_by="a person"), M.AnesthesiaConfirmDone)
        self.said(M.Arm(), M.Received)
