"""Faults between the ports of a served device and its transports, so that anybody's host meets them.

    port --- write ---> FaultyLines ---> socket         what the device sends
    port <-- deliver -- FaultyLines <--- receive        what a transport has read in one go: a piece

Each direction has one queue of the pieces that are under way, with one timer. A cut breaks every transport of the
device, by the transport's own means.

Law: what becomes of a piece is `firmware_sim.faults.wire`'s to say; here it gets its time.
"""

import asyncio
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from firmware_sim.clock import monotonic
from firmware_sim.faults.injector import End, Noted
from firmware_sim.faults.served import let_in
from firmware_sim.ports import Port
from protocols.language.units import SECOND, Micros

if TYPE_CHECKING:
    from firmware_sim.device import Device
    from firmware_sim.faults.fault import Fault
    from firmware_sim.serve.transports.table import Transport

Deliver = Callable[[Any], None]
"""Hands a piece to whom it is for."""


class FaultyLines:
    """The lines of all ports of a device, with whatever other faults it has.

    `transports` are those that a cut breaks; they are opened later.
    """

    def __init__(
        self,
        device: "Device",
        transports: "Sequence[Transport]",
        now: Micros,
        faults: "Sequence[Fault]",
        noted: Noted,
        *,
        behind_broker: bool,
    ) -> None:
        in_file = device.nvm.store is not None
        self.injected, self._wire = let_in(
            device, now, faults, cut=self._cut, noted=noted, behind_broker=behind_broker, in_file=in_file
        )
        self._transports = transports
        self._loop = asyncio.get_running_loop()
        self._directions = {"host": _Direction(self._loop), "device": _Direction(self._loop)}
        """Pieces under way, by their sender."""
        self._cuts = 0
        """Faults that keep the transports cut; the first one said how."""

    # --- pieces --------------------------------------------------------------------------------------------------

    def carry(self, sender: str, port: Port, data: Any, deliver: Deliver, now: Micros) -> None:
        """Take a piece that `sender` gives to its transport; `deliver` is called with what arrives, when it does."""
        arrivals = self._wire.arrivals(sender, data, now, port.name)
        if not self._cuts:
            self._directions[sender].carry(arrivals, deliver)

    def gone(self, port: Port) -> None:
        """Drop what there is of a port that is no more."""
        self.injected.injector.forget(port.name)

    # --- the transports ------------------------------------------------------------------------------------------

    def _cut(self, *, host_knows: bool, device_knows: bool) -> End:
        """Break the transports, when nothing else is being done to the device, and mend them at the fault's end."""

        def cut() -> None:
            self._cuts += 1
            if self._cuts == 1:
                for direction in self._directions.values():
                    direction.clear()
                for transport in self._transports:
                    transport.cut(host_knows=host_knows, device_knows=device_knows)

        def mend() -> None:
            self._cuts -= 1
            if not self._cuts:
                for transport in self._transports:
                    transport.mend()

        def end(now: Micros) -> None:
            self._loop.call_soon(mend)

        self._loop.call_soon(cut)
        return end


class _Direction:
    """Pieces of one direction that are under way.

    The two are apart, so that what the device says never brings it something to hear before it has said all.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[Micros, int, Deliver, Any]] = []
        self._count = 0
        self._cancel_timer: Callable[[], None] | None = None

    def carry(self, arrivals: Sequence[tuple[Micros, Any]], deliver: Deliver) -> None:
        """Take what becomes of a piece, each part with its time; deliver what is due."""
        for due, piece in arrivals:
            self._count += 1
            heappush(self._waiting, (due, self._count, deliver, piece))
        self._pass_on()

    def clear(self) -> None:
        """Drop all of it."""
        self._waiting.clear()

    def _pass_on(self) -> None:
        """Deliver what is due, and come back for what is not."""
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None
        while self._waiting and self._waiting[0][0] <= monotonic():
            _, _, deliver, piece = heappop(self._waiting)
            deliver(piece)
        if self._waiting:
            self._cancel_timer = self._loop.call_at(self._waiting[0][0] / SECOND, self._pass_on).cancel
