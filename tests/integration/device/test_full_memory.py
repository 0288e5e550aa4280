"""A memory that takes no more: what is begun is refused, what is ended still has its place, and no cycle is lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from devicectl.errors import CommandRefusedError
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.image import replay
from firmware_sim.memory.nvm import LAST_ROOM, WORK_ROOM, Nvm
from firmware_sim.model.vacuum import VENTED_KPA
from protocols.language import messages as M
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.enums import CloseReason, Code, DeviceState, Ending
from protocols.language.messages import Aborted
from protocols.language.records import Cycle, decode_record
from protocols.language.units import SECOND, Micros
from tests.integration.device.device_state import state_of
from tests.unit.protocols.link.exchange_pair import frame, hello, only_nak, seen
from tests.world import Bystander, Lab, assert_counted, at_moment, sentence_of

S = DeviceState


class Disk:
    """A store of `room` bytes that fails at the step after `whole` more; None: of no end, and never."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Any]] = []
        self.size = 0
        self.room: int | None = None
        self.whole: int | None = None
        self.syncs = True

    def append(self, key: str, value: Any) -> None:
        raw = json.dumps([key, value])
        if self.whole == 0 or (self.room is not None and self.size + len(raw) > self.room):
            raise NvmFileError("the file", "Input/output error" if self.whole == 0 else "No space left on device")
        if self.whole is not None:
            self.whole -= 1
        self.size += len(raw)
        self.kept.append((key, json.loads(raw)[1]))

    def sync(self) -> None:
        if not self.syncs:
            raise NvmFileError("the file", "could not be synced")

    def reserve(self, size: int) -> None:
        if self.room is not None and self.size + size > self.room:
            raise NvmFileError("the file", "No space left on device")

    def fill(self, left: int) -> None:
        """From now on so many bytes are left, and no more come."""
        self.room = self.size + left


def lab_on(disk: Disk, **options: Any) -> Lab:
    return Lab(nvm=Nvm(disk, epoch=3), **options)


def refused_as_full(lab: Lab, command: Any, reason: str = "No space left on device") -> None:
    """The command is refused with E_STORAGE, and nothing has come of it."""
    before, pump = state_of(lab.device, lab.world.port), lab.device.plant.vacuum.pump_on
    cartridge, parameters = lab.device.plant.cartridge, lab.device.parameters.hash
    with pytest.raises(CommandRefusedError) as caught:
        lab.ask(command)
    error = caught.value
    assert (error.code, error.interlock) == (Code.E_STORAGE, 0)
    assert error.sentence == f"the memory takes no more ({reason}): nothing was begun"
    assert state_of(lab.device, lab.world.port) == before
    assert (lab.device.plant.vacuum.pump_on, lab.device.plant.cartridge) == (pump, cartridge)
    assert lab.device.parameters.hash == parameters


def endings(nvm: Nvm) -> list[int]:
    """The number of each cycle that the journal has an ending of, in its order."""
    records = map(decode_record, nvm.read(1, 1024)[1])
    return [record.cycle_no for record in records if isinstance(record, Cycle)]


# --- what is begun is refused -------------------------------------------------------------------------------------


def connected(lab: Lab) -> None:
    lab.run(lab.engine.connect())


def waiting(lab: Lab) -> None:
    lab.open()
    lab.ask(M.AnesthesiaStart(zone=0, age_s=3000, method="cream"))


def numbed(lab: Lab) -> None:
    lab.open()
    lab.numb()


def armed(lab: Lab) -> None:
    lab.begin(3)


OPEN = M.SessionOpen(target_cores=30, coverage_bp=600, depth_um=3_000, zones_cm2=(4,))
PUNCH = M.Punch(cycle_no=4, depth_um=3_000, deadline_ms=0x7000_0000)
BEGUN: list[tuple[Callable[[Lab], None], Any]] = [
    (connected, OPEN),
    (Lab.open, M.AnesthesiaStart(zone=0, age_s=3000, method="cream")),
    (waiting, M.AnesthesiaConfirm(zone=0, confirmed_by="me")),
    (numbed, M.Arm()),
    (armed, PUNCH),
    (armed, M.Reposition(zone=0, cell=1)),
    (armed, M.Purge()),
    (armed, M.ParamSet(name="trigger_required", value=1.0)),
]


def assert_done(lab: Lab, command: Any) -> None:
    """There is room again, and the same command is carried out."""
    lab.engine.link.hurry(isinstance(command, M.Arm) or lab.device.board.armed)
    assert lab.ask(command).__class__.__name__ == f"{type(command).__name__}Done"


@pytest.mark.parametrize(("until", "command"), BEGUN, ids=[type(command).__name__ for _, command in BEGUN])
def test_nothing_is_begun_without_room_for_it(until: Callable[[Lab], None], command: Any) -> None:
    disk = Disk()
    lab = lab_on(disk)
    until(lab)
    disk.fill(WORK_ROOM - 1)
    refused_as_full(lab, command)
    disk.room = None
    assert_done(lab, command)


KEPT_FIRST = [row for row in BEGUN if not isinstance(row[1], M.Reposition | M.Purge)]
"""Commands whose handler keeps a step. The notes that some leave of themselves fail without harm."""


@pytest.mark.parametrize(("until", "command"), KEPT_FIRST, ids=[type(command).__name__ for _, command in KEPT_FIRST])
def test_nothing_is_begun_whose_step_fails(until: Callable[[Lab], None], command: Any) -> None:
    disk = Disk()
    lab = lab_on(disk)
    until(lab)
    disk.whole = 0
    refused_as_full(lab, command, "Input/output error")
    disk.whole = None
    assert_done(lab, command)


SYNCED = [row for row in BEGUN if isinstance(row[1], M.SessionOpen | M.Arm | M.Punch)]


@pytest.mark.parametrize(("until", "command"), SYNCED, ids=[type(command).__name__ for _, command in SYNCED])
def test_a_step_that_cannot_be_synced_ends_the_device_and_is_not_refused(
    until: Callable[[Lab], None], command: Any
) -> None:
    """After a restart it may be there: the device makes itself safe and ends, and what it holds then is told again."""
    disk = Disk()
    lab = lab_on(disk)
    until(lab)
    disk.syncs = False
    with pytest.raises(NvmFileError, match="could not be synced"):
        lab.ask(command)
    assert lab.state in (S.SAFE, S.IDLE, S.FAULT) and not lab.device.plant.vacuum.pump_on
    nvm = replay(disk.kept)
    Device(seed=7, nvm=nvm)
    assert nvm.register is None and endings(nvm) == list(range(1, nvm.last_cycle_no + 1))
    assert (nvm.last_cycle_no == 4) is (command is PUNCH), "what was written counts"


def test_a_punch_that_was_refused_leaves_its_number_for_the_next() -> None:
    disk = Disk()
    lab = lab_on(disk)
    armed(lab)
    for _ in range(3):
        disk.fill(100)
        refused_as_full(lab, PUNCH)
        disk.room = None
    lab.cycle()
    assert_counted(lab, lab.finish())


def test_the_last_punch_is_answered_from_memory_though_that_is_full() -> None:
    disk = Disk()
    lab = lab_on(disk)
    armed(lab)
    disk.fill(0)
    again = lab.ask(M.Punch(cycle_no=3, depth_um=3_000, deadline_ms=0x7000_0000))
    assert isinstance(again, M.PunchDone) and again.cycle_no == 3


# --- what is ended has its place ----------------------------------------------------------------------------------


def test_a_cycle_that_was_begun_ends_in_the_room_that_was_asked_for() -> None:
    disk = Disk()
    lab, task = at_moment("extending", nvm=Nvm(disk, epoch=3))
    assert task is not None
    disk.fill(WORK_ROOM // 2)
    with pytest.raises(CommandRefusedError, match="nothing was begun"):
        lab.until(lambda: task.done)
        task.outcome()
    assert endings(lab.device.nvm) == list(range(1, lab.device.nvm.last_cycle_no + 1))


def test_the_operator_stops_and_closes_with_equal_counts() -> None:
    """E_STORAGE once more, with the journal read, is for a person: the session is closed as aborted."""
    disk = Disk()
    lab = lab_on(disk)
    armed(lab)
    disk.fill(WORK_ROOM - 1)
    task = lab.start(lab.all_cycles())
    lab.until(lambda: task.done, 60 * SECOND)
    with pytest.raises(CommandRefusedError) as caught:
        task.outcome()
    assert caught.value.code is Code.E_STORAGE
    lab.run(lab.engine.stop())
    assert lab.state is S.SAFE and not lab.device.plant.vacuum.pump_on
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")
    assert (lab.state, lab.device.nvm.session) == (S.IDLE, None)


def test_stop_pause_resume_and_disarm_need_no_room() -> None:
    disk = Disk()
    lab = lab_on(disk)
    armed(lab)
    disk.fill(0)
    lab.ask(M.Pause())
    lab.ask(M.Resume())
    assert lab.ask(M.Disarm()).state is S.ANESTHESIA_CONFIRMED
    assert lab.ask(M.Stop()).state is S.SAFE
    assert Bystander(lab).port.exchange.linked is False


def test_a_full_memory_lets_no_host_link_and_keeps_those_that_are() -> None:
    disk = Disk()
    lab = lab_on(disk)
    armed(lab)
    disk.fill(LAST_ROOM)
    assert Bystander(lab).port.exchange.linked
    disk.fill(LAST_ROOM - 1)
    port = lab.world.port
    for greeted in (lab.device.attach("new"), port):
        lab.device.receive(greeted, frame(hello(host_id=8), 0, 40, seq=77), lab.now)
        header, nak = only_nak(greeted.exchange)
        assert (nak.code, nak.seq, header.correlation_id) == (Code.E_STORAGE, 77, 40)
        assert nak.sentence == "the memory takes no more (No space left on device): nothing was begun"
    assert port.exchange.linked and port.host_id != 8, "the link of before was not replaced"


def test_notes_are_left_out_where_there_is_no_room_for_them() -> None:
    disk = Disk()
    lab = lab_on(disk)
    armed(lab)
    disk.fill(WORK_ROOM - 1)
    head = lab.device.nvm.head
    for _ in range(3):
        refused_as_full(lab, PUNCH)
        lab.ask(M.Pause())
        lab.ask(M.Resume())
    assert lab.device.nvm.head == head


# --- what fails in the midst --------------------------------------------------------------------------------------


MIDST = ["extending", "dwell", "retract", "suction", "advance", "count"]


@pytest.mark.parametrize("moment", MIDST)
def test_a_motion_whose_end_cannot_be_kept_leaves_the_device_safe(moment: str) -> None:
    """By STOP, which is never refused: the cycle's record is what fails."""
    disk = Disk()
    lab, _ = at_moment(moment, nvm=Nvm(disk, epoch=3))
    viewer = Bystander(lab)
    disk.whole = 0
    with pytest.raises(NvmFileError, match="Input/output error"):
        viewer.ask(M.Stop())
    plant, now = lab.device.plant, lab.now
    assert lab.state is S.SAFE and lab.device.board.motion is None
    assert plant.needle.depth_um(Micros(now + SECOND // 5)) == 0, "the needles go home"
    assert not plant.vacuum.pump_on and plant.vacuum.pressure_kpa(Micros(now + SECOND)) > -VENTED_KPA
    told = [message for _, message in seen(lab.world.port.exchange.take())]
    (aborted,) = [message for message in told if isinstance(message, Aborted)]
    assert (aborted.code, aborted.ending) == (Code.E_STORAGE, Ending.OPEN)
    assert sentence_of(aborted).startswith("the memory failed: vented, retracted")


def test_an_alarm_from_outside_that_cannot_be_kept_leaves_the_device_safe() -> None:
    """As the broker's shell finds the cause of one: it is no command, and nobody is refused."""
    disk = Disk()
    lab = lab_on(disk)
    armed(lab)
    disk.whole = 0
    with pytest.raises(NvmFileError, match="Input/output error"):
        lab.device.set_alarm(RETAINED_COMMAND, present=True, now=lab.now)
    assert lab.state is S.SAFE and not lab.device.plant.vacuum.pump_on


@pytest.mark.parametrize("whole", range(0, 40))
def test_whichever_step_fails_each_cycle_ends_once_after_the_restart(whole: int) -> None:
    """Armed, with a clog to come; the memory fails for good at one step after the other."""
    disk = Disk()
    lab = lab_on(disk)
    lab.begin(7)
    lab.inject(clog_now={0})
    disk.whole = whole
    try:
        task = lab.start(lab.all_cycles())
        lab.until(lambda: task.done)
        assert isinstance(task.error, CommandRefusedError) and task.error.code is Code.E_STORAGE
    except NvmFileError:
        assert lab.state in (S.SAFE, S.FAULT) and lab.device.board.motion is None
    begun, truth = lab.device.nvm.last_cycle_no, lab.device.plant.truth.punctures
    nvm = replay(disk.kept)
    again = Device(seed=7, nvm=nvm)
    assert nvm.register is None and again.board.state is S.SAFE
    assert nvm.last_cycle_no == begun, "a number that moved something is used up"
    assert endings(nvm) == list(range(1, begun + 1)), "each has one ending"
    assert nvm.session is not None and nvm.session.punctures == truth, "and says truly whether it punctured"
