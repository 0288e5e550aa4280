"""The user within a session: holds it, and closes it early, wherever that falls."""

import pytest

from firmware_sim.faults.fault import declare
from protocols.language.units import SECOND
from tests.unit.devicectl.campaign.trials import events, right, tried


def test_a_pause_holds_the_session_armed_and_then_it_goes_on_to_its_target() -> None:
    trial = right(declare("paused", "cycle == 3", hold_ms=7_000))
    (began, _), *_ = [one for one in events(trial, "state") if one[1]["state"] == "PAUSED"]
    (goes_on, after), *_ = [one for one in events(trial, "state") if one[0] > began]
    assert (goes_on - began, after["state"]) == (7 * SECOND, "ARMED")
    assert trial.verdict.ending == "completed"


def test_of_a_host_that_dies_in_a_pause_the_next_one_goes_on() -> None:
    trial = right(declare("paused", "cycle == 3"), declare("host_crash", 'state == "paused"'))
    assert trial.verdict.lives == 2


def test_power_that_goes_in_a_pause_is_recovered_from() -> None:
    right(declare("paused", "cycle == 3"), declare("reboot", 'state == "paused"'))


@pytest.mark.parametrize(
    ("state", "change"),
    [
        ("session_open", "SESSION_OPEN > CLOSING"),
        ("anesthesia_wait", "ANESTHESIA_WAIT > CLOSING"),
        ("arming", "ANESTHESIA_CONFIRMED > CLOSING"),
        ("repositioning", "ARMED > ANESTHESIA_CONFIRMED"),
        ("paused", "PAUSED > ANESTHESIA_CONFIRMED"),
    ],
)
def test_a_session_is_closed_early_from_where_it_is(state: str, change: str) -> None:
    trial = tried(declare("paused", "cycle == 3", hold_ms=100), declare("closed_early", f'state == "{state}"'))
    assert trial.verdict.good, trial.verdict
    assert trial.verdict.seen["host", change]
