"""A recorded device again: the recorded calls, at the recorded times, to a new device.

How it works: the first event is the boot, with seed, parameters and memory. Every other event that names a call, and
every packet to the device, is made again; every packet from the device is held against what the new one sends.

    events   boot           seed 7, at 5,000,000      Device(seed=7, now=5000000)
    events   attach         tcp:127.0.0.1:50312       port = device.attach(...)
    tcp:...  to the device  HELLO, at 5,100,000       device.receive(port, HELLO, 5100000), which sends a WELCOME
    tcp:...  from it        WELCOME                   the same bytes? else that is the first difference

Its faults are injected again as well: see `firmware_sim.faults.repeated`.

Law: no I/O, no clock. What a recording holds may be anybody's, so that one that is no device's is a CaptureError.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from firmware_sim.calls import Calls, PoweredOn, guarded, power_on
from firmware_sim.faults.fault import Fault, fault_of
from firmware_sim.faults.injected import InjectedFaults
from firmware_sim.faults.repeated import RepeatedFaults, Sent
from firmware_sim.faults.served import fit
from protocols.capture.contents import decode_object, decode_publication_of, where_of
from protocols.capture.packet import (
    EVENTS,
    FROM_DEVICE,
    HOST_END,
    TO_DEVICE,
    Capture,
    CaptureError,
    JsonObject,
    Packet,
)
from protocols.language.units import SECOND, Micros

NOTES: Final = ("fired", "ended")
"""Events that tell about a fault."""


class Difference(NamedTuple):
    """The first packet of a port that is not the same again: None on the side that has none."""

    at_us: int
    port: str
    recorded: Sent | None
    repeated: Sent | None
    sender: str = "device"


def replay_device(capture: Capture) -> Difference | None:
    """Make all recorded calls again; return the first packet that differs, None if there is none.

    Raises:
        CaptureError: it is no recording of a device, or was spoiled.
    """
    packets = iter(capture.packets)
    replay = _Replay(power_on(next(packets, None), capture))
    packet = None
    for packet in packets:
        difference = replay.take(packet, capture.interfaces[packet.interface])
        if difference is not None:
            return difference
    # Where the recording never came to its end, the last answers may not be in it.
    comment = capture.comment
    if packet is None or comment.get("verdict") is None or comment.get("incomplete"):
        return None
    return replay.unheld(packet.at_us)


class _Replay(Calls):
    """A device in the midst of its calls. What it has sent and no packet was held against yet is `_unheld`."""

    def __init__(self, powered_on: PoweredOn) -> None:
        super().__init__(powered_on.device)
        self._powered_on = powered_on
        self._at_us = 0
        self._unheld: dict[str, list[Sent]] = {}
        self._faults: RepeatedFaults | None = None
        self.device.inject = lambda device, now: self._let_in((), now)

    def take(self, packet: Packet, name: str) -> Difference | None:
        """Make a packet's call again, or hold it against what the device sent."""
        if name.startswith(HOST_END):
            return self._take_at_host(packet, name)
        if packet.direction == FROM_DEVICE:
            return self._hold(packet, name)
        event = decode_object(packet) if name == EVENTS else {}
        if event.get("event") in NOTES:
            return self._hold_note(packet)
        call = self._call_of(packet, name, event)
        return None if call is None else self._call_again(packet, name, call)

    def _call_again(self, packet: Packet, name: str, call: Callable[[Micros], None]) -> Difference | None:
        if packet.at_us < self._at_us:
            raise CaptureError(where_of(packet), "a call", f"none before {self._at_us / SECOND:.6f} s, as the last one")
        if packet.at_us > self._at_us and (difference := self.unheld(self._at_us)) is not None:
            return difference
        if packet.direction == TO_DEVICE and not self._arrives("host", packet, name):
            return self._surplus(packet, name)
        self._at_us = packet.at_us
        with guarded(packet):
            call(self._time_of(packet))
        for one, port in self.ports.items():
            self._unheld[one] += port.exchange.take()
        return None

    def unheld(self, at_us: int) -> Difference | None:
        """Return the first thing that the device sent, or that became of a fault, and that was not recorded."""
        if self._faults is not None and self._faults.notes:
            return Difference(at_us, EVENTS, None, self._faults.notes[0])
        for name, sent in self._unheld.items():
            if sent:
                return Difference(at_us, name, None, _joined(sent)[0])
        return None

    def _call_of(self, packet: Packet, name: str, event: JsonObject) -> Callable[[Micros], None] | None:
        if packet.direction == TO_DEVICE:
            port = self.ports.get(name)
            if port is None:  # what came to no port: the device did not hear it
                return None
            return partial(self.device.receive, port, self._data_of(packet, name))
        call = _CALLS.get(str(event.get("event")))
        return None if call is None else partial(call, self, event)

    def _hold(self, packet: Packet, name: str) -> Difference | None:
        """Hold a packet from the device against what this one sent: publications singly, bytes however cut."""
        sent, recorded = _joined(self._unheld.get(name, [])), self._data_of(packet, name)
        repeated = sent[0] if sent else None
        if repeated == recorded:
            self._unheld[name] = sent[1:]
        elif isinstance(repeated, bytes) and isinstance(recorded, bytes) and repeated.startswith(recorded):
            self._unheld[name] = [repeated[len(recorded) :]]
        else:
            return Difference(packet.at_us, name, recorded, repeated)
        if self._faults is not None:
            with guarded(packet):
                self._faults.carry("device", name, recorded, self._time_of(packet))
        return None

    def _data_of(self, packet: Packet, name: str) -> Sent:
        return decode_publication_of(packet) if name in self.of_publications else packet.data

    def _time_of(self, packet: Packet) -> Micros:
        return Micros(self._powered_on.start + packet.at_us)

    def _surplus(self, packet: Packet, name: str) -> Difference:
        """Return the difference that a packet is which nothing makes now."""
        sender = "host" if packet.direction == TO_DEVICE else "device"
        return Difference(packet.at_us, name, self._data_of(packet, name.removeprefix(HOST_END)), None, sender)

    # --- faults ----------------------------------------------------------------------------------------------

    def _let_in(self, faults: Sequence[Fault], now: Micros) -> InjectedFaults:
        places = {"behind_broker": self._powered_on.behind_broker, "in_file": self._powered_on.in_file}
        self._faults = RepeatedFaults(self.device, now, faults, **places)
        return self._faults.injected

    def _take_at_host(self, packet: Packet, name: str) -> Difference | None:
        """Give a host's piece to the line again, or hold a packet against what comes from it."""
        if self._faults is None:
            raise CaptureError(where_of(packet), "a packet of a line with faults", "faults before it")
        port = name.removeprefix(HOST_END)
        if packet.direction == FROM_DEVICE:
            return None if self._arrives("device", packet, port) else self._surplus(packet, name)
        with guarded(packet):
            self._faults.carry("host", port, self._data_of(packet, port), self._time_of(packet))
        return None

    def _arrives(self, sender: str, packet: Packet, port: str) -> bool:
        """Take a packet off a line with faults; False where it was not on it."""
        return self._faults is None or self._faults.arrives(sender, port, self._data_of(packet, port))

    def _hold_note(self, packet: Packet) -> Difference | None:
        """Hold what was recorded of a fault against what has become of it now."""
        notes = () if self._faults is None else self._faults.notes
        repeated = notes.popleft() if notes else None
        return None if repeated == packet.data else Difference(packet.at_us, EVENTS, packet.data, repeated)

    # --- calls -----------------------------------------------------------------------------------------------

    def attach(self, event: JsonObject, now: Micros) -> None:
        """Plug a transport in."""
        super().attach(event, now)
        self._unheld[event["port"]] = []

    def detach(self, event: JsonObject, now: Micros) -> None:
        """Pull a transport out."""
        self._unheld.pop(event["port"])
        if self._faults is not None:
            self._faults.forget(event["port"])
        super().detach(event, now)

    def _scenario(self, event: JsonObject, now: Micros) -> None:
        fit(self.device, event["cartridge_cycles"], event["canister_ml"])
        self._let_in([fault_of(fault) for fault in event["faults"]], now)

    def _advance(self, event: JsonObject, now: Micros) -> None:
        self.device.advance(now)


_CALLS: Final = {
    "attach": _Replay.attach,
    "detach": _Replay.detach,
    "scenario": _Replay._scenario,
    "advance": _Replay._advance,
    "set_alarm": _Replay.set_alarm,
    "close": _Replay.close,
}
"""Events that are calls; all others tell something about the run."""


def _joined(sent: list[Sent]) -> list[Sent]:
    """Return what was sent with all bytes in one piece: a shell sends several frames at once."""
    pieces = [one for one in sent if isinstance(one, bytes)]
    return [b"".join(pieces)] if pieces else sent
