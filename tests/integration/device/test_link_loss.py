"""Interlock 15: the link goes silent at any moment of a session, and what the device does about it by itself."""

import pytest

from firmware_sim.board.states import HELD
from firmware_sim.model.vacuum import VENTED_KPA
from protocols.language.alarm_codes import LINK_LOST
from protocols.language.enums import AlarmPriority, DeviceState, Ending, Phase
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.world import PHASES, Lab, assert_counted, at_moment

MINUTE = 60 * SECOND
ARMED = [name for name in PHASES if name != "anesthesia wait"]
LASTING = [name for name in ARMED if name != "disarming"]
"""Moments at which the device is armed still when the lease of 600 ms has run out."""
WAYS = {"host": (True, False), "device": (False, True), "both": (True, True)}


class LastFrame:
    """When the device last had a valid frame of its host."""

    def __init__(self) -> None:
        self.at = Micros(0)
        self.lab: Lab | None = None

    def tap(self, sender: str, data: bytes, now: Micros) -> None:
        if sender == "host" and (self.lab is None or not self.lab.world.host_muted):
            self.at = now


def mute(lab: Lab, way: str) -> None:
    lab.world.host_muted, lab.world.device_muted = WAYS[way]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("moment", LASTING)
def test_armed_device_makes_itself_safe_when_the_link_is_mute(moment: str, way: str) -> None:
    last = LastFrame()
    lab, _ = at_moment(moment, tap=last.tap)
    last.lab = lab
    plant, cycles_before = lab.device.plant, lab.device.nvm.last_cycle_no
    mute(lab, way)
    lab.until(lambda: lab.state in HELD, 2 * SECOND)
    reacted_at = lab.now
    assert lab.state is DeviceState.SAFE
    assert plant.needle.home(Micros(reacted_at + 150 * MILLISECOND))
    assert plant.needle.home(Micros(last.at + 800 * MILLISECOND))
    assert lab.alarm(LINK_LOST) == "LATCHED"
    assert lab.device.board.alarms.highest is AlarmPriority.HIGH
    assert lab.device.nvm.register is None
    lab.wait(500 * MILLISECOND)
    assert plant.needle.depth_um(lab.now) == 0
    assert plant.vacuum.pressure_kpa(lab.now) > -VENTED_KPA
    if PHASES[moment] is not Phase.NONE and lab.device.nvm.last_cycle_no == cycles_before:
        outcome = lab.device.nvm.last_outcome
        assert outcome is not None and outcome.cycle_no == cycles_before
        # A count ends before the lease does, and a host that is heard is obeyed until it has missed the device.
        if way != "device" and moment != "count":
            assert (outcome.ending, outcome.phase) == (Ending.ABORTED, PHASES[moment])


@pytest.mark.parametrize("moment", ARMED)
def test_transport_that_goes_ends_everything_at_once(moment: str) -> None:
    lab, _ = at_moment(moment)
    plant, cycle_no = lab.device.plant, lab.device.nvm.last_cycle_no
    lab.world.cut()
    assert lab.state is DeviceState.SAFE
    assert (lab.alarm(LINK_LOST), lab.device.board.motion) == ("LATCHED", None)
    outcome = lab.device.nvm.last_outcome
    if PHASES[moment] is not Phase.NONE:
        assert outcome is not None
        assert (outcome.cycle_no, outcome.ending, outcome.phase) == (cycle_no, Ending.ABORTED, PHASES[moment])
    assert plant.needle.home(Micros(lab.now + 150 * MILLISECOND))
    lab.wait(500 * MILLISECOND)
    assert plant.vacuum.pressure_kpa(lab.now) > -VENTED_KPA


@pytest.mark.parametrize("moment", LASTING)
def test_device_never_resumes_by_itself(moment: str) -> None:
    lab, _ = at_moment(moment)
    mute(lab, "both")
    lab.until(lambda: lab.state in HELD, 2 * SECOND)
    truth, records = vars_of(lab), lab.device.nvm.head
    lab.wait(MINUTE)
    assert lab.state is DeviceState.SAFE
    assert (vars_of(lab), lab.device.nvm.head) == (truth, records)


def vars_of(lab: Lab) -> tuple[int, ...]:
    truth = lab.device.plant.truth
    return truth.cycles_commanded, truth.cycles_completed, truth.punctures, truth.cores_evacuated, truth.cores_counted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("moment", PHASES)
def test_session_goes_on_when_the_link_is_heard_again(moment: str, way: str) -> None:
    lab, task = at_moment(moment)
    mute(lab, way)
    lab.wait(1_500 * MILLISECOND)
    lab.world.host_muted = lab.world.device_muted = False
    if moment == "disarming":
        assert task is not None
        lab.until(lambda: task.done)
        assert_counted(lab, task.outcome(), state="aborted")
        return
    if task is not None:
        lab.until(lambda: task.done)
        task.outcome()
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize("way", WAYS)
def test_unarmed_device_only_waits(way: str) -> None:
    lab, _ = at_moment("anesthesia wait")
    mute(lab, way)
    lab.wait(20 * SECOND)
    assert lab.state in (DeviceState.ANESTHESIA_WAIT, DeviceState.ANESTHESIA_CONFIRMED)
    assert lab.alarm(LINK_LOST) == "INACTIVE"
    assert lab.device.plant.truth.cycles_commanded == 0


def test_lease_that_is_switched_off_loses_no_link() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "lease_armed_ms": 0}).begin(3)
    assert lab.engine.welcome.lease_armed_ms == 0
    lab.world.host_muted = True
    lab.wait(MINUTE)
    assert lab.state is DeviceState.ARMED
    lab.world.host_muted = False
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize("way", WAYS)
def test_lease_at_rest_that_is_switched_off_loses_no_link(way: str) -> None:
    """For a host at a breakpoint before it arms: it hears nothing and says nothing, and the device beats on."""
    lab = Lab(parameters={"anesthesia_wait_s": 1, "lease_idle_ms": 0})
    lab.open()
    assert lab.engine.welcome.lease_idle_ms == 0 and lab.engine.welcome.lease_armed_ms == 600
    port, linked = lab.world.port.exchange, lab.engine.link.exchange.link_id
    sent = port.statistics.frames_sent
    mute(lab, way)
    lab.wait(10 * MINUTE)
    assert port.link_id == lab.engine.link.exchange.link_id == linked
    assert port.statistics.frames_sent - sent >= 10 * MINUTE // (5 * SECOND) - 1
    assert lab.alarm(LINK_LOST) == "INACTIVE"
    lab.world.host_muted = lab.world.device_muted = False
    lab.numb()
    assert_counted(lab, lab.finish())


def test_lease_at_rest_that_is_switched_off_is_kept_while_armed() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "lease_idle_ms": 0}).begin(1)
    lab.world.host_muted = True
    lab.until_state(DeviceState.SAFE)
    assert lab.alarm(LINK_LOST) == "LATCHED"


def test_stroke_in_progress_is_reversed_and_not_finished() -> None:
    lab, _ = at_moment("extending")
    depth = lab.device.plant.needle.depth_um(lab.now)
    assert 0 < depth < 3_000
    lab.world.cut()
    assert lab.state is DeviceState.SAFE
    assert lab.device.plant.needle.depth_um(Micros(lab.now + MILLISECOND)) < depth
    assert lab.device.plant.needle.home(Micros(lab.now + 40 * MILLISECOND))
