"""Cases of the interlocks: a sensor, motor, vacuum, cartridge or emergency stop is not as it should be."""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import Run, case
from devicectl.conformance.device.cases.faults import (
    broken,
    ended_in,
    hear_alarms,
    is_noted,
    is_told,
    mended,
    parameter,
    vacuum_stands,
)
from devicectl.conformance.device.cases.journals import alarms_are_as_noted, head_of, records_from
from devicectl.conformance.device.checks import done, equal, failed, refused, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.probe import Steps, UnmetError
from protocols.language import messages as M
from protocols.language.enums import Code, Phase
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import (
    CANISTER,
    CARTRIDGE,
    DEPTH,
    EMERGENCY_STOP,
    FLUID,
    NEEDLE_OUT,
    STALL,
    SUCTION,
)

ESTOP_MS: Final = 100.0
"""Time from an open emergency stop to SAFE."""
ESTOP_FOR_MS: Final = 60_000
MAX_STALLS: Final = 3
"""Strokes that one fault can stall."""


def _needles_out_in_a_cycle(ground: Ground) -> Steps[None]:
    yield from ground.begin_cycle()
    yield from ground.next_phase()
    cycle_no, head = ground.cycle_no, (yield from head_of(ground))
    clear = yield from broken(ground, "retract_sensor_stuck")
    command = M.Advance(cycle_no=cycle_no, steps=1)
    refused((yield from ground.ask(command)), Code.E_INTERLOCK, interlock=NEEDLE_OUT)
    yield from is_noted(ground, head, NEEDLE_OUT)
    yield from ended_in(ground, cycle_no, Phase.SUCTION)
    yield from ground.look()
    true("the state afterwards", ground.state in (S.SAFE, S.FAULT), "held", ground.state.name)
    yield from mended(ground, clear)


def _needles_out_before_a_move(ground: Ground) -> Steps[None]:
    clear = yield from broken(ground, "retract_sensor_stuck")
    refused((yield from ground.ask(M.Reposition(zone=0, cell=1))), Code.E_INTERLOCK, interlock=NEEDLE_OUT)
    yield from ground.look()
    yield from mended(ground, clear)


def _locks(ground: Ground, interlock: int) -> Steps[None]:
    """Punch, and see the stroke end FAILED by an interlock that locks the device."""
    head = yield from head_of(ground)
    failed((yield from ground.ask(ground.punch())), interlock)
    yield from is_noted(ground, head, interlock)
    yield from ended_in(ground, ground.cycle_no, Phase.PUNCH)
    yield from ground.look()
    equal("the state afterwards", S.LOCKED, ground.state)
    refused((yield from ground.ask(M.FaultReset())))


def _too_deep(ground: Ground) -> Steps[None]:
    yield from vacuum_stands(ground)
    over_um = yield from parameter(ground, "depth_over_um")
    clear = yield from broken(ground, "encoder_offset", round(1.6 * over_um))
    yield from _locks(ground, DEPTH)
    yield from mended(ground, clear)


def _stalls(ground: Ground, *, spare: int) -> Steps[None]:
    """Let strokes stall, `spare` fewer than lock the device."""
    tries = round((yield from parameter(ground, "stall_tries")))
    if not spare < tries <= MAX_STALLS:
        raise UnmetError(f"a device that tries a stroke {spare + 1} to {MAX_STALLS} times")
    yield from vacuum_stands(ground)
    clear = yield from broken(ground, "motor_stalls", tries - spare)
    if spare:
        done((yield from ground.ask(ground.punch())), M.PunchDone)
    else:
        yield from _locks(ground, STALL)
    yield from mended(ground, clear)


def _emergency(ground: Ground, *, in_cycle: bool) -> Steps[None]:
    if in_cycle:
        yield from ground.begin_cycle()
        yield from ground.next_phase()
    head = yield from head_of(ground)
    told, asked = hear_alarms(ground), ground.probe.now
    clear = yield from broken(ground, "emergency_stop", ESTOP_FOR_MS)
    at = yield from is_told(ground, told, EMERGENCY_STOP)
    ground.probe.timing("emergency stop to its alarm", at - asked, ESTOP_MS)
    yield from ground.look()
    equal("the state afterwards", S.SAFE, ground.state)
    yield from is_noted(ground, head, EMERGENCY_STOP)
    if in_cycle:
        yield from ended_in(ground, ground.cycle_no, Phase.SUCTION)
    yield from mended(ground, clear)
    yield from ground.look()
    equal("the state once the stop is closed again", S.SAFE, ground.state)


def _stays_refused(ground: Ground, clear: M.FaultClear, head: int, interlock: int) -> Steps[None]:
    """See PUNCH refused by an interlock as long as its cause stands, and taken once it is gone."""
    yield from is_noted(ground, head, interlock)
    refused((yield from ground.ask(ground.punch())), Code.E_INTERLOCK, interlock=interlock)
    yield from ground.look()
    equal("the state afterwards", S.ARMED, ground.state)
    yield from mended(ground, clear)
    yield from ground.begin_cycle()
    yield from alarms_are_as_noted(ground, (yield from records_from(ground, head)))


def _low_vacuum(ground: Ground) -> Steps[None]:
    yield from vacuum_stands(ground)
    head = yield from head_of(ground)
    low_kpa = yield from parameter(ground, "vacuum_low_kpa")
    stop_kpa = yield from parameter(ground, "vacuum_stop_kpa")
    told = hear_alarms(ground)
    clear = yield from broken(ground, "pressure_frozen", (low_kpa + stop_kpa) / 2)
    yield from is_told(ground, told, SUCTION)
    yield from _stays_refused(ground, clear, head, SUCTION)


def _no_cartridge(ground: Ground) -> Steps[None]:
    yield from vacuum_stands(ground)
    head = yield from head_of(ground)
    clear = yield from broken(ground, "cartridge_missing")
    refused((yield from ground.ask(ground.punch())), Code.E_INTERLOCK, interlock=CARTRIDGE)
    yield from _stays_refused(ground, clear, head, CARTRIDGE)


def _vacuum_is_lost(ground: Ground) -> Steps[None]:
    """Lose the vacuum in SUCTION: the cycle ends there, the needles come home, and the device is armed again."""
    stop_kpa = yield from parameter(ground, "vacuum_stop_kpa")
    yield from ground.begin_cycle()
    head = yield from head_of(ground)
    clear = yield from broken(ground, "pressure_frozen", stop_kpa / 3, when='phase == "suction"')
    failed((yield from ground.ask(M.Suction(cycle_no=ground.cycle_no))), SUCTION)
    yield from is_noted(ground, head, SUCTION)
    yield from ended_in(ground, ground.cycle_no, Phase.SUCTION)
    yield from ground.look()
    equal("the state afterwards", S.ARMED, ground.state)
    yield from mended(ground, clear)
    yield from ground.begin_cycle()


def _canister_is_full(ground: Ground) -> Steps[None]:
    """Fill the canister; the next session begins with an empty one."""
    if (yield from parameter(ground, "consumables_keep")):
        raise UnmetError("a device that begins a session with an empty canister")
    yield from vacuum_stands(ground)
    head = yield from head_of(ground)
    yield from broken(ground, "canister_jump", (yield from parameter(ground, "canister_ml")))
    refused((yield from ground.ask(ground.punch())), Code.E_INTERLOCK, interlock=CANISTER)
    yield from is_noted(ground, head, CANISTER)
    yield from ground.reach(Stage.NUMB)
    yield from ground.abandon()
    ground.restore.clear()


def _fluid(ground: Ground) -> Steps[None]:
    yield from ground.begin_cycle()
    head, told = (yield from head_of(ground)), hear_alarms(ground)
    clear = yield from broken(ground, "fluid_inside")
    yield from is_told(ground, told, FLUID)
    yield from ground.look()
    equal("the state afterwards", S.LOCKED, ground.state)
    yield from is_noted(ground, head, FLUID)
    yield from ended_in(ground, ground.cycle_no, Phase.PUNCH)
    refused((yield from ground.ask(M.FaultReset())))
    yield from mended(ground, clear)


def _cases() -> list[Case]:
    rows: dict[str, tuple[str, str, Run]] = {
        "needles-move": ("needles out before REPOSITION", "CYC-23", _needles_out_before_a_move),
        "needles-out": ("needles out before ADVANCE", "CYC-23 EVT-1", _needles_out_in_a_cycle),
        "stall-twice": ("strokes that stall and then do not", "CYC-25", partial(_stalls, spare=1)),
        "vacuum-low": ("a low vacuum", "CYC-24 EVT-10", _low_vacuum),
        "vacuum-lost": ("a vacuum that is lost in a cycle", "CYC-27 EVT-1 EVT-10", _vacuum_is_lost),
        "cartridge": ("a cartridge that is missing", "CYC-24 EVT-10", _no_cartridge),
        "emergency": ("an emergency stop between motions", "CYC-26 EVT-10", partial(_emergency, in_cycle=False)),
        "emergency-cycle": ("an emergency stop in a cycle", "CYC-26 EVT-1", partial(_emergency, in_cycle=True)),
        "too-deep": ("a stroke that is too deep", "CYC-25 EVT-1", _too_deep),
        "stall": ("strokes that stall", "CYC-25 EVT-1", partial(_stalls, spare=0)),
        "fluid": ("fluid in the handpiece", "CYC-28 EVT-1", _fluid),
        "canister": ("a full canister", "CYC-24", _canister_is_full),
    }
    made = []
    for name, (title, rules, run) in rows.items():
        stage = Stage.ARMED if name in ("needles-move", "emergency") else Stage.PLACED
        made.append(case(f"harm.{name}", title, rules, run, Need.FAULTS, stage=stage))
    return made


CASES: Final = tuple(_cases())
