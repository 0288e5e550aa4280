"""Control: which links there are to a board, and which of them may command.

Law: one link controls, the others look. Control is taken by the first accepted command of a controller, and given back
with the session or with the link; STOP is anybody's.
"""

from collections.abc import Iterable
from typing import Final

from firmware_sim.board.board import Board
from firmware_sim.board.refusals import refusal
from firmware_sim.ports import Port
from protocols.language.enums import Code, Role
from protocols.language.messages import Refused

MAX_VIEWERS: Final = 15
"""Viewers that may be linked, over all transports together. Each transport has one place more, so that a controller
always gets in."""

_CONTROLLER: Final = Role.CONTROLLER


class Control:
    """The links to one board between a boot and a loss of power. `ports` is the device's own list."""

    def __init__(self, board: Board, ports: list[Port]) -> None:
        self.board = board
        self.holder: Port | None = None
        """The link that holds control of the open session; None where there is no session, or nobody took it up."""
        self._ports = ports

    @property
    def host_id(self) -> int:
        """The host that holds control, 0 if none does."""
        return 0 if self.holder is None else self.holder.host_id

    def may_have(self, port: Port) -> bool:
        """Return True if this link holds control or may have it: role controller, and nobody else holds it."""
        return port.role is Role.CONTROLLER and (self.holder is None or self.holder is port)

    def refuse(self, port: Port) -> Refused | None:
        """Refuse a link that may not command; None if it may."""
        if port.role is not _CONTROLLER:
            return refusal(Code.E_AUTH, "this link is a viewer's: it may query and STOP, nothing else")
        if self.holder is not None and self.holder is not port:
            text = f"host 0x{self.host_id:08x} holds control of this device"
            return refusal(Code.E_BUSY, text, actual=self.host_id)
        return None

    def release(self, port: Port) -> bool:
        """Take control from a link that is gone; False if it held none."""
        if self.holder is not port:
            return False
        self.holder = None
        return True

    def has_room(self, port: Port, role: Role, host_id: int) -> bool:
        """Return True if a host may be linked at this port: a controller always, a viewer beside few enough others.

        The link that its HELLO replaces, on this port or another, is not counted.
        """
        if role is Role.CONTROLLER:
            return True
        viewers = sum(
            other.exchange.linked and other.role is not Role.CONTROLLER and other.host_id != host_id
            for other in self._ports
            if other is not port
        )
        return viewers < MAX_VIEWERS

    def expendable(self, ports: Iterable[Port]) -> Port | None:
        """Return the port, of `ports` with the oldest first, that gives way to a new one; None where none does.

        One without a link comes first, since its host may have died. Else it is a controller that waits for control, if
        it is not the only controller: hosts that all ask for that role and then do nothing must not keep others out.
        """
        controllers = []
        for port in ports:
            if not port.exchange.linked:
                return port
            if port.role is Role.CONTROLLER:
                controllers.append(port)
        waiting = [port for port in controllers if port is not self.holder]
        return waiting[0] if len(controllers) > 1 else None
