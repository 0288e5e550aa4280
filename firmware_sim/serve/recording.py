"""The recording of a served device: what went over each port, and each call that was made to the device.

It is a tap, as the trace is, and hears the calls that no wire shows, so that `firmware_sim.replay` can make the same
calls to a new device: after the boot with its seed, parameters and memory, every call has an event or a packet.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from firmware_sim.faults.served import note_of
from firmware_sim.memory.image import snapshot
from firmware_sim.ports import Port
from firmware_sim.serve.errors import no_file
from firmware_sim.serve.real_time import OpenTap, Tap
from handpiece_shell.recording_file import RecordingFile, comment_of
from handpiece_shell.streams import say
from protocols.capture.packet import HOST_END
from protocols.language.units import Micros
from protocols.mqtt.wire import DeviceWire, Publication

if TYPE_CHECKING:
    from firmware_sim.faults.injector import Firing
    from firmware_sim.faults.scenario import Start
    from firmware_sim.memory.nvm import Nvm

MAX_FIRED: Final = 40
"""Faults that have fired for which the header keeps room; the events have all."""


class Boot(NamedTuple):
    """All that a device boots from, before it does."""

    seed: int
    parameters: Mapping[str, float]
    memory: "Nvm | None"
    behind_broker: bool
    now: Micros


class Recorder:
    """Recorder of one device, from its boot. `inner` makes the taps that hear the same."""

    def __init__(self, file: RecordingFile, boot: Boot, inner: OpenTap | None) -> None:
        self._file = file
        self._start = boot.now
        self._inner = inner
        image = None if boot.memory is None else snapshot(boot.memory)
        values = {"now_us": boot.now, "seed": boot.seed, "parameters": dict(boot.parameters), "memory": image}
        file.event("boot", 0, {**values, "behind_broker": boot.behind_broker})

    def called(self, call: str, now: Micros, port: Port | None = None, **values: object) -> None:
        """Record a call to the device."""
        if port is not None:
            values["port"] = port.name
            wire = port.exchange.wire
            if call == "attach" and isinstance(wire, DeviceWire):
                topics = wire.topics
                values |= {"root": topics.root, "site": topics.site, "device": topics.device, "client": wire.client}
        self._file.event(call, now - self._start, values)

    def begins(self, start: "Start", now: Micros) -> None:
        """Record the beginning of a scenario: the consumables, and the faults that are declared."""
        faults = [fault.as_json() for fault in start.faults]
        self.called(
            "scenario", now, cartridge_cycles=start.cartridge_cycles, canister_ml=start.canister_ml, faults=faults
        )

    def noted(self, event: str, firing: "Firing", now: Micros) -> None:
        """Record that a fault has fired, or has ended."""
        values = note_of(firing)
        self._file.event(event, now - self._start, values)
        if event == "fired" and len(self._file.faults) < MAX_FIRED:
            self._file.faults.append({**values, "at_us": now - self._start})

    def at_host(self, sender: str, port: Port, data: bytes | Publication, now: Micros) -> None:
        """Record what is at the host's end of a line with faults."""
        self._file.heard(f"{HOST_END}{port.name}", sender, data, now - self._start)

    def open_tap(self, name: str, now: Micros) -> Tap:
        """Return the tap of a port."""
        return PortRecorder(name, self._file, self._start, None if self._inner is None else self._inner(name, now))


class PortRecorder:
    """The tap of one port."""

    def __init__(self, name: str, file: RecordingFile, start: Micros, inner: Tap | None) -> None:
        self._name = name
        self._file = file
        self._start = start
        self._inner = inner

    def heard(self, sender: str, data: bytes | Publication, now: Micros) -> None:
        """A piece of bytes, or a publication."""
        self._file.heard(self._name, sender, data, now - self._start)
        if self._inner is not None:
            self._inner.heard(sender, data, now)

    def line_set(self, left_on: Sequence[str], now: Micros) -> None:
        """A host has set its terminal; the device does not see that."""
        if self._inner is not None:
            self._inner.line_set(left_on, now)

    def noted(self, what: str, now: Micros) -> None:
        """A host has done something with its line; what the device saw of that is among the bytes."""
        self._file.event("line", now - self._start, {"port": self._name, "what": what})
        if self._inner is not None:
            self._inner.noted(what, now)

    def closed(self, now: Micros) -> None:
        """The port is gone."""
        if self._inner is not None:
            self._inner.closed(now)


@contextlib.contextmanager
def record(
    path: str,
    boot: Boot,
    start: "Start | None",
    inner: OpenTap | None,
    verdict: Callable[[], Mapping[str, object] | None],
) -> Iterator[Recorder]:
    """Record to the file at `path` a device that boots and then, if there is one, the `start` of a scenario.

    `verdict` is asked at the end.

    Raises:
        OptionError: it cannot be opened.
    """
    parameters, memory = dict(boot.parameters), boot.memory is not None
    scenario = None if start is None else start.scenario
    comment = comment_of("firmware-sim", boot.seed, scenario, parameters=parameters, memory=memory)
    try:
        file = RecordingFile(path, comment, lambda text: say(f"firmware-sim: warning: --record {text}"))
    except (OSError, ValueError) as error:
        raise no_file("--record", f"write {path}", error) from error
    with contextlib.closing(file):
        yield Recorder(file, boot, inner)
        file.verdict = verdict()
