"""Boards in a given state, and somebody who gives them commands: no link, no port, no host.

bench = armed()                  a device at cell 0 of zone 0, with vacuum and a needle that may go out
bench.ask(bench.punch())         [Received(...)]: what was said at once
bench.wait(SECOND)               [PunchDone(...)]: what was said meanwhile
"""

from typing import Any, TypeVar

from firmware_sim.board.board import Board
from firmware_sim.commands.rules import RULES
from firmware_sim.firmware import Firmware
from firmware_sim.memory.nvm import Nvm
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.plant import Plant
from protocols.language import messages as M
from protocols.language.enums import CloseReason, DeviceState
from protocols.language.message import Message
from protocols.language.records import Record
from protocols.language.units import SECOND, Micros
from tests.unit.firmware_sim.memories import Store, records
from tests.unit.firmware_sim.model.plants import SURE

S = DeviceState
Said = TypeVar("Said", bound=Message)

MAX_STEPS = 200
"""Steps and PROGRESS of any motion here: one that takes more never ends."""


def plan(**changes: Any) -> M.SessionOpen:
    """Two zones of six cells in all, each of which takes 16 cycles of three needles, with `changes`."""
    fields = {"target_cores": 30, "coverage_bp": 600, "depth_um": 3_000, "zones_cm2": (4, 2)}
    return M.SessionOpen(**{**fields, **changes})


PLAN = plan()


class Ear:
    """An asker that keeps what it is told."""

    correlation_id = 5

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.replayed: list[bool] = []

    def reply(self, message: Message, now: Micros, *, replayed: bool = False) -> None:
        self.heard.append(message)
        self.replayed.append(replayed)


class Bench:
    """A board, its firmware and its plant; `announced` are the alarms that every link would hear of."""

    def __init__(self, *, nvm: Nvm | None = None, store: Store | None = None, **parameters: float) -> None:
        self.now = Micros(0)
        self.ear = Ear()
        self.announced: list[Message] = []
        self.parameters = Parameters({**SURE, **parameters})
        self.plant = Plant(self.parameters, 7)
        self.nvm = nvm if nvm is not None else Nvm(store, epoch=1)
        self.board = Board(7, self.nvm, self.plant, self.parameters, announce=self._announce, booted_at=self.now)
        self.firmware = Firmware(self.board)
        self.firmware.boot(self.now)

    def _announce(self, message: Message, now: Micros) -> None:
        self.announced.append(message)

    def ask(self, command: Message) -> list[Message]:
        """Give a command as its controller does; what is said to that at once."""
        heard = len(self.ear.heard)
        rule = RULES[type(command)]
        carry = self.firmware.carry_out if self.firmware.allows(rule) else self.firmware.turn_away
        answer = carry(rule, self.ear, command, self.now)
        if answer is not None:
            self.ear.reply(answer, self.now)
        return self.ear.heard[heard:]

    def said(self, command: Message, kind: type[Said]) -> Said:
        """The one answer to a command, which must be of this kind."""
        (answer,) = self.ask(command)
        assert isinstance(answer, kind), answer
        return answer

    def refused(self, command: Message) -> M.Refused:
        return self.said(command, M.Refused)

    def done(self, command: Message, kind: type[Said]) -> Said:
        """The end of a motion, which must be of this kind; it has begun with RECEIVED."""
        self.said(command, M.Received)
        for _ in range(MAX_STEPS):
            if self.board.motion is None:
                break
            self.step()
        answer = self.ear.heard[-1]
        assert isinstance(answer, kind), answer
        return answer

    def step(self) -> None:
        """Go on to what is due next, and do it."""
        due = self.firmware.next_deadline()
        assert due is not None
        self.now = max(self.now, due)
        self.firmware.advance(self.now)

    def wait(self, duration: int) -> list[Message]:
        """Let time go by; what is said meanwhile."""
        heard, until = len(self.ear.heard), Micros(self.now + duration)
        while (due := self.firmware.next_deadline()) is not None and due <= until:
            self.step()
        self.now = until
        return self.ear.heard[heard:]

    def inject(self, **inputs: Any) -> None:
        """Change inputs of the plant, and let the firmware see them."""
        self.plant.settle(self.now)
        for name, value in inputs.items():
            assert hasattr(self.plant.inputs, name)
            setattr(self.plant.inputs, name, value)
        self.firmware.inputs_changed(self.now)

    def records(self, first: int) -> list[Record | None]:
        return records(self.nvm, first)

    # -- commands --------------------------------------------------------------------------------------------------

    def punch(self, **changes: int) -> M.Punch:
        """The PUNCH that the device takes next, in good time, with `changes`."""
        deadline_ms = self.board.uptime_ms(self.now) + 1_000
        values = {"cycle_no": self.nvm.last_cycle_no + 1, "depth_um": PLAN.depth_um, "deadline_ms": deadline_ms}
        return M.Punch(**{**values, **changes})

    def close(self, **changes: int) -> M.SessionClose:
        """The SESSION_CLOSE of a host whose fold is the device's, with `changes`."""
        session = self.nvm.session
        names = ("session_no", "cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")
        values: dict[str, Any] = {name: 0 if session is None else getattr(session, name) for name in names}
        return M.SessionClose(**{"reason": CloseReason.COMPLETED, **values, **changes})

    def numb(self, *zones: int) -> None:
        """Numb zones in good time, and confirm them."""
        age_s = self.parameters.anesthesia_wait_s
        for zone in zones:
            self.said(M.AnesthesiaStart(zone=zone, age_s=age_s, method="cream"), M.AnesthesiaStartDone)
        for zone in zones:
            self.said(M.AnesthesiaConfirm(zone=zone, confirmed_by="a person"), M.AnesthesiaConfirmDone)

    def through(self, state: DeviceState) -> None:
        """Begin a cycle, and go on until `state`, one of its phases, is done."""
        cycle_no = self.nvm.last_cycle_no + 1
        self.done(self.punch(), M.PunchDone)
        for phase, command, kind in (
            (S.SUCTIONING, M.Suction(cycle_no=cycle_no), M.SuctionDone),
            (S.ADVANCING, M.Advance(cycle_no=cycle_no, steps=1), M.AdvanceDone),
        ):
            if self.board.state is not state:
                self.done(command, kind)
                assert self.board.state is phase
        assert self.board.state is state

    def cycle(self) -> M.CountDone:
        """A whole cycle."""
        self.through(S.ADVANCING)
        return self.done(M.Count(cycle_no=self.nvm.last_cycle_no), M.CountDone)


def opened(**options: Any) -> Bench:
    """A device in SESSION_OPEN."""
    bench = Bench(**options)
    bench.said(PLAN, M.SessionOpenDone)
    return bench


def numbed(**options: Any) -> Bench:
    """A device in ANESTHESIA_CONFIRMED, with both zones numb."""
    bench = opened(**options)
    bench.numb(0, 1)
    return bench


def in_vacuum(**options: Any) -> Bench:
    """A device in ARMED, whose hand is nowhere yet."""
    bench = numbed(**options)
    bench.done(M.Arm(), M.ArmDone)
    bench.wait(5 * SECOND)  # the vacuum is at its steady value
    return bench


def armed(**options: Any) -> Bench:
    """A device in ARMED, at cell 0 of zone 0: it takes a PUNCH."""
    bench = in_vacuum(**options)
    bench.done(M.Reposition(zone=0, cell=0), M.RepositionDone)
    return bench


def held(**options: Any) -> Bench:
    """A device in SAFE with an open session, after STOP; its needles are home and its line is vented."""
    bench = armed(**options)
    bench.said(M.Stop(), M.StopDone)
    bench.wait(SECOND)
    return bench
