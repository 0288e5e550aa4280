"""Sessions under random faults: drawn from a seed, run in virtual time, judged.

    python -m tests.soak.campaign 5000              seeds 1 to 5000; prints those that are wrong or stuck
    python -m tests.soak.campaign 1 4711            that seed alone

Every fourth seed has MQTT's wire, the others a serial line's. A session is done by the product's own API. Around it
stands a person who starts the host again with --resume when it has ended before the session has, and with --abandon
where the log has nothing of it. After the last fault the line is quiet, and the session must be closed within
`BOUND_US`: else it is stuck.
"""

import asyncio
import collections
import random
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeVar

from devicectl.errors import DevicectlError, SessionFoundError
from devicectl.handpiece import Handpiece
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.report import SessionReport
from devicectl.log.store import SessionLog
from devicectl.recorder import Recorder
from devicectl.session.engine import Engine, Entry
from devicectl.session.entries import Batch, SessionStart
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure
from devicectl.simulation.virtual_time import VirtualTimeDriver
from devicectl.transports.urls import parse_url
from firmware_sim.device import Device
from firmware_sim.memory.nvm import Nvm
from firmware_sim.model.parameters import Parameters
from protocols.language import messages as M
from protocols.language.enums import Role
from protocols.language.schema import schema_id
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.link.host_end import HostEnd
from protocols.link.port import Wire
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire
from protocols.serial.wire import SerialWire
from tests.soak.broken_world import BrokenWorld, Killed, LossyStore, Noise, StuckError, wait_alone
from tests.soak.ledger import Closed, Ledger
from tests.world import Invariants, a_plan

_T = TypeVar("_T")

CORES: Final = 30
"""Of each session: some eleven cycles in two cells, with some ten seconds between the first frame and the last."""
FAULTS_UNTIL_US: Final = 25 * SECOND
BOUND_US: Final = 15 * 60 * SECOND
"""After the last fault: a host in its fifth recovery, the lease of a dead one, and a session from its beginning."""
CALM_US: Final = FAULTS_UNTIL_US + 20 * SECOND
"""By now the longest fault has ended."""
CALM_STARTS: Final = 4
"""Of the host, from then on: one as before, one that resumes or abandons, one for what those leave, and one more."""
ABANDONS: Final = 0.1
"""Chance that the person closes a session as aborted though it could be resumed."""
PARAMETERS: Final = {"anesthesia_wait_s": 1}
URL: Final = parse_url("sim://")
TOPICS: Final = DeviceTopics("site", "device")


@dataclass(slots=True)
class Verdict:
    """How a session went. `wrong` has a sentence a breach; `stuck` says in what; `ending` how it was closed."""

    seed: int
    ending: str = ""
    wrong: list[str] = field(default_factory=list)
    stuck: str = ""
    fired: dict[str, int] = field(default_factory=dict)
    starts: int = 0

    @property
    def good(self) -> bool:
        return not self.wrong and not self.stuck


class _Driver(VirtualTimeDriver):
    """A driver of one life of the host."""

    async def perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        if not self._broken.host_alive:
            procedure.close()
            raise Killed
        return await super().perform(procedure, whole=whole, ending=ending)

    @property
    def _broken(self) -> BrokenWorld:
        assert isinstance(self.world, BrokenWorld)
        return self.world


class Trial:
    """One session under the faults of one seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(f"{seed}:soak")
        self.verdict = Verdict(seed)
        self.plan: Plan = a_plan(CORES)
        self.ledger = Ledger()
        self.log = SessionLog.open("sqlite://")
        store = LossyStore()
        nvm = Nvm(store, epoch=random.Random(f"{seed}:epoch").getrandbits(32) or 1)
        self.mqtt = seed % 4 == 0
        self.device = Device(seed=seed, parameters=Parameters(PARAMETERS), nvm=nvm)
        self.invariants = Invariants(self.device, lambda: self.world.now)
        self.recorder = Recorder(self.log)
        self.log_fails_at = self.host_dies_at = 0
        self.dies_after_commit = False
        self.writes = 0
        self.task: asyncio.Task[None] | None = None
        self.report: SessionReport | None = None
        self.world = BrokenWorld(
            self._engine(),
            self.device,
            store=store,
            noise=Noise(),
            draw=self.draw,
            ledger=self.ledger,
            check=self.invariants.check,
            write=self._write,
            make_wire=self.wire_maker("sim"),
        )

    def wire_maker(self, name: str) -> Callable[[], Wire[Any]]:
        """The device's end of a wire to the host of that name."""
        return (lambda: DeviceWire(TOPICS, name)) if self.mqtt else SerialWire

    def _engine(self) -> Engine:
        return Engine(
            host_id=self.draw.getrandbits(32) or 1,
            draw_nonce=lambda: self.draw.getrandbits(32),
            wire=HostWire(TOPICS, "sim") if self.mqtt else None,
        )

    def _write(self, entries: list[Entry]) -> None:
        """As the host's log; it fails, or the host dies at it, where that was drawn."""
        self.writes += 1
        if self.writes == self.log_fails_at:
            self.world.count("log failed")
            raise LogError(LogErrorKind.FULL, "in memory", "drawn to fail")
        dies = self.writes == self.host_dies_at
        if dies and not self.dies_after_commit:
            self.world.count("host died before a commit")
            self.world.kill_host()
        self.recorder.write(entries)
        for entry in entries:
            if isinstance(entry, SessionStart):
                self.ledger.committed = entry.first_event_no
            elif isinstance(entry, Batch):
                self.ledger.committed = max(self.ledger.committed or 0, entry.next_event_no)
        if dies:
            self.world.count("host died after a commit")
            self.world.kill_host()

    # --- the person ------------------------------------------------------------------------------------------

    def plan_nothing(self) -> None:
        """Leave the session alone."""
        self.world.ends_at = Micros(BOUND_US)

    async def run(self) -> Verdict:
        """Run the whole of it; only a defect of the campaign itself raises."""
        try:
            await self._until_closed()
            self.verdict.wrong += self.ledger.breaches
        except StuckError as stuck:
            self.verdict.stuck = str(stuck)
        except Exception:  # noqa: BLE001 - a traceback is what the campaign looks for
            self.verdict.wrong.append(traceback.format_exc())
        finally:
            self.verdict.fired = self.world.fired
            self.log.close()
        return self.verdict

    async def _until_closed(self) -> None:
        """Start the host until nothing is open on either side."""
        calm_starts = 0
        while calm_starts < CALM_STARTS:
            self.verdict.starts += 1
            calm_starts += self.world.now > CALM_US
            if await self._closed_by_one_host():
                self._judge_end()
                return
            self.world.end_host(heard=self.draw.random() < 0.5)
            wait_alone(self.world, self.draw.choice((10 * MILLISECOND, SECOND, 20 * SECOND)))
            self.world.write = self._write
            self.world.begin_host(self._engine())
        raise StuckError(f"not closed after {self.verdict.starts} starts of the host: {self.verdict.ending}")

    async def _closed_by_one_host(self) -> bool:
        """One life of the host; True when the session is closed in memory and log."""
        driver = _Driver(self.world)
        self.recorder = Recorder(self.log)
        handpiece = Handpiece(driver, URL, log=self.log, recorder=self.recorder)
        self.task = asyncio.ensure_future(self._host(driver, handpiece))  # noqa: TID251 - to be cancelled as by Ctrl-C
        try:
            await self.task
        except Killed:
            self.verdict.ending = "killed"
        except asyncio.CancelledError:
            self.verdict.ending = "interrupted"
        except DevicectlError as error:
            self.verdict.ending = f"{type(error).__name__}: {error}"
        return self.device.nvm.session is None and self._last_state() not in (None, "open")

    def _last_state(self) -> str | None:
        """State of the newest session in the log; None where there is none."""
        key = self._newest()
        return None if key is None else self.log.load(key).summary.state

    def _newest(self) -> int | None:
        key = 0
        while _has(self.log, key + 1):
            key += 1
        return key or None

    async def _host(self, driver: _Driver, handpiece: Handpiece) -> None:
        """As `devicectl run`, with --resume where there is something to resume, --abandon where only that helps."""
        await driver.perform(driver.engine.connect())
        stored = self._last_state() == "open"
        if handpiece.open_session_no and (not stored or self.draw.random() < ABANDONS):
            self.world.count("abandoned")
            _disturb_soon(self)
            await handpiece.abandon_session()
            self.verdict.ending = "abandoned" if stored else "abandoned, unknown to the log"
            return
        if stored:
            _disturb_soon(self)
        try:
            session = handpiece.resume_session() if stored else handpiece.open_session(self.plan)
        except SessionFoundError:
            await handpiece.abandon_session()
            return
        async with session:
            await session.confirm_anesthesia()
            async for _ in session.run():
                pass
        self.verdict.ending = session.summary.state

    # --- the judge -------------------------------------------------------------------------------------------

    def _judge_end(self) -> None:
        key = self._newest()
        assert key is not None
        self.report = self.log.load(key)
        if not self.report.summary.reconciled:
            self.verdict.wrong.append(f"closed and not reconciled: {self.report.differences}")
        self.judge(self.report.records)
        self.verdict.ending = self.report.summary.state

    def judge(self, rows: Sequence[bytes]) -> None:
        """Hold the rows of the session that was closed against wire, totals and truth."""
        report = self.report
        assert report is not None and report.device_totals is not None
        closed = Closed(report.start.epoch, report.start.first_cycle_no, report.start.needles, self.world.torn_writes)
        truth = asdict(self.device.plant.truth)
        self.ledger.judge_rows(rows, closed, totals=asdict(report.device_totals), truth=truth)


def _has(log: SessionLog, key: int) -> bool:
    try:
        log.load(key)
    except LogError:
        return False
    return True


# --- faults ------------------------------------------------------------------------------------------------------


def plan_faults(trial: Trial) -> None:
    """Draw which kinds a session meets and how often, and put them on the heap."""
    draw, world = trial.draw, trial.world
    world.quiet_at, world.ends_at = Micros(FAULTS_UNTIL_US), Micros(FAULTS_UNTIL_US + BOUND_US)
    world.noise = _draw_noise(draw)
    for kind, act in _ACTS.items():
        if draw.random() < 0.35:
            for _ in range(draw.choice((1, 1, 1, 2, 3))):
                at = Micros(draw.randrange(50 * MILLISECOND, FAULTS_UNTIL_US))
                world.heap.at(at, lambda act=act, kind=kind: _fire(trial, kind, act))  # type: ignore[misc]
    if draw.random() < 0.15:
        trial.log_fails_at = draw.randrange(1, 30)
    if draw.random() < 0.25:
        trial.host_dies_at = draw.randrange(1, 30)
        trial.dies_after_commit = draw.random() < 0.5


def _draw_noise(draw: random.Random) -> Noise:
    def some(most: float) -> float:
        return draw.random() ** 2 * most if draw.random() < 0.5 else 0.0

    return Noise(
        drop=some(0.3),
        flip=some(0.1),
        insert=some(0.1),
        duplicate=some(0.2),
        latency_us=draw.choice((0, 0, 500, 5_000, 30_000)),
        jitter_us=draw.choice((0, 0, 1_000, 20_000, 100_000)),
    )


def _fire(trial: Trial, kind: str, act: Callable[[Trial], None]) -> None:
    trial.world.count(kind)
    trial.world.power_during(lambda: act(trial))


def _cut(trial: Trial) -> None:
    world = trial.world
    if world.host_alive and world.engine.link.transport_up:
        world.cut()
        plugged = world._plugged
        gone_us = trial.draw.choice((MILLISECOND, 300 * MILLISECOND, 3 * SECOND, 8 * SECOND, 100 * SECOND))

        def mend() -> None:
            if world._plugged == plugged:
                world.power_during(world.mend)

        world.heap.at(Micros(world.now + gone_us), mend)


def _mute(trial: Trial) -> None:
    world, name = trial.world, trial.draw.choice(("host_muted", "device_muted"))
    setattr(world, name, True)
    for_us = trial.draw.choice((30 * MILLISECOND, 400 * MILLISECOND, 2 * SECOND, 20 * SECOND))
    world.heap.at(Micros(world.now + for_us), lambda: setattr(world, name, False))


def _disturb_soon(trial: Trial) -> None:
    """Half of the times, and while there are faults: something within the next moment."""
    world, draw = trial.world, trial.draw
    if world.now < world.quiet_at and draw.random() < 0.5:
        kind = draw.choice(("cable pulled", "power lost", "power lost in a write", "host killed", "host interrupted"))
        soon = Micros(world.now + draw.choice((100, 2 * MILLISECOND, 20 * MILLISECOND, 300 * MILLISECOND)))
        world.heap.at(soon, lambda: _fire(trial, kind, _ACTS[kind]))


def _again_and_again(kind: str) -> Callable[[Trial], None]:
    """The same fault several times in a few seconds."""

    def act(trial: Trial) -> None:
        for _ in range(trial.draw.randint(2, 6)):
            at = Micros(trial.world.now + trial.draw.randrange(1, 4 * SECOND))
            trial.world.heap.at(at, lambda: _fire(trial, kind, _ACTS[kind]))

    return act


def _lose_power(trial: Trial) -> None:
    trial.world.lose_power()


def _lose_power_in_a_write(trial: Trial) -> None:
    store = trial.world.store
    store.fail_in, store.torn = trial.draw.randint(1, 6), trial.draw.random() < 0.5


def _unreadable_latch(trial: Trial) -> None:
    trial.device.plant.inputs.latch_unreadable = True
    trial.world.lose_power()
    trial.device.plant.inputs.latch_unreadable = False


def _kill(trial: Trial) -> None:
    if trial.world.host_alive:
        trial.world.kill_host()


def _interrupt(trial: Trial) -> None:
    if trial.task is not None:
        trial.task.cancel()


def _stop(trial: Trial) -> None:
    """Another link of the same device says STOP."""
    port, now = trial.device.attach("viewer", trial.wire_maker("viewer")), trial.world.now
    wire: Wire[Any] = HostWire(TOPICS, "viewer") if trial.mqtt else SerialWire()
    viewer: HostEnd[Any] = HostEnd(wire)
    hello = M.Hello(
        majors=2,
        minor=0,
        role=Role.VIEWER,
        features=0,
        schema_id=schema_id(0),
        host_id=99,
        max_payload_size=224,
        nonce=5,
    )
    viewer.hello(hello, now)
    for data in viewer.take():
        trial.device.receive(port, data, now)
    for data in port.exchange.take():
        viewer.receive(data, now)
    if viewer.linked:
        viewer.submit(M.Stop(), now)
        for data in viewer.take():
            trial.device.receive(port, data, now)
    trial.device.detach(port, now)
    trial.world.refresh()


def _plant(name: str, value: object, usual: object, *durations_us: int) -> Callable[[Trial], None]:
    """A defect of the plant that comes and goes."""

    def act(trial: Trial) -> None:
        def settle(to: object) -> None:
            plant, now = trial.device.plant, trial.world.now
            plant.settle(now)
            setattr(plant.inputs, name, to)
            trial.device.inputs_changed(now)
            trial.world.refresh()

        end = Micros(trial.world.now + trial.draw.choice(durations_us))
        trial.world.heap.at(end, lambda: trial.world.power_during(lambda: settle(usual)))
        settle(value)  # last: its write may be the one in which power is lost

    return act


def _clog(trial: Trial) -> None:
    trial.device.plant.inputs.clog_now.add(0)


_ACTS: Final[dict[str, Callable[[Trial], None]]] = {
    "cable pulled": _cut,
    "one way muted": _mute,
    "power lost": _lose_power,
    "power lost in a write": _lose_power_in_a_write,
    "power lost, latch unreadable": _unreadable_latch,
    "host killed": _kill,
    "host interrupted": _interrupt,
    "stopped by another link": _stop,
    "power lost again and again": _again_and_again("power lost"),
    "torn again and again": _again_and_again("power lost in a write"),
    "host killed again and again": _again_and_again("host killed"),
    "pump stalled": _plant("pump_stalled", True, False, SECOND, 5 * SECOND),
    "needle jammed": _plant("retract_jammed", True, False, SECOND, 5 * SECOND),
    "motor stalled": _plant("stall", True, False, SECOND),
    "emergency stop open": _plant("estop_open", True, False, SECOND, 10 * SECOND),
    "retract sensor stuck": _plant("retract_sensor_stuck", True, False, SECOND),
    "needle clogged": _clog,
}
"""What may happen at any moment, by the name that a report has for it."""


def run_trial(seed: int) -> Verdict:
    """One session."""
    trial = Trial(seed)
    plan_faults(trial)
    return asyncio.run(trial.run())


def main(arguments: Sequence[str]) -> int:
    """Returns 1 where a session was wrong or stuck."""
    count = int(arguments[0])
    first = int(arguments[1]) if len(arguments) > 1 else 1
    endings: collections.Counter[str] = collections.Counter()
    fired: collections.Counter[str] = collections.Counter()
    bad = 0
    for seed in range(first, first + count):
        verdict = run_trial(seed)
        endings[verdict.ending if verdict.good else "WRONG" if verdict.wrong else "STUCK"] += 1
        fired.update(verdict.fired)
        if not verdict.good:
            bad += 1
            print(f"seed {seed}: {verdict.stuck or verdict.wrong} {verdict.fired}", flush=True)
    print(f"{count} sessions, {bad} wrong or stuck; {sum(fired.values())} faults fired")
    print(f"ended: {dict(endings.most_common())}\nfired: {dict(fired.most_common())}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
