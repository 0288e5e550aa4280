"""Defects that act with time, through a whole session: what notices them, and what counts all the same."""

import pytest

from devicectl.errors import CommandFailedError, CommandRefusedError
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language.enums import DeviceState
from protocols.language.units import SECOND
from tests.world import Lab, assert_counted


@pytest.mark.parametrize("ppm", [1_000.0, -1_000.0])
def test_a_session_is_made_and_closed_by_a_clock_that_drifts(ppm: float) -> None:
    """Deadlines are met, since each heartbeat tells the uptime; ages are the device's own."""
    lab = Lab()
    lab.inject(clock_drift_ppm=ppm)
    lab.begin()
    assert_counted(lab, lab.finish())
    drifted_ms = lab.device.board.uptime_ms(lab.now) - lab.now // 1_000
    assert drifted_ms == pytest.approx(ppm * lab.now / 1e9, abs=1)


def test_a_slow_motor_is_taken_for_a_stalled_one() -> None:
    lab = Lab().begin()
    lab.inject(motor_slow=2.0)
    with pytest.raises(CommandFailedError):
        lab.finish()
    assert lab.state is DeviceState.LOCKED and lab.alarm(A.MOTOR_STALLED) == "ACTIVE"


def test_a_motor_that_is_slow_by_less_than_the_encoder_tells_is_not_noticed() -> None:
    lab = Lab().begin()
    lab.inject(motor_slow=1.05)
    assert_counted(lab, lab.finish())


def test_needles_that_come_home_late_are_seen_by_the_retracted_sensor() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "suction_ms": 1, "depth_tolerance_um": 500}).begin()
    lab.inject(motor_slow=1.4)
    with pytest.raises(CommandRefusedError):
        lab.finish()
    assert lab.alarm(A.NEEDLE_NOT_RETRACTED) in ("ACTIVE", "LATCHED")


def test_a_pressure_reading_that_drifts_stops_the_session_by_interlock_4() -> None:
    lab = Lab().begin()
    lab.inject(pressure_drift_kpa_min=60.0)
    lab.until(lambda: lab.alarm(A.SUCTION_LOST) == "ACTIVE", 16 * SECOND)
    assert lab.device.plant.vacuum.pressure_kpa(lab.now) < -50


def test_a_session_goes_on_under_noise_that_stays_on_the_good_side() -> None:
    lab = Lab().begin()
    lab.inject(pressure_noise_kpa=5.0, temperature_noise_k=2.0)
    assert_counted(lab, lab.finish())
    assert not lab.alarms_read & {A.SUCTION_LOST, A.HOT}


def test_heat_that_is_put_in_stops_the_session_by_interlock_17() -> None:
    lab = Lab().begin()
    lab.inject(heat_added_w=100.0)
    lab.wait(120 * SECOND)
    with pytest.raises(CommandRefusedError) as caught:
        lab.cycle()
    assert caught.value.interlock == I.HEAT


def test_a_clone_of_a_cartridge_of_an_earlier_session_is_refused() -> None:
    lab = Lab().begin()
    lab.finish()
    lab.inject(cloned_serial=lab.device.plant.cartridge.serial)
    lab.replace_host()
    lab.open()
    lab.numb()
    with pytest.raises(CommandRefusedError) as caught:
        lab.cycle()
    assert caught.value.interlock == I.CARTRIDGE
