"""Bench of one scenario: a device with its memory, the world around it, and the injector of its faults.

A trial and a lesson have the same bench; they differ in who works at it.

Law: nothing here drives a session, and nothing waits for a clock.
"""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from devicectl.campaign.host.faults import HostFaults
from devicectl.campaign.host.other_host import NAME, OtherHost
from devicectl.campaign.recording import Recording
from devicectl.campaign.scenario import MQTT, Scenario
from devicectl.campaign.world import FaultyWorld
from devicectl.session.context import Observer
from devicectl.session.engine import Engine, Entry
from devicectl.simulation.world import HostProgram, SerialLine
from firmware_sim.device import Device
from firmware_sim.faults.acts import DeviceView
from firmware_sim.faults.injector import Injector, Noted
from firmware_sim.faults.served import fit
from firmware_sim.faults.store import FaultyStore
from firmware_sim.model.parameters import Parameters
from protocols.language.units import Micros
from protocols.link.port import AnyWire
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire
from protocols.serial.wire import SerialWire

TOPICS: Final = DeviceTopics("site", "device")
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Wall time at which a run begins that was given no other: only differences matter."""
CLIENT: Final = "sim"
"""Client identifier of the host that is plugged in."""


class BenchClock:
    """The wall clock of one run: the time at which it began, and virtual time since.

    A host that resumes a session knows by it how old the anesthesia is, and tells the device: by the true wall clock no
    run could be repeated.
    """

    def __init__(self, began: datetime = BEGAN) -> None:
        self._began = began
        self.now: Callable[[], Micros] = lambda: Micros(0)

    def at(self, time: Micros) -> datetime:
        """Return the wall time of a time of the run."""
        return self._began + timedelta(microseconds=time)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.at(self.now())


class Bench:
    """Device, world and faults of a scenario, with the first host plugged in.

    `observer` sees each host, `noted` each fault. `write` stores what a host logs, `interrupt` is Ctrl-C at its screen.
    A `recording` that is given may look at what it is given, and a `host` that is given is there in place of ours.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        observer: Observer,
        noted: Noted,
        write: Callable[[Sequence[Entry]], None],
        interrupt: Callable[[], None],
        recording: Recording | None = None,
        host: HostProgram | None = None,
    ) -> None:
        self.scenario = scenario
        self.recording = Recording() if recording is None else recording
        if not scenario.plain:
            self.recording.event("unusual", Micros(0))
        self._observer = observer
        self._host_draw = random.Random(f"{scenario.seed}:host")
        view = DeviceView()
        self.injector = Injector(scenario.faults, scenario.seed, view, noted)
        store = FaultyStore(self.injector, scenario.seed)
        self.device = Device(seed=scenario.seed, parameters=Parameters(scenario.parameters))
        store.take_over(self.device.nvm)  # after the boot: no fault meets what was written before anybody could look
        fit(self.device, scenario.cartridge_cycles, scenario.canister_ml)
        view.device = self.device
        self.world = FaultyWorld(
            self._engine() if host is None else host,
            self.device,
            store=store,
            recording=self.recording,
            write=self._write,
            line=SerialLine(scenario.baud) if scenario.baud else None,
            make_wire=self._wire_maker(CLIENT),
        )
        self._host = HostFaults(self.world, self.recording, write=write, interrupt=interrupt, visit=self._visit)

    @property
    def engine(self) -> Engine:
        """The host of ours that is there, or was last."""
        engine = self.world.engine
        assert isinstance(engine, Engine), "a host was given"
        return engine

    def begin_host(self) -> None:
        """Plug another host in, after the one before has ended."""
        self.world.write = self._write
        self.world.begin_host(self._engine())

    def press_trigger(self, pressed: bool) -> None:
        """Press the device's trigger or let it go, as whoever works does."""
        self.device.plant.trigger_pressed = pressed
        self.device.inputs_changed(self.world.now)
        self.world.refresh()

    def _engine(self) -> Engine:
        draw = self._host_draw
        return Engine(
            host_id=draw.getrandbits(32) or 1,
            draw_nonce=lambda: draw.getrandbits(32),
            wire=self._host_wire(CLIENT),
            observer=self._observer,
        )

    def _wire_maker(self, name: str) -> Callable[[], AnyWire]:
        """Return what makes the device's end of a wire to the host of that name."""
        return (lambda: DeviceWire(TOPICS, name)) if self.scenario.wire == MQTT else SerialWire

    def _host_wire(self, name: str) -> AnyWire:
        return HostWire(TOPICS, name) if self.scenario.wire == MQTT else SerialWire(self.scenario.baud)

    def _write(self, entries: list[Entry]) -> None:
        self._host.write(entries)

    def _visit(self, who: str) -> None:
        wires = self._wire_maker(NAME), self._host_wire(NAME)
        OtherHost(self.device, self.recording, *wires, self.world.now).visit(who)
        self.world.refresh()
