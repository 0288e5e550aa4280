"""The steps of a session and of its cycles: records, totals, density, and how a boot ends what was left open."""

import struct
from collections.abc import Callable

import pytest

from firmware_sim.errors import NvmError
from firmware_sim.memory.contents import Contents
from firmware_sim.memory.session import SessionMemory
from firmware_sim.memory.session_steps import BeginCycle, CloseSession, EndCycle, OpenSession, PowerOn, SetPhase
from firmware_sim.memory.steps import Put, Step
from protocols.language.enums import CloseReason, Ending, NeedleOutcome, Phase
from protocols.language.messages.procedure import SessionCloseDone
from protocols.language.records import Boot, Cycle, SessionClosed, SessionOpened
from tests.unit.firmware_sim.memories import PLAN, a_cycle, apply, records

COUNTED, EMPTY, UNCOUNTED = NeedleOutcome.COUNTED, NeedleOutcome.EMPTY, NeedleOutcome.UNCOUNTED
NOT_PUNCTURED, AMBIGUOUS = NeedleOutcome.NOT_PUNCTURED, NeedleOutcome.AMBIGUOUS
OPEN = OpenSession(PLAN.to_json(), 10)
BEGIN = BeginCycle(1, 1, 30, 2_500)


def contents(*steps: Step) -> Contents:
    made = Contents(epoch=7)
    apply(made, *steps)
    return made


def session_of(made: Contents) -> SessionMemory:
    assert made.session is not None
    return made.session


def end(*outcomes: NeedleOutcome, ending: Ending = Ending.COMPLETED, canister_ul: float | None = None) -> EndCycle:
    return EndCycle(ending, Phase.COUNT, outcomes, 1, 30, 3_012, uptime_ms=400, canister_ul=canister_ul)


# --- session --------------------------------------------------------------------------------------------------


def test_a_session_is_opened_with_its_record() -> None:
    made = contents(OPEN)
    assert made.session == PLAN and made.session is not PLAN
    assert made.session_no == 1
    assert records(made) == [
        SessionOpened(
            event_no=1,
            uptime_ms=10,
            session_no=1,
            target_cores=30,
            first_cycle_no=1,
            coverage_bp=600,
            depth_um=3_000,
            cells=4,
            zones=1,
        )
    ]


def test_a_session_is_closed_with_its_record_and_its_totals_stay() -> None:
    made = contents(OPEN, *a_cycle(1, COUNTED, COUNTED, EMPTY), BeginCycle(2, 0, 0, 3_000))
    apply(made, end(UNCOUNTED, UNCOUNTED, UNCOUNTED, ending=Ending.ABORTED), CloseSession(CloseReason.ABORTED, 900))
    assert made.session is None
    assert made.last_close == SessionCloseDone(
        session_no=1, cycles=2, completed=1, aborted=1, ambiguous=0, punctures=6, cores_counted=2
    )
    assert records(made, 4) == [
        SessionClosed(
            event_no=4,
            uptime_ms=900,
            reason=CloseReason.ABORTED,
            session_no=1,
            cycles=2,
            punctures=6,
            cores_counted=2,
        )
    ]


# --- cycle ----------------------------------------------------------------------------------------------------


def test_a_cycle_begins_by_using_up_its_number() -> None:
    made = contents(OPEN, Put("stroke_latch", None), BEGIN)
    assert (made.last_cycle_no, made.register, made.aim) == (1, (1, Phase.PUNCH), (1, 30, 2_500))
    assert made.stroke_latch is False, "a latch that could not be read says nothing of this cycle"


def test_a_cycle_goes_on_to_its_next_phase() -> None:
    assert contents(OPEN, BEGIN, SetPhase(Phase.ADVANCE)).register == (1, Phase.ADVANCE)


def test_a_cycle_ends_in_one_record_with_every_total() -> None:
    made = contents(OPEN, BEGIN, Put("stroke_latch", True), end(COUNTED, EMPTY, COUNTED, canister_ul=3.75))
    assert records(made, 2) == [
        Cycle(
            event_no=2,
            uptime_ms=400,
            ending=Ending.COMPLETED,
            phase=Phase.COUNT,
            needles=3,
            cycle_no=1,
            outcomes=0x121,
            cell=30,
            depth_um=3_012,
            total_punctures=3,
            total_cores_counted=2,
        )
    ]
    assert made.last_outcome == records(made, 2)[0]
    assert (made.register, made.stroke_latch, made.canister_ul, made.cartridge_cycles) == (None, False, 3.75, 1)
    session = session_of(made)
    assert (session.cycles, session.punctures, session.cores_counted) == (1, 3, 2)
    assert session.cell_punctures == {(1, 30): 3}


def test_a_canister_that_is_not_told_stays_as_it_was() -> None:
    made = contents(OPEN, Put("canister_ul", 2.5), BEGIN, end(COUNTED))
    assert made.canister_ul == 2.5


def test_punctures_of_a_cell_add_up() -> None:
    made = contents(OPEN, *a_cycle(1), *a_cycle(2), *a_cycle(3, cell=2))
    assert session_of(made).cell_punctures == {(0, 0): 6, (0, 2): 3}


@pytest.mark.parametrize("ending", [Ending.COMPLETED, Ending.ABORTED, Ending.AMBIGUOUS])
def test_a_cycle_is_counted_by_its_ending(ending: Ending) -> None:
    session = session_of(contents(OPEN, BEGIN, end(UNCOUNTED, ending=ending)))
    assert session.cycles == 1
    assert (session.completed, session.aborted, session.ambiguous) == (
        ending is Ending.COMPLETED,
        ending is Ending.ABORTED,
        ending is Ending.AMBIGUOUS,
    )


def test_a_needle_of_which_nobody_knows_counts_as_punctured() -> None:
    made = contents(OPEN, BEGIN, end(AMBIGUOUS, AMBIGUOUS, NOT_PUNCTURED, ending=Ending.AMBIGUOUS))
    assert (session_of(made).punctures, session_of(made).cell_punctures) == (2, {(1, 30): 2})


def test_untouched_skin_is_no_puncture_and_no_wear() -> None:
    made = contents(OPEN, BEGIN, end(NOT_PUNCTURED, NOT_PUNCTURED, ending=Ending.ABORTED))
    assert (session_of(made).punctures, session_of(made).cell_punctures) == (0, {})
    assert made.cartridge_cycles == 0


# --- out of order ---------------------------------------------------------------------------------------------

REFUSED: list[tuple[list[Step], Step, str]] = [
    ([OPEN], OpenSession(PLAN.to_json(), 0), "session 1 is open"),
    ([], CloseSession(CloseReason.COMPLETED, 0), "no session is open"),
    ([OPEN, BEGIN], CloseSession(CloseReason.COMPLETED, 0), "cycle 1 is open"),
    ([], BEGIN, "no session is open"),
    ([OPEN, BEGIN], BeginCycle(2, 0, 0, 3_000), "cycle 1 is open"),
    ([OPEN], BeginCycle(2, 0, 0, 3_000), "cycle 2 does not follow 0"),
    ([OPEN, *a_cycle(1)], BEGIN, "cycle 1 does not follow 1"),
    ([OPEN], SetPhase(Phase.SUCTION), "no cycle is open"),
    ([OPEN], end(COUNTED), "no cycle is open"),
    ([], end(COUNTED), "no session is open"),
]


@pytest.mark.parametrize(("before", "step", "says"), REFUSED, ids=[says for *_, says in REFUSED])
def test_a_step_out_of_order_is_refused_and_changes_nothing(before: list[Step], step: Step, says: str) -> None:
    made, untouched = contents(*before), contents(*before)
    attempts: list[Callable[[Contents], None]] = [step.check, step.apply]
    for attempt in attempts:
        with pytest.raises(NvmError, match=f"^{says}$"):
            attempt(made)
    assert (made.register, made.session, made.last_cycle_no) == (
        untouched.register,
        untouched.session,
        untouched.last_cycle_no,
    )
    assert (made.head, made.last_close) == (untouched.head, None)


def test_a_number_that_does_not_fit_the_record_is_refused_before_anything_changes() -> None:
    made = contents(OPEN, BEGIN)
    too_deep = end(COUNTED)._replace(depth_um=70_000)
    attempts: list[Callable[[Contents], None]] = [too_deep.check, too_deep.apply]
    for attempt in attempts:
        with pytest.raises(struct.error):
            attempt(made)
    assert (made.register, session_of(made).cycles) == ((1, Phase.PUNCH), 0)


# --- a boot ---------------------------------------------------------------------------------------------------


def test_a_boot_is_counted_and_has_its_record() -> None:
    made = contents(PowerOn(3), PowerOn(4))
    assert made.boot_count == 2
    assert records(made) == [
        Boot(event_no=1, uptime_ms=3, boot_count=1, open_cycle_no=0, phase=Phase.NONE),
        Boot(event_no=2, uptime_ms=4, boot_count=2, open_cycle_no=0, phase=Phase.NONE),
    ]


RESOLVED = [
    # from docs/model.md, "What the memory keeps": phase, latch: ending, outcome of each needle, punctures
    (Phase.PUNCH, False, Ending.ABORTED, NOT_PUNCTURED, 0),
    (Phase.PUNCH, True, Ending.ABORTED, UNCOUNTED, 3),
    (Phase.PUNCH, None, Ending.AMBIGUOUS, AMBIGUOUS, 3),
    *(
        (phase, latch, Ending.ABORTED, UNCOUNTED, 3)
        for phase in (Phase.SUCTION, Phase.ADVANCE, Phase.COUNT)
        for latch in (False, True, None)
    ),
]


@pytest.mark.parametrize(("phase", "latch", "ending", "outcome", "punctures"), RESOLVED)
def test_a_boot_ends_the_cycle_that_was_left_open(
    phase: Phase, latch: bool | None, ending: Ending, outcome: NeedleOutcome, punctures: int
) -> None:
    made = contents(OPEN, BEGIN, SetPhase(phase), Put("stroke_latch", latch), PowerOn(2))
    cycle, boot = records(made, 2)
    assert boot == Boot(event_no=3, uptime_ms=2, boot_count=1, open_cycle_no=1, phase=phase)
    assert (
        cycle
        == made.last_outcome
        == Cycle(
            event_no=2,
            uptime_ms=2,
            ending=ending,
            phase=phase,
            needles=3,
            cycle_no=1,
            outcomes=sum(outcome << 4 * needle for needle in range(3)),
            cell=30,
            depth_um=2_500,
            total_punctures=punctures,
            total_cores_counted=0,
        )
    )
    session = session_of(made)
    assert session.cell_punctures == ({(1, 30): 3} if punctures else {})
    assert (session.aborted, session.ambiguous) == (ending is Ending.ABORTED, ending is Ending.AMBIGUOUS)
    assert (made.register, made.stroke_latch, made.cartridge_cycles) == (None, False, 1 if punctures else 0)


def test_the_number_of_a_cycle_that_a_boot_ended_is_used_up() -> None:
    made = contents(OPEN, BEGIN, PowerOn(2))
    with pytest.raises(NvmError, match="cycle 1 does not follow 1"):
        BEGIN.check(made)
    apply(made, BeginCycle(2, 0, 0, 3_000))
