"""The checks of PUNCH and of ARM, each by itself and in their order: the interlocks of docs/model.md."""

from collections.abc import Callable

import pytest

from firmware_sim.board.board import NO_CELL, Zone
from firmware_sim.safety.punch_checks import (
    cycles_left,
    no_room,
    no_store,
    refuse_arm,
    refuse_punch,
    watch_density,
)
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import Code, DeviceState, Phase
from protocols.language.messages import Refused
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.unit.firmware_sim.boards import Bench, armed
from tests.unit.firmware_sim.memories import Store

S = DeviceState


def checked(bench: Bench, **changes: int) -> Refused | None:
    """Return what refuses the next PUNCH, with `changes`."""
    return refuse_punch(bench.board, bench.punch(**changes), bench.now)


def refused(bench: Bench, **changes: int) -> Refused:
    no = checked(bench, **changes)
    assert no is not None
    return no


def alarms(bench: Bench) -> list[int]:
    return sorted(bench.board.alarms.active)


def fill_cell(bench: Bench, punctures: int, place: tuple[int, int] = (0, 0)) -> None:
    session = bench.nvm.session
    assert session is not None
    session.cell_punctures[place] = punctures


def test_a_device_that_is_armed_at_a_cell_of_a_numb_zone_punches() -> None:
    bench = armed()
    assert checked(bench) is None
    assert alarms(bench) == []


# --- the command itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth_um", [2_500, 3_500])
def test_another_depth_than_the_sessions_is_out_of_range(depth_um: int) -> None:
    no = refused(armed(), depth_um=depth_um)
    assert (no.code, no.expected, no.actual) == (Code.E_RANGE, 3_000, depth_um)
    assert no.sentence == f"depth {depth_um} um is not the session's 3000 um"


def test_a_punch_is_void_after_its_deadline() -> None:
    bench = armed()
    uptime_ms = bench.board.uptime_ms(bench.now)
    assert checked(bench, deadline_ms=uptime_ms) is None, "not yet"
    no = refused(bench, deadline_ms=uptime_ms - 1)
    assert (no.code, no.actual) == (Code.E_EXPIRED, 1)
    assert no.sentence == f"too late by 1 ms: the deadline was device uptime {uptime_ms - 1} ms"


def test_a_deadline_is_compared_over_the_wrap_of_the_uptime() -> None:
    bench = armed()
    bench.board.zones[0] = Zone(Micros((2**32 - 400_000) * MILLISECOND), True)
    bench.now = Micros((2**32 + 5) * MILLISECOND)
    assert bench.board.uptime_ms(bench.now) == 5
    assert refused(bench, deadline_ms=2**32 - 10).actual == 15
    assert checked(bench, deadline_ms=6) is None
    assert checked(bench, deadline_ms=5 + 2**31) is None, "half the range ahead"


def test_no_cycle_without_room_in_the_journal() -> None:
    bench = armed()
    while bench.nvm.free > 64:
        head = bench.nvm.head
        bench.nvm.append(R.Boot(event_no=head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    assert checked(bench) is None
    head = bench.nvm.head
    bench.nvm.append(R.Boot(event_no=head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    no = refused(bench)
    assert (no.code, no.expected, no.actual) == (Code.E_STORAGE, 64, 63)
    assert no.sentence == "63 journal slots are free, 64 are needed: read and acknowledge"
    assert no_room(bench.board) == no


def test_no_cycle_without_16_kib_in_the_store() -> None:
    store = Store()
    bench = armed(store=store)
    store.full = True
    no = refused(bench)
    assert (no.code, store.reserved[-1]) == (Code.E_STORAGE, 16 * 1024)
    assert no_store(bench.board, 1) == no


@pytest.mark.parametrize(("required", "held", "allowed"), [(0, False, True), (1, False, False), (1, True, True)])
def test_13_the_trigger_is_held_where_the_parameter_asks_for_it(required: int, held: bool, allowed: bool) -> None:
    bench = armed(trigger_required=required)
    bench.inject(trigger_held=held)
    bench.wait(SECOND)
    no = checked(bench)
    assert (no is None) is allowed
    assert no is None or (no.code, no.interlock) == (Code.E_INTERLOCK, 13)


# --- 8 and 9: the cell ----------------------------------------------------------------------------------------


def test_9_no_stroke_without_a_place() -> None:
    bench = armed()
    bench.board.cell = NO_CELL
    no = refused(bench)
    assert (no.code, no.interlock, no.sentence) == (Code.E_INTERLOCK, 9, "the hand is at no cell yet: REPOSITION first")


def test_8_a_cell_takes_no_cycle_beyond_its_plan() -> None:
    bench = armed()
    fill_cell(bench, 45)
    assert checked(bench) is None, "the sixteenth cycle"
    fill_cell(bench, 46)
    no = refused(bench)
    assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 8, 48, 46)
    assert no.sentence == "46 of 48 planned punctures are made in this cell: REPOSITION"
    assert (alarms(bench), bench.board.state) == ([A.DENSITY_REACHED], S.ARMED)


def test_8_the_alarm_of_a_full_cell_goes_at_the_next_one() -> None:
    bench = armed()
    fill_cell(bench, 48)
    refused(bench)
    bench.done(M.Reposition(zone=0, cell=1), M.RepositionDone)
    assert checked(bench) is None
    assert alarms(bench) == []


@pytest.mark.parametrize(("punctures", "locks"), [(62, False), (63, True)])
def test_8_a_cell_at_the_cap_locks(punctures: int, locks: bool) -> None:
    bench = armed()
    fill_cell(bench, punctures)
    no = refused(bench)
    assert no.interlock == 8
    assert (bench.board.state is S.LOCKED) is locks
    assert bench.board.alarms.present(A.DENSITY_LOCKED) is locks
    if locks:
        assert (no.expected, no.actual) == (63, 63)
        assert no.sentence == "63 punctures in this cell: the cap of 63 per cm2 is reached"


@pytest.mark.parametrize(("made", "left"), [(0, 16), (45, 1), (46, 0), (48, 0), (51, 0)])
def test_8_a_cell_takes_whole_cycles_until_its_plan_is_full(made: int, left: int) -> None:
    bench = armed()
    fill_cell(bench, made)
    assert cycles_left(bench.board) == left


@pytest.mark.parametrize(("made", "warns"), [(0, False), (43, False), (44, True), (45, True), (46, False), (48, False)])
def test_8_coming_back_to_a_cell_with_a_tenth_left_warns(made: int, warns: bool) -> None:
    """44 of 48 are more than 90 %. Where it takes no further cycle the refusal of PUNCH says so."""
    bench = armed()
    bench.board.last_place = (0, 3)
    fill_cell(bench, made)
    watch_density(bench.board, bench.now)
    assert (alarms(bench) == [A.DENSITY_NEAR]) is warns
    assert bench.board.last_place == (0, 0)


def test_8_the_same_visit_does_not_warn_and_does_not_take_a_warning_back() -> None:
    bench = armed()
    fill_cell(bench, 45)
    watch_density(bench.board, bench.now)
    assert alarms(bench) == [], "the plan has filled it, and a stop has brought the hand to it again"
    bench.board.raise_alarm(A.DENSITY_NEAR, bench.now)
    watch_density(bench.board, bench.now)
    assert alarms(bench) == [A.DENSITY_NEAR]


def test_8_the_warning_goes_when_the_hand_goes_on() -> None:
    bench = armed()
    bench.board.raise_alarm(A.DENSITY_NEAR, bench.now)
    bench.board.last_place = (0, 3)
    watch_density(bench.board, bench.now)
    assert alarms(bench) == []


def test_8_with_the_warning_at_0_a_fresh_cell_does_not_warn() -> None:
    bench = armed(density_warn=0.0)
    bench.board.last_place = (0, 3)
    watch_density(bench.board, bench.now)
    assert alarms(bench) == []


# --- 2 and 3: anesthesia --------------------------------------------------------------------------------------


def not_numbed(bench: Bench) -> None:
    del bench.board.zones[0]


def not_confirmed(bench: Bench) -> None:
    bench.board.zones[0] = bench.board.zones[0]._replace(confirmed=False)


@pytest.mark.parametrize("spoil", [not_numbed, not_confirmed])
def test_2_no_stroke_into_a_zone_that_is_not_confirmed_as_numb(spoil: Callable[[Bench], None]) -> None:
    bench = armed()
    spoil(bench)
    no = refused(bench)
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 2)
    assert no.sentence == "anesthesia is not confirmed for zone 0: confirm it before the first punch"
    assert alarms(bench) == [A.ANESTHESIA_MISSING]


def test_3_no_stroke_after_the_time_of_the_anesthesia() -> None:
    bench = armed()
    bench.board.zones[0] = Zone(Micros(bench.now - 3_600 * SECOND + 1), True)
    assert checked(bench) is None
    bench.board.zones[0] = Zone(Micros(bench.now - 3_600 * SECOND), True)
    no = refused(bench)
    assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 3, 3_600, 3_600)
    assert no.sentence == "anesthesia of zone 0 is 3600 s old and holds 3600 s: confirm the zone again"
    assert alarms(bench) == [A.ANESTHESIA_EXPIRED]


def test_the_alarms_of_anesthesia_go_where_the_zone_is_numb() -> None:
    bench = armed()
    for code in (A.ANESTHESIA_MISSING, A.ANESTHESIA_EXPIRED):
        bench.board.raise_alarm(code, bench.now)
    assert checked(bench) is None
    assert alarms(bench) == []


# --- 4: the vacuum --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kpa", "allowed"), [(-40.0, True), (-39.9, False)])
def test_4_no_cycle_above_minus_40_kpa(kpa: float, allowed: bool) -> None:
    bench = armed()
    bench.plant.inputs.frozen_kpa = kpa
    no = checked(bench)
    assert (no is None) is allowed
    if no is not None:
        assert (no.code, no.interlock) == (Code.E_INTERLOCK, 4)
        assert no.sentence == "the vacuum is -39.9 kPa; a cycle needs -40 kPa or more suction"
        assert alarms(bench) == [A.SUCTION_LOST]


def test_4_a_vacuum_that_is_back_must_stand_for_two_seconds() -> None:
    bench = armed()
    bench.inject(pressure_offset_kpa=18.0)
    bench.plant.inputs.pressure_offset_kpa = 0.0
    no = refused(bench)
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 4)
    assert no.sentence == "the vacuum came back and must stand for 2 s before the next cycle"
    bench.now = Micros(bench.now + 2 * SECOND)
    assert checked(bench) is None, "PUNCH looks by itself"
    assert alarms(bench) == []


# --- 6 and 7: the needles -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flagged", "allowed"), [(0b010, True), (0b110, False)])
def test_6_two_clogged_needles_stop(flagged: int, allowed: bool) -> None:
    bench = armed()
    bench.nvm.flagged = flagged
    no = checked(bench)
    assert (no is None) is allowed
    assert no is None or (no.interlock, no.sentence) == (6, "2 needles are clogged: purge before the next cycle")


def test_7_a_count_that_was_stopped_stops() -> None:
    bench = armed()
    bench.board.raise_alarm(A.COUNT_STOPPED, bench.now)
    no = refused(bench)
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 7)
    assert no.sentence == "too many cores are missing in 200 strokes: acknowledge MC-0702 and check"


# --- 11, 12, 17, 18: cartridge and limits ---------------------------------------------------------------------


def missing(bench: Bench) -> None:
    bench.plant.inputs.cartridge_missing = True


def opened(bench: Bench) -> None:
    bench.plant.inputs.cartridge_used = True


def expired(bench: Bench) -> None:
    bench.plant.cartridge.expired = True


def unsterile(bench: Bench) -> None:
    bench.plant.cartridge.sterile = False


def used(bench: Bench) -> None:
    bench.nvm.cartridges[bench.plant.cartridge.serial] = 4


UNFIT = [
    (missing, "no cartridge is fitted"),
    (opened, "cartridge 1 was used before, its seal is broken"),
    (expired, "cartridge 1 is past its date"),
    (unsterile, "cartridge 1 is not sterile"),
    (used, "cartridge 1 was used in session 4"),
]


@pytest.mark.parametrize(("spoil", "reason"), UNFIT)
def test_11_a_cartridge_that_may_not_be_used_is_refused_by_arm_and_punch(
    spoil: Callable[[Bench], None], reason: str
) -> None:
    bench = armed()
    spoil(bench)
    no = refused(bench)
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 11)
    assert no.sentence == f"{reason}: fit a new one; there is no override"
    assert refuse_arm(bench.board, bench.now) == no
    assert alarms(bench) == [A.CARTRIDGE_REFUSED]


def test_11_the_alarm_goes_with_a_new_cartridge() -> None:
    bench = armed()
    bench.plant.cartridge.sterile = False
    refused(bench)
    bench.plant.cartridge.sterile = True
    assert checked(bench) is None
    assert alarms(bench) == []


def test_11_a_cartridge_of_this_session_may_be_used() -> None:
    bench = armed()
    assert bench.nvm.cartridges == {1: 1}
    assert refuse_arm(bench.board, bench.now) is None


def test_12_arm_refuses_a_cartridge_at_the_end_of_its_life() -> None:
    bench = armed()
    bench.plant.cartridge.cycles = 5_000
    no = refuse_arm(bench.board, bench.now)
    assert no is not None and (no.interlock, no.expected, no.actual) == (12, 5_000, 5_000)


def worn(bench: Bench) -> None:
    bench.plant.cartridge.cycles = 5_000


def full(bench: Bench) -> None:
    bench.plant.inputs.canister_ul_added = 95_000


def hot(bench: Bench) -> None:
    bench.parameters.limits.update(heat_warn_c=20.0, heat_stop_c=21.0)  # of a room of 22 C


@pytest.mark.parametrize(("spoil", "interlock"), [(worn, 12), (hot, 17), (full, 18)])
def test_a_limit_on_a_reading_refuses_the_next_cycle(spoil: Callable[[Bench], None], interlock: int) -> None:
    bench = armed()
    spoil(bench)
    no = refused(bench)
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, interlock)


# --- the order ------------------------------------------------------------------------------------------------


def no_trigger(bench: Bench) -> None:
    bench.parameters.trigger_required = 1


def full_cell(bench: Bench) -> None:
    fill_cell(bench, 48)


def low_vacuum(bench: Bench) -> None:
    bench.plant.inputs.frozen_kpa = -5.0


def two_clogs(bench: Bench) -> None:
    bench.nvm.flagged = 0b11


IN_ORDER = [no_trigger, full_cell, not_numbed, low_vacuum, two_clogs, unsterile, worn, full, hot]
NUMBERS = [13, 8, 2, 4, 6, 11, 12, 18, 17]


@pytest.mark.parametrize("first", range(len(IN_ORDER)))
def test_of_several_reasons_the_first_in_the_order_is_told(first: int) -> None:
    bench = armed()
    for spoil in IN_ORDER[first:]:
        spoil(bench)
    assert refused(bench).interlock == NUMBERS[first]
