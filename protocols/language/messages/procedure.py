"""Page 03: the procedure, from opening a session to closing it.

A command's DONE reply stands after it. Commands of the motion lane answer RECEIVED first where they take time.
"""

from typing import Annotated, Final

from protocols.language.enums import CloseReason, DeviceState, Kind, Lane
from protocols.language.fields import I32, S32, U8, U16, U32, EnumByte, Range, TailU16, Unit
from protocols.language.message import Command, Message

MIN_COVERAGE_BP: Final = 400
MAX_COVERAGE_BP: Final = 800
"""Basis points (1/100 %): 4-8 % of the treated skin is removed [S]; a plan outside is refused."""
MIN_DEPTH_UM: Final = 500
MAX_DEPTH_UM: Final = 4_000
"""2.5 to 3.5 mm is what is published [P]; that a device is set from 0.5 to 4.0 mm is an assumption of this model."""
MAX_TARGET_CORES: Final = 1_000_000
"""A hundred times the cores of an ordinary session: more is a mistake in the plan."""
MAX_ANESTHESIA_AGE_S: Final = 86_400
"""A day: any anesthesia has long worn off."""


class SessionOpen(Command["SessionOpenDone"], id=0x0301, lane=Lane.MOTION):
    """Open a session and take control. `zones_cm2` is each zone's area in cells of 1 cm2, zone 0 first.

    0 u32 target_cores | 4 u16 coverage_bp | 6 u16 depth_um | 8 u16[] zones_cm2
    """

    target_cores: Annotated[U32, Range(1, MAX_TARGET_CORES)]
    coverage_bp: Annotated[U16, Unit("0.01 %"), Range(MIN_COVERAGE_BP, MAX_COVERAGE_BP)]
    depth_um: Annotated[U16, Unit("um"), Range(MIN_DEPTH_UM, MAX_DEPTH_UM)]
    zones_cm2: Annotated[TailU16, Unit("cm2")]


class SessionOpenDone(Message, id=0x0301, kind=Kind.REPLY):
    """The session's number, and the plan as the device will hold the host to it.

    0 u32 session_no | 4 u32 first_cycle_no | 8 u8 needles | 9 u16 cells | 11 u8 cycles_per_cell |
    12 u8 punctures_per_cell
    """

    session_no: U32
    first_cycle_no: U32
    needles: U8
    cells: U16
    cycles_per_cell: U8
    punctures_per_cell: U8


class AnesthesiaStart(Command["AnesthesiaStartDone"], id=0x0302, lane=Lane.MOTION):
    """Note that a zone was numbed `age_s` seconds ago; the wait runs from then.

    0 u8 zone | 1 u32 age_s | 5 s32 method
    """

    zone: U8
    age_s: Annotated[U32, Unit("s"), Range(0, MAX_ANESTHESIA_AGE_S)]
    method: S32


class AnesthesiaStartDone(Message, id=0x0302, kind=Kind.REPLY):
    """Time for which CONFIRM for this zone is still refused.

    0 u32 wait_s
    """

    wait_s: Annotated[U32, Unit("s")]


class AnesthesiaConfirm(Command["AnesthesiaConfirmDone"], id=0x0303, lane=Lane.MOTION):
    """A person confirms that the zone is numb.

    0 u8 zone | 1 s32 confirmed_by
    """

    zone: U8
    confirmed_by: S32


class AnesthesiaConfirmDone(Message, id=0x0303, kind=Kind.REPLY):
    """Time for which the confirmation holds.

    0 u32 valid_s
    """

    valid_s: Annotated[U32, Unit("s")]


class Arm(Command["ArmDone"], id=0x0304, lane=Lane.MOTION):
    """Start the pump. DONE when the vacuum stands below the limit for a new cycle.

    No payload.
    """


class ArmDone(Message, id=0x0304, kind=Kind.REPLY):
    """Armed.

    0 i32 vacuum_pa
    """

    vacuum_pa: Annotated[I32, Unit("Pa")]


class Disarm(Command["DisarmDone"], id=0x0305, lane=Lane.MOTION):
    """Stop the pump and vent.

    No payload.
    """


class DisarmDone(Message, id=0x0305, kind=Kind.REPLY):
    """Disarmed; the vacuum is vented.

    0 enum8 state
    """

    state: Annotated[DeviceState, EnumByte]


class Reposition(Command["RepositionDone"], id=0x0306, lane=Lane.MOTION):
    """Ask the hand to move to a cell of a zone. DONE on arrival; the time is the hand's own.

    `cell` is numbered within its zone, from 0.

    0 u8 zone | 1 u16 cell
    """

    zone: U8
    cell: U16


class RepositionDone(Message, id=0x0306, kind=Kind.REPLY):
    """Arrived. `cell_punctures` were made there before, `cycles_left` fit under the plan's limit.

    `cell` is numbered within its zone, as in the command.

    0 u8 zone | 1 u16 cell | 3 u8 cell_punctures | 4 u8 cycles_left
    """

    zone: U8
    cell: U16
    cell_punctures: U8
    cycles_left: U8


class Punch(Command["PunchDone"], id=0x0307, lane=Lane.MOTION):
    """Begin cycle `cycle_no`: needles out to `depth_um`, dwell, back. Void after device uptime `deadline_ms`.

    The last cycle's number is answered with its stored outcome and nothing moves; a gap is E_CYCLE_GAP.

    0 u32 cycle_no | 4 u16 depth_um | 6 u32 deadline_ms
    """

    cycle_no: U32
    depth_um: Annotated[U16, Unit("um")]
    deadline_ms: Annotated[U32, Unit("ms")]


class PunchDone(Message, id=0x0307, kind=Kind.REPLY):
    """The needles are home again. `depth_um` is what the encoder measured, `punctured` one bit a needle.

    0 u32 cycle_no | 4 u16 depth_um | 6 u8 punctured | 7 i32 vacuum_pa
    """

    cycle_no: U32
    depth_um: Annotated[U16, Unit("um")]
    punctured: U8
    vacuum_pa: Annotated[I32, Unit("Pa")]


class Suction(Command["SuctionDone"], id=0x0308, lane=Lane.MOTION):
    """Evacuate the cores of the open cycle.

    0 u32 cycle_no
    """

    cycle_no: U32


class SuctionDone(Message, id=0x0308, kind=Kind.REPLY):
    """Evacuated, as far as it could be.

    0 u32 cycle_no | 4 i32 vacuum_pa
    """

    cycle_no: U32
    vacuum_pa: Annotated[I32, Unit("Pa")]


class Advance(Command["AdvanceDone"], id=0x0309, lane=Lane.MOTION):
    """Move the stage by `steps` pitches within the cell.

    0 u32 cycle_no | 4 u8 steps
    """

    cycle_no: U32
    steps: Annotated[U8, Range(1, 8)]


class AdvanceDone(Message, id=0x0309, kind=Kind.REPLY):
    """Advanced.

    0 u32 cycle_no
    """

    cycle_no: U32


class Count(Command["CountDone"], id=0x030A, lane=Lane.MOTION):
    """Read the count sensor and end the cycle.

    0 u32 cycle_no
    """

    cycle_no: U32


class CountDone(Message, id=0x030A, kind=Kind.REPLY):
    """The cycle's stored outcome. `outcomes` holds a `NeedleOutcome` in each four bits, needle 0 lowest.

    `flagged` has a bit for each needle held to be clogged. The totals are the session's so far.

    0 u32 cycle_no | 4 u32 outcomes | 8 u8 cores_counted | 9 u8 flagged | 10 u8 cell_punctures |
    11 u8 cycles_left | 12 u32 total_punctures | 16 u32 total_cores_counted
    """

    cycle_no: U32
    outcomes: U32
    cores_counted: U8
    flagged: U8
    cell_punctures: U8
    cycles_left: U8
    total_punctures: U32
    total_cores_counted: U32


class Purge(Command["PurgeDone"], id=0x030B, lane=Lane.MOTION):
    """Blow the flagged needles free. It does not always work: the answer says which are flagged still.

    No payload.
    """


class PurgeDone(Message, id=0x030B, kind=Kind.REPLY):
    """Purged; one bit a needle.

    0 u8 cleared | 1 u8 flagged
    """

    cleared: U8
    flagged: U8


class Pause(Command["PauseDone"], id=0x030C, lane=Lane.MOTION):
    """Hold between cycles, armed; an open cycle is refused.

    No payload.
    """


class PauseDone(Message, id=0x030C, kind=Kind.REPLY):
    """Paused.

    No payload.
    """


class Resume(Command["ResumeDone"], id=0x030D, lane=Lane.MOTION):
    """Go on after PAUSE.

    No payload.
    """


class ResumeDone(Message, id=0x030D, kind=Kind.REPLY):
    """Armed again.

    No payload.
    """


class Stop(Command["StopDone"], id=0x030E, lane=Lane.STOP):
    """Stop now: retract, vent, disarm, SAFE. From any link, in any state, harmless twice.

    No payload.
    """


class StopDone(Message, id=0x030E, kind=Kind.REPLY):
    """The stop has begun; its end is seen in the state.

    0 enum8 state
    """

    state: Annotated[DeviceState, EnumByte]


class FaultReset(Command["FaultResetDone"], id=0x030F, lane=Lane.MOTION):
    """Leave SAFE or FAULT and clear latched alarms whose cause is gone. The only way out of either.

    No payload.
    """


class FaultResetDone(Message, id=0x030F, kind=Kind.REPLY):
    """The state after the reset, and how many alarms stay.

    0 enum8 state | 1 u8 alarms
    """

    state: Annotated[DeviceState, EnumByte]
    alarms: U8


class SessionClose(Command["SessionCloseDone"], id=0x0310, lane=Lane.MOTION):
    """Close the session with the host's own fold of the journal; refused, with both numbers, if it disagrees.

    0 u32 session_no | 4 enum8 reason | 5 u32 cycles | 9 u32 completed | 13 u32 aborted | 17 u32 ambiguous |
    21 u32 punctures | 25 u32 cores_counted
    """

    session_no: U32
    reason: Annotated[CloseReason, EnumByte]
    cycles: U32
    completed: U32
    aborted: U32
    ambiguous: U32
    punctures: U32
    cores_counted: U32


class SessionCloseDone(Message, id=0x0310, kind=Kind.REPLY):
    """Closed. The device's own totals, equal to the host's unless it closed as ABANDONED.

    0 u32 session_no | 4 u32 cycles | 8 u32 completed | 12 u32 aborted | 16 u32 ambiguous | 20 u32 punctures |
    24 u32 cores_counted
    """

    session_no: U32
    cycles: U32
    completed: U32
    aborted: U32
    ambiguous: U32
    punctures: U32
    cores_counted: U32
