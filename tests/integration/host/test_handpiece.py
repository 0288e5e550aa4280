"""The public API over virtual time: a session as the architecture's example writes it, and every way to leave one."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

import devicectl
from devicectl import Plan, clock
from devicectl.errors import CommandRefusedError, DevicectlError, SessionError, SessionFoundError, UrlError
from devicectl.handpiece import Handpiece, Session
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from devicectl.session.machine import State
from devicectl.session.plan import Operator, PlanError
from devicectl.session.procedures import Procedure
from devicectl.simulation import virtual_time
from devicectl.simulation.virtual_time import VirtualTimeDriver
from firmware_sim.device import Device
from protocols.language.enums import DeviceState
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from protocols.language.records import Anesthesia, decode_record
from protocols.language.units import SECOND, Micros

pytestmark = pytest.mark.asyncio
URL = "sim://?seed=7&anesthesia_wait_s=1"
PLAN = Plan(target_cores=60)


def driver_of(handpiece: Handpiece) -> VirtualTimeDriver:
    return cast(VirtualTimeDriver, handpiece.driver)


def device_of(handpiece: Handpiece) -> Device:
    return driver_of(handpiece).world.device


def assert_at_rest(handpiece: Handpiece) -> None:
    """Unarmed, the needles home, the line vented or venting, no session open."""
    device, now = device_of(handpiece), driver_of(handpiece).now
    assert not device.board.armed and device.board.motion is None
    assert not device.plant.vacuum.pump_on
    assert device.plant.needle.depth_um(Micros(now + SECOND)) == 0
    assert device.nvm.register is None and device.nvm.session is None


def assert_logged(log: SessionLog, key: int, state: str) -> None:
    """The log has the session ended and reconciled, and each cycle once."""
    report = log.load(key)
    assert (report.summary.state, report.summary.reconciled) == (state, True), report.differences
    assert report.counts == report.device_totals
    if report.truth is not None:
        assert report.truth["cores_counted"] == report.counts.cores_counted
        assert report.truth["punctures"] == report.counts.punctures


@asynccontextmanager
async def connected(url: str = URL, **options: Any) -> AsyncIterator[tuple[Handpiece, SessionLog]]:
    with SessionLog.open("sqlite://") as log:
        async with devicectl.connect(url, log=log, **options) as handpiece:
            yield handpiece, log


async def whole(session: Session) -> None:
    await session.confirm_anesthesia()
    async for _ in session.run():
        pass


async def test_the_example_of_the_architecture() -> None:
    numbers, counted = [], 0
    async with devicectl.connect("sim://?seed=7") as handpiece:
        async with handpiece.open_session(Plan(target_cores=300)) as session:
            await session.confirm_anesthesia(method="lidocaine injection", confirmed_by="trainer")
            async for cycle in session.run():
                numbers.append(cycle.cycle_no)
                counted += cycle.cores_counted
        summary = session.summary
    assert summary.cores_counted == counted >= 300
    assert numbers == list(range(1, len(numbers) + 1)) and summary.cycles >= len(numbers)
    assert (summary.state, summary.reconciled, summary.succeeded) == ("completed", True, True)
    assert (summary.log, summary.session_id, summary.seed, summary.simulated) == (None, None, 7, True)


async def test_a_session_is_logged_as_it_was() -> None:
    async with connected() as (handpiece, log):
        async with handpiece.open_session(PLAN, course="spring", session_date=date(2026, 3, 1)) as session:
            await whole(session)
        assert_at_rest(handpiece)
        assert_logged(log, 1, "completed")
        report, summary = log.load(1).summary, session.summary
        assert (report.start.course, report.start.session_date) == ("spring", date(2026, 3, 1))
        counts = report.counts
        assert (counts.cores_counted, counts.cycles) == (summary.cores_counted, summary.cycles)
        assert report.cores_evacuated == summary.cores_evacuated is not None
        assert report.coverage_percent == summary.coverage_percent > 0
        assert report.session_seconds == summary.session_seconds > 0
        assert report.wall_seconds == summary.wall_seconds == session.summary.wall_seconds


@pytest.mark.parametrize("diameter_mm", [0.2, 0.3, 0.49])
async def test_coverage_is_of_the_devices_own_needles(diameter_mm: float) -> None:
    async with connected(f"{URL}&core_diameter_mm={diameter_mm}") as (handpiece, log):
        async with handpiece.open_session(PLAN) as session:
            await whole(session)
        cores_mm2 = session.summary.cores_counted * math.pi / 4 * diameter_mm**2
        coverage = session.summary.coverage_percent
        assert coverage == pytest.approx(cores_mm2 / session.summary.treated_area_cm2, abs=0.001)
        assert log.load(1).start.core_diameter_um == round(diameter_mm * 1_000)
        assert log.load(1).summary.coverage_percent == coverage


async def test_a_resumed_session_is_reckoned_as_it_was_begun(tmp_path: Any) -> None:
    """Its needles are the ones that it was opened with, in the summary as in the log."""
    url = f"{URL}&nvm={tmp_path / 'nvm'}"
    with SessionLog.open("sqlite://") as log:
        await leave_open(f"{url}&core_diameter_mm=0.3", log)
        other = f"{url}&core_diameter_mm=0.4"
        async with devicectl.connect(other, log=log) as handpiece, handpiece.resume_session() as session:
            assert session.core_diameter_um == 300
            await whole(session)
        assert session.summary.coverage_percent == log.load(1).summary.coverage_percent > 0


async def test_a_plan_is_held_against_the_device_that_is_there() -> None:
    more_than_the_default_takes = Plan(target_cores=14_000)
    async with connected() as (handpiece, _):
        with pytest.raises(PlanError, match="14000 cores do not fit 240 cells: at most 11520 punctures") as caught:
            await handpiece.open_session(more_than_the_default_takes).__aenter__()
        assert isinstance(caught.value.__cause__, CommandRefusedError)
        assert_at_rest(handpiece)
    async with connected(f"{URL}&core_diameter_mm=0.49") as (handpiece, _):
        with pytest.raises(PlanError, match="at most 7920 punctures"):
            await handpiece.open_session().__aenter__()
    async with connected(f"{URL}&core_diameter_mm=0.3") as (handpiece, log):
        async with handpiece.open_session(more_than_the_default_takes):
            pass
        assert_logged(log, 1, "aborted")


# --- ways to leave a session -------------------------------------------------------------------------------------


async def test_an_exception_aborts_and_goes_on() -> None:
    async with connected() as (handpiece, log):
        with pytest.raises(ZeroDivisionError):
            async with handpiece.open_session(PLAN) as session:
                await session.confirm_anesthesia()
                async for cycle in session.run():
                    _ = 1 // (5 - cycle.cycle_no)
        assert session.summary.state == "aborted" and session.summary.cycles == 5
        assert_at_rest(handpiece)
        assert_logged(log, 1, "aborted")


async def test_break_aborts_and_keeps_what_was_counted() -> None:
    async with connected() as (handpiece, log):
        async with handpiece.open_session(PLAN) as session:
            await session.confirm_anesthesia()
            async for cycle in session.run():
                if cycle.cycle_no == 4:
                    break
        assert (session.summary.state, session.summary.cycles, session.summary.reconciled) == ("aborted", 4, True)
        assert_at_rest(handpiece)
        assert_logged(log, 1, "aborted")


async def test_blanks_around_its_name_make_no_other_course() -> None:
    async with connected() as (handpiece, log):
        async with handpiece.open_session(PLAN, course=" spring\n") as session:
            await whole(session)
        assert session.course == log.load(1).start.course == "spring"


async def test_a_session_left_at_once_is_aborted() -> None:
    async with connected() as (handpiece, log):
        async with handpiece.open_session(PLAN) as session:
            pass
        assert (session.summary.state, session.summary.cycles) == ("aborted", 0)
        assert_at_rest(handpiece)
        assert_logged(log, 1, "aborted")


async def test_an_abort_within_the_anesthesia_wait_does_not_wait_for_it() -> None:
    async with connected("sim://?seed=7&anesthesia_wait_s=600&speed=1") as (handpiece, log):
        async with handpiece.open_session(PLAN) as session:
            task = asyncio.get_running_loop().create_task(session.confirm_anesthesia())
            driver = driver_of(handpiece)
            while driver.engine.machine.now is not State.ANESTHESIA_WAIT:
                await clock.pause(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            began = driver.now
        assert driver.now - began < 5 * SECOND
        assert_logged(log, 1, "aborted")


@pytest.mark.parametrize("url", [None, 5, b"sim://"])
async def test_a_url_of_another_type_is_named(url: Any) -> None:
    with pytest.raises(TypeError, match=f"a device URL is a str .*, not {type(url).__name__}"):
        async with devicectl.connect(url):
            pass


async def test_a_connection_serves_one_session() -> None:
    async with connected() as (handpiece, log):
        async with handpiece.open_session(PLAN) as session:
            await whole(session)
        with pytest.raises(SessionError, match="connect again"):
            async with handpiece.open_session(PLAN):
                raise AssertionError
        assert_logged(log, 1, "completed")


async def test_nothing_runs_without_anesthesia() -> None:
    async with connected() as (handpiece, log):
        with pytest.raises(SessionError, match="confirm_anesthesia"):
            async with handpiece.open_session(PLAN) as session:
                await anext(session.run())
        assert_at_rest(handpiece)
        assert_logged(log, 1, "aborted")


# --- cancellation at every await ---------------------------------------------------------------------------------


class Cancelled(Exception):
    """The test's own cancellation has come through."""


def cancel_after(monkeypatch: pytest.MonkeyPatch, events: int, again_after: int | None = None) -> Callable[[], bool]:
    """Cancel the current task at its `events`-th await, and once more `again_after` further ones."""
    monkeypatch.setattr(virtual_time, "EVENTS_BETWEEN_YIELDS", 1)
    count = 0
    when = {events} if again_after is None else {events, events + again_after}
    task = asyncio.current_task()
    assert task is not None

    async def pause(_: float) -> None:
        nonlocal count
        count += 1
        if count in when:
            assert task is not None
            task.cancel()
        await asyncio.sleep(0)  # noqa: TID251 - the cancellation takes effect here, as in the real pause

    monkeypatch.setattr(clock, "pause", pause)
    return lambda: count >= events


async def run_and_leave(handpiece: Handpiece) -> Session | None:
    """One session that may be cancelled anywhere; the session if it was begun."""
    session = handpiece.open_session(Plan(target_cores=6))
    try:
        async with session:
            await whole(session)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
    return session if session.opened else None


@pytest.mark.parametrize("events", [*range(1, 30), *range(30, 130, 3), *range(130, 400, 11)])
async def test_cancelled_after_any_number_of_events(events: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (handpiece, log):
        with monkeypatch.context() as patch:
            cancelled = cancel_after(patch, events)
            session = await run_and_leave(handpiece)
        assert_at_rest(handpiece)
        if session is None:
            with pytest.raises(LogError):
                log.load(1)
        else:
            state = "aborted" if cancelled() and session.summary.state == "aborted" else "completed"
            assert session.summary.state == state
            assert_logged(log, 1, state)


@pytest.mark.parametrize("events", range(5, 300, 23))
@pytest.mark.parametrize("again_after", [1, 2, 5])
async def test_cancelled_twice(events: int, again_after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second takes effect at once; the device stops itself by BYE, and the session can be abandoned."""
    async with connected() as (handpiece, _):
        with monkeypatch.context() as patch:
            cancel_after(patch, events, again_after)
            await run_and_leave(handpiece)
        device = device_of(handpiece)
    assert not device.board.armed and device.nvm.register is None
    assert device.plant.needle.depth_um(Micros(driver_of(handpiece).now + SECOND)) == 0


Step = Callable[[Session], Awaitable[Any]]


@pytest.mark.parametrize("slow", ["confirm", "cycle"])
async def test_a_timeout_around_a_step(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At real speed, with a timeout that ends before the step does."""
    wait = 600 if slow == "confirm" else 0
    async with connected(f"sim://?seed=7&speed=1&anesthesia_wait_s={wait}") as (handpiece, log):
        with pytest.raises(TimeoutError):
            async with handpiece.open_session(PLAN) as session:
                async with asyncio.timeout(0.15):
                    await whole(session)
        assert session.summary.state == "aborted"
        assert_at_rest(handpiece)
        assert_logged(log, 1, "aborted")


# --- nothing moves while nobody awaits ---------------------------------------------------------------------------


async def test_nothing_moves_while_nobody_awaits() -> None:
    async with connected() as (handpiece, _), handpiece.open_session(PLAN) as session:
        await session.confirm_anesthesia()
        async for cycle in session.run():
            before = driver_of(handpiece).now, device_of(handpiece).nvm.head
            for _ in range(20):
                await clock.pause(0)
            assert (driver_of(handpiece).now, device_of(handpiece).nvm.head) == before
            if cycle.cycle_no == 3:
                break


async def test_a_session_is_held_between_two_cycles_and_goes_on_by_itself() -> None:
    async with connected() as (handpiece, log):
        async with handpiece.open_session(PLAN) as session:
            await session.confirm_anesthesia()
            async for cycle in session.run():
                if cycle.cycle_no == 3:
                    await session.pause()
                    board = device_of(handpiece).board
                    assert (handpiece.driver.engine.machine.now, board.state) == (State.PAUSED, DeviceState.PAUSED)
                    assert board.armed and board.motion is None
        assert session.summary.succeeded
        assert_logged(log, 1, "completed")
        assert [note.name for note in log.load(1).notes if note.name in ("pause", "resume")] == ["pause", "resume"]


async def test_a_link_that_is_lost_under_a_pause_leaves_the_device_holding() -> None:
    async with connected() as (handpiece, log):
        world = driver_of(handpiece).world
        async with handpiece.open_session(PLAN) as session:
            await session.confirm_anesthesia()
            async for cycle in session.run():
                if cycle.cycle_no == 3:
                    world.device_muted = True
                    world.heap.at(Micros(world.now + 5 * SECOND), lambda: setattr(world, "device_muted", False))
                    await session.pause()
                    assert not world.device.board.armed and not world.device_muted
        assert session.summary.succeeded
        assert_logged(log, 1, "completed")


async def test_a_driver_that_nothing_can_wake_says_so() -> None:
    def forever() -> Procedure[None]:
        yield lambda: False

    async with connected() as (handpiece, _):
        driver = driver_of(handpiece)
        driver.world.cut()
        with pytest.raises(DevicectlError, match="nothing is left to happen"):
            await driver.perform(forever())
        procedures = driver.engine.link.procedures
        assert not procedures._by_request and not procedures._polled
        driver.world.mend()


# --- pace --------------------------------------------------------------------------------------------------------


class Wall:
    """A wall clock that goes by its pauses alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0
        self.longest = 0.0
        self.breaks_off_at: int | None = None
        monkeypatch.setattr(clock, "monotonic", lambda: Micros(self.now))
        monkeypatch.setattr(clock, "pause", self.pause)

    async def pause(self, duration: float) -> None:
        self.longest = max(self.longest, duration)
        self.now += round(duration * 1e6)
        if self.breaks_off_at is not None and self.now > self.breaks_off_at:
            self.now, self.breaks_off_at = self.breaks_off_at, None
            raise asyncio.CancelledError


@pytest.mark.parametrize("speed", [0.5, 1, 20])
async def test_the_heap_keeps_the_walls_pace(speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    async with connected(f"{URL}&speed={speed}") as (handpiece, _):
        async with handpiece.open_session(PLAN) as session:
            await whole(session)
        driver = driver_of(handpiece)
        assert wall.now == pytest.approx(driver.now / speed, abs=1_000)
        assert session.summary.wall_seconds == pytest.approx(driver.now / speed / 1e6, rel=0.05)


@pytest.mark.parametrize("speed", [0.5, 1, 20])
async def test_a_stop_is_noted_at_the_walls_time(speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not at that of the last event, which is far back while numbness is waited for."""
    wall = Wall(monkeypatch)
    async with connected(f"sim://?seed=7&speed={speed}&anesthesia_wait_s=600") as (handpiece, log):
        with pytest.raises(asyncio.CancelledError):
            async with handpiece.open_session(PLAN) as session:
                wall.breaks_off_at = Micros(4_500_000)
                await session.confirm_anesthesia()
        (stop,) = [note for note in log.load(1).notes if note.name == "stop"]
        assert stop.at_us == 4_500_000 * speed


async def test_a_stop_over_a_slow_line_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its retry counts from when it is sent, and not from the event before the wait that was broken off."""
    wall = Wall(monkeypatch)
    async with devicectl.connect("sim://?seed=7&speed=1&baud=9600&anesthesia_wait_s=600") as handpiece:
        with pytest.raises(asyncio.CancelledError):
            async with handpiece.open_session(PLAN) as session:
                wall.breaks_off_at = Micros(4_500_000)
                await session.confirm_anesthesia()
        assert driver_of(handpiece).engine.link.exchange.statistics.retries == 0


async def test_without_a_speed_the_wall_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    async with connected() as (handpiece, _), handpiece.open_session(PLAN) as session:
        await whole(session)
    assert wall.now == 0


async def test_a_caller_that_dawdled_is_not_caught_up_with_in_a_rush(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    async with connected(f"{URL}&speed=1") as (handpiece, _), handpiece.open_session(PLAN) as session:
        await session.confirm_anesthesia()
        run = session.run()
        await anext(run)
        wall.now += 60 * SECOND
        before = wall.now, driver_of(handpiece).now
        for _ in range(5):
            await anext(run)
        took, device_took = wall.now - before[0], driver_of(handpiece).now - before[1]
        assert device_took - virtual_time.MAX_LAG_US - 100_000 <= took <= device_took + 1_000
        await run.aclose()  # type: ignore[attr-defined]


# --- sessions that were found ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", ["seed=7&", ""], ids=["seed", "none"])
async def test_an_open_session_of_before_is_found_resumed_or_abandoned(tmp_path: Any, seed: str) -> None:
    url, path = f"sim://?{seed}anesthesia_wait_s=1&nvm={tmp_path / 'nvm'}", tmp_path / "log.sqlite"
    with SessionLog.open(path, wall_clock=clock.wall) as log:
        for _ in range(2):
            await leave_open(url, log)
        async with devicectl.connect(url, log=log) as handpiece:
            with pytest.raises(SessionFoundError) as found:
                async with handpiece.open_session(PLAN):
                    raise AssertionError
            assert found.value.known and found.value.session_no == 1
        async with devicectl.connect(url, log=log) as handpiece:
            async with handpiece.resume_session() as session:
                assert session.resumed and session.summary.cycles == 2
                async for _ in session.run():
                    pass
            assert session.summary.succeeded
            assert_at_rest(handpiece)
        assert_logged(log, 1, "completed")


async def test_a_memory_file_keeps_its_device(tmp_path: Any) -> None:
    nvm = tmp_path / "nvm"
    infos = []
    for _ in range(2):
        async with devicectl.connect(f"sim://?nvm={nvm}") as handpiece:
            infos.append(handpiece.device)
    assert infos[0] == infos[1]
    seed = infos[0].seed
    async with devicectl.connect(f"sim://?nvm={nvm}&seed={seed}") as handpiece:
        assert handpiece.device == infos[0]
    with pytest.raises(UrlError) as caught:
        async with devicectl.connect(f"sim://?nvm={nvm}&seed={seed + 1}"):
            raise AssertionError
    assert caught.value.part == "seed"
    assert caught.value.reason == f"{seed + 1} is not the seed {seed} of the device in {nvm}; leave it out"
    async with devicectl.connect(f"sim://?nvm={nvm}") as handpiece:  # the refused one has let go of the file
        assert handpiece.device == infos[0]
    async with devicectl.connect(f"sim+tcp://?nvm={nvm}") as handpiece:
        assert handpiece.device.seed == seed


async def leave_open(url: str, log: SessionLog) -> None:
    """A process that goes away after two cycles; or, with a session open already, before it does anything."""
    async with devicectl.connect(url, log=log) as handpiece:
        if not handpiece.open_session_no:
            session = await handpiece.open_session(PLAN).__aenter__()
            await session.confirm_anesthesia()
            run = session.run()
            await anext(run)
            await anext(run)
            await run.aclose()  # type: ignore[attr-defined]


def ages_told(log: SessionLog) -> list[int]:
    """What each ANESTHESIA_START said, in order."""
    records = [decode_record(raw) for raw in log.load(1).records]
    return [record.age_s for record in records if isinstance(record, Anesthesia) and not record.confirmed]


AWAY = [
    (2_400, [0, 2_401]),
    (4_000, [0, 4_001, 0]),  # worn off: told, refused, and given again
    (-5, [0, MAX_ANESTHESIA_AGE_S, 0]),  # a clock that was put back tells nothing
]


@pytest.mark.parametrize(("away_s", "told"), AWAY)
async def test_the_time_that_a_device_was_off_is_in_the_anesthesias_age(
    away_s: int, told: list[int], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two hosts the wall's clock alone has seen it. Taken for younger, it would be punched in for too long."""
    url, now = f"{URL}&nvm={tmp_path / 'nvm'}", datetime(2026, 3, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall", lambda: now)
    with SessionLog.open("sqlite://", wall_clock=clock.wall) as log:
        await leave_open(url, log)
        now += timedelta(seconds=away_s, milliseconds=300)
        async with devicectl.connect(url, log=log) as handpiece, handpiece.resume_session() as session:
            await whole(session)
        assert session.summary.succeeded
        assert ages_told(log) == [age_s for age_s in told for _ in PLAN.zones]


class Waits:
    """An observer that sees, as a display does, how long from a note on the anesthesia is waited for."""

    session: Session
    seen: dict[str, int]

    def __init__(self) -> None:
        self.seen = {}

    def changed(self, before: State, after: State, now: Micros) -> None:
        pass

    def noted(self, note: Note) -> None:
        if (until := self.session.waits_until) is not None:
            self.seen[note.name] = round((until - note.at_us) / SECOND)


async def test_what_is_waited_for_is_known_when_the_wait_is_noted() -> None:
    """A display counts it down from then on."""
    waits = Waits()
    async with devicectl.connect("sim://?seed=7&anesthesia_wait_s=300", observer=waits) as handpiece:
        waits.session = handpiece.open_session(PLAN)
        async with waits.session as session:
            await session.confirm_anesthesia()
            assert waits.seen == {"anesthesia_start": 300} and session.waits_until is None


@pytest.mark.parametrize("confirmed", [False, True])
async def test_what_may_have_been_injected_just_now_is_waited_for(
    confirmed: bool, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened half an hour before the injection: for how long the device was off, nobody knows. The truth is 20 s.

    For its end the anesthesia counts as old as it may be; for its beginning, where nobody has confirmed it, as young.
    """
    url, now = f"sim://?seed=7&anesthesia_wait_s=300&nvm={tmp_path / 'nvm'}", datetime(2026, 3, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall", lambda: now)
    with SessionLog.open("sqlite://", wall_clock=clock.wall) as log:
        async with devicectl.connect(url, log=log) as handpiece:
            session = await handpiece.open_session(PLAN).__aenter__()
            driver, engine = driver_of(handpiece), handpiece.driver.engine
            begun = engine.link.start(engine.confirm_anesthesia("lidocaine injection", "trainer"), driver.now)
            end = Micros(driver.now + (310 if confirmed else 20) * SECOND)
            driver.world.heap.at(end, lambda: None)
            while driver.now < end:
                driver.world.step()
            assert begun.done is confirmed
            engine.link.procedures.cancel(begun)
            await session.pause()  # reads nothing; what was told is read when the session is taken up
        now += timedelta(seconds=1_800 + 20)
        waits = Waits()
        async with devicectl.connect(url, log=log, observer=waits) as handpiece:
            began = driver_of(handpiece).now
            waits.session = handpiece.resume_session()
            async with waits.session as session:
                waited_s = (driver_of(handpiece).now - began) / SECOND
                async for _ in session.run():
                    pass
        assert session.summary.succeeded
        assert waited_s < 5 if confirmed else 280 <= waited_s < 310, waited_s
        assert ages_told(log)[-1] >= 1_800
        assert ("anesthesia_wait" in waits.seen) is not confirmed
        assert confirmed or 280 <= waits.seen["anesthesia_wait"] < 310


async def test_an_anesthesia_of_before_the_session_goes_on_aging_until_it_is_told(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan says how old it was when the session was opened, and the first host said nothing of it."""
    url, now = f"{URL}&nvm={tmp_path / 'nvm'}", datetime(2026, 3, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "wall", lambda: now)
    plan = Plan(target_cores=6, operator=Operator(anesthesia_age_s=600))
    with SessionLog.open("sqlite://", wall_clock=clock.wall) as log:
        async with devicectl.connect(url, log=log) as handpiece:
            session = await handpiece.open_session(plan).__aenter__()
            assert session.injected_ago_s == 600
        for away_s, age_s in ((900, 1_500), (-2_000, MAX_ANESTHESIA_AGE_S)):
            now += timedelta(seconds=away_s)
            async with devicectl.connect(url, log=log) as handpiece:
                session = handpiece.resume_session()
                assert session.injected_ago_s == age_s
        assert ages_told(log) == []


@pytest.mark.parametrize("known", [True, False])
async def test_an_open_session_is_abandoned(tmp_path: Any, known: bool) -> None:
    url = f"sim://?seed=7&anesthesia_wait_s=300&nvm={tmp_path / 'nvm'}"
    with SessionLog.open(tmp_path / "log.sqlite") as log, SessionLog.open("sqlite://") as other:
        await leave_open(url, log)
        async with devicectl.connect(url, log=log if known else other) as handpiece:
            began = driver_of(handpiece).now
            abandoned = await handpiece.abandon_session()
            assert abandoned is not None and abandoned.session_no == 1
            assert handpiece.open_session_no == 0 or known
            assert driver_of(handpiece).now - began < 10 * SECOND
            assert_at_rest(handpiece)
            if known:
                assert abandoned.summary is not None and abandoned.summary.reconciled
                assert_logged(log, 1, "aborted")
            else:
                assert abandoned.summary is None
                with pytest.raises(SessionError, match="connect again"):
                    await handpiece.open_session(PLAN).__aenter__()
        async with devicectl.connect(url, log=log) as handpiece:
            assert await handpiece.abandon_session() is None
            async with handpiece.open_session(PLAN) as session:
                await whole(session)
            assert session.summary.succeeded and session.session_no == 2


async def test_an_open_session_is_abandoned_where_the_device_has_other_counts(tmp_path: Any) -> None:
    url = f"{URL}&nvm={tmp_path / 'nvm'}"
    with SessionLog.open("sqlite://") as log:
        await leave_open(url, log)
        async with devicectl.connect(url, log=log) as handpiece:
            session = device_of(handpiece).nvm.session
            assert session is not None
            session.punctures += 1
            abandoned = await handpiece.abandon_session()
            assert abandoned is not None and abandoned.summary is not None
            assert (abandoned.summary.state, abandoned.summary.reconciled) == ("aborted", False)
            assert_at_rest(handpiece)
        notes = [note.detail for note in log.load(1).notes if note.name == "disagreement"]
        assert "punctures: 7 on the device, 6 here" in notes


async def test_an_open_session_is_abandoned_where_the_log_does_not_take_what_the_device_has(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{URL}&nvm={tmp_path / 'nvm'}"

    def store(*_: Any) -> None:
        raise LogError(LogErrorKind.OUT_OF_ORDER, "log", "event 9 came again with other content")

    with SessionLog.open("sqlite://") as log:
        await leave_open(url, log)
        async with devicectl.connect(url, log=log) as handpiece:
            monkeypatch.setattr(log, "store", store)
            with pytest.raises(LogError, match="came again") as caught:
                await handpiece.abandon_session()
            assert caught.value.__notes__ == ["the device has closed session 1, as ABANDONED"]
            assert_at_rest(handpiece)


async def test_nothing_to_resume_and_a_session_that_the_log_does_not_know(tmp_path: Any) -> None:
    url = f"{URL}&nvm={tmp_path / 'nvm'}"
    with SessionLog.open("sqlite://") as log, SessionLog.open("sqlite://") as other:
        async with devicectl.connect(url, log=log) as handpiece:
            with pytest.raises(SessionError, match="holds no open session"):
                handpiece.resume_session()
        await leave_open(url, log)
        async with devicectl.connect(url, log=other) as handpiece:
            with pytest.raises(SessionFoundError, match="this log does not know it; --abandon closes it"):
                handpiece.resume_session()


# --- what watches ------------------------------------------------------------------------------------------------


class Watcher:
    """An observer that notes everything and may fail."""

    def __init__(self, fails_in: State | None = None) -> None:
        self.states: list[State] = []
        self.notes: list[Note] = []
        self._fails_in = fails_in
        self.failed = False

    def changed(self, before: State, after: State, now: Micros) -> None:
        self.states.append(after)
        self.failed = self.failed or after is self._fails_in
        if self.failed:
            raise OSError("nobody reads")

    def noted(self, note: Note) -> None:
        self.notes.append(note)


async def test_an_observer_sees_every_state() -> None:
    watcher = Watcher()
    async with connected(observer=watcher) as (handpiece, _), handpiece.open_session(PLAN) as session:
        await whole(session)
    assert watcher.states[:2] == [State.CONNECTING, State.IDLE]
    assert watcher.states[-2:] == [State.CLOSING, State.COMPLETED]
    assert watcher.states.count(State.COUNTING) == session.summary.cycles
    assert any(note.name == "session_open" for note in watcher.notes)


@pytest.mark.parametrize("state", [State.ANESTHESIA_WAIT, State.ARMED, State.SUCTIONING, State.REPOSITIONING])
async def test_an_observer_that_fails_ends_the_session_safely(state: State) -> None:
    async with connected(observer=Watcher(state)) as (handpiece, log):
        with pytest.raises(OSError, match="nobody reads"):
            async with handpiece.open_session(PLAN) as session:
                await whole(session)
        assert session.summary.state == "aborted"
        assert_at_rest(handpiece)
        assert_logged(log, 1, "aborted")


async def test_the_same_seed_gives_the_same_bytes() -> None:
    async def bytes_of(seed: int) -> list[tuple[str, bytes, Micros]]:
        heard: list[tuple[str, bytes, Micros]] = []
        url = f"sim://?seed={seed}"
        async with (
            connected(url, tap=lambda *piece: heard.append(piece)) as (handpiece, _),
            handpiece.open_session(PLAN) as session,
        ):
            await whole(session)
        return heard

    first = await bytes_of(7)
    assert first == await bytes_of(7) != await bytes_of(8)
    assert {sender for sender, _, _ in first} == {"host", "device"}
