"""A host and a device on one heap, between which everything may break: wire, power, memory, and the host itself.

Law: it breaks what the injector says, when the injector says so; what is right is said elsewhere. Power that is lost
takes with it each step of the memory that was not synced, but for as many of the first ones as chance leaves.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from devicectl.campaign.broker import BrokerFaults
from devicectl.campaign.recording import HEARD, SENT, Recorded, Recording
from devicectl.campaign.watch import DeviceWatch
from devicectl.session.engine import Entry
from devicectl.simulation.heap import FOREVER, Actor
from devicectl.simulation.world import HostProgram, Line, World
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError
from firmware_sim.faults.acts import DeviceFaults
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.injected import RESTART_US
from firmware_sim.faults.injector import Act, End, Firing
from firmware_sim.faults.kind import Target
from firmware_sim.faults.power import Power
from firmware_sim.faults.store import FaultyStore, PowerLostError
from firmware_sim.faults.wire import Piece, WireFaults
from protocols.language.enums import ByeReason
from protocols.language.units import SECOND, Micros
from protocols.link.port import AnyWire

MAX_EVENTS: Final = 100_000
"""At one moment: an end that wants to be woken at a time that is past, and does nothing then, turns in a circle."""


class Killed(BaseException):
    """The host's process has ended without a last word."""


class StuckError(Exception):
    """Nothing comes to its end, long after the last fault."""


class FaultyWorld(World):
    """One host after another, one device, and the wire between them, under the faults of an injector.

    After `ends_at` it is stuck, and where time does not go on.
    """

    def __init__(
        self,
        engine: HostProgram,
        device: Device,
        *,
        store: FaultyStore,
        recording: Recording,
        write: Callable[[list[Entry]], None],
        line: Line | None,
        make_wire: Callable[[], AnyWire],
    ) -> None:
        self.store = store
        self.injector = injector = store.injector
        self.recording = recording
        self.ends_at = Micros(0)
        self._moment = Micros(0)
        self._events = 0
        self.log_delay_us: Callable[[], int] = int
        """Time that the host's log takes for what it is about to be given; none, unless a fault says so."""
        self.committed: Callable[[], object] = int
        """Hears when the host may take what it has written to be durable."""
        self._logged_at = Micros(0)
        self.host_alive = True
        self._unplugged: set[object] = set()
        self._watch = watch = DeviceWatch(device, recording)
        self._wire = WireFaults(injector, line)
        store.heard = lambda key: watch.stored(key, self.heap.now)
        super().__init__(engine, device, write=write, line=self._wire, make_wire=make_wire)
        self._faults = Actor(injector.next_deadline, self._advance_injector)
        self.heap.actors = (*self.heap.actors, self._faults)
        self.power = Power(off=self._power_off, lose=store.lose, boot=self._boot)
        DeviceFaults(device, injector, power=self.power, changed=self._inputs_changed)
        for name in (name for name, kind in CATALOGUE.items() if kind.target is Target.DEVICE):
            injector.acts[name] = self.put_off(injector.acts[name])  # its trigger may be a write of the device itself
        injector.acts.update({"disconnect": self._disconnect, "half_open": self._half_open})
        injector.acts.update({"broker_killed": self._disconnect, "broker_restarted": self._disconnect})
        self._broker = BrokerFaults(
            injector,
            device,
            unplug=self._lose_connection,
            plug=self.plug,
            later=lambda act: self.heap.at(self.now, lambda: self._guarded(act)),
            deliver=self._bring,
        )

    # --- what happens --------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Run one event; raises Killed where the host's process has ended."""
        if not self.host_alive:
            raise Killed
        return self.step_alone()

    def step_alone(self, by: Micros = FOREVER) -> bool:
        """Run one event, whether there is a host or not; False where there is none by that time."""
        if (now := self.heap.now) > self.ends_at:
            raise StuckError(f"not over at {now / SECOND:.0f} s")
        if now > self._moment:
            self._moment, self._events = now, 0
        self._events += 1
        if self._events > MAX_EVENTS:
            raise StuckError(f"time does not go on at {now / SECOND:.3f} s")
        self.store.now = now
        return self.heap.run_next(by)

    def put_off(self, act: Act) -> Act:
        """Return an act that runs at the same time, and not in the midst of what its caller does."""

        def later(firing: Firing, now: Micros) -> End | None:
            ends: list[End | None] = []

            def begin() -> None:
                if firing.under_way or not firing.fault.kind.lasts:
                    self._guarded(lambda: ends.append(act(firing, self.now)))

            def end(now: Micros) -> None:
                if ends and (end := ends[0]) is not None:
                    self._guarded(lambda: end(now))

            self.heap.at(now, begin)
            return end if firing.fault.kind.lasts else None

        return later

    def _guarded(self, act: Callable[..., object], *given: object) -> None:
        """Do something to the device in which its power may go, or its process end."""
        try:
            act(*given)
        except PowerLostError:
            self.power.restart(self.now)  # the fault has said what is left of the memory
        except NvmFileError:
            self._end_device()

    def _inputs_changed(self, now: Micros) -> None:
        """Have the device look at its inputs; where its power goes by that, the inputs stay as they are."""
        self._guarded(self.device.inputs_changed, now)
        self.refresh()

    def _advance_injector(self) -> None:
        self.store.now = self.heap.now
        self.injector.advance(self.heap.now)

    # --- power ---------------------------------------------------------------------------------------------------

    def _power_off(self, now: Micros) -> None:
        self.device.power_off(now)
        self._look()

    def _boot(self, now: Micros) -> None:
        self.device.nvm = self.store.load()
        self.recording.event("boot", now)
        self._guarded(self.device.reboot, now)
        self._look()
        self.refresh()

    def _end_device(self) -> None:
        """End the device's process, since its memory has failed; it is started again a moment later."""
        for data in self.port.exchange.take():  # its last words: anyone who waits for an answer hears ABORTED
            self._carry("device", data, self.device_muted)
        cause = object()
        self.power.end(cause, self.now)
        self.recording.event("device_ended", self.now)

        def start() -> None:
            self.power.give(cause, self.now)
            self.plug(cause)

        self.heap.at(Micros(self.now + RESTART_US), start)
        self.unplug(cause, "the device has ended")  # last: the host may die of what it hears

    # --- the cable -----------------------------------------------------------------------------------------------

    def unplug(self, cause: object, reason: str = "the cable was pulled") -> None:
        """Break the transport at both ends, until `plug` of the same cause; others may keep it broken longer."""
        connected = not self._unplugged
        self._unplugged.add(cause)
        if not connected:
            return
        self._plugged += 1
        self._detach()
        if self.host_alive:
            self.engine.link.disconnected(reason, self.now)
        self.refresh()

    def plug(self, cause: object) -> None:
        """Take away a cause; after the last one the transport is back."""
        if cause not in self._unplugged:
            return
        self._unplugged.remove(cause)
        if not self._unplugged and self.host_alive:
            self.mend()

    def is_cut(self, *, but: object) -> bool:
        """Return True while another cause than this one keeps the transport broken."""
        return bool(self._unplugged - {but})

    def _detach(self) -> None:
        """Take the device's port away."""
        if self.port not in self.device.ports:
            return
        if self.port.exchange.linked:  # else a link may live on at the port of a host that is gone
            self.recording.event("detached", self.now)
        self._guarded(self.device.detach, self.port, self.now)
        self._look()

    def _disconnect(self, firing: Firing, now: Micros) -> End:
        def begin() -> None:
            self.unplug(firing)

        self.heap.at(now, begin)
        return lambda now: self.plug(firing)

    def _lose_connection(self, cause: Firing) -> None:
        def lose() -> None:
            if cause.under_way:  # else it has ended in the same instant, and nobody would mend it
                self.unplug(cause, "the connection to the broker was lost")

        self.heap.at(self.now, lose)

    def _half_open(self, firing: Firing, now: Micros) -> End:
        """Break the transport for one end alone: the other one hears when it is back, or finds out by its lease."""
        unaware = firing.fault.word("unaware")

        def begin() -> None:
            if self._unplugged:
                return
            self._plugged += 1
            self._unplugged.add(firing)
            if unaware == "host":
                self._detach()
            elif self.host_alive:
                self.engine.link.disconnected("the connection was reset", self.now)
            self.refresh()

        def end(now: Micros) -> None:
            if unaware == "host" and firing in self._unplugged and self.host_alive:
                self.engine.link.disconnected("the connection was reset", now)
            self.plug(firing)

        self.heap.at(now, begin)
        return end

    # --- the host ------------------------------------------------------------------------------------------------

    def kill_host(self) -> None:
        """End the host's process without a last word; raises out of whatever it is in."""
        self._silence_host()
        raise Killed

    def end_host(self, *, heard: bool) -> None:
        """Note that the host's process has ended; one that was not killed said BYE, and leaves once that is there.

        Unless `heard`, a killed one's port stays.
        """
        if not self.host_alive:
            self._leave(heard=heard)
            return
        if self.engine.link.transport_up:
            self.engine.link.exchange.bye(ByeReason.CLOSING, self.now)
            self.refresh()
        self._silence_host()
        self.heap.at(self.now, lambda: self._leave(heard=True))

    def _leave(self, *, heard: bool) -> None:
        if heard:
            self._detach()
        self._plugged += 1

    def begin_host(self, engine: HostProgram) -> None:
        """Let another host take its place."""
        self.engine = engine
        self.host_alive = True
        self.heap.actors = (Actor(engine.link.next_deadline, self._advance_host), *self.heap.actors[-2:])
        if not self._unplugged:
            self.mend()

    def _silence_host(self) -> None:
        self.host_alive = False
        self.heap.actors = self.heap.actors[-2:]
        self.engine.link.exchange.drop()
        self.engine.link.exchange.take()
        self.engine.take_entries()

    # --- inside --------------------------------------------------------------------------------------------------

    def _advance_device(self) -> None:
        self.store.now = self.heap.now
        self._guarded(super()._advance_device)
        self._look()

    def _log(self, entries: list[Entry]) -> None:
        """Store entries; where the log is slow, the host hears of it later, and in their order."""
        if not self.host_alive:  # it has died in the midst of what made them
            return
        self.write(entries)
        engine, now = self.engine, self.heap.now
        self._logged_at = Micros(max(self._logged_at, now + self.log_delay_us()))
        if self._logged_at == now:
            self.committed()
            engine.logged(len(entries), now)
            return

        def stored() -> None:
            if self.engine is engine and self.host_alive:
                self.committed()
                engine.logged(len(entries), self.now)
                self._settle()

        self.heap.at(self._logged_at, stored)

    def _settle(self) -> None:
        for port in self.device.ports:
            if port is not self.port:
                port.exchange.take()  # nobody is there to hear it
        super()._settle()

    def _carry(self, sender: str, data: Piece, muted: bool) -> None:
        now = self.heap.now
        self.recording.append(Recorded(now, SENT[sender], data))
        if self._broker.takes(sender, data, now):
            return
        for due, piece in self._wire.arrivals(sender, data, now):
            self.heap.at(due, partial(self._arrive, self._plugged, sender, piece))

    def _arrive(self, plugged: int, sender: str, piece: Piece) -> None:
        if plugged == self._plugged and not self._unplugged:  # else its connection has gone
            self._guarded(self._take_in, sender, piece)

    def _bring(self, sender: str, piece: Piece) -> None:
        """Have a piece arrive at once, after what has been sent before it."""
        self.heap.at(self.now, partial(self._guarded, self._take_in, sender, piece))

    def _take_in(self, sender: str, piece: Piece) -> None:
        self.store.now = now = self.heap.now
        if self.device.powered if sender == "host" else self.host_alive:
            self.recording.append(Recorded(now, HEARD[sender], piece))
            self._deliver(sender, piece)
        self._settle()
        if sender == "host":
            self._look()

    # --- what no wire shows --------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Let both ends' outboxes out; after anything was done to either from outside."""
        super().refresh()
        self._look()

    def _look(self) -> None:
        """Record what of the device has changed, and let triggers see it."""
        self._watch.look(self.heap.now)
        self.injector.look(self.heap.now)


def wait_alone(world: FaultyWorld, duration_us: int) -> None:
    """Let time pass with no host."""
    reached: list[bool] = []
    world.heap.at(Micros(world.now + duration_us), lambda: reached.append(True))
    while not reached:
        world.step_alone()
