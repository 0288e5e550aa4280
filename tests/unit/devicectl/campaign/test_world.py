"""The faulty world by what a trial in it comes to: each way to break something, and what the recording shows."""

import pytest

from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.recording import DEVICE_HEARD, DEVICE_SENT, HOST_HEARD, HOST_SENT
from devicectl.campaign.scenario import Person
from devicectl.campaign.trial import Trial
from devicectl.campaign.world import wait_alone
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.memory.steps import Put
from protocols.language.units import MILLISECOND, SECOND
from tests.unit.devicectl.campaign.trials import a_scenario, events, right

MIDDLE = 'cycle == 3 and phase == "suction"'


def times(trial: Trial, where: str) -> list[int]:
    return [packet.at_us for packet in trial.recording if packet.where == where]


def moments(trial: Trial, name: str) -> list[int]:
    return [at_us for at_us, _ in events(trial, name)]


def fired_at(trial: Trial) -> int:
    return moments(trial, "fired")[0]


def test_what_is_sent_is_heard_where_nothing_breaks() -> None:
    trial = right()
    said = [(packet.where, packet.data) for packet in trial.recording]
    assert [data for where, data in said if where == HOST_SENT] == [
        data for where, data in said if where == DEVICE_HEARD
    ]
    assert [data for where, data in said if where == DEVICE_SENT] == [
        data for where, data in said if where == HOST_HEARD
    ]


def test_a_brown_out_leaves_the_device_deaf_and_dumb_until_it_boots() -> None:
    trial = right(declare("brown_out", MIDDLE, for_ms=700))
    began, (booted,) = fired_at(trial), moments(trial, "boot")
    assert booted == began + 700 * MILLISECOND
    assert not [at for where in (DEVICE_HEARD, DEVICE_SENT) for at in times(trial, where) if began < at < booted]
    assert [at for at in times(trial, HOST_SENT) if began < at < booted], "the host has asked meanwhile"


def test_a_pulled_cable_carries_nothing_until_it_is_back() -> None:
    trial = right(declare("disconnect", MIDDLE, for_ms=1_500))
    began = fired_at(trial)
    heard = [at for where in (DEVICE_HEARD, HOST_HEARD) for at in times(trial, where)]
    assert not [at for at in heard if began < at < began + 1_500 * MILLISECOND]
    assert max(heard) > began + 1_500 * MILLISECOND


def test_two_causes_keep_a_cable_apart_until_the_last_has_gone() -> None:
    trial = right(declare("disconnect", MIDDLE, for_ms=300), declare("disconnect", MIDDLE, for_ms=2_000))
    began = fired_at(trial)
    heard = [at for where in (DEVICE_HEARD, HOST_HEARD) for at in times(trial, where)]
    assert not [at for at in heard if began < at < began + 2_000 * MILLISECOND]


@pytest.mark.parametrize("unaware", ["device", "host"])
def test_of_a_half_open_connection_one_end_does_not_hear(unaware: str) -> None:
    trial = right(declare("half_open", MIDDLE, unaware=unaware, for_ms=3_000))
    began = fired_at(trial)
    sent = times(trial, DEVICE_SENT if unaware == "device" else HOST_SENT)
    aware = times(trial, HOST_SENT if unaware == "device" else DEVICE_SENT)
    soon = began + 500 * MILLISECOND
    assert [at for at in sent if began < at < soon], "it goes on as if nothing had happened"
    assert not [at for at in aware if began < at < soon]


def test_a_device_whose_disk_fails_ends_and_is_started_again() -> None:
    trial = right(declare("short_write", 'phase == "suction" and cycle == 3'))
    (ended,), (booted,) = moments(trial, "device_ended"), moments(trial, "boot")
    assert booted == ended + SECOND


def test_power_lost_in_a_write_boots_at_once() -> None:
    for kind in ("torn_write", "lost_write"):
        trial = right(declare(kind, "write(25)"))
        assert moments(trial, "boot") == [fired_at(trial)]


def test_a_killed_host_says_nothing_more_and_another_one_goes_on() -> None:
    trial = right(declare("host_crash", MIDDLE))
    (ended,) = moments(trial, "host")
    assert ended == fired_at(trial)
    assert not [at for at in times(trial, HOST_SENT) if ended < at < ended + SECOND]
    assert trial.verdict.lives == 2 and trial.verdict.ending == "completed"


def test_a_stroke_is_recorded_with_the_skin_as_it_was() -> None:
    trial = right()
    strokes = [event for _, event in events(trial, "stroke")]
    assert len(strokes) == trial.device.plant.truth.cycles_commanded
    assert all(stroke["state"] == "ARMED" and stroke["sensed_kpa"] < -40 for stroke in strokes)
    assert [stroke["made"] for stroke in strokes[:3]] == [0, 3, 6]


def test_needles_are_recorded_as_they_leave_and_come_home() -> None:
    trial = right()
    moves = [event["home_at"] for _, event in events(trial, "needles")]
    assert moves[0::2] == [None] * trial.device.plant.truth.cycles_commanded
    assert None not in moves[1::2]


def test_only_the_port_of_a_link_is_told_to_be_gone() -> None:
    """A host that is turned away leaves while the link of a killed one still lives on its own port."""
    killed, full = declare("host_crash", MIDDLE), declare("disk_full", MIDDLE, for_ms=300)
    trial = right(killed, full, person=Person(waits_ms=(10,), heard=0.0))
    assert not [at_us for at_us in moments(trial, "detached") if at_us < fired_at(trial) + 300 * MILLISECOND]


def test_the_bye_of_a_host_that_ends_is_heard() -> None:
    trial = right(declare("log_full", "commit(3)"))
    assert [said.frame.name for said in Reading(trial.recording).device_heard].count("Bye") == 1
    assert trial.verdict.lives == 2 and moments(trial, "detached") == [], "the link had ended when the transport went"


@pytest.mark.parametrize("when", ["write(1)", 'piece("host", 1)', 'frame("HELLO", 1)', "commit(1)", 'at("0 s")'])
def test_a_fault_may_meet_the_very_first_of_all(when: str) -> None:
    target = {"write(1)": "torn_write", "commit(1)": "crash_before_commit"}.get(when, "drop")
    assert right(declare(target, when)).verdict.fired


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (declare("short_write", "write(9)"), True),
        (declare("torn_write", "write(9)", kept=1), True),
        (declare("reboot", 'at("0 s")'), False),
    ],
    ids=["the process ends", "a write has lost the power, and kept its step", "the power goes by itself"],
)
def test_steps_that_were_not_synced_are_lost_with_the_power_alone(fault: Fault, kept: bool) -> None:
    trial = Trial(a_scenario(fault, declare("emergency_stop", 'at("1 ms")', for_ms=10)))
    for boots in range(101, 109):
        trial.device.nvm.keep(Put("boot_count", boots), shown=False)
    wait_alone(trial.world, 2 * SECOND)
    assert trial.device.powered and (trial.device.nvm.boot_count == 109) is kept
