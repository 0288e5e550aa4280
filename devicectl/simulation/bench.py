"""The bench of virtual time: a simulated device under a probe, whose clock jumps to what comes next.

Law: the probe is a generator that yields effects, as `devicectl.conformance.device.probe` names them; this carries
them out on a device of this process and knows no case.
"""

from functools import partial
from typing import Protocol

from firmware_sim.device import Device, Injected, Port
from protocols.language.units import Micros
from protocols.mqtt.wire import Publication


class Prober(Protocol):
    """The pure end that is served: it hears, and has something to send."""

    now: Micros
    outbox: list[tuple[int, bytes | Publication]]

    def opened(self, channel: int) -> None:
        """Note that a channel is open."""

    def closed(self, channel: int, reason: str) -> None:
        """Note that a channel was closed from the other side."""

    def heard(self, channel: int, piece: bytes | Publication) -> None:
        """Take what a channel brought."""


def _take_faults(device: Device, now: Micros, *, in_file: bool) -> Injected:
    from firmware_sim.faults.injected import InjectedFaults  # what is learned needs none

    return InjectedFaults(device, now, in_file=in_file)


class VirtualBench:
    """A device, its ports, and the time of both. With `in_file` its memory is in a file, and cannot fail."""

    def __init__(self, device: Device, prober: Prober, *, in_file: bool = False) -> None:
        self.device = device
        device.inject = partial(_take_faults, in_file=in_file)
        self._prober = prober
        self._ports: dict[int, Port] = {}

    def until(self, due: Micros) -> None:
        """Let time pass until something has come, or it is `due`."""
        while not self._settle():
            wake = self.device.next_deadline()
            if wake is None or wake > due:
                self._prober.now = max(self._prober.now, due)
                return
            self._prober.now = max(self._prober.now, wake)
            self.device.advance(self._prober.now)

    def open(self, channel: int) -> None:
        """Attach a port."""
        if channel in self._ports:
            self.close(channel)
        self._ports[channel] = self.device.attach(f"sim{channel}")
        self._prober.opened(channel)

    def close(self, channel: int) -> None:
        """Take a port away, once what was sent is there."""
        self._settle()
        port = self._ports.pop(channel, None)
        if port is not None:
            self.device.detach(port, self._prober.now)

    def close_all(self) -> None:
        """Take every port away from a device that has broken off, and forget what was on the way."""
        self._prober.outbox.clear()
        for channel, port in self._ports.items():
            self._prober.closed(channel, "the simulated device broke off")
            self.device.ports.remove(port)
        self._ports.clear()

    def _settle(self) -> bool:
        """Carry what both have to say; True where the probe has heard something."""
        prober, heard = self._prober, False
        sent = list(prober.outbox)
        prober.outbox.clear()
        for channel, piece in sent:
            port = self._ports.get(channel)
            if port is not None:
                self.device.receive(port, piece, prober.now)
        for channel, port in self._ports.items():
            for piece in port.exchange.take():
                heard = True
                prober.heard(channel, piece)
        return heard
