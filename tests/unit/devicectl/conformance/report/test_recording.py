"""The recording of a case: a packet a piece, an interface a link, the verdict in the comment."""

from io import BytesIO

from devicectl.conformance.device.probe import Sent
from devicectl.conformance.report.recording import encode_case
from protocols.capture.packet import FROM_DEVICE, TO_DEVICE
from protocols.capture.reader import read_capture
from protocols.language.units import Micros
from tests.unit.devicectl.conformance.made import outcomes


def test_a_case_is_read_again() -> None:
    pieces = [Sent(Micros(5), 0, True, b"\0a\0"), Sent(Micros(9), 2, False, b"\0b\0")]
    capture = read_capture(BytesIO(encode_case(outcomes()[1], pieces, {"devicectl": "1"})).read)
    assert capture.comment["case"] == "frm.two" and capture.comment["word"] == "failed"
    assert capture.comment["notice"] == "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
    found = [(one.at_us, one.interface, one.direction, one.data) for one in capture.packets]
    assert list(capture.interfaces) == ["link 0", "link 2"]
    assert found == [(5, 0, TO_DEVICE, b"\0a\0"), (9, 1, FROM_DEVICE, b"\0b\0")]


def test_a_case_without_frames_is_a_file_as_well() -> None:
    capture = read_capture(BytesIO(encode_case(outcomes()[0], [], {})).read)
    assert not list(capture.packets)
