"""Cases of the cycle: numbers, phases, deadlines, and the hand's place."""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.beginnings import state_is
from devicectl.conformance.device.cases.declare import case
from devicectl.conformance.device.cases.journals import cycle_records, listed_alarms
from devicectl.conformance.device.checks import done, equal, refused, true
from devicectl.conformance.device.ground import DEPTH_UM, ZONES, Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS
from devicectl.conformance.device.probe import Steps, UnmetError
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import Code, Ending, NeedleOutcome, Phase
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import DENSITY
from protocols.language.message import Message
from protocols.link.header import REPLAYED

ADVANCE_SHARE: Final = 0.8
"""Share of four times one step's time that four steps take at least."""
STEPS: Final = 4


# --- numbers ------------------------------------------------------------------------------------------------------


def _numbers(ground: Ground) -> Steps[None]:
    before = ground.cycle_no
    for number in (before + 1, before + 2):
        equal("the number in COUNT's answer", number, (yield from ground.whole_cycle()).cycle_no)


def _last_again(ground: Ground) -> Steps[None]:
    yield from ground.whole_cycle()
    before = len((yield from cycle_records(ground, ground.cycle_no)))
    answer = yield from ground.ask(ground.punch(cycle_no=ground.cycle_no))
    again = done(answer, M.PunchDone)
    equal("the number in the answer", ground.cycle_no, again.cycle_no)
    true("the flags of the answer", bool(answer.header.flags & REPLAYED), "REPLAYED", answer.header.flags)
    yield from state_is(ground, S.ARMED)
    equal("records of the cycle before and after", before, len((yield from cycle_records(ground, ground.cycle_no))))


def _open_again(ground: Ground) -> Steps[None]:
    first = done((yield from ground.begin_cycle()), M.PunchDone)
    answer = yield from ground.ask(ground.punch(cycle_no=ground.cycle_no))
    equal("PUNCH's own answer again", first, done(answer, M.PunchDone))
    true("the flags of the answer", bool(answer.header.flags & REPLAYED), "REPLAYED", answer.header.flags)
    yield from ground.next_phase()


def _again_in_the_stroke(ground: Ground) -> Steps[None]:
    punch, asked = ground.punch(), ground.probe.now
    used = ground.link.command(punch)
    refused((yield from ground.link.ask(ground.punch())), Code.E_STATE)
    answer = yield from ground.link.end_of(punch, used, asked)
    ground.follow(punch, done(answer, M.PunchDone))
    yield from ground.next_phase()


def _older(ground: Ground) -> Steps[None]:
    while ground.cycle_no < 2:
        yield from ground.whole_cycle()
    for number in (ground.cycle_no - 1, 0):
        refused((yield from ground.ask(ground.punch(cycle_no=number))), Code.E_EXPIRED)
    yield from state_is(ground, S.ARMED)


def _gap(ground: Ground) -> Steps[None]:
    last = ground.cycle_no
    for number in (last + 2, last + 1_000, 0xFFFF_FFFF):
        no = refused((yield from ground.ask(ground.punch(cycle_no=number))), Code.E_CYCLE_GAP)
        equal("the numbers in the refusal: expected, given", (last + 1, number), (no.expected, no.actual))
    yield from state_is(ground, S.ARMED)


_PHASES: Final = ("suction", "advance", "count")
"""Phases behind PUNCH, in their order."""


def _phase(name: str, cycle_no: int) -> Message:
    if name == "advance":
        return M.Advance(cycle_no=cycle_no, steps=1)
    return M.Suction(cycle_no=cycle_no) if name == "suction" else M.Count(cycle_no=cycle_no)


def _not_open(ground: Ground, name: str) -> Steps[None]:
    """Give a phase the number of another cycle, before any is open and where that phase comes next in the open one."""
    refused((yield from ground.ask(_phase(name, ground.cycle_no + 1))))
    yield from ground.begin_cycle()
    for _ in range(_PHASES.index(name)):
        yield from ground.next_phase()
    state = ground.state
    for number in (ground.cycle_no + 1, ground.cycle_no + 77):
        refused((yield from ground.ask(_phase(name, number))))
    yield from state_is(ground, state)


def _order(ground: Ground) -> Steps[None]:
    yield from ground.begin_cycle()
    number = ground.cycle_no
    for wrong in ("advance", "count"):
        refused((yield from ground.ask(_phase(wrong, number))), Code.E_STATE)
    yield from ground.next_phase()
    for wrong in ("suction", "count"):
        refused((yield from ground.ask(_phase(wrong, number))), Code.E_STATE)
    yield from ground.next_phase()
    for wrong in ("suction", "advance"):
        refused((yield from ground.ask(_phase(wrong, number))), Code.E_STATE)
    yield from ground.next_phase()
    yield from state_is(ground, S.ARMED)


def _steps(ground: Ground) -> Steps[None]:
    took: dict[int, int] = {}
    for steps in (1, STEPS):
        yield from ground.begin_cycle()
        yield from ground.next_phase()
        asked = ground.probe.now
        yield from ground.next_phase(steps)
        took[steps] = ground.probe.now - asked
        yield from ground.next_phase()
    least = ADVANCE_SHARE * STEPS * max(0.0, took[1] - ground.probe.slack_ms * 1_000)
    true(
        f"time of {STEPS} steps",
        took[STEPS] >= least,
        f"at least {least / 1000:.0f} ms",
        f"{took[STEPS] / 1000:.0f} ms",
    )
    true(f"time of {STEPS} steps against one", took[STEPS] > took[1], "longer", took)


def _deadline(ground: Ground, ms: int, *, void: bool) -> Steps[None]:
    answer = yield from ground.ask(ground.punch(deadline_ms=ground.deadline(ms)))
    if void:
        refused(answer, Code.E_EXPIRED)
        yield from state_is(ground, S.ARMED)
    else:
        done(answer, M.PunchDone)


def _depth(ground: Ground) -> Steps[None]:
    for depth_um in (DEPTH_UM - 500, DEPTH_UM + 500):
        no = refused((yield from ground.ask(ground.punch(depth_um=depth_um))), Code.E_RANGE)
        equal("the depths in the refusal: the session's, the command's", (DEPTH_UM, depth_um), (no.expected, no.actual))
    yield from state_is(ground, S.ARMED)


def _count_agrees(ground: Ground) -> Steps[None]:
    first = yield from ground.whole_cycle()
    second = yield from ground.whole_cycle()
    (record,) = yield from cycle_records(ground, second.cycle_no)
    outcomes = R.unpack_outcomes(second.outcomes, record.needles)
    counted = sum(one is NeedleOutcome.COUNTED for one in outcomes)
    equal("cores counted by the outcomes", counted, second.cores_counted)
    equal("the total of cores", first.total_cores_counted + counted, second.total_cores_counted)
    punctured = sum(one is not NeedleOutcome.NOT_PUNCTURED for one in outcomes)
    equal("the total of punctures", first.total_punctures + punctured, second.total_punctures)
    equal("the cell's punctures", first.cell_punctures + punctured, second.cell_punctures)
    of_record = (record.ending, record.outcomes, record.total_punctures, record.total_cores_counted)
    of_answer = (Ending.COMPLETED, second.outcomes, second.total_punctures, second.total_cores_counted)
    equal("the record of the cycle", of_answer, of_record)


def _cell_is_full(ground: Ground) -> Steps[None]:
    """Fill a cell of a small plan: it takes as many cycles as it was said to, and not one more."""
    yield from ground.abandon()
    plan = M.SessionOpen(target_cores=1, coverage_bp=FEW_BP, depth_um=DEPTH_UM, zones_cm2=ZONES)
    yield from ground.do(plan)
    yield from ground.reach(Stage.ARMED)
    placed = done((yield from ground.ask(M.Reposition(zone=0, cell=0))), M.RepositionDone)
    left = placed.cycles_left
    if left > MAX_CYCLES:
        raise UnmetError(f"a device whose cell takes {MAX_CYCLES} cycles at most under the smallest plan")
    true("cycles that the cell takes", left > 0, "at least 1", left)
    for number in range(1, left + 1):
        counted = yield from ground.whole_cycle()
        equal(f"cycles that are left after {number}", left - number, counted.cycles_left)
    refused((yield from ground.ask(ground.punch())), Code.E_INTERLOCK, interlock=DENSITY)
    alarms = [one.interlock for one in (yield from listed_alarms(ground))]
    true("interlocks of the alarms", DENSITY in alarms, str(DENSITY), alarms)
    yield from ground.reach(Stage.NUMB)
    yield from ground.abandon()


FEW_BP: Final = 400
"""The least share of a cell's skin that a plan can have."""
MAX_CYCLES: Final = 40
"""Cycles of one cell that a run waits for."""


def _stop(ground: Ground, phases: int) -> Steps[None]:
    yield from ground.begin_cycle()
    for _ in range(phases):
        yield from ground.next_phase()
    stopped = done((yield from ground.ask(M.Stop())), M.StopDone)
    equal("the state in STOP's answer", S.SAFE, stopped.state)
    found = [(one.ending, one.phase) for one in (yield from cycle_records(ground, ground.cycle_no))]
    equal("endings of the cycle", [(Ending.ABORTED, (Phase.PUNCH, Phase.SUCTION, Phase.ADVANCE)[phases])], found)
    number = ground.cycle_no
    yield from ground.reach(Stage.ARMED)
    answer = yield from ground.ask(ground.punch(cycle_no=number))
    true("the answer to PUNCH of an aborted cycle", isinstance(answer.message, M.Aborted), "ABORTED", answer.message)
    true("the flags of the answer", bool(answer.header.flags & REPLAYED), "REPLAYED", answer.header.flags)
    yield from state_is(ground, S.ARMED)


def _stop_in_the_stroke(ground: Ground) -> Steps[None]:
    commands = {ground.link.command(command): command for command in (ground.punch(), M.Stop())}
    ends: dict[type[Message], Message] = {}
    while len(ends) < len(commands):
        heard = yield from ground.probe.wait(
            "the ends of PUNCH and STOP",
            lambda one: one.header.correlation_id in commands and not isinstance(one.message, M.Received),
            ANSWER_MS,
        )
        if heard.message is not None:
            command = commands[heard.header.correlation_id]
            ends[type(command)] = heard.message
            ground.follow(command, heard.message)
    stopped = ends[M.Stop]
    true("STOP's answer", isinstance(stopped, M.StopDone), "StopDone", stopped)
    yield from state_is(ground, S.SAFE)
    if isinstance(ends[M.Punch], M.Refused):
        return  # the suction had to recover first: no stroke was begun
    true("PUNCH's end", isinstance(ends[M.Punch], M.Aborted | M.PunchDone), "ABORTED, or done before", ends[M.Punch])
    found = [(one.ending, one.phase) for one in (yield from cycle_records(ground, ground.cycle_no))]
    equal("endings of the cycle", [(Ending.ABORTED, Phase.PUNCH)], found)


def _pause(ground: Ground) -> Steps[None]:
    yield from ground.begin_cycle()
    refused((yield from ground.ask(M.Pause())), Code.E_STATE, Code.E_INTERLOCK)
    while ground.state is not S.ARMED:
        yield from ground.next_phase()
    done((yield from ground.ask(M.Pause())), M.PauseDone)
    refused((yield from ground.ask(ground.punch())), Code.E_STATE, Code.E_INTERLOCK)
    done((yield from ground.ask(M.Resume())), M.ResumeDone)
    yield from state_is(ground, S.ARMED)


# --- the hand's place -----------------------------------------------------------------------------------------------


def _place_kept(ground: Ground, how: Message) -> Steps[None]:
    yield from ground.do(how)
    yield from ground.reach(Stage.ARMED)
    done((yield from ground.begin_cycle()), M.PunchDone)


def _cases() -> list[Case]:
    placed = Stage.PLACED
    return [
        case("cyc.numbers", "numbers rise by one", "CYC-1", _numbers, stage=placed),
        case("cyc.last-again", "PUNCH of the cycle that ended last", "CYC-2", _last_again, stage=placed),
        case("cyc.open-again", "PUNCH of the open cycle", "CYC-3", _open_again, stage=placed),
        case(
            "cyc.in-the-stroke",
            "PUNCH of the open cycle before its answer",
            "CYC-3",
            _again_in_the_stroke,
            stage=placed,
        ),
        case("cyc.older", "PUNCH with an older number", "CYC-4", _older, stage=placed),
        case("cyc.gap", "PUNCH with a number further on", "CYC-5 CYC-1", _gap, stage=placed),
        *(
            case(
                f"cyc.not-open-{name}",
                f"{name} with the number of a cycle that is not open",
                "CYC-6",
                partial(_not_open, name=name),
                stage=placed,
            )
            for name in _PHASES
        ),
        case("cyc.order", "phases out of order", "CYC-7", _order, stage=placed),
        case("cyc.steps", "ADVANCE of four steps", "CYC-8", _steps, stage=placed),
        case(
            "cyc.deadline-late",
            "a deadline a second ago",
            "CYC-9",
            partial(_deadline, ms=-1_000, void=True),
            stage=placed,
        ),
        case(
            "cyc.deadline-long-ago",
            "a deadline half the range ago",
            "CYC-9",
            partial(_deadline, ms=-0x7FFF_0000, void=True),
            stage=placed,
        ),
        case(
            "cyc.deadline-far",
            "a deadline half the range ahead",
            "CYC-9",
            partial(_deadline, ms=0x7FFF_0000, void=False),
            stage=placed,
        ),
        case("cyc.depth", "another depth than the session's", "CYC-10", _depth, stage=placed),
        case("cyc.count", "COUNT's answer agrees with the record", "CYC-11 EVT-1", _count_agrees, stage=placed),
        case(
            "cyc.cell-full",
            "a cell takes as many cycles as it says",
            "CYC-24",
            _cell_is_full,
            Need.MOTION,
            stage=Stage.OPEN,
        ),
        case("cyc.stop-stroke", "STOP in the stroke", "CYC-17 CMD-11 EVT-1", _stop_in_the_stroke, stage=placed),
        case("cyc.pause", "PAUSE in a cycle, PUNCH in a pause", "CYC-18", _pause, stage=placed),
        case(
            "cyc.place-disarm",
            "DISARM leaves the hand's place",
            "CYC-19",
            partial(_place_kept, how=M.Disarm()),
            stage=placed,
        ),
        case(
            "cyc.place-stop", "STOP leaves the hand's place", "CYC-19", partial(_place_kept, how=M.Stop()), stage=placed
        ),
        *(
            case(
                f"cyc.stop-{phase.name.lower()}",
                f"STOP behind {phase.name}",
                "CYC-17 EVT-1 CYC-2",
                partial(_stop, phases=number),
                stage=placed,
            )
            for number, phase in enumerate((Phase.PUNCH, Phase.SUCTION, Phase.ADVANCE))
        ),
    ]


CASES: Final = tuple(_cases())
