"""Faults between the ports of a served device and its transports, so that anybody's host meets them.

    port --- write ---> FaultyLines ---> socket         what the device sends
    port <-- deliver -- FaultyLines <--- receive        what a transport has read in one go: a piece

A piece that is late waits in one queue with one timer; pieces of one direction keep their order. A cut breaks every
transport of the device, by the transport's own means.

Law: what becomes of a piece is `firmware_sim.faults.wire`'s to say; here it gets its time.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final

from firmware_sim.clock import monotonic
from firmware_sim.faults.injector import End, Firing
from firmware_sim.faults.kind import Kind, Target
from firmware_sim.faults.wire import WireFaults
from firmware_sim.ports import Port
from protocols.language.units import SECOND, Micros

if TYPE_CHECKING:
    from firmware_sim.faults.injected import InjectedFaults
    from firmware_sim.serve.transports.table import Transport

BROKER_KINDS: Final = ("broker_frozen", "publish_doubled", "publish_reordered")
"""Faults of a broker that a device can make up for all that it publishes and receives."""

Deliver = Callable[[Any], None]
"""Hands a piece to whom it is for."""


class FaultyLines:
    """The lines of all ports. `transports` are those that a cut breaks; they are opened later."""

    def __init__(self, injected: "InjectedFaults", transports: "Sequence[Transport]") -> None:
        self._injector = injected.injector
        self._transports = transports
        self._loop = asyncio.get_running_loop()
        self._wire = WireFaults(injected.injector)
        self._waiting: list[tuple[Micros, int, Deliver, Any]] = []
        self._count = 0
        self._cancel_timer: Callable[[], None] | None = None
        self._cuts = 0
        """Faults that keep the transports cut; the first one said how."""
        acts = self._injector.acts
        acts["disconnect"] = self._disconnect
        acts["half_open"] = self._half_open

    # --- pieces --------------------------------------------------------------------------------------------------

    def carry(self, sender: str, port: Port, data: Any, deliver: Deliver) -> None:
        """Take a piece that `sender` gives to its transport; `deliver` is called with what arrives, when it does."""
        for due, piece in self._wire.arrivals(sender, data, monotonic(), port.name):
            self._count += 1
            heappush(self._waiting, (due, self._count, deliver, piece))
        self._pass_on()

    def behind(self, port: Port, write: Deliver) -> Deliver:
        """Return what a port writes to in place of `write`."""
        return partial(self._send, port, write)

    def gone(self, port: Port) -> None:
        """Drop what there is of a port that is no more."""
        self._injector.forget(port.name)

    def _send(self, port: Port, write: Deliver, data: Any) -> None:
        self.carry("device", port, data, write)

    def _pass_on(self) -> None:
        """Deliver what is due, and come back for what is not."""
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None
        while self._waiting and self._waiting[0][0] <= monotonic():
            _, _, deliver, piece = heappop(self._waiting)
            if not self._cuts:
                deliver(piece)
        if self._waiting and self._cancel_timer is None:
            self._cancel_timer = self._loop.call_at(self._waiting[0][0] / SECOND, self._pass_on).cancel

    # --- the transports ------------------------------------------------------------------------------------------

    def _disconnect(self, firing: Firing, now: Micros) -> End:
        return self._cut(host_knows=True, device_knows=True)

    def _half_open(self, firing: Firing, now: Micros) -> End:
        unaware = firing.fault.word("unaware")
        return self._cut(host_knows=unaware != "host", device_knows=unaware != "device")

    def _cut(self, *, host_knows: bool, device_knows: bool) -> End:
        """Break the transports, when nothing else is being done to the device, and mend them at the fault's end."""

        def cut() -> None:
            self._cuts += 1
            if self._cuts == 1:
                self._waiting.clear()
                for transport in self._transports:
                    transport.cut(host_knows=host_knows, device_knows=device_knows)

        def mend() -> None:
            self._cuts -= 1
            if not self._cuts:
                for transport in self._transports:
                    transport.mend()

        self._soon(cut)
        return lambda now: self._soon(mend)

    def _soon(self, act: Callable[[], None]) -> None:
        self._loop.call_soon(act)


def unable(kind: Kind, *, behind_broker: bool, in_file: bool) -> str:
    """Return why a served device cannot have such a fault, and what can; "" where it can.

    `behind_broker` tells that it is reached by MQTT, `in_file` that its memory is kept in a file.
    """
    of_broker = kind.target is Target.BROKER
    reasons = (
        (behind_broker and kind.bytes_only, "a broker changes no byte; serve with --tcp or --pty"),
        (
            behind_broker and kind.name == "half_open",
            "a broker is connected to both ends and knows; mute and disconnect are near it",
        ),
        (
            in_file and kind.target is Target.MEMORY,
            "it would spoil the file of --nvm; leave that out, and the memory is one that may fail",
        ),
        (kind.target is Target.HOST, "it is the host's own; `devicectl run --scenario` has it for its own host"),
        (of_broker and not behind_broker, "there is no broker; serve with --mqtt"),
        (
            of_broker and kind.name not in BROKER_KINDS,
            "it is the broker's own; do it to your broker, or use `devicectl run --scenario`, which has one",
        ),
    )
    return next((reason for applies, reason in reasons if applies), "")
