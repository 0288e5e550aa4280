import pytest

from devicectl.station.server.pace import LOOK_US, MAX_LAG_US, STEPS, STOPS, Pace, Seen
from protocols.language.units import MILLISECOND, SECOND, Micros

NOTHING = Seen(phases=0, punches=0, counts=0, alarms=0, refusals=0, closed=0)
TICK = Micros(20 * MILLISECOND)


def test_virtual_time_is_the_walls_by_the_speed() -> None:
    pace = Pace(speed=60.0)
    pace.run(Micros(0))
    assert [pace.passed(Micros(TICK * tick)) for tick in (1, 2, 3)] == [60 * TICK] * 3


def test_slow_speed_loses_no_time_by_rounding() -> None:
    pace = Pace(speed=0.05)
    pace.run(Micros(0))
    assert sum(pace.passed(Micros(wall)) for wall in range(0, 20_001, 7)) == pytest.approx(1_000, abs=1)


def test_nothing_passes_while_held() -> None:
    pace = Pace()
    assert pace.passed(TICK) == 0
    pace.run(TICK)
    assert pace.passed(Micros(2 * TICK)) == TICK
    pace.hold()
    assert pace.passed(Micros(3 * TICK)) == 0
    pace.run(Micros(9 * TICK))
    assert pace.passed(Micros(10 * TICK)) == TICK


def test_machine_that_slept_has_no_lesson_rush_by() -> None:
    pace = Pace()
    pace.run(Micros(0))
    assert pace.passed(Micros(60 * SECOND)) == MAX_LAG_US
    assert pace.passed(Micros(60 * SECOND + TICK)) == TICK


def test_time_is_one_piece_unless_something_is_looked_for() -> None:
    pace = Pace()
    assert pace.slices(TICK) == (TICK,)
    pace.prepare(["first_alarm"], NOTHING)
    assert max(pace.slices(Micros(TICK + 1))) == LOOK_US and sum(pace.slices(Micros(TICK + 1))) == TICK + 1


@pytest.mark.parametrize(("stop", "seen"), [("first_punch", "punches"), ("first_alarm", "alarms"), ("close", "closed")])
def test_stop_holds_once(stop: str, seen: str) -> None:
    pace = Pace()
    pace.prepare([stop], NOTHING)
    pace.run(Micros(0))
    assert not pace.look(NOTHING) and pace.running
    reached = NOTHING._replace(**{seen: 1})
    assert pace.look(reached) and not pace.running and pace.done == {stop}
    pace.run(Micros(0))
    assert not pace.look(reached) and pace.running


def test_stop_that_lies_behind_is_done_when_it_is_chosen() -> None:
    pace = Pace()
    pace.prepare(["first_alarm", "close", "close"], NOTHING._replace(alarms=2))
    assert (pace.stops, pace.ahead) == (("first_alarm", "close"), ("close",))


def test_stop_is_ahead_again_in_an_attempt_that_begins_before_it() -> None:
    pace = Pace()
    pace.prepare(["first_alarm"], NOTHING)
    pace.look(NOTHING._replace(alarms=1))
    pace.begin_again(NOTHING)
    assert pace.ahead == ("first_alarm",) and not pace.running


@pytest.mark.parametrize(("step", "seen"), [("phase", "phases"), ("cycle", "punches"), ("alarm", "alarms")])
def test_step_runs_to_the_next_one_and_holds(step: str, seen: str) -> None:
    pace, now = Pace(), NOTHING._replace(**{seen: 3})
    pace.step(step, now, Micros(0))
    assert pace.running and not pace.look(now) and pace.running
    assert pace.look(now._replace(**{seen: 4})) and not pace.running
    pace.run(Micros(0))
    assert not pace.look(now._replace(**{seen: 9}))


def test_holding_ends_a_step() -> None:
    pace = Pace()
    pace.step("phase", NOTHING, Micros(0))
    pace.hold()
    pace.run(Micros(0))
    assert not pace.look(NOTHING._replace(phases=1))


def test_each_stop_and_step_has_something_to_see() -> None:
    everything = Seen(*(1 for _ in Seen._fields))
    assert all(stop.seen(everything) and not stop.seen(NOTHING) for stop in STOPS.values())
    assert all(count(everything) and not count(NOTHING) for count in STEPS.values())
