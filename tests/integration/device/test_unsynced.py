"""What the device says and shows is on the disk: nothing that a loss of power could take back is ever heard of."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.nvm import Nvm
from firmware_sim.serve.real_time import Kept
from firmware_sim.serve.transports.snapshots import Snapshots
from protocols.language import messages as M
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.enums import AlarmPriority, AlarmState, Code
from protocols.language.message import Message
from protocols.language.messages import Aborted, Heartbeat, Received
from protocols.language.records import AlarmChanged
from protocols.language.units import Micros
from protocols.mqtt.topics import DeviceTopics
from tests.power import Medium
from tests.unit.protocols.link.exchange_pair import frame, seen
from tests.world import Bystander, Lab, assert_counted, at_moment


@pytest.fixture
def medium() -> Medium:
    return Medium()


def test_all_is_synced_whenever_the_device_speaks(medium: Medium) -> None:
    """A session with a refusal, an alarm from outside, a clog and a stop; one sync is for many steps.

    The phase that has begun alone may be unsynced, until something else than its beginning is said of it.
    """
    heard = 0
    begun: list[Message] = []

    def tap(sender: str, data: bytes, now: Micros) -> None:
        nonlocal heard
        if sender == "device":
            heard += 1
            assert medium.unsynced in ([], ["set_phase"])
            if medium.unsynced:
                begun.extend(message for _, message in seen([data]))

    lab = Lab(nvm=Nvm(medium, epoch=3), tap=tap)
    lab.begin(3)
    lab.device.set_alarm(RETAINED_COMMAND, present=True, now=lab.now)
    lab.world.refresh()
    lab.inject(clog_now={0})
    for _ in range(40):
        lab.cycle()
    assert isinstance(Bystander(lab).ask(M.Stop()), M.StopDone)
    assert_counted(lab, lab.finish())
    assert heard > 300
    assert len(begun) >= 3 * 20 and {type(message) for message in begun} <= {Received, Heartbeat}
    assert medium.syncs < medium.kept


def alarm(lab: Lab) -> None:
    lab.device.set_alarm(RETAINED_COMMAND, present=True, now=lab.now)


def reach(command: Any) -> Callable[[Lab], None]:
    """The command comes to the device over the controller's link."""

    def act(lab: Lab) -> None:
        port = lab.world.port
        lab.device.receive(port, frame(command, port.exchange.link_id, 0x4000), lab.now)

    return act


def acknowledge(lab: Lab) -> None:
    reach(M.JournalAck(epoch=3, upto=lab.device.nvm.head))(lab)


UNSYNCED: list[tuple[str, Callable[[Lab], None]]] = [
    ("armed", alarm),
    ("armed", reach(M.Punch(cycle_no=99, depth_um=3_000, deadline_ms=0x7000_0000))),
    ("armed", reach(M.ParamSet(name="trigger_required", value=0.0))),
    ("armed", acknowledge),
    ("armed", reach(M.Pause())),
    ("suction", alarm),
    ("suction", reach(M.Stop())),
]


@pytest.mark.parametrize(("moment", "act"), UNSYNCED)
def test_what_cannot_be_synced_is_not_said(medium: Medium, moment: str, act: Callable[[Lab], None]) -> None:
    lab, _ = at_moment(moment, nvm=Nvm(medium, epoch=3))
    viewer = Bystander(lab)
    medium.fails = True
    with pytest.raises(NvmFileError, match="could not be synced"):
        act(lab)
    said = [message for _, message in seen(lab.world.port.exchange.take())]
    assert viewer.port.exchange.take() == [], "an alarm goes to all"
    assert all(isinstance(message, Aborted) and message.code is Code.E_STORAGE for message in said)
    for query in (M.JournalRead(epoch=3, first=1, max_records=6), M.DeviceInfo()):
        with pytest.raises(NvmFileError, match="could not be synced"):
            lab.device.receive(viewer.port, frame(query, viewer.port.exchange.link_id, 900), lab.now)
        assert viewer.port.exchange.take() == []


def test_needles_do_not_move_by_what_cannot_be_synced(medium: Medium) -> None:
    lab, _ = at_moment("armed", nvm=Nvm(medium, epoch=3))
    plant, next_no = lab.device.plant, lab.device.nvm.last_cycle_no + 1
    punctures = plant.truth.punctures
    medium.fails = True
    with pytest.raises(NvmFileError, match="could not be synced"):
        reach(M.Punch(cycle_no=next_no, depth_um=3_000, deadline_ms=0x7000_0000))(lab)
    assert plant.truth.punctures == punctures and plant.needle.home(lab.now)


def test_a_link_whose_number_cannot_be_synced_ends_the_device(medium: Medium) -> None:
    lab = Lab(nvm=Nvm(medium, epoch=3))
    medium.fails = True
    with pytest.raises(NvmFileError, match="could not be synced"):
        Bystander(lab)


def test_a_boot_is_synced_with_its_alarms(medium: Medium) -> None:
    lab, _ = at_moment("suction", nvm=Nvm(medium, epoch=3))
    lab.device.reboot(lab.now)
    assert medium.synced == medium.kept


def note(device: Device) -> None:
    """A record that nobody has synced yet, as in the midst of what the device does."""
    head = device.nvm.head
    device.nvm.append(
        AlarmChanged(
            event_no=head, uptime_ms=1, code=1501, interlock=15, priority=AlarmPriority.HIGH, state=AlarmState.ACTIVE
        )
    )


def test_a_retained_topic_shows_what_is_synced(medium: Medium) -> None:
    device = Device(seed=7, nvm=Nvm(medium, epoch=3))
    snapshots = Snapshots(Kept(device), DeviceTopics("bench", "sim-7"))
    snapshots.begin()
    assert medium.synced == medium.kept, "the broker has the will, with the number of the birth"
    for show in (snapshots.birth, snapshots.changes):
        note(device)
        assert medium.synced < medium.kept
        assert show()
        assert medium.synced == medium.kept
        note(device)
        medium.fails = True
        with pytest.raises(NvmFileError, match="could not be synced"):
            show()
        medium.fails = False
