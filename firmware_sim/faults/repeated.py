"""Faults of a recorded device again: what a recording tells of them is held against what they come to now.

    host:tcp...  to the device    ECHO       `carry`: the wire's faults are asked what becomes of it
    events                        fired      `notes`: is it the same fault?
    tcp:...      to the device    ECHO       `arrives`: is it one of the pieces on the line?

Law: no I/O and no clock. When a piece arrives is the recording's to say, since a real timer said so.
"""

from collections import deque
from collections.abc import Sequence

from firmware_sim.device import Device
from firmware_sim.faults.fault import Fault
from firmware_sim.faults.injector import End, Firing
from firmware_sim.faults.served import let_in, note_of
from protocols.capture.contents import encode_event
from protocols.language.units import Micros
from protocols.mqtt.wire import Publication

Sent = bytes | Publication


class RepeatedFaults:
    """Faults of one device, and the pieces that are on its lines."""

    def __init__(
        self, device: Device, now: Micros, faults: Sequence[Fault], *, behind_broker: bool, in_file: bool
    ) -> None:
        self.notes: deque[bytes] = deque()
        """Events of faults that have fired or ended, as they would be recorded, until they are held."""
        self.injected, self._wire = let_in(
            device, now, faults, cut=_cut, noted=self._noted, behind_broker=behind_broker, in_file=in_file
        )
        self._on_line: dict[tuple[str, str], list[Sent]] = {}

    def carry(self, sender: str, port: str, data: Sent, now: Micros) -> None:
        """Take a piece that `sender` gives to the line of a port."""
        pieces = [piece for _, piece in self._wire.arrivals(sender, data, now, port)]
        self._on_line.setdefault((sender, port), []).extend(pieces)

    def arrives(self, sender: str, port: str, data: Sent) -> bool:
        """Take a piece of `sender` off the line; False if there is none such."""
        pieces = self._on_line.get((sender, port), [])
        if data not in pieces:
            return False
        pieces.remove(data)
        return True

    def forget(self, port: str) -> None:
        """Drop what a port that is gone has carried of a frame."""
        self.injected.injector.forget(port)

    def _noted(self, event: str, firing: Firing, now: Micros) -> None:
        self.notes.append(encode_event(event, note_of(firing)))


def _cut(*, host_knows: bool, device_knows: bool) -> End:
    """Leave the transports alone: that their ports went is in the recording."""
    return lambda now: None
