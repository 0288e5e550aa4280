"""Connections that end: which reason is told, and when a device no longer tries."""

from typing import Final

import aiomqtt
import pytest

from firmware_sim.serve.transports.lives import MAX_BIRTHS, MAX_SHORT_LIVES, SHORT_LIFE_US, Lives, NextStep
from protocols.mqtt.broker import DeniedError, LostError

AGAIN, TELL, GIVE_UP, TWIN = NextStep
LOST: Final = LostError(-1)
BUSY: Final = LostError(0x89)
NO_ANSWER: Final = aiomqtt.MqttError("Operation timed out")


def lived(lives: Lives, error: Exception = LOST, lasted_us: int = SHORT_LIFE_US) -> NextStep:
    return lives.ended(error, f"{error} {getattr(error, 'rc', '')}", born=True, lasted_us=lasted_us)


def unborn(lives: Lives, error: Exception = LOST, lasted_us: int = 0) -> NextStep:
    return lives.ended(error, str(error), born=False, lasted_us=lasted_us)


def test_each_end_of_a_long_life_is_told() -> None:
    lives = Lives()
    assert [lived(lives) for _ in range(3 * MAX_SHORT_LIVES)] == [TELL] * 3 * MAX_SHORT_LIVES


def test_of_a_run_of_short_lives_each_reason_is_told_once_and_then_it_is_over() -> None:
    """As of two devices of one id, where the broker does not say which client it has thrown out for which."""
    lives = Lives()
    errors = [LOST, LOST, BUSY, BUSY, *[LOST] * 6]
    assert len(errors) == MAX_SHORT_LIVES
    told = [TELL, AGAIN, TELL, AGAIN, TELL, *[AGAIN] * 4, TWIN]
    assert [lived(lives, error, 0) for error in errors] == told


def test_a_long_life_between_short_ones_begins_again() -> None:
    lives = Lives()
    for _ in range(3):
        assert lived(lives) is TELL
        assert [lived(lives, lasted_us=0) for _ in range(MAX_SHORT_LIVES - 1)] == [AGAIN] * (MAX_SHORT_LIVES - 1)


def test_of_attempts_to_come_back_nothing_is_told() -> None:
    lives = Lives()
    assert lived(lives) is TELL
    for attempt in range(1, 100):
        assert unborn(lives, NO_ANSWER, SHORT_LIFE_US) is AGAIN and lives.attempt == attempt
    assert lived(lives) is TELL and lives.attempt == 0


@pytest.mark.parametrize("is_born", [False, True])
def test_a_broker_that_says_why_is_believed(is_born: bool) -> None:
    lives = Lives()
    if is_born:
        lived(lives)
    assert unborn(lives, LostError(0x8E)) is TWIN


@pytest.mark.parametrize("is_born", [False, True])
def test_what_is_denied_stays_denied(is_born: bool) -> None:
    lives = Lives()
    if is_born:
        lived(lives)
    assert unborn(lives, DeniedError("publish to x")) is GIVE_UP


@pytest.mark.parametrize(("error", "lasted_us"), [(NO_ANSWER, 0), (LOST, SHORT_LIFE_US)])
def test_a_first_connection_that_does_not_come_about(error: Exception, lasted_us: int) -> None:
    assert unborn(Lives(), error, lasted_us) is GIVE_UP


def test_who_is_let_in_and_thrown_out_before_its_birth_tries_again_a_few_times() -> None:
    lives = Lives()
    assert [unborn(lives) for _ in range(MAX_BIRTHS)] == [AGAIN] * (MAX_BIRTHS - 1) + [TWIN]
    lives = Lives()
    assert unborn(lives) is AGAIN and lived(lives) is TELL


def test_a_broker_that_says_why_is_asked_about_no_twin() -> None:
    """What it says would only be hidden by the question whether there is another device of this id."""
    too_large = LostError(0x95)
    assert unborn(Lives(), too_large) is GIVE_UP
    lives = Lives()
    steps = [lived(lives, too_large, 0) for _ in range(MAX_SHORT_LIVES)]
    assert steps == [TELL, *[AGAIN] * (MAX_SHORT_LIVES - 2), GIVE_UP]
