"""Device time from records: over boots, wraps and gaps; how long a session took, and how old an anesthesia is."""

import pytest

from devicectl.session.device_time import WRAP_MS, Age, AnesthesiaClock, SessionClock
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import Phase
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from tests.integration.log.log_builders import a_cycle

BOOT = R.Boot(event_no=1, uptime_ms=0, boot_count=2, open_cycle_no=0, phase=Phase.NONE)
GAP = R.Gap(event_no=1, uptime_ms=0, missing=3)


def numbed(uptime_s: float, *, zone: int = 0, age_s: int = 0, confirmed: int = 0) -> R.Anesthesia:
    uptime_ms = round(uptime_s * 1_000) % WRAP_MS
    return R.Anesthesia(event_no=1, uptime_ms=uptime_ms, zone=zone, age_s=age_s, confirmed=confirmed)


def ages(records: list[R.Record], uptime_s: float, open_s: float | None = None, zone: int = 0) -> Age:
    clock = AnesthesiaClock()
    for record in records:
        clock.add(record)
    return clock.ages(round(uptime_s * 1_000) % WRAP_MS, open_s)[zone]


def test_within_one_boot_it_is_exact() -> None:
    assert ages([numbed(10)], 3_600 - 0.5) == (3_590, 3_590)
    assert ages([numbed(10, age_s=600)], 20.5) == (611, 611)
    assert ages([numbed(10), numbed(30, zone=1)], 40.5) == (31, 31)
    assert ages([numbed(10), numbed(30, zone=1)], 40.5, zone=1) == (11, 11)


def test_a_zone_that_is_numbed_again_is_as_old_as_the_second_time() -> None:
    assert ages([numbed(10), numbed(3_610)], 3_650.5) == (41, 41)


def test_a_confirmation_is_no_second_injection() -> None:
    assert ages([numbed(10.9), numbed(311, age_s=300, confirmed=1)], 320.5) == (310, 310)


def test_a_confirmation_alone_says_it_in_seconds_rounded_down() -> None:
    assert ages([numbed(311, age_s=300, confirmed=1)], 320.5) == (311, 311)


def test_the_cycle_that_a_boot_ends_is_of_no_time() -> None:
    """Its uptime is the new boot's 0 and it stands before BOOT: the whole uptime before it was taken away for it."""
    before = [numbed(0), a_cycle(1, uptime_ms=3_000_000)]
    assert ages([*before, a_cycle(2, uptime_ms=0), BOOT], 5, open_s=3_007) == (3_006, 3_007)
    assert ages([*before, a_cycle(2, uptime_ms=0)], 3_000) == (3_001, 3_001)


def test_what_the_device_was_off_for_is_the_walls_to_tell() -> None:
    records = [numbed(0), a_cycle(1, uptime_ms=60_000), BOOT]
    assert ages(records, 5, open_s=1_900) == (66, 1_900)
    assert ages(records, 5, open_s=1_900.2) == (66, 1_901)
    assert ages(records, 5, open_s=1) == (66, 66)  # a clock that is behind the device's


def test_without_a_clock_it_has_worn_off() -> None:
    assert ages([numbed(0), BOOT], 5) == (6, MAX_ANESTHESIA_AGE_S)
    assert ages([numbed(0), GAP, numbed(3, zone=1)], 5) == (3, MAX_ANESTHESIA_AGE_S)
    assert ages([BOOT, numbed(0)], 5) == (6, 6)


def test_an_uptime_that_wraps_goes_on() -> None:
    start = WRAP_MS / 1_000 - 100
    assert ages([numbed(start)], 49.5) == (150, 150)
    assert ages([numbed(start), a_cycle(1, uptime_ms=0), a_cycle(2, uptime_ms=20_000)], 49.5) == (150, 150)


def test_a_wall_clock_takes_nothing_from_what_the_device_knows_exactly() -> None:
    assert ages([numbed(10)], 20.5, open_s=700) == (11, 11)


def test_an_uptime_may_have_wrapped_unseen_where_the_wall_says_so() -> None:
    days = 86_400 * 49.8
    assert ages([numbed(10)], 20, open_s=days) == (11, MAX_ANESTHESIA_AGE_S)


def test_a_host_whose_clock_is_slow_makes_no_wrap_of_it() -> None:
    assert ages([numbed(0), numbed(3_600, zone=1)], 3_599.5) == (3_601, 3_601)


@pytest.mark.parametrize("age_s", [MAX_ANESTHESIA_AGE_S, 2**32 - 1])
def test_no_age_is_beyond_what_a_device_is_told(age_s: int) -> None:
    assert ages([numbed(0, age_s=age_s)], 10) == (MAX_ANESTHESIA_AGE_S, MAX_ANESTHESIA_AGE_S)


@pytest.mark.parametrize("end", ["boot", "reset", "stop"])
def test_a_device_knows_of_no_zone_once_it_was_reset_or_restarted(end: str) -> None:
    clock = AnesthesiaClock()
    for record in (numbed(1), numbed(1, zone=1), numbed(2, zone=1, confirmed=1)):
        clock.add(record)
    assert clock.zones == {0: False, 1: True}
    clock.add({"boot": BOOT, "reset": an_action(3, M.FaultReset.ID), "stop": an_action(3, M.Stop.ID)}[end])
    assert clock.zones == ({0: False, 1: True} if end == "stop" else {})
    assert clock.confirmed == {1}, "it has waited long enough, whatever came after it"


def an_action(uptime_ms: int, message_id: int = M.Arm.ID) -> R.Action:
    return R.Action(event_no=1, uptime_ms=uptime_ms, message_id=message_id, zone=0, cell=0)


def test_clock_runs_from_the_first_arm_to_the_last_cycle_over_reboots() -> None:
    clock = SessionClock()
    boot = R.Boot(event_no=1, uptime_ms=0, boot_count=2, open_cycle_no=0, phase=Phase.NONE)
    assert clock.seconds == 0
    for record in (
        a_cycle(1, uptime_ms=500),  # before any ARM: of no account
        an_action(1_000, M.Stop.ID),
        an_action(2_000),
        a_cycle(2, uptime_ms=5_000),
        an_action(6_000),  # armed again: the time between counts
        a_cycle(3, uptime_ms=8_000),
        a_cycle(4, uptime_ms=0),  # open when the power went: the boot ends it, before its own record
        boot,
        an_action(1_000),
        a_cycle(5, uptime_ms=2_500),
        R.Anesthesia(event_no=1, uptime_ms=9_000, zone=0, confirmed=1, age_s=0),
    ):
        clock.add(record)
    assert clock.seconds == 6.0 + 1.5


def test_clock_runs_on_through_a_wrap() -> None:
    clock = SessionClock()
    for record in (an_action(WRAP_MS - 5_000), a_cycle(1, uptime_ms=WRAP_MS - 1_000), a_cycle(2, uptime_ms=3_000)):
        clock.add(record)
    assert clock.seconds == 8.0


def test_clock_ends_with_the_last_cycle_that_has_a_time() -> None:
    clock = SessionClock()
    for record in (an_action(1_000), a_cycle(1, uptime_ms=2_000), an_action(6_000), a_cycle(2, uptime_ms=0), BOOT):
        clock.add(record)
    assert clock.seconds == 1.0
