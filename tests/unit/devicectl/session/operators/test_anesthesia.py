"""The operator's anesthesia: what is told of each zone, how long is waited, and whose time is believed."""

import pytest

from devicectl.errors import CommandRefusedError
from devicectl.session.machine import State
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import Phase
from protocols.language.records import Anesthesia, Boot, Record
from protocols.language.units import SECOND
from tests.unit.devicectl.scripted_device import (
    LOST,
    Desk,
    refusal,
)


def test_each_zone_is_numbed_then_all_are_waited_for_then_each_is_confirmed() -> None:
    desk = Desk().opened()
    began = desk.now
    desk.will(M.AnesthesiaStart, M.AnesthesiaStartDone(wait_s=3), M.AnesthesiaStartDone(wait_s=2))
    desk.run(desk.engine.confirm_anesthesia("cream", "Ada", age_s=60))
    assert desk.asked == [
        M.AnesthesiaStart(zone=0, age_s=60, method="cream"),
        M.AnesthesiaStart(zone=1, age_s=60, method="cream"),
        M.AnesthesiaConfirm(zone=0, confirmed_by="Ada"),
        M.AnesthesiaConfirm(zone=1, confirmed_by="Ada"),
    ]
    assert desk.now == began + 3 * SECOND, "the longest wait"
    assert desk.states == [State.ANESTHESIA_WAIT, State.ANESTHESIA_CONFIRMED]
    assert desk.noted_as("anesthesia_start") == ["2 zones, cream; waiting 3 s"]
    assert desk.noted_as("anesthesia_confirm") == ["2 zones, by Ada"]


def test_the_end_of_the_wait_can_be_seen_while_it_lasts() -> None:
    desk = Desk().opened()
    began = desk.now
    desk.will(M.AnesthesiaStart, M.AnesthesiaStartDone(wait_s=3))
    task = desk.start(desk.engine.confirm_anesthesia("cream", "Ada"))
    assert desk.engine.waits_until == began + 3 * SECOND
    desk.end_of(task)
    assert desk.engine.waits_until is None


def test_the_end_of_a_wait_that_was_broken_off_is_forgotten() -> None:
    desk = Desk().opened()
    desk.will(M.AnesthesiaStart, M.AnesthesiaStartDone(wait_s=3))
    task = desk.start(desk.engine.confirm_anesthesia("cream", "Ada"))
    desk.engine.link.procedures.cancel(task)
    assert desk.engine.waits_until is None


def test_an_anesthesia_that_is_confirmed_is_not_given_again() -> None:
    desk = Desk().numbed()
    desk.run(desk.engine.confirm_anesthesia("cream", "Ada"))
    assert desk.asked == []


def test_an_age_is_never_more_than_a_day() -> None:
    desk = Desk().opened()
    desk.run(desk.engine.confirm_anesthesia("cream", "Ada", age_s=100_000))
    assert {start.age_s for start in desk.asked_for(M.AnesthesiaStart)} == {86_400}


@pytest.mark.parametrize(("expected", "actual", "waits_s"), [(600, 598, 2), (600, 599, 1)])
def test_a_confirmation_that_comes_too_early_waits_out_the_difference(expected: int, actual: int, waits_s: int) -> None:
    desk = Desk().opened()
    began = desk.now
    desk.will(M.AnesthesiaConfirm, refusal(I.ANESTHESIA_TIME, expected=expected, actual=actual))
    desk.run(desk.engine.confirm_anesthesia("cream", "Ada"))
    assert len(desk.asked_for(M.AnesthesiaConfirm)) == 3 and desk.now == began + waits_s * SECOND


@pytest.mark.parametrize(
    "answer", [refusal(I.ANESTHESIA_TIME, expected=600, actual=600), refusal(I.ZONE, expected=2, actual=1)]
)
def test_any_other_refusal_of_a_confirmation_is_raised(answer: M.Refused) -> None:
    desk = Desk().opened()
    desk.will(M.AnesthesiaConfirm, answer)
    with pytest.raises(CommandRefusedError):
        desk.run(desk.engine.confirm_anesthesia("cream", "Ada"))
    assert len(desk.asked_for(M.AnesthesiaConfirm)) == 1


def test_a_loss_in_the_wait_tells_the_device_the_same_injection_again() -> None:
    """Older by what has passed: the wait does not begin again."""
    desk = Desk().opened()
    began = desk.now
    desk.will(M.AnesthesiaStart, *[M.AnesthesiaStartDone(wait_s=30)] * 2)
    task = desk.start(desk.engine.confirm_anesthesia("cream", "Ada", age_s=10))
    desk.pass_to(began + 5 * SECOND)
    desk.will(M.AnesthesiaConfirm, LOST)
    desk.end_of(task)
    assert [start.age_s for start in desk.asked_for(M.AnesthesiaStart)] == [10, 10, 40, 40]


# --- a session that another host began


def adopting(*records: Record, open_s: float | None = None, uptime_ms: int = 60_000) -> Desk:
    """A session whose journal has these records of its anesthesia, taken up by a new host at this uptime."""
    desk = Desk()
    desk.shown |= {"uptime_ms": uptime_ms}
    desk.opened()
    desk.write(*records)
    desk.engine._anesthesia.adopt("cream", "Ada", open_s)
    desk.cut()
    desk.mend()
    return desk


def numbed_at(uptime_ms: int, zone: int = 0, *, confirmed: int = 0, age_s: int = 0) -> Anesthesia:
    return Anesthesia(event_no=1, uptime_ms=uptime_ms, zone=zone, confirmed=confirmed, age_s=age_s)


def test_an_anesthesia_that_is_in_the_journal_is_told_with_its_age() -> None:
    desk = adopting(numbed_at(20_000, 0, age_s=100), numbed_at(30_000, 1))
    desk.cycle()
    ages = [start.age_s for start in desk.asked_for(M.AnesthesiaStart)]
    assert ages == [141, 31], "rounded up, by the device's uptime"
    assert {start.method for start in desk.asked_for(M.AnesthesiaStart)} == {"cream"}
    assert {confirm.confirmed_by for confirm in desk.asked_for(M.AnesthesiaConfirm)} == {"Ada"}


def test_a_zone_that_the_one_before_had_not_told_yet_is_as_old_as_the_oldest() -> None:
    desk = adopting(numbed_at(20_000, 0))
    desk.cycle()
    assert [(start.zone, start.age_s) for start in desk.asked_for(M.AnesthesiaStart)] == [(0, 41), (1, 41)]


def test_without_an_anesthesia_in_the_journal_none_is_told() -> None:
    desk = adopting()
    desk.run(desk.engine.pause())
    assert desk.asked_for(M.AnesthesiaStart) == []


REBOOT = Boot(event_no=1, uptime_ms=0, boot_count=2, open_cycle_no=0, phase=Phase.NONE)
"""After it the device's uptime says less than the anesthesia is old."""


def test_an_anesthesia_from_before_a_reboot_is_told_as_old_as_it_may_be_and_waited_for_as_the_youngest() -> None:
    """So that none is taken for numb too long, and none for numb too early."""
    desk = adopting(numbed_at(20_000, 0), REBOOT, uptime_ms=10_000)
    began = desk.now
    desk.cycle()
    assert [start.age_s for start in desk.asked_for(M.AnesthesiaStart)] == [86_400, 86_400]
    assert desk.asked_for(M.ParamGet) == [M.ParamGet(name="anesthesia_wait_s")]
    least_s, doubt_s, wait_s = 11, 4, 600
    assert desk.now == began + (wait_s - least_s + doubt_s) * SECOND
    assert desk.noted_as("anesthesia_wait") == ["1 zone may be numbed for less long; waiting 593 s"]


def test_how_long_ago_the_session_was_opened_tells_how_old_it_may_be() -> None:
    desk = adopting(numbed_at(20_000, 0), REBOOT, uptime_ms=10_000, open_s=700.0)
    desk.cycle()
    ages = {start.age_s for start in desk.asked_for(M.AnesthesiaStart)}
    assert min(ages) >= 700 and max(ages) < 86_400


def test_an_anesthesia_that_was_confirmed_before_a_reboot_has_been_waited_for() -> None:
    desk = adopting(numbed_at(20_000, 0), numbed_at(21_000, 0, confirmed=1), REBOOT, uptime_ms=10_000)
    desk.cycle()
    assert desk.asked_for(M.ParamGet) == []


def test_an_anesthesia_that_this_host_gave_itself_is_timed_by_its_own_clock() -> None:
    """Through a reboot it knows better than the device how old that is."""
    desk = Desk().opened()
    desk.run(desk.engine.confirm_anesthesia("cream", "Ada"))
    desk.write(numbed_at(1, 0), numbed_at(1, 1), REBOOT)
    desk.pass_to(desk.now + 50 * SECOND)
    desk.forget()
    desk.cut()
    desk.mend()
    desk.cycle()
    assert {start.age_s for start in desk.asked_for(M.AnesthesiaStart)} == {50}
    assert desk.asked_for(M.ParamGet) == []
