"""One host and one device on one heap, for tests: procedures, faults, and the invariants held after every event.

Law: it judges from outside. What it holds against the device is the plant and the memory, not what the firmware says.
"""

import random
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, Self, TypeVar

from devicectl.log.store import SessionLog
from devicectl.recorder import Recorder
from devicectl.session.count import reconcile
from devicectl.session.engine import CycleResult, Engine, Entry, Identity
from devicectl.session.entries import Finish, Note
from devicectl.session.link import Tap
from devicectl.session.machine import State
from devicectl.session.plan import Plan, make_plan
from devicectl.session.procedures import Procedure, Task, ask
from devicectl.simulation.heap import Actor
from devicectl.simulation.world import Line, SerialLine, World
from firmware_sim.board.states import HELD
from firmware_sim.device import Device
from firmware_sim.memory.keys import KEYS
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session_steps import BeginCycle
from firmware_sim.model.parameters import Parameters
from firmware_sim.ports import LinkEnd, Port
from protocols.language import messages as M
from protocols.language.enums import ByeReason, CloseReason, DeviceState, Phase, Role
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.message import Command, Done, Message
from protocols.language.messages import HostHeartbeat
from protocols.language.records import AlarmChanged, Cycle, Record, decode_record
from protocols.language.schema import schema_id
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.link.happenings import Answered, Told
from protocols.link.header import HEADER_SIZE
from protocols.link.host_end import HostEnd
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire
from protocols.serial.framing import CRC_SIZE
from protocols.serial.wire import SerialWire

_T = TypeVar("_T")

HOUR: Micros = Micros(3600 * SECOND)
SHORT: Mapping[str, float] = {"anesthesia_wait_s": 1}
IDENTITY = Identity("sim://", None, date(2024, 3, 1), {"product": "0", "protocol": "HLP/1.0"})


def a_plan(target_cores: int = 80, **changes: Any) -> Plan:
    """Two zones, 80 cells: enough for a short session and whatever is lost in it."""
    zones = [{"name": "left", "area_cm2": 40}, {"name": "right", "area_cm2": 40}]
    return make_plan({"target_cores": target_cores, "zones": zones, **changes})


Copies = list[tuple[Micros, Any]]
"""When each copy of a piece is at the other end, and what is there then."""


class Late:
    """A line on which each piece is under way for a while, now longer, now shorter, and never overtakes another.

    `when` is asked at each piece, by its number on the line and its sender, and may change what becomes of it: each
    time at which a copy is at the other end, and the copy.
    """

    def __init__(self, seed: object = 0, *, least_ms: int = 1, most_ms: int = 25) -> None:
        self.pieces = 0
        self.when: Callable[[int, str, Micros, Any], Copies] = lambda piece, sender, due, data: [(due, data)]
        self._random = random.Random(f"{seed}:line")
        self._between = least_ms * MILLISECOND, most_ms * MILLISECOND
        self._last = {"host": 0, "device": 0}

    def arrivals(self, sender: str, data: Any, now: Micros) -> list[tuple[Micros, Any]]:
        due = max(now + self._random.randint(*self._between), self._last[sender])
        self._last[sender] = due
        self.pieces += 1
        return self.when(self.pieces, sender, Micros(due), data)


class Invariants:
    """The model's invariants, checked from outside: a stroke as it begins, the rest after every event.

    It sees a stroke as the memory's store, since a stroke begins with a step of the memory; the steps go on to the
    store that there was. `broken` has a sentence for each breach; `clock` says what time it is.
    """

    def __init__(self, device: Device, clock: Callable[[], Micros]) -> None:
        self.broken: list[str] = []
        self._device = device
        self._clock = clock
        self._store = device.nvm.store
        device.nvm.attach(self)

    def append(self, key: str, value: object) -> None:
        if self._store is not None:
            self._store.append(key, value)
        if key == KEYS[BeginCycle]:
            self._stroke_begins()

    def sync(self) -> None:
        if self._store is not None:
            self._store.sync()

    def reserve(self, size: int) -> None:
        if self._store is not None:
            self._store.reserve(size)

    def _stroke_begins(self) -> None:
        now, board, plant = self._clock(), self._device.board, self._device.plant
        session = self._device.nvm.session
        zone = board.zones.get(board.zone)
        valid_us = board.parameters.anesthesia_valid_s * SECOND
        if zone is None or not zone.confirmed or now - zone.numbed_at >= valid_us:
            self.broken.append(f"{now}: PUNCH without anesthesia")
        if plant.inputs.frozen_kpa is None and plant.vacuum.sensed_kpa(now) > -40:
            self.broken.append(f"{now}: PUNCH at {plant.vacuum.sensed_kpa(now)} kPa")
        made = 0 if session is None else session.cell_punctures.get((board.zone, board.cell), 0)
        if session is None or made + plant.needles > 63:
            self.broken.append(f"{now}: PUNCH in a cell of {made}")
        if board.state is not DeviceState.ARMED or not any(port.exchange.linked for port in self._device.ports):
            self.broken.append(f"{now}: PUNCH in {board.state.name}")

    def check(self) -> None:
        """Hold everything else; to be called after each event."""
        now, board, plant, truth = self._clock(), self._device.board, self._device.plant, self._device.plant.truth
        if board.state is DeviceState.ADVANCING and plant.needle.depth_um(now) > 0:
            self.broken.append(f"{now}: ADVANCE with needles at {plant.needle.depth_um(now)} um")
        if truth.cores_evacuated > truth.punctures or truth.punctures > plant.needles * truth.cycles_commanded:
            self.broken.append(f"{now}: {truth}")
        lease = not board.armed or any(port.exchange.linked for port in self._device.ports)
        going_in = plant.needle.depth_um(Micros(now + MILLISECOND)) > plant.needle.depth_um(now)
        if (board.state in HELD or not lease) and (board.motion is not None or going_in):
            self.broken.append(f"{now}: motion in {board.state.name}, lease {lease}")
        assert not self.broken, self.broken


class Lab:
    """A host, a device, the wire, a log in memory, and what was noted. With `topics` the wire is MQTT's."""

    def __init__(
        self,
        seed: int = 7,
        *,
        plan: Plan | None = None,
        parameters: Mapping[str, float] = SHORT,
        nvm: Nvm | None = None,
        baud: int = 0,
        line: Line | None = None,
        tap: Tap | None = None,
        log: SessionLog | None = None,
        topics: DeviceTopics | None = None,
        allow_hardware: bool = False,
    ) -> None:
        self.allow_hardware = allow_hardware
        self.random = random.Random(f"{seed}:host")
        self.topics = topics
        self.baud = baud
        self.device = Device(seed=seed, parameters=Parameters(parameters), nvm=nvm)
        self.invariants = Invariants(self.device, lambda: self.world.now)
        self.plan = a_plan() if plan is None else plan
        self.notes: list[Note] = []
        self.states: list[State] = []
        self.entries: list[Entry] = []
        self.recorder = Recorder(log) if log is not None else None
        self.engine = self._new_engine()
        self.world = World(
            self.engine,
            self.device,
            write=self._write,
            line=SerialLine(baud) if baud else line,
            tap=tap,
            make_wire=SerialWire if topics is None else lambda: DeviceWire(topics, "sim"),
        )

    def _new_engine(self) -> Engine:
        return Engine(
            host_id=self.random.getrandbits(32) or 1,
            draw_nonce=lambda: self.random.getrandbits(32),
            observer=self,
            allow_hardware=self.allow_hardware,
            wire=SerialWire(self.baud) if self.topics is None else HostWire(self.topics, "sim"),
        )

    def changed(self, before: State, after: State, now: Micros) -> None:
        self.states.append(after)

    def noted(self, note: Note) -> None:
        self.notes.append(note)

    def _write(self, entries: list[Entry]) -> None:
        self.entries += entries
        if self.recorder is not None:
            self.recorder.write(entries)

    # --- time ------------------------------------------------------------------------------------------------

    @property
    def now(self) -> Micros:
        return self.world.now

    @property
    def state(self) -> DeviceState:
        return self.device.board.state

    def step(self) -> None:
        assert self.world.step(), "nothing is left to happen"
        self.invariants.check()

    def until(self, condition: Callable[[], bool], within: int = HOUR) -> None:
        """Run events until the condition holds.

        Raises:
            TimeoutError: it does not hold in time.
        """
        limit = self.now + within
        while not condition():
            if self.world.heap.next_time is None or self.world.heap.next_time > limit:
                raise TimeoutError(f"not within {within / SECOND:g} s; the device is in {self.state.name}")
            self.step()

    def wait(self, duration: int) -> None:
        """Let virtual time pass, to the microsecond."""
        reached: list[bool] = []
        self.world.heap.at(Micros(self.now + duration), lambda: reached.append(True))
        self.until(lambda: bool(reached), duration + 1)

    # --- the host --------------------------------------------------------------------------------------------

    def start(self, procedure: Procedure[_T]) -> Task[_T]:
        task = self.engine.link.start(procedure, self.now)
        self.world.refresh()
        self.invariants.check()
        return task

    def run(self, procedure: Procedure[_T], within: int = HOUR) -> _T:
        task = self.start(procedure)
        self.until(lambda: task.done, within)
        return task.outcome()

    def ask(self, command: Command[Done]) -> Done:
        """Ask as the host itself does, and return the DONE."""
        return self.run(ask(command))

    def open(self) -> None:
        self.run(self.engine.connect())
        self.run(self.engine.open_session(self.plan, IDENTITY))

    def numb(self) -> None:
        self.run(self.engine.confirm_anesthesia("lidocaine injection", "trainer"))

    def cycle(self) -> CycleResult | None:
        return self.run(self.engine.next_cycle())

    def begin(self, cycles: int = 1) -> Self:
        """Opened, numbed, and so many cycles done."""
        self.open()
        self.numb()
        for _ in range(cycles):
            self.cycle()
        return self

    def all_cycles(self) -> Procedure[None]:
        while (yield from self.engine.next_cycle()) is not None:
            pass

    def finish(self, within: int = HOUR) -> Finish:
        """The rest of the session, and its end."""
        self.run(self.all_cycles(), within)
        return self.close()

    def close(self, reason: CloseReason = CloseReason.COMPLETED) -> Finish:
        return self.run(self.engine.close(reason, 0.0))

    # --- the device ------------------------------------------------------------------------------------------

    def inject(self, **inputs: Any) -> None:
        """Change inputs of the plant, and parameters, as an instructor would."""
        plant = self.device.plant
        plant.settle(self.now)
        for name, value in inputs.items():
            setattr(plant.inputs if hasattr(plant.inputs, name) else self.device.parameters, name, value)
        self.device.inputs_changed(self.now)
        self.world.refresh()

    def reboot_device(self) -> None:
        """The device loses power and starts again; the wire stays."""
        self.device.reboot(self.now)
        self.world.refresh()

    def until_state(self, state: DeviceState, after: int = 0) -> None:
        """Run until the device is in `state`, and `after` microseconds more."""
        self.until(lambda: self.state is state)
        if after:
            self.wait(after)

    def alarm(self, code: int) -> str:
        return self.device.board.alarms.state(code).name

    @property
    def records(self) -> list[Record | None]:
        """The journal's records that the host has read, in order."""
        return [decode_record(raw) for entry in self.entries if hasattr(entry, "records") for raw in entry.records]

    @property
    def cycles(self) -> list[Cycle]:
        """The CYCLE records among them."""
        return [record for record in self.records if isinstance(record, Cycle)]

    @property
    def alarms_read(self) -> set[int]:
        """The codes of the alarms among them."""
        return {record.code for record in self.records if isinstance(record, AlarmChanged)}

    def replace_host(self, *, heard: bool = True) -> Engine:
        """The host is killed, and another one started: on the same wire, or where the device heard nothing of that."""
        world = self.world
        if heard:
            world.cut("the host was killed")
        self.engine = world.engine = self._new_engine()
        host = Actor(self.engine.link.next_deadline, world._advance_host)
        world.heap.actors = (host, *world.heap.actors[1:])
        world.mend()
        return self.engine


PHASES: Final[Mapping[str, Phase]] = {
    "anesthesia wait": Phase.NONE,
    "arming": Phase.NONE,
    "armed": Phase.NONE,
    "extending": Phase.PUNCH,
    "dwell": Phase.PUNCH,
    "retract": Phase.PUNCH,
    "suction": Phase.SUCTION,
    "advance": Phase.ADVANCE,
    "count": Phase.COUNT,
    "reposition": Phase.NONE,
    "purge": Phase.NONE,
    "paused": Phase.NONE,
    "disarming": Phase.NONE,
}
"""Moments of a session at which something may go wrong, and the phase of the cycle that is open then."""

_MOMENTS: Final = {
    "arming": (DeviceState.ARMING, 100),
    "extending": (DeviceState.PUNCHING, 15),
    "dwell": (DeviceState.PUNCHING, 35),
    "retract": (DeviceState.PUNCHING, 60),
    "suction": (DeviceState.SUCTIONING, 50),
    "advance": (DeviceState.ADVANCING, 30),
    "count": (DeviceState.COUNTING, 10),
    "reposition": (DeviceState.REPOSITIONING, 1_000),
    "purge": (DeviceState.PURGING, 1_500),
}


def at_moment(name: str, *, done: int = 5, **options: Any) -> tuple[Lab, Task[Any] | None]:
    """A session brought to one of `PHASES`, after `done` cycles where there are any before, and what the host runs."""
    lab = Lab(**options)
    if name == "anesthesia wait":
        lab.open()
        task: Task[Any] = lab.start(lab.engine.confirm_anesthesia("lidocaine injection", "trainer"))
        lab.until_state(DeviceState.ANESTHESIA_WAIT, after=400 * MILLISECOND)
        return lab, task
    lab.begin(0 if name == "arming" else done)
    if name == "armed":
        lab.wait(300 * MILLISECOND)
        return lab, None
    if name == "paused":
        lab.run(lab.engine.pause())
        lab.wait(300 * MILLISECOND)
        return lab, None
    if name == "disarming":
        task = lab.start(lab.engine.close(CloseReason.ABORTED, 0.0))
        lab.until_state(DeviceState.DISARMING, after=100 * MILLISECOND)
        return lab, task
    if name == "purge":
        lab.inject(clog_now={0})
    task = lab.start(lab.all_cycles())
    state, after_ms = _MOMENTS[name]
    lab.until_state(state, after=after_ms * MILLISECOND)
    return lab, task


def assert_counted(lab: Lab, finish: Finish, state: str = "completed", *, first_cycle_no: int = 1) -> None:
    """The host's fold, the device's totals and the plant's own motions agree, and every cycle ended exactly once."""
    truth, reader = lab.device.plant.truth, lab.engine.reader
    assert reader is not None
    assert (finish.state, finish.reconciled) == (state, True), reconcile(reader.fold, finish.device_totals)
    assert reader.fold.problems == []
    counts = reader.fold.counts
    assert counts == finish.device_totals
    assert (truth.cycles_commanded, truth.cycles_completed) == (counts.cycles, counts.completed)
    assert counts.cycles == counts.completed + counts.aborted + counts.ambiguous
    doubtful = lab.device.plant.needles * counts.ambiguous
    assert counts.punctures - doubtful <= truth.punctures <= counts.punctures
    assert truth.cores_counted == counts.cores_counted
    assert [cycle.cycle_no for cycle in lab.cycles] == list(range(first_cycle_no, first_cycle_no + counts.cycles))


def last_words(lab: Lab) -> bytes:
    """The device takes its leave of the host: what it says then, to be put into a piece that it is about to send."""
    port = lab.world.port
    if not port.exchange.linked:
        return b""
    port.exchange.bye(ByeReason.CLOSING, lab.now)
    lab.device._link_gone(port, LinkEnd.LOST, lab.now)
    return b"".join(port.exchange.take())


def payload_size(frame: bytes) -> int:
    """Of one whole frame: without two zeros, a code byte, header and checksum."""
    return len(frame) - 3 - HEADER_SIZE - CRC_SIZE


class Bystander:
    """Another host on another port of the same device, which talks to it at once and without a wire."""

    def __init__(self, lab: Lab, role: Role = Role.VIEWER, *, max_payload_size: int = MAX_PAYLOAD_SIZE) -> None:
        self.lab = lab
        self.longest_payload = 0
        self.port: Port = lab.device.attach("other")
        self.exchange: HostEnd[bytes] = HostEnd(SerialWire())
        self.told: list[Message] = []
        self.greet(role, max_payload_size=max_payload_size)

    def greet(self, role: Role = Role.VIEWER, *, max_payload_size: int = MAX_PAYLOAD_SIZE) -> None:
        """Ask for a link, in place of any that there is."""
        hello = M.Hello(
            majors=2,
            minor=0,
            role=role,
            features=0,
            schema_id=schema_id(0),
            host_id=99,
            max_payload_size=max_payload_size,
            nonce=5,
        )
        self.exchange.hello(hello, self.lab.now)
        self._carry()

    def _carry(self) -> list[Message]:
        """Bytes to and fro until nobody has any left; the final answers that came."""
        answers: list[Message] = []
        now = self.lab.now
        while True:
            sent, said = self.exchange.take(), self.port.exchange.take()
            if not sent and not said:
                return answers
            for data in sent:
                self.lab.device.receive(self.port, data, now)
            for data in said:
                self.longest_payload = max(self.longest_payload, payload_size(data))
                for happening in self.exchange.receive(data, now):
                    if isinstance(happening, Answered):
                        answers.append(happening.message)
                    elif isinstance(happening, Told):
                        self.told.append(happening.message)

    def ask(self, command: Message) -> Message:
        """The first answer to one command: RECEIVED where it takes time."""
        self.exchange.submit(command, self.lab.now)
        answers = self._carry()
        self.lab.world.refresh()
        return answers[0]

    def beat(self) -> None:
        """Say that it is there, and hear what the device has had to say since."""
        self.exchange.tell(HostHeartbeat(), self.lab.now)
        self._carry()


def sentence_of(answer: object) -> str:
    """The one sentence of a refusal or an error, checked for what every sentence must be."""
    text = str(getattr(answer, "sentence", answer))
    assert 0 < len(text.encode()) <= 120 and "\0" not in text and "\n" not in text
    return text
