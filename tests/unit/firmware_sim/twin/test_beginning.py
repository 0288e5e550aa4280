"""The beginning of a twin: it stands where the recorded device stood, or a sentence says why that is not known."""

from typing import Any

import pytest

from firmware_sim.twin.beginning import Beginning, begin, recorded_baud
from firmware_sim.twin.conversation import TwinError, read_conversation
from protocols.capture.packet import FROM_DEVICE, CaptureError
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import DeviceState
from protocols.language.units import MILLISECOND
from protocols.serial.payload import encode_message
from tests.unit.firmware_sim.twin.recorded_line import RecordedLine, read_journal, whole_session
from tests.unit.protocols.language.altered import altered


def greeted(**changes: Any) -> RecordedLine:
    """A line on which one host was welcomed, by a WELCOME with other values."""
    line = RecordedLine()
    line.greet()
    (welcome,) = (one for one in line.said if isinstance(one, M.Welcome))
    packet = line.packets[-1]
    assert packet.direction == FROM_DEVICE
    frame = encode_message(altered(welcome, **changes), 1, line.link_id, 1)
    line.packets[-1] = packet._replace(data=frame)
    return line


def begun(line: RecordedLine, **comment: Any) -> Beginning:
    return begin(read_conversation(line.capture(**comment)), None, {})


def test_a_recording_of_the_devices_end_begins_with_its_boot() -> None:
    line = RecordedLine(booted=True, seed=12, parameters={"needles": 2})
    line.greet()
    found = begun(line)
    assert (found.device.seed, found.device.parameters.needles) == (12, 2)
    assert found.start == found.booted_at == 5_000_000


def test_a_boot_that_was_spoiled_is_no_beginning() -> None:
    line = RecordedLine(booted=True, parameters={"needles": 2})
    line.greet()
    line.packets[0] = line.packets[0]._replace(data=line.packets[0].data.replace(b"needles", b"needlez"))
    with pytest.raises(CaptureError, match="cannot be repeated"):
        begun(line)


def test_numbers_go_on_where_the_recorded_device_stood() -> None:
    line = greeted(link_id=9, boot_count=5, cycle_no=400, journal_epoch=77, journal_tail=30, journal_head=30)
    device = begun(line).device
    nvm = device.nvm
    assert (nvm.link_count, nvm.boot_count, nvm.last_cycle_no) == (8, 5, 400)
    assert (nvm.epoch, nvm.tail, nvm.head) == (77, 30, 30)


def test_the_twin_has_the_uptime_of_the_recorded_device() -> None:
    found = begun(greeted(uptime_ms=90_000))
    assert (found.booted_at, found.start) == (0, 90_000 * MILLISECOND)


def test_the_session_has_the_recorded_number() -> None:
    line = RecordedLine()
    line.device.nvm.session_no = 41
    line.greet()
    line.ask(M.SessionOpen(target_cores=30, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)))
    assert begun(line).device.nvm.session_no == 41


def test_the_journal_has_the_records_that_the_host_has_read() -> None:
    line = RecordedLine()
    line.greet()
    read_journal(line)
    device = begun(line).device
    assert device.nvm.read(1, 6) == line.device.nvm.read(1, 6)


def test_records_that_nobody_reads_are_there_in_number() -> None:
    nvm = begun(greeted(journal_tail=30, journal_head=33)).device.nvm
    _, records = nvm.read(30, 9)
    assert [R.event_no_of(raw) for raw in records] == [30, 31, 32]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"session_no": 3}, "in the midst of something: session 3, IDLE"),
        ({"state": DeviceState.SAFE}, "session none, SAFE"),
        ({"journal_tail": 1, "journal_head": 5_000}, "a journal from 1 to 5000"),
        ({"journal_tail": 9, "journal_head": 5}, "a journal from 9 to 5"),
    ],
)
def test_what_cannot_be_known_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(TwinError, match=says):
        begun(greeted(**changes))


def test_a_recording_without_a_hello_is_refused() -> None:
    line = whole_session(1)
    del line.packets[0]
    with pytest.raises(TwinError, match="no HELLO in it is answered by a WELCOME"):
        begun(line)


@pytest.mark.parametrize(
    ("device", "seed", "needles"),
    [
        ("sim://?needles=2&anesthesia_wait_s=1&seed=5", 8, 2),
        ("sim+tcp://?needles=4", 8, 4),
        ("tcp://127.0.0.1:5000?needles=2", 8, 3),
        (None, 8, 3),
    ],
)
def test_seed_and_parameters_of_a_simulated_device_are_in_its_recording(
    device: str | None, seed: int, needles: int
) -> None:
    found = begun(greeted(), device=device, seed=seed).device
    assert (found.seed, found.parameters.needles) == (seed, needles)


@pytest.mark.parametrize(
    ("device", "baud"),
    [
        ("serial:///dev/ttyS9?baud=19200", 19_200),
        ("sim://?baud=9600", 9_600),
        ("tcp://127.0.0.1:5", 0),
        ("sim://?baud=fast", 0),
        (None, 0),
    ],
)
def test_the_speed_of_the_line_is_in_the_device_url(device: str | None, baud: int) -> None:
    conversation = greeted().conversation()._replace(comment={"device": device})
    assert recorded_baud(conversation) == baud
    line = RecordedLine(booted=True)
    line.greet()
    assert recorded_baud(line.conversation()._replace(comment={"device": device})) == 0


def test_the_profile_goes_before_the_recording() -> None:
    conversation = greeted().conversation()._replace(comment={"device": "sim://?needles=2", "seed": 5})
    found = begin(conversation, 6, {"needles": 1}).device
    assert (found.seed, found.parameters.needles) == (6, 1)
    assert begin(conversation._replace(comment={}), None, {}).device.seed == 1


@pytest.mark.parametrize("query", ["needles=99", "needles=two"])
def test_parameters_that_cannot_be_are_refused(query: str) -> None:
    with pytest.raises(TwinError, match="needles"):
        begun(greeted(), device=f"sim://?{query}")
