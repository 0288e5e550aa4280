"""The ground of a case: the device brought to where the case begins, in as few steps as it takes from where it is.

    LINKED   a link with role controller, whatever the device's state
    IDLE     no session, nothing held
    OPEN     a session of two zones, nothing numbed
    NUMB     zone 0 confirmed
    ARMED    ready to punch
    PLACED   the hand at a cell that takes some cycles

How it works: what the device last said of its state is followed message by message, so that a case can begin where
the one before has left it. A case that fails has left it anywhere: the ground then begins with a new link.

Law: it judges nothing. A device that cannot be brought to a stage fails the case that needs it, and says where.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from devicectl.conformance.case import Need
from devicectl.conformance.device import checks
from devicectl.conformance.device.link import ANSWER_MS, Answer, hello
from devicectl.conformance.device.linked import MAX_A_SECOND, SETTLE_MS, Linked
from devicectl.conformance.device.probe import BrokenRule, GoneError, Power, Steps
from devicectl.conformance.device.standing import NEXT_PHASE, UNARMED
from devicectl.conformance.device.wires import Wire
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, Stream
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import CANISTER, CARTRIDGE, SUCTION, WEAR
from protocols.language.message import Message
from protocols.language.units import Micros


class Stage(IntEnum):
    """Places at which a case can begin."""

    LINKED = 0
    IDLE = 1
    OPEN = 2
    NUMB = 3
    ARMED = 4
    PLACED = 5


MOVES: Final = Stage.ARMED
"""The first stage at which something of the device moves."""
ZONES: Final = (4, 3)
"""Cells of the session's zones, in cm2."""
DEPTH_UM: Final = 3_000
COVERAGE_BP: Final = 800
TARGET: Final = 30
FEW_LINKS: Final = MAX_A_SECOND - 6
"""Links of a port's share that may be spent when a case begins: none greets more than five times in a row."""
CYCLES_NEEDED: Final = 3
"""Cycles that a cell must still take for a case to begin at it."""
TRIES: Final = 30
"""Steps from one stage to the next before the ground gives up."""
HOME_MS: Final = 2_000
"""Time for needles to come home before FAULT_RESET is taken."""
VACUUM_MS: Final = 3_000
"""Time for the vacuum to recover."""
VACUUM_LOOK_MS: Final = 100
OFF_MS: Final = 500
"""Time for which a hook takes the power off."""
BACK_MS: Final = 15_000
"""Time for a device to come back after that, with its port: it boots, and an adapter may have gone with its power."""
BACK_LOOK_MS: Final = 250
CUT_MS: Final = 200
"""Time for which a simulated device, asked to, takes its own power off."""
MAX_HOSTS: Final = 128
"""Hosts that the cases play, from `host_id` on."""
_CONSUMABLES: Final = (CARTRIDGE, WEAR, CANISTER)
_MOVING: Final = (S.ARMING, S.DISARMING, S.REPOSITIONING, S.PURGING, S.COUNTING)
"""States that end by themselves."""
_UNSURE: Final = (S.UNKNOWN, S.OFF, S.SELF_TEST, S.CLOSING, *_MOVING)
"""States in which the device is looked at again."""


class Ground(Linked):
    """The place that a case stands on. `link` is its controller's link on channel 0."""

    def __init__(self, make_wire: Callable[[int], Wire], *, seed: int, slack_ms: float, boot_ms: float) -> None:
        super().__init__(make_wire, seed=seed, slack_ms=slack_ms, boot_ms=boot_ms)
        self.wait_s: int | None = None
        self.has_power_switch = False
        """True where the bench can take the device's power away; else a simulated one is asked to."""
        self.seen: dict[str, object] = {}
        """Results that one case has seen for others as well, by their names."""
        self.keeps_consumables = False
        """True where a session begins with the cartridge and canister of the last one, until somebody changes them."""
        self._full_cells = 0
        self._back_by = Micros(0)
        """Time until which a device whose power was taken away may still be away."""
        self.restore: list[Message] = []
        """Commands that give back what a case has set; the runner gives them."""

    def unfit(self) -> str:
        """Return the sentence by which a consumable was refused that nobody can change in a run; "" if none was.

        Where a case has set something, such as a fault, that may be its own doing.
        """
        if not self.keeps_consumables or self.restore:
            return ""
        no = next((one for one in self.probe.refused if one.interlock in _CONSUMABLES), None)
        return "" if no is None else no.sentence or f"interlock {no.interlock}"

    def rival(self) -> str:
        """Return a sentence about another program that has control of the device; "" where no refusal names one."""
        for no in self.probe.refused:
            if no.code is Code.E_BUSY and no.actual and not 0 <= no.actual - self.host_id < MAX_HOSTS:
                return f"host {no.actual:#x} has control of the device: end that program first"
        return ""

    # --- commands --------------------------------------------------------------------------------------------

    def ask(self, message: Message, *, correlation: int | None = None, limit_ms: float = ANSWER_MS) -> Steps[Answer]:
        """Give a command on the controller's link and return its end; the ground follows what it says."""
        answer = yield from self.link.ask(message, correlation=correlation, limit_ms=limit_ms)
        self.follow(message, answer.message)
        return answer

    def do(self, message: Message) -> Steps[Message]:
        """Give a command that the way to a stage needs.

        Raises:
            BrokenRule: it was not carried out.
        """
        answer = yield from self.ask(message)
        if isinstance(answer.message, M.Refused | M.Failed | M.Aborted | M.Nak):
            raise BrokenRule(
                f"{type(message).__name__} on the way to the case's beginning", "DONE", checks.say(answer.message)
            )
        return answer.message

    # --- stages ----------------------------------------------------------------------------------------------

    def reach(self, stage: Stage) -> Steps[None]:
        """Bring the device to a stage.

        Raises:
            BrokenRule: it cannot be brought there.
            GoneError: the way to it is closed.
        """
        for _ in range(TRIES):
            if not self.has_link:
                yield from self._connect()
            elif self._is_at(stage):
                return
            else:
                yield from self._step(stage)
        raise BrokenRule("the way to the case's beginning", stage.name, f"still {self.state.name} after {TRIES} steps")

    def _connect(self) -> Steps[None]:
        """Open the way and greet; again where power was taken away and the way is not there yet."""
        while True:
            try:
                yield from self._link_up()
                return
            except GoneError:
                if self.probe.now >= self._back_by:
                    raise
            yield from self.close_channel(0)
            yield from self.probe.pause(BACK_LOOK_MS, channel=-1)

    def _link_up(self) -> Steps[None]:
        """Open the way and greet, again and again while the device may boot."""
        if self.opens_ports and self.spent(0) > FEW_LINKS:
            yield from self.close_channel(0)
        yield from self.open_channel(0)
        probe, ends, each_ms = self.probe, self.probe.now + round(self.boot_ms * 1000), min(1_000, self.boot_ms)
        ends = max(ends, self._back_by)
        within_ms = (ends - probe.now) / 1000
        self.late = 0
        for correlation in range(1, 0xFFFF):
            message = hello(self.host_id, self.nonce())
            try:
                heard = yield from self.greet(0, message, correlation=correlation, limit_ms=each_ms)
            except BrokenRule:
                if probe.now >= ends:
                    found = "nothing of the kind"
                    if self.late:
                        found = f"{self.late}, each later than the {each_ms:g} ms that a HELLO has"
                    raise BrokenRule("an answer to HELLO", f"within {within_ms:g} ms", found) from None
                continue
            if not isinstance(heard.message, M.Welcome):
                raise BrokenRule("the answer to HELLO", "Welcome", checks.say(heard.message))
            self.take_link(0, heard)
            return

    def _is_at(self, stage: Stage) -> bool:
        state = self.state
        if stage is Stage.LINKED:
            return True
        if stage is Stage.IDLE:
            return state is S.IDLE and not self.session_no
        if stage is Stage.OPEN:
            return state is S.SESSION_OPEN
        if stage is Stage.NUMB:
            return state is S.ANESTHESIA_CONFIRMED
        return state is S.ARMED and (stage is Stage.ARMED or (self.placed and self.cycles_left >= CYCLES_NEEDED))

    def _step(self, stage: Stage) -> Steps[None]:
        """Take one step towards a stage."""
        state = self.state
        if state in (S.SAFE, S.FAULT):
            yield from self._reset()
        elif state is S.LOCKED and Need.POWER in self.met:
            yield from self.power_cycle()
        elif state is S.LOCKED:
            raise BrokenRule("the device's state", stage.name, "LOCKED: only a restart leads out")
        elif state in _UNSURE:
            yield from self.look()
        elif state in NEXT_PHASE:
            yield from self.next_phase()
        elif state is S.ARMED and stage >= Stage.ARMED:
            yield from self._place()
        elif state in (S.ARMED, S.PAUSED):
            yield from self.do(M.Disarm() if state is S.ARMED else M.Resume())
        else:
            yield from self._step_at_rest(stage)

    def _step_at_rest(self, stage: Stage) -> Steps[None]:
        """Take one step from a state in which nothing is armed."""
        state = self.state
        if stage is Stage.IDLE or (stage is Stage.OPEN and state in UNARMED) or (state is S.IDLE and self.session_no):
            yield from self.abandon()
        elif state is S.IDLE:
            yield from self.do(self.plan())
        elif state is S.ANESTHESIA_CONFIRMED:
            yield from self.do(M.Arm())
        else:
            yield from self._numb()

    def look(self) -> Steps[M.TelemetryState]:
        """Ask the device for its state, by one frame of telemetry, and return that."""
        yield from self.do(M.StreamSet(stream=Stream.STATE, interval_ms=20))
        heard = yield from self.probe.wait(
            "telemetry", lambda one: isinstance(one.message, M.TelemetryState), ANSWER_MS + SETTLE_MS
        )
        assert isinstance(heard.message, M.TelemetryState)
        yield from self.do(M.StreamSet(stream=Stream.STATE, interval_ms=0))
        self.state = heard.message.state
        if self.state in _MOVING:
            yield from self.probe.pause(SETTLE_MS)
        return heard.message

    def _reset(self) -> Steps[None]:
        """Leave a hold, once the needles are home."""
        ends = self.probe.now + HOME_MS * 1000
        while True:
            answer = yield from self.ask(M.FaultReset())
            if isinstance(answer.message, M.FaultResetDone):
                return
            if self.probe.now >= ends:
                raise BrokenRule("FAULT_RESET on the way to the case's beginning", "DONE", checks.say(answer.message))
            yield from self.probe.pause(SETTLE_MS)

    def abandon(self) -> Steps[None]:
        """Close the session without comparing anything."""
        yield from self.do(self.closing(CloseReason.ABANDONED))

    def closing(self, reason: CloseReason, **counts: int) -> M.SessionClose:
        """Make a SESSION_CLOSE; counts that are not given are 0."""
        names = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")
        return M.SessionClose(session_no=self.session_no, reason=reason, **{**dict.fromkeys(names, 0), **counts})

    def plan(self) -> M.SessionOpen:
        """Make the SESSION_OPEN of the cases."""
        return M.SessionOpen(target_cores=TARGET, coverage_bp=COVERAGE_BP, depth_um=DEPTH_UM, zones_cm2=ZONES)

    def _numb(self) -> Steps[None]:
        """Numb and confirm zone 0: numbed as long ago as the device wants to wait, so that nobody waits."""
        if self.wait_s is None:
            start = yield from self.do(M.AnesthesiaStart(zone=0, age_s=0, method="conformance"))
            assert isinstance(start, M.AnesthesiaStartDone)
            self.wait_s = start.wait_s
        yield from self.do(M.AnesthesiaStart(zone=0, age_s=self.wait_s, method="conformance"))
        yield from self.do(M.AnesthesiaConfirm(zone=0, confirmed_by="conformance"))

    def _place(self) -> Steps[None]:
        """Move the hand to the next cell; where none takes enough cycles any more, close the session for another."""
        cell = self.next_cell % ZONES[0]
        self.next_cell += 1
        yield from self.do(M.Reposition(zone=0, cell=cell))
        self._full_cells = self._full_cells + 1 if self.cycles_left < CYCLES_NEEDED else 0
        if self._full_cells >= ZONES[0]:
            self._full_cells = 0
            yield from self.do(M.Disarm())
            yield from self.abandon()

    def power_cycle(self) -> Steps[None]:
        """Take the device's power away and give it back; the next stage begins with a HELLO."""
        self.placed = False
        if self.has_power_switch:
            yield Power(OFF_MS)
            self._back_by = Micros(self.probe.now + BACK_MS * 1000)
        else:
            yield from self.do(M.PowerCut(for_ms=CUT_MS))
            yield from self.probe.pause(CUT_MS + SETTLE_MS, channel=-1)
        yield from self.close_channel(0)

    # --- cycles ----------------------------------------------------------------------------------------------

    def punch(self, **changed: int) -> M.Punch:
        """Make the PUNCH of the next cycle, void in a minute; `changed` fields have other values."""
        values = {"cycle_no": self.cycle_no + 1, "depth_um": DEPTH_UM, "deadline_ms": self.deadline(60_000), **changed}
        return M.Punch(**values)

    def deadline(self, ms: int) -> int:
        """Return the device's uptime in so many milliseconds, from what WELCOME said of it."""
        assert self.welcome is not None
        link = self.link
        passed = (self.probe.now - link.welcomed_at) // 1000
        return (self.welcome.uptime_ms + passed + ms) & 0xFFFF_FFFF

    def begin_cycle(self) -> Steps[Answer]:
        """Punch, and again where the suction has to recover first."""
        ends = self.probe.now + VACUUM_MS * 1000
        while True:
            answer = yield from self.ask(self.punch())
            no = answer.message
            low = isinstance(no, M.Refused) and no.interlock == SUCTION
            if not low or self.probe.now >= ends:
                checks.done(answer, M.PunchDone)
                return answer
            yield from self.probe.pause(VACUUM_LOOK_MS)

    def whole_cycle(self) -> Steps[M.CountDone]:
        """Carry out one cycle; returns COUNT's answer."""
        yield from self.begin_cycle()
        while self.state in NEXT_PHASE:
            done = yield from self.next_phase()
        assert isinstance(done, M.CountDone)
        return done

    def next_phase(self, steps: int = 1) -> Steps[Message]:
        """Carry out the next phase of the open cycle."""
        command = NEXT_PHASE[self.state]
        if command is M.Advance:
            return (yield from self.do(M.Advance(cycle_no=self.cycle_no, steps=steps)))
        return (yield from self.do(command(cycle_no=self.cycle_no)))
