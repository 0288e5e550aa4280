"""Cases in which something of the device is broken: a simulated one is asked to break it, by FAULT_INJECT.

How it works: a case brings in one fault, sees what the rules say of it, and ends it. A kind that nobody there can do
skips the case. Kinds, their quantities and triggers are those of docs/faults.md.
"""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import case
from devicectl.conformance.device.cases.journals import (
    alarms_are_as_noted,
    close_by_records,
    cycle_records,
    page_from,
    records_from,
)
from devicectl.conformance.device.cases.power import cycle_was_cut
from devicectl.conformance.device.checks import done, equal, refused, say, true
from devicectl.conformance.device.ground import OFF_MS, Ground, Stage
from devicectl.conformance.device.probe import BrokenRule, Heard, Steps, UnmetError
from devicectl.conformance.device.standing import NEXT_PHASE
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import Code, Ending, NeedleOutcome, Phase
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import CARTRIDGE, DEPTH, EMERGENCY_STOP, NEEDLE_OUT, STALL, SUCTION
from protocols.language.message import Message

ESTOP_MS: Final = 100.0
"""Time from an open emergency stop to SAFE."""
ESTOP_FOR_MS: Final = 60_000
MAX_STALLS: Final = 3
"""Strokes that one fault can stall."""
TOLD_MS: Final = 1_000
SOON_MS: Final = 20
"""Time in which a fault that was given begins or ends."""
_BEHIND: Final = {1: Phase.SUCTION, 2: Phase.ADVANCE}
"""Phases behind PUNCH that are done -> the last of them."""
LOST_MS: Final = 200
"""Time in which a write that loses the power comes."""


def broken(ground: Ground, kind: str, *values: float, when: str = "") -> Steps[M.FaultClear]:
    """Bring in a fault with its first quantities; returns the command that ends it.

    Raises:
        UnmetError: nobody there can do that.
        BrokenRule: it is refused for another reason.
    """
    numbers = {f"value_{number}": 0.0 for number in range(5)}
    numbers |= {f"value_{number}": float(value) for number, value in enumerate(values)}
    answer = yield from ground.ask(M.FaultInject(fault=kind, when=when, given=(1 << len(values)) - 1, **numbers))
    if isinstance(answer.message, M.Refused) and answer.message.code is Code.E_UNSUPPORTED:
        raise UnmetError(f"a device that takes the fault {kind}: {answer.message.sentence}")
    clear = M.FaultClear(fault_id=done(answer, M.FaultInjectDone).fault_id)
    ground.restore.append(clear)
    while not when:  # one that begins at once begins behind its answer
        yield from ground.probe.pause(SOON_MS)
        if done((yield from ground.ask(M.FaultGet(fault_id=clear.fault_id))), M.FaultGetDone).began:
            break
    return clear


def mended(ground: Ground, clear: M.FaultClear) -> Steps[None]:
    """End a fault."""
    done((yield from ground.ask(clear)), M.FaultClearDone)
    yield from ground.probe.pause(SOON_MS)
    ground.restore.remove(clear)


def _parameter(ground: Ground, name: str) -> Steps[float]:
    answer = yield from ground.ask(M.ParamGet(name=name))
    if not isinstance(answer.message, M.ParamGetDone):
        raise UnmetError(f"a device with the parameter {name}")
    return answer.message.value


def _hear_alarms(ground: Ground) -> list[tuple[int, int]]:
    """Return a list that is filled with the interlock and the time of each alarm that is told from now on."""
    told: list[tuple[int, int]] = []

    def keep(heard: Heard) -> None:
        if isinstance(heard.message, M.Alarm):
            told.append((heard.message.interlock, heard.at))

    ground.probe.watch = keep
    return told


def _is_told(ground: Ground, told: list[tuple[int, int]], interlock: int) -> Steps[int]:
    """See that an interlock's alarm was told, or is within a second; returns when."""
    yield from ground.probe.pause(0 if told else TOLD_MS)
    times = [at for number, at in told if number == interlock]
    true("interlocks whose alarms were told", bool(times), str(interlock), [number for number, _ in told])
    return times[0]


def _head(ground: Ground) -> Steps[int]:
    return (yield from page_from(ground, 1)).head


def _is_noted(ground: Ground, head: int, interlock: int) -> Steps[None]:
    """See that the journal has an interlock's alarm, and the list of alarms what the journal has."""
    records = yield from records_from(ground, head)
    noted = [one.interlock for one in records if isinstance(one, R.AlarmChanged)]
    true("alarms in the journal since the fault, by interlock", interlock in noted, str(interlock), noted)
    yield from alarms_are_as_noted(ground, records)


def _ended(ground: Ground, cycle_no: int, *phases: Phase) -> Steps[None]:
    """See that a cycle has its one record: ABORTED, in one of some phases."""
    found = [(one.ending, one.phase) for one in (yield from cycle_records(ground, cycle_no))]
    right = [[(Ending.ABORTED, phase)] for phase in phases]
    true(f"endings of cycle {cycle_no}", found in right, f"ABORTED once, in {' or '.join(phases_named(phases))}", found)


def phases_named(phases: tuple[Phase, ...]) -> list[str]:
    """Name phases, for a report."""
    return [phase.name for phase in phases]


# --- interlocks ---------------------------------------------------------------------------------------------------


def _needles_out_in_a_cycle(ground: Ground) -> Steps[None]:
    yield from ground.begin_cycle()
    yield from ground.next_phase()
    cycle_no, head = ground.cycle_no, (yield from _head(ground))
    clear = yield from broken(ground, "retract_sensor_stuck")
    command = M.Advance(cycle_no=cycle_no, steps=1)
    refused((yield from ground.ask(command)), Code.E_INTERLOCK, interlock=NEEDLE_OUT)
    yield from _is_noted(ground, head, NEEDLE_OUT)
    yield from _ended(ground, cycle_no, Phase.SUCTION)
    yield from ground.look()
    true("the state afterwards", ground.state in (S.SAFE, S.FAULT), "held", ground.state.name)
    yield from mended(ground, clear)


def _needles_out_before_a_move(ground: Ground) -> Steps[None]:
    clear = yield from broken(ground, "retract_sensor_stuck")
    refused((yield from ground.ask(M.Reposition(zone=0, cell=1))), Code.E_INTERLOCK, interlock=NEEDLE_OUT)
    yield from ground.look()
    yield from mended(ground, clear)


def _failed(ground: Ground, interlock: int) -> Steps[None]:
    """Punch, and see the stroke end FAILED by an interlock that locks the device."""
    head = yield from _head(ground)
    answer = yield from ground.ask(ground.punch())
    no = answer.message
    if not isinstance(no, M.Failed):
        raise BrokenRule("the answer to PUNCH", f"FAILED, interlock {interlock}", say(no))
    equal("the interlock of the failure", interlock, no.interlock)
    yield from _is_noted(ground, head, interlock)
    yield from _ended(ground, ground.cycle_no, Phase.PUNCH)
    yield from ground.look()
    equal("the state afterwards", S.LOCKED, ground.state)
    refused((yield from ground.ask(M.FaultReset())))


def _too_deep(ground: Ground) -> Steps[None]:
    over_um = yield from _parameter(ground, "depth_over_um")
    clear = yield from broken(ground, "encoder_offset", round(1.6 * over_um))
    yield from _failed(ground, DEPTH)
    yield from mended(ground, clear)


def _stalls(ground: Ground, *, spare: int) -> Steps[None]:
    """Let strokes stall, `spare` fewer than lock the device."""
    tries = round((yield from _parameter(ground, "stall_tries")))
    if not spare < tries <= MAX_STALLS:
        raise UnmetError(f"a device that tries a stroke {spare + 1} to {MAX_STALLS} times")
    clear = yield from broken(ground, "motor_stalls", tries - spare)
    if spare:
        done((yield from ground.ask(ground.punch())), M.PunchDone)
    else:
        yield from _failed(ground, STALL)
    yield from mended(ground, clear)


def _emergency(ground: Ground, *, in_cycle: bool) -> Steps[None]:
    if in_cycle:
        yield from ground.begin_cycle()
        yield from ground.next_phase()
    head = yield from _head(ground)
    told, asked = _hear_alarms(ground), ground.probe.now
    clear = yield from broken(ground, "emergency_stop", ESTOP_FOR_MS)
    at = yield from _is_told(ground, told, EMERGENCY_STOP)
    ground.probe.timing("emergency stop to its alarm", at - asked, ESTOP_MS)
    yield from ground.look()
    equal("the state afterwards", S.SAFE, ground.state)
    yield from _is_noted(ground, head, EMERGENCY_STOP)
    if in_cycle:
        yield from _ended(ground, ground.cycle_no, Phase.SUCTION)
    yield from mended(ground, clear)
    yield from ground.look()
    equal("the state once the stop is closed again", S.SAFE, ground.state)


def _stays_refused(ground: Ground, clear: M.FaultClear, head: int, interlock: int) -> Steps[None]:
    """See PUNCH refused by an interlock as long as its cause stands, and taken once it is gone."""
    yield from _is_noted(ground, head, interlock)
    refused((yield from ground.ask(ground.punch())), Code.E_INTERLOCK, interlock=interlock)
    yield from ground.look()
    equal("the state afterwards", S.ARMED, ground.state)
    yield from mended(ground, clear)
    yield from ground.begin_cycle()
    yield from alarms_are_as_noted(ground, (yield from records_from(ground, head)))


def _low_vacuum(ground: Ground) -> Steps[None]:
    head = yield from _head(ground)
    low_kpa = yield from _parameter(ground, "vacuum_low_kpa")
    stop_kpa = yield from _parameter(ground, "vacuum_stop_kpa")
    told = _hear_alarms(ground)
    clear = yield from broken(ground, "pressure_frozen", (low_kpa + stop_kpa) / 2)
    yield from _is_told(ground, told, SUCTION)
    yield from _stays_refused(ground, clear, head, SUCTION)


def _no_cartridge(ground: Ground) -> Steps[None]:
    head = yield from _head(ground)
    clear = yield from broken(ground, "cartridge_missing")
    refused((yield from ground.ask(ground.punch())), Code.E_INTERLOCK, interlock=CARTRIDGE)
    yield from _stays_refused(ground, clear, head, CARTRIDGE)


def _vacuum_is_lost(ground: Ground) -> Steps[None]:
    """Lose the vacuum in SUCTION: the cycle ends there, the needles come home, and the device is armed again."""
    stop_kpa = yield from _parameter(ground, "vacuum_stop_kpa")
    yield from ground.begin_cycle()
    head = yield from _head(ground)
    clear = yield from broken(ground, "pressure_frozen", stop_kpa / 3, when='phase == "suction"')
    answer = yield from ground.ask(M.Suction(cycle_no=ground.cycle_no))
    no = answer.message
    if not isinstance(no, M.Failed):
        raise BrokenRule("the answer to SUCTION", f"FAILED, interlock {SUCTION}", say(no))
    equal("the interlock of the failure", SUCTION, no.interlock)
    yield from _is_noted(ground, head, SUCTION)
    yield from _ended(ground, ground.cycle_no, Phase.SUCTION)
    yield from ground.look()
    equal("the state afterwards", S.ARMED, ground.state)
    yield from mended(ground, clear)
    yield from ground.begin_cycle()


# --- memory -------------------------------------------------------------------------------------------------------


def _latch_is_lost(ground: Ground) -> Steps[None]:
    """Lose the power in a stroke, and the latch with it: its needles count, and the session closes on that."""
    yield from broken(ground, "latch_unreadable", when='phase == "punch"')
    cycle_no = ground.cycle_no + 1
    yield from _until_power_is_back(ground, ground.punch())
    ground.restore.clear()
    found = yield from cycle_records(ground, cycle_no)
    equal(f"records of cycle {cycle_no}", 1, len(found))
    outcomes = R.unpack_outcomes(found[0].outcomes, found[0].needles)
    true(
        "needles of a stroke of which nobody knows", NeedleOutcome.NOT_PUNCTURED not in outcomes, "punctured", outcomes
    )
    yield from close_by_records(ground)


def _until_power_is_back(ground: Ground, command: Message) -> Steps[None]:
    """Give a command in which the power is lost, and link with the device again."""
    ground.link.command(command)
    yield from ground.probe.pause(LOST_MS, channel=-1)
    ground.placed = False
    yield from ground.close_channel(0)
    yield from ground.probe.pause(OFF_MS, channel=-1)
    yield from ground.reach(Stage.LINKED)


def _write_is_lost(ground: Ground, phases: int) -> Steps[None]:
    """Lose the power at the first write behind DONE, with all that is not on the medium: what DONE has shown stands."""
    yield from ground.begin_cycle()
    for _ in range(phases):
        yield from ground.next_phase()
    head = yield from _head(ground)
    yield from broken(ground, "lost_write")
    command, number = NEXT_PHASE[ground.state], ground.cycle_no
    last = M.Advance(cycle_no=number, steps=1) if command is M.Advance else command(cycle_no=number)
    yield from _until_power_is_back(ground, last)
    ground.restore.clear()
    yield from cycle_was_cut(ground, head, _BEHIND[phases])


def _session_is_kept(ground: Ground) -> Steps[None]:
    """Lose the power at the first write behind SESSION_OPEN's DONE: the session is there."""
    yield from ground.do(ground.plan())
    session_no = ground.session_no
    yield from broken(ground, "lost_write")
    yield from _until_power_is_back(ground, M.AnesthesiaStart(zone=0, age_s=0, method="conformance"))
    ground.restore.clear()
    equal("session and state in WELCOME", (session_no, S.SAFE), (ground.session_no, ground.state))


def _cases() -> list[Case]:
    faults, armed, placed = Need.FAULTS, Stage.ARMED, Stage.PLACED
    return [
        case(
            "harm.session",
            "a write that is lost behind SESSION_OPEN",
            "EVT-18 EVT-22",
            _session_is_kept,
            faults,
            stage=Stage.IDLE,
        ),
        case(
            "harm.needles-move",
            "needles out before REPOSITION",
            "CYC-23",
            _needles_out_before_a_move,
            faults,
            stage=armed,
        ),
        case(
            "harm.needles-out",
            "needles out before ADVANCE",
            "CYC-23 EVT-1",
            _needles_out_in_a_cycle,
            faults,
            stage=placed,
        ),
        case(
            "harm.stall-twice",
            "strokes that stall and then do not",
            "CYC-25",
            partial(_stalls, spare=1),
            faults,
            stage=placed,
        ),
        case("harm.vacuum-low", "a low vacuum", "CYC-24 EVT-10", _low_vacuum, faults, stage=placed),
        case(
            "harm.vacuum-lost",
            "a vacuum that is lost in a cycle",
            "CYC-27 EVT-1 EVT-10",
            _vacuum_is_lost,
            faults,
            stage=placed,
        ),
        case("harm.cartridge", "a cartridge that is missing", "CYC-24 EVT-10", _no_cartridge, faults, stage=placed),
        case(
            "harm.emergency",
            "the emergency stop of an armed device",
            "CYC-26 EVT-10",
            partial(_emergency, in_cycle=False),
            faults,
            stage=armed,
        ),
        case(
            "harm.emergency-cycle",
            "the emergency stop in a cycle",
            "CYC-26 EVT-1",
            partial(_emergency, in_cycle=True),
            faults,
            stage=placed,
        ),
        case("harm.too-deep", "a stroke that is too deep", "CYC-25 EVT-1", _too_deep, faults, stage=placed),
        case("harm.stall", "strokes that stall", "CYC-25 EVT-1", partial(_stalls, spare=0), faults, stage=placed),
        case(
            "harm.latch", "power and latch are lost in a stroke", "EVT-19 EVT-12", _latch_is_lost, faults, stage=placed
        ),
        *(
            case(
                f"harm.write-{phase.name.lower()}",
                f"a write that is lost behind {phase.name}",
                "EVT-18 EVT-15",
                partial(_write_is_lost, phases=number),
                faults,
                stage=placed,
            )
            for number, phase in _BEHIND.items()
        ),
    ]


CASES: Final = tuple(_cases())
