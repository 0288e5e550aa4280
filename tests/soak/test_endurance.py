"""Long lives in virtual time: an idle link, and sessions by the hundred on one device. Memory is flat, counts exact."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import Final

import pytest

from devicectl.session.device_time import WRAP_MS
from protocols.language.units import MILLISECOND, Micros
from tests.world import HOUR, SHORT, Lab, a_plan, assert_counted

DAY: Final = 24 * HOUR
CORES: Final = 6
FLAT: Final = 64 * 1024
"""Bytes of growth: caches fill up, and numbers get longer."""
WARM: Final = 150
"""Sessions until the journal's ring of 1,024 records is full, and the list of cartridges."""


def growth(warm_up: Callable[[], None], run: Callable[[], None]) -> int:
    """Bytes that are kept after `run` beyond those kept before it."""
    tracemalloc.start()
    try:
        warm_up()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        run()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def let_pass(lab: Lab, duration: int) -> None:
    """Let virtual time pass; the invariants are not looked at, since nothing moves."""
    reached: list[bool] = []
    lab.world.heap.at(Micros(lab.now + duration), lambda: reached.append(True))
    while not reached:
        lab.world.step()


def sessions(lab: Lab, count: int) -> None:
    """So many sessions one after the other, each of another host; what the test itself collects is thrown away."""
    for _ in range(count):
        lab.begin()
        finish = lab.finish()
        assert (finish.state, finish.reconciled) == ("completed", True)
        lab.replace_host()
        for collected in (lab.entries, lab.notes, lab.states):
            collected.clear()


@pytest.mark.parametrize("days", [1, pytest.param(365, marks=[pytest.mark.nightly, pytest.mark.timeout(7_200)])])
def test_an_idle_link_keeps_nothing_and_a_session_follows(days: int) -> None:
    lab = Lab(plan=a_plan(CORES))
    lab.run(lab.engine.connect())
    link_id = lab.engine.link.exchange.link_id
    grown = growth(lambda: let_pass(lab, HOUR), lambda: let_pass(lab, days * DAY))
    assert grown < FLAT
    assert lab.engine.link.exchange.link_id == link_id, "it is the same link"
    uptime_ms = lab.device.board.uptime_ms(lab.now)
    assert uptime_ms == lab.now // MILLISECOND % WRAP_MS
    lab.begin()
    assert_counted(lab, lab.finish())
    print(f"{days} virtual days on one idle link: {grown:,} bytes kept; the session after it is reconciled")


def test_a_session_that_is_open_for_a_day_is_counted() -> None:
    lab = Lab(plan=a_plan(CORES))
    lab.open()
    let_pass(lab, DAY)
    lab.numb()
    assert_counted(lab, lab.finish())


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_a_session_over_the_wrap_of_an_uptime_that_nobody_set_is_counted() -> None:
    """It is opened on the forty-ninth day, has its cycles before and after the wrap, and is paused over it."""
    lab = Lab(plan=a_plan(30), parameters={**SHORT, "anesthesia_valid_s": 86_400})
    lab.run(lab.engine.connect())
    let_pass(lab, WRAP_MS * MILLISECOND - HOUR)
    lab.begin(4)
    lab.run(lab.engine.pause())
    let_pass(lab, HOUR)
    assert lab.device.board.uptime_ms(lab.now) < HOUR // MILLISECOND, "it has wrapped"
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize("count", [100, pytest.param(1_000, marks=[pytest.mark.nightly, pytest.mark.timeout(3_600)])])
def test_many_sessions_on_one_device_keep_nothing(count: int) -> None:
    lab = Lab(plan=a_plan(CORES))
    grown = growth(lambda: sessions(lab, WARM), lambda: sessions(lab, count))
    assert grown < FLAT
    assert lab.device.nvm.session_no == WARM + count
    print(f"{count:,} sessions on one device: {grown:,} bytes kept; each reconciled")
