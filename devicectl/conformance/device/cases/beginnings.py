"""Cases of what must come first, and of commands that have no place in a state."""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import Run, case
from devicectl.conformance.device.checks import done, equal, refused, true
from devicectl.conformance.device.ground import DEPTH_UM, ZONES, Ground, Stage
from devicectl.conformance.device.probe import Steps, UnmetError
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import ANESTHESIA_NEEDED, ANESTHESIA_TIME, ZONE
from protocols.language.message import Message

NEARLY_S: Final = 10
"""Seconds of a wait that are left where it is nearly over: more than two answers take."""


def state_is(ground: Ground, state: S) -> Steps[None]:
    """See that the device is in a state, as it says itself."""
    yield from ground.look()
    equal("the state afterwards", state, ground.state)


def _arm_unconfirmed(ground: Ground, *, numbed: bool) -> Steps[None]:
    if numbed:
        yield from ground.do(M.AnesthesiaStart(zone=0, age_s=0, method="conformance"))
    refused((yield from ground.ask(M.Arm())), Code.E_INTERLOCK, interlock=ANESTHESIA_NEEDED)
    yield from ground.look()
    true("the state afterwards", ground.state in (S.SESSION_OPEN, S.ANESTHESIA_WAIT), "not armed", ground.state.name)


def _one_zone_of_two(ground: Ground) -> Steps[None]:
    start = yield from ground.do(M.AnesthesiaStart(zone=1, age_s=0, method="conformance"))
    assert isinstance(start, M.AnesthesiaStartDone)
    refused((yield from ground.ask(M.Arm())), Code.E_INTERLOCK, interlock=ANESTHESIA_NEEDED)
    # A confirmation that comes while the other zone still waits must not be taken for that of both.
    yield from ground.do(M.AnesthesiaStart(zone=0, age_s=start.wait_s, method="conformance"))
    yield from ground.do(M.AnesthesiaConfirm(zone=0, confirmed_by="conformance"))
    refused((yield from ground.ask(M.Arm())), Code.E_INTERLOCK, interlock=ANESTHESIA_NEEDED)
    yield from ground.abandon()


def _confirm_early(ground: Ground) -> Steps[None]:
    start = done((yield from ground.ask(M.AnesthesiaStart(zone=0, age_s=0, method="x"))), M.AnesthesiaStartDone)
    confirm = M.AnesthesiaConfirm(zone=0, confirmed_by="conformance")
    if start.wait_s <= 1:
        raise UnmetError("a device whose anesthesia has to wait")
    refused((yield from ground.ask(confirm)), Code.E_INTERLOCK, interlock=ANESTHESIA_TIME)
    if start.wait_s > NEARLY_S:
        yield from ground.do(M.AnesthesiaStart(zone=0, age_s=start.wait_s - NEARLY_S, method="x"))
        refused((yield from ground.ask(confirm)), Code.E_INTERLOCK, interlock=ANESTHESIA_TIME)
        yield from ground.abandon()
        yield from ground.reach(Stage.OPEN)
        for age_s in (start.wait_s, 0):  # the wait runs from what was said last
            yield from ground.do(M.AnesthesiaStart(zone=0, age_s=age_s, method="x"))
        refused((yield from ground.ask(confirm)), Code.E_INTERLOCK, interlock=ANESTHESIA_TIME)


def _outside(ground: Ground, command: Message) -> Steps[None]:
    refused((yield from ground.ask(command)), Code.E_INTERLOCK, interlock=ZONE)


def _zone_outside(ground: Ground) -> Steps[None]:
    """Name a zone outside the plan to both commands of anesthesia; a confirmation has its place once a zone waits."""
    outside = len(ZONES)
    yield from _outside(ground, M.AnesthesiaStart(zone=outside, age_s=0, method=""))
    yield from ground.do(M.AnesthesiaStart(zone=0, age_s=0, method="conformance"))
    yield from _outside(ground, M.AnesthesiaConfirm(zone=outside, confirmed_by="conformance"))


def _held_with_information(ground: Ground) -> Steps[None]:
    """Stop after a PUNCH in a zone that was not numbed: what is said of that zone is not what holds the device."""
    yield from ground.do(M.Reposition(zone=1, cell=0))
    refused((yield from ground.ask(ground.punch())), Code.E_INTERLOCK, interlock=ANESTHESIA_NEEDED)
    done((yield from ground.ask(M.Stop())), M.StopDone)
    no = refused((yield from ground.ask(M.Arm())), Code.E_STATE, Code.E_INTERLOCK)
    true("the interlock of a refusal in SAFE", no.interlock != ANESTHESIA_NEEDED, "another one, or 0", no.interlock)
    yield from state_is(ground, S.SAFE)
    ground.placed = False  # the hand stays where nobody can punch


def _plan(ground: Ground, target: int, zones: tuple[int, ...]) -> Steps[None]:
    wrong = M.SessionOpen(target_cores=target, coverage_bp=800, depth_um=DEPTH_UM, zones_cm2=zones)
    refused((yield from ground.ask(wrong)), Code.E_RANGE)
    yield from state_is(ground, S.IDLE)


_NEVER_OPEN: Final = 0xFFFF_0000
"""A cycle's number that no device has come to: the one that ended last would be answered from memory."""
_NO_PLACE: Final[dict[str, Message]] = {
    "disarm": M.Disarm(),
    "pause": M.Pause(),
    "resume": M.Resume(),
    "fault-reset": M.FaultReset(),
    "anesthesia": M.AnesthesiaStart(zone=0, age_s=0, method=""),
    "suction": M.Suction(cycle_no=_NEVER_OPEN),
    "count": M.Count(cycle_no=_NEVER_OPEN),
    "arm": M.Arm(),
    "reposition": M.Reposition(zone=0, cell=0),
    "purge": M.Purge(),
}
_MOVING: Final = ("arm", "reposition", "purge")


def _codes(command: Message) -> tuple[Code, ...]:
    """Return the codes of a command that has no place; a device may have no PURGE at all."""
    lacking = (Code.E_UNSUPPORTED,) if isinstance(command, M.Purge) else ()
    return (Code.E_STATE, Code.E_INTERLOCK, *lacking)


def _no_place(ground: Ground, command: Message) -> Steps[None]:
    refused((yield from ground.ask(command)), *_codes(command))
    yield from state_is(ground, S.IDLE)


def _open_twice(ground: Ground) -> Steps[None]:
    refused((yield from ground.ask(ground.plan())), Code.E_STATE, Code.E_INTERLOCK)
    yield from state_is(ground, S.SESSION_OPEN)


def _no_place_armed(ground: Ground) -> Steps[None]:
    for command in (
        ground.plan(),
        ground.closing(CloseReason.ABANDONED),
        M.AnesthesiaStart(zone=0, age_s=0, method=""),
        M.Arm(),
        M.Resume(),
        M.FaultReset(),
    ):
        refused((yield from ground.ask(command)), Code.E_STATE, Code.E_INTERLOCK)
    yield from state_is(ground, S.ARMED)


def _no_place_paused(ground: Ground) -> Steps[None]:
    done((yield from ground.ask(M.Pause())), M.PauseDone)
    for command in (ground.closing(CloseReason.ABANDONED), M.Arm(), M.Pause(), M.Reposition(zone=0, cell=0), M.Purge()):
        refused((yield from ground.ask(command)), *_codes(command))
    yield from state_is(ground, S.PAUSED)
    done((yield from ground.ask(M.Resume())), M.ResumeDone)


def _cases() -> list[Case]:
    idle, opened, armed = Stage.IDLE, Stage.OPEN, Stage.ARMED
    plans: dict[str, tuple[int, tuple[int, ...]]] = {
        "no-zones": (30, ()),
        "empty-zone": (30, (4, 0)),
        "too-many-cores": (1_000_000, (1,)),
        "too-many-cells": (30, (0xFFFF, 0xFFFF)),
    }
    made: list[Case] = []
    for name, (target, zones) in plans.items():
        run: Run = partial(_plan, target=target, zones=zones)
        made.append(case(f"cyc.plan-{name}", f"a plan with {name}", "CYC-15", run, stage=idle))
    for name, command in _NO_PLACE.items():
        needs = (Need.MOTION,) if name in _MOVING else ()
        run = partial(_no_place, command=command)
        made.append(case(f"cyc.idle-{name}", f"{name} without a session", "CYC-16", run, *needs, stage=idle))
    made += [
        case("cyc.open-twice", "a second session", "CYC-16", _open_twice, stage=opened),
        case(
            "cyc.arm-unnumbed",
            "ARM before any zone is numbed",
            "CYC-12",
            partial(_arm_unconfirmed, numbed=False),
            Need.MOTION,
            stage=opened,
        ),
        case(
            "cyc.arm-unconfirmed",
            "ARM before a zone is confirmed",
            "CYC-12",
            partial(_arm_unconfirmed, numbed=True),
            Need.MOTION,
            stage=opened,
        ),
        case("cyc.confirm-early", "a confirmation before the wait is over", "CYC-13", _confirm_early, stage=opened),
        case(
            "cyc.zone-outside",
            "a zone outside the plan",
            "CYC-14",
            _zone_outside,
            stage=opened,
        ),
        case(
            "cyc.arm-one-of-two",
            "ARM with a second zone unconfirmed",
            "CYC-12",
            _one_zone_of_two,
            Need.MOTION,
            stage=Stage.NUMB,
        ),
        *(
            case(
                f"cyc.cell-outside-{zone}",
                "a cell outside the plan",
                "CYC-14",
                partial(_outside, command=M.Reposition(zone=zone, cell=cell)),
                stage=armed,
            )
            for zone, cell in ((0, ZONES[0]), (len(ZONES), 0))
        ),
        case(
            "cyc.held", "a hold after a zone that was not numbed", "CYC-16 CYC-17", _held_with_information, stage=armed
        ),
        case("cyc.armed", "what has no place in an armed device", "CYC-16", _no_place_armed, stage=armed),
        case("cyc.paused", "what has no place in a pause", "CYC-16", _no_place_paused, stage=armed),
    ]
    return made


CASES: Final = tuple(_cases())
