"""A host and a device on one heap, between which everything may break: line, power, memory, and the host itself.

Law: it breaks what it is told to, when it is told to; what is drawn, and what is right, stands elsewhere. Power that is
lost takes with it each step of the memory that was not synced, but for as many of the first ones as chance leaves.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devicectl.session.engine import Engine, Entry
from devicectl.simulation.heap import Actor
from devicectl.simulation.world import World
from firmware_sim.device import Device
from firmware_sim.memory.image import replay
from protocols.language.enums import ByeReason
from protocols.language.units import SECOND, Micros
from protocols.link.port import Wire
from tests.soak.ledger import Ledger


class Killed(BaseException):
    """The host's process has ended without a last word."""


class StuckError(Exception):
    """Nothing comes to its end, long after the last fault."""


class PowerLostError(BaseException):
    """The device's power went away in the midst of a write of its memory."""


class LossyStore:
    """Steps of a memory in RAM. `fail_in` more appends, and power is lost before (or with `torn` after) the last."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.synced = 0
        self.fail_in: int | None = None
        self.torn = False

    def append(self, key: str, value: Any) -> None:
        if self.fail_in is not None:
            self.fail_in -= 1
            if self.fail_in <= 0:
                self.fail_in = None
                if self.torn:
                    self.steps.append(json.dumps([key, value]))
                raise PowerLostError
        self.steps.append(json.dumps([key, value]))

    def sync(self) -> None:
        self.synced = len(self.steps)

    def reserve(self, size: int) -> None:
        pass

    def lose(self, draw: random.Random) -> list[tuple[str, Any]]:
        """What is left when power is lost."""
        del self.steps[draw.randint(self.synced, len(self.steps)) :]
        self.sync()
        return [(key, value) for key, value in map(json.loads, self.steps)]


@dataclass(slots=True)
class Noise:
    """Chance of each mishap to a piece on the line, 0 to 1; latency and its spread in microseconds."""

    drop: float = 0.0
    flip: float = 0.0
    insert: float = 0.0
    duplicate: float = 0.0
    latency_us: int = 0
    jitter_us: int = 0


class BrokenWorld(World):
    """`noise` counts until `quiet_at`; after `ends_at` it is stuck. `fired` counts what has happened, by kind."""

    def __init__(
        self,
        engine: Engine,
        device: Device,
        *,
        store: LossyStore,
        noise: Noise,
        draw: random.Random,
        ledger: Ledger,
        check: Callable[[], None],
        write: Callable[[list[Entry]], None],
        make_wire: Callable[[], Wire[Any]],
    ) -> None:
        self.store = store
        self.noise = noise
        self.quiet_at = self.ends_at = Micros(0)
        self.fired: dict[str, int] = {}
        self.torn_writes = 0
        self.host_alive = True
        self._draw = draw
        self._check = check
        self._last_arrival = {"host": 0, "device": 0}
        super().__init__(
            engine, device, write=write, tap=lambda sender, data, now: ledger.sent(sender, data), make_wire=make_wire
        )

    # --- what a campaign does --------------------------------------------------------------------------------

    def count(self, kind: str) -> None:
        self.fired[kind] = self.fired.get(kind, 0) + 1

    def step(self) -> bool:
        if not self.host_alive:
            raise Killed
        return self.step_alone()

    def step_alone(self) -> bool:
        """Run one event, whether there is a host or not."""
        if self.now > self.ends_at:
            raise StuckError(f"not over at {self.now / SECOND:.0f} s")
        going_on = super().step()
        self._check()
        return going_on

    def lose_power(self, *, torn: bool = False) -> None:
        """The device loses power and starts again, with the memory that is left."""
        self.count("power lost in a write" if torn else "power lost")
        self.torn_writes += torn
        self.store.fail_in = None
        self.device.nvm = replay(self.store.lose(self._draw))
        self.device.nvm.attach(self.store)
        self.device.reboot(self.now)
        self.refresh()

    def cut(self, reason: str = "the cable was pulled", *, final: bool = False) -> None:
        self._plugged += 1
        self.power_during(lambda: self.device.detach(self.port, self.now))
        self.engine.link.disconnected(reason, self.now, final=final)
        self.refresh()

    def kill_host(self) -> None:
        """SIGKILL; raises out of whatever the host is in."""
        self._silence_host()
        raise Killed

    def end_host(self, *, heard: bool) -> None:
        """The host's process has ended; one that was not killed said BYE. Unless `heard`, a killed one's port stays."""
        if self.host_alive:
            if self.engine.link.transport_up:
                self.engine.link.exchange.bye(ByeReason.CLOSING, self.now)
                self.refresh()
            self._silence_host()
            heard = True
        if heard and self.port in self.device.ports:
            self.power_during(lambda: self.device.detach(self.port, self.now))
        self._plugged += 1

    def begin_host(self, engine: Engine) -> None:
        """Another host takes its place."""
        self.engine = engine
        self.host_alive = True
        self.heap.actors = (Actor(engine.link.next_deadline, self._advance_host), self.heap.actors[-1])
        self.mend()

    def _silence_host(self) -> None:
        self.host_alive = False
        self.heap.actors = self.heap.actors[-1:]
        self.engine.link.exchange.drop()
        self.engine.link.exchange.take()
        self.engine.take_entries()

    # --- inside ----------------------------------------------------------------------------------------------

    def _advance_device(self) -> None:
        try:
            super()._advance_device()
        except PowerLostError:
            self.lose_power(torn=True)

    def _deliver(self, sender: str, data: Any) -> None:
        if sender == "host" or self.host_alive:
            super()._deliver(sender, data)

    def _settle(self) -> None:
        for port in self.device.ports:
            if port is not self.port:
                port.exchange.take()  # nobody is there to hear it
        super()._settle()

    def _carry(self, sender: str, data: Any, muted: bool) -> None:
        now = self.heap.now
        if self._tap is not None:
            self._tap(sender, data, now)
        if muted:
            return
        noisy = now < self.quiet_at
        for piece in self._spoiled(data) if noisy else [data]:
            delay = self.noise.latency_us
            if noisy and self.noise.jitter_us:
                delay += self._draw.randrange(self.noise.jitter_us)
            # A line keeps the order of its bytes.
            arrival = self._last_arrival[sender] = max(now + delay, self._last_arrival[sender])
            self._send(sender, piece, Micros(arrival))

    def _send(self, sender: str, piece: Any, arrival: Micros) -> None:
        plugged = self._plugged

        def arrive() -> None:
            if plugged == self._plugged:
                try:
                    self._deliver(sender, piece)
                    self._settle()
                except PowerLostError:
                    self.lose_power(torn=True)

        self.heap.at(arrival, arrive)

    def _spoiled(self, data: Any) -> list[Any]:
        chance, noise = self._draw.random, self.noise
        if chance() < noise.drop:
            self.count("dropped")
            return []
        piece = self._with_wrong_bytes(data) if isinstance(data, bytes) else data  # a broker changes none
        if chance() < noise.duplicate:
            self.count("doubled")
            return [piece, piece]
        return [piece]

    def _with_wrong_bytes(self, data: bytes) -> bytes:
        chance, noise = self._draw.random, self.noise
        piece = bytearray(data)
        if chance() < noise.flip:
            self.count("bit flipped")
            piece[self._draw.randrange(len(piece))] ^= 1 << self._draw.randrange(8)
        if chance() < noise.insert:
            self.count("bytes inserted")
            at = self._draw.randrange(len(piece) + 1)
            piece[at:at] = self._draw.randbytes(self._draw.randint(1, 8))
        return bytes(piece)

    def power_during(self, act: Callable[[], None]) -> None:
        """Do something to the device from outside, in which its power may go."""
        try:
            act()
        except PowerLostError:
            self.lose_power(torn=True)


def wait_alone(world: BrokenWorld, duration_us: int) -> None:
    """Let time pass with no host."""
    end = world.now + duration_us
    reached: list[bool] = []
    world.heap.at(Micros(end), lambda: reached.append(True))
    while not reached:
        world.step_alone()
