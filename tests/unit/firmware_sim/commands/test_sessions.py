"""Opening, numbing and closing a session, one fact at a time: docs/protocol.md section 5 and docs/model.md."""

import pytest

from firmware_sim.board.board import NO_CELL
from firmware_sim.commands.sessions import cycles_per_cell
from firmware_sim.model.parameters import Parameters
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import CloseReason, Code, DeviceState
from protocols.language.units import SECOND, Micros
from tests.unit.firmware_sim.boards import PLAN, Bench, armed, held, numbed, opened, plan

S = DeviceState


# --- SESSION_OPEN -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("coverage_bp", "punctures"), [(400, 33), (500, 39), (600, 48), (800, 63)])
def test_a_cell_takes_whole_cycles_of_three_needles_up_to_its_share(coverage_bp: int, punctures: int) -> None:
    assert cycles_per_cell(coverage_bp, 3, Parameters()) * 3 == punctures, "docs/model.md, Geometry"


@pytest.mark.parametrize(
    ("coverage_bp", "needles", "overrides", "cycles"),
    [
        (800, 8, {}, 7),  # 64 would be over the cap of 63
        (800, 1, {}, 63),
        (600, 3, {"core_diameter_mm": 0.3}, 21),  # 85 would be over the cap
        (600, 3, {"core_diameter_mm": 0.3, "density_cap_per_cm2": 113}, 28),
        (400, 8, {"core_diameter_mm": 0.49, "density_cap_per_cm2": 8}, 1),
    ],
)
def test_a_cell_takes_no_cycle_above_the_cap(
    coverage_bp: int, needles: int, overrides: dict[str, float], cycles: int
) -> None:
    assert cycles_per_cell(coverage_bp, needles, Parameters(overrides)) == cycles


def test_a_cell_takes_one_cycle_at_least() -> None:
    assert cycles_per_cell(400, 8, Parameters({"density_cap_per_cm2": 4})) == 1


@pytest.mark.parametrize(
    ("changes", "says", "expected", "actual"),
    [
        ({"zones_cm2": ()}, "a plan needs zones of at least 1 cm2, 2,000 cm2 in all", 2_000, 0),
        ({"zones_cm2": (5, 0)}, "a plan needs zones of at least 1 cm2, 2,000 cm2 in all", 2_000, 5),
        ({"zones_cm2": (1_000, 1_001)}, "a plan needs zones of at least 1 cm2, 2,000 cm2 in all", 2_000, 2_001),
        ({"depth_um": 3_100}, "depth 3100 um is not a multiple of 500 um", 500, 3_100),
        ({"target_cores": 289}, "289 cores do not fit 6 cells: at most 288 punctures at this coverage", 288, 289),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(
    changes: dict[str, object], says: str, expected: int, actual: int
) -> None:
    bench = Bench()
    no = bench.refused(plan(**changes))
    assert (no.code, no.sentence, no.expected, no.actual) == (Code.E_RANGE, says, expected, actual)
    assert (bench.nvm.session, bench.board.state) == (None, S.IDLE)


@pytest.mark.parametrize("changes", [{"zones_cm2": (1_000, 1_000)}, {"target_cores": 288}])
def test_a_plan_at_its_limits_is_taken(changes: dict[str, object]) -> None:
    Bench().said(plan(**changes), M.SessionOpenDone)


def test_opening_tells_the_plan_as_the_device_holds_the_host_to_it() -> None:
    bench = Bench()
    bench.nvm.session_no, bench.nvm.last_cycle_no = 4, 99
    assert bench.said(PLAN, M.SessionOpenDone) == M.SessionOpenDone(
        session_no=5, first_cycle_no=100, needles=3, cells=6, cycles_per_cell=16, punctures_per_cell=48
    )
    assert bench.board.state is S.SESSION_OPEN


def test_what_is_opened_is_in_the_memory_and_in_the_journal() -> None:
    bench = Bench()
    bench.now = Micros(2 * SECOND)
    head = bench.nvm.head
    bench.ask(PLAN)
    session = bench.nvm.session
    assert session is not None
    assert (session.session_no, session.first_cycle_no, session.target_cores) == (1, 1, 30)
    assert (session.coverage_bp, session.depth_um, session.zones_cm2, session.cells) == (600, 3_000, (4, 2), 6)
    assert bench.records(head) == [
        R.SessionOpened(
            event_no=head,
            uptime_ms=2_000,
            session_no=1,
            target_cores=30,
            first_cycle_no=1,
            coverage_bp=600,
            depth_um=3_000,
            cells=6,
            zones=2,
        )
    ]


@pytest.mark.parametrize(("keep", "cycles", "volume"), [(0, 0, 0.0), (1, 700, 55.0)])
def test_a_session_starts_with_fresh_consumables_unless_they_are_kept(keep: int, cycles: int, volume: float) -> None:
    bench = Bench(consumables_keep=keep)
    bench.plant.cartridge.cycles, bench.plant.canister.volume_ul = 700, 55.0
    bench.ask(PLAN)
    assert (bench.plant.cartridge.cycles, bench.plant.canister.volume_ul) == (cycles, volume)


def test_a_session_begins_without_anything_of_the_one_before() -> None:
    bench = armed()
    bench.cycle()
    bench.nvm.flagged = 0b11
    bench.board.raise_alarm(A.NEEDLES_CLOGGED, bench.now)
    bench.done(M.Disarm(), M.DisarmDone)
    bench.said(bench.close(), M.SessionCloseDone)
    bench.board.zones.update(numbed().board.zones)
    bench.board.raise_alarm(A.SUCTION_LOST, bench.now)
    bench.board.raise_alarm(A.HOT, bench.now)
    bench.ask(PLAN)
    board = bench.board
    assert (board.zones, board.cell, board.cycle.last_count, board.nvm.flagged) == ({}, NO_CELL, None, 0)
    assert list(board.alarms.active) == [A.HOT], "a warm handle is no matter of a session"
    assert (board.truth_session_no, bench.plant.truth.punctures, board.strokes.missing) == (2, 0, 0)


# --- anesthesia ---------------------------------------------------------------------------------------------


def start(zone: int, age_s: int) -> M.AnesthesiaStart:
    return M.AnesthesiaStart(zone=zone, age_s=age_s, method="cream")


def confirm(zone: int) -> M.AnesthesiaConfirm:
    return M.AnesthesiaConfirm(zone=zone, confirmed_by="a person")


def test_a_zone_out_of_the_plan_is_not_numbed() -> None:
    bench = opened()
    no = bench.refused(start(2, 0))
    assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 9, 2, 2)
    assert bench.board.zones == {}


@pytest.mark.parametrize(("age_s", "wait_s"), [(0, 300), (299, 1), (300, 0), (9_000, 0)])
def test_numbing_tells_how_long_its_confirmation_is_still_refused(age_s: int, wait_s: int) -> None:
    bench = opened()
    head = bench.nvm.head
    assert bench.said(start(1, age_s), M.AnesthesiaStartDone).wait_s == wait_s
    assert bench.board.state is S.ANESTHESIA_WAIT
    assert bench.records(head) == [R.Anesthesia(event_no=head, uptime_ms=0, zone=1, confirmed=0, age_s=age_s)]


def test_a_zone_that_was_not_numbed_is_not_confirmed() -> None:
    bench = opened()
    bench.ask(start(0, 400))
    no = bench.refused(confirm(1))
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 2)
    assert no.sentence == "zone 1 was not numbed: send ANESTHESIA_START first"


def test_a_confirmation_of_a_zone_outside_the_plan_is_refused_by_interlock_9() -> None:
    bench = opened()
    bench.ask(start(0, 400))
    no = bench.refused(confirm(2))
    assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 9, 2, 2)
    assert no.sentence == "zone 2 is not in the plan"


def test_a_confirmation_too_early_is_refused_up_to_the_second() -> None:
    bench = opened()
    bench.ask(start(0, 100))
    bench.now = Micros(200 * SECOND - 1)
    no = bench.refused(confirm(0))
    assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 3, 300, 299)
    bench.now = Micros(200 * SECOND)
    bench.said(confirm(0), M.AnesthesiaConfirmDone)


@pytest.mark.parametrize(("age_s", "valid_s"), [(3_599, 1), (3_600, None)])
def test_a_confirmation_too_late_is_refused(age_s: int, valid_s: int | None) -> None:
    bench = opened()
    bench.ask(start(0, age_s))
    if valid_s is None:
        no = bench.refused(confirm(0))
        assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 3, 3_600, 3_600)
        assert bench.board.state is S.ANESTHESIA_WAIT
    else:
        assert bench.said(confirm(0), M.AnesthesiaConfirmDone).valid_s == valid_s


def test_a_confirmation_is_in_the_journal_with_the_age_of_the_anesthesia() -> None:
    bench = opened()
    bench.ask(start(1, 400))
    bench.now = Micros(5 * SECOND)
    head = bench.nvm.head
    bench.ask(confirm(1))
    assert bench.records(head) == [R.Anesthesia(event_no=head, uptime_ms=5_000, zone=1, confirmed=1, age_s=405)]


def test_the_session_goes_on_when_every_zone_that_was_numbed_is_confirmed() -> None:
    bench = opened()
    bench.ask(start(0, 400))
    bench.ask(start(1, 400))
    states = []
    for zone in (1, 0):
        bench.ask(confirm(zone))
        states.append(bench.board.state)
    assert states == [S.ANESTHESIA_WAIT, S.ANESTHESIA_CONFIRMED]


def test_a_zone_that_is_numbed_again_waits_for_its_confirmation_again() -> None:
    bench = numbed()
    bench.ask(start(0, 0))
    assert bench.board.state is S.ANESTHESIA_WAIT
    assert not bench.board.zones[0].confirmed
    assert bench.board.zones[1].confirmed


def test_the_alarms_of_anesthesia_go_with_the_last_confirmation() -> None:
    bench = opened()
    bench.ask(start(0, 400))
    bench.ask(start(1, 400))
    for code in (A.ANESTHESIA_MISSING, A.ANESTHESIA_EXPIRED):
        bench.board.raise_alarm(code, bench.now)
    bench.ask(confirm(0))
    assert list(bench.board.alarms.active) == [A.ANESTHESIA_MISSING, A.ANESTHESIA_EXPIRED]
    bench.ask(confirm(1))
    assert bench.board.alarms.active == {}


# --- SESSION_CLOSE ------------------------------------------------------------------------------------------


def test_closing_answers_with_the_totals_and_leads_to_rest() -> None:
    bench = armed()
    bench.cycle()
    bench.done(M.Disarm(), M.DisarmDone)
    head = bench.nvm.head
    assert bench.said(bench.close(), M.SessionCloseDone) == M.SessionCloseDone(
        session_no=1, cycles=1, completed=1, aborted=0, ambiguous=0, punctures=3, cores_counted=3
    )
    assert (bench.nvm.session, bench.board.state, bench.board.zones) == (None, S.IDLE, {})
    closed = bench.records(head)[0]
    assert isinstance(closed, R.SessionClosed)
    assert (closed.reason, closed.session_no, closed.punctures) == (CloseReason.COMPLETED, 1, 3)


COUNTS = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")


@pytest.mark.parametrize("count", COUNTS)
def test_a_session_is_not_closed_on_counts_that_differ(count: str) -> None:
    bench = opened()
    no = bench.refused(bench.close(**{count: 2}))
    assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 7, 0, 2)
    assert no.sentence == f"counts disagree: {count} is 0 here, 2 at the host; reconcile before closing"
    assert bench.nvm.session is not None


def test_the_counts_of_an_abandoned_session_are_not_compared() -> None:
    bench = opened()
    bench.said(bench.close(reason=CloseReason.ABANDONED, cycles=9), M.SessionCloseDone)


@pytest.mark.parametrize("reason", [CloseReason.COMPLETED, CloseReason.ABORTED])
def test_a_session_below_its_target_is_closed_by_the_hosts_word(reason: CloseReason) -> None:
    bench = opened()
    bench.said(bench.close(reason=reason), M.SessionCloseDone)


def test_only_its_own_number_closes_a_session() -> None:
    bench = opened()
    no = bench.refused(bench.close(session_no=9, reason=CloseReason.ABANDONED))
    assert (no.code, no.expected, no.actual) == (Code.E_STATE, 1, 9)
    assert no.sentence == "session 9 is not open here; open is 1"


def test_where_no_session_is_open_there_is_none_to_close() -> None:
    no = Bench().refused(M.SessionClose(session_no=1, reason=CloseReason.ABANDONED, **dict.fromkeys(COUNTS, 0)))
    assert (no.code, no.expected, no.sentence) == (Code.E_STATE, 0, "session 1 is not open here; open is none")


def test_a_session_may_be_closed_in_a_hold_and_the_device_stays_held() -> None:
    bench = held()
    bench.said(bench.close(), M.SessionCloseDone)
    assert (bench.board.state, bench.nvm.session) == (S.SAFE, None)


def test_the_alarms_of_a_session_go_with_it() -> None:
    bench = opened()
    for code in (A.ANESTHESIA_MISSING, A.DENSITY_REACHED, A.CANISTER_FULL):
        bench.board.raise_alarm(code, bench.now)
    bench.ask(bench.close())
    assert list(bench.board.alarms.active) == [A.CANISTER_FULL]
