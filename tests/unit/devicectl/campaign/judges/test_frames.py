import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.campaign.judges.frames import COMMANDS, MOTIONS, QUERIES, frames
from protocols.language import messages as M
from protocols.language.enums import Code, Kind, Lane
from protocols.language.message import REGISTRY, Message
from protocols.link.header import REPLAYED, RETRANSMIT
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire
from protocols.serial.payload import encode_message

REFUSED = M.Refused(code=Code.E_STORAGE, interlock=7, expected=1, actual=2, sentence="no")
PAGE = M.JournalPage(epoch=5, first=1, tail=1, head=3, records=bytes(64))


def test_names_and_lanes_are_those_of_the_protocol() -> None:
    lanes = {model.__name__: model.LANE for (kind, _), model in REGISTRY.items() if kind == Kind.COMMAND}
    assert set(lanes) == COMMANDS
    assert {name for name, lane in lanes.items() if lane is Lane.QUERY} == QUERIES
    assert {name for name, lane in lanes.items() if lane is Lane.MOTION} == MOTIONS


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (REFUSED, {"code": "E_STORAGE", "interlock": 7}),
        (PAGE, {"epoch": 5, "first": 1, "tail": 1, "head": 3, "records": [bytes(32), bytes(32)]}),
        (M.Punch(cycle_no=3, depth_um=3000, deadline_ms=9), {"cycle_no": 3, "depth_um": 3000, "deadline_ms": 9}),
    ],
)
def test_a_frame_is_read_with_the_fields_that_judges_need(message: Message, fields: object) -> None:
    (frame,) = frames(encode_message(message, seq=7, link_id=2, correlation_id=9, flags=REPLAYED))
    assert (frame.name, frame.seq, frame.link_id, frame.correlation_id) == (type(message).__name__, 7, 2, 9)
    assert (frame.fields, frame.replayed, frame.retransmitted) == (fields, True, False)


def test_a_publication_is_read_like_a_frame() -> None:
    topics = DeviceTopics("site", "device")
    sent = HostWire(topics, "sim").encode(M.Punch(cycle_no=3, depth_um=3000, deadline_ms=9), 7, 2, 9, RETRANSMIT)
    (frame,) = frames(sent)
    assert (frame.name, frame.command, frame.retransmitted, frame.link_id) == ("Punch", True, True, 2)
    (answer,) = frames(DeviceWire(topics, "sim").encode(REFUSED, 7, 2, 9, 0))
    assert answer.fields["code"] == "E_STORAGE" and not answer.replayed


def test_frames_in_one_piece_are_read_in_order_and_a_spoiled_one_is_passed_over() -> None:
    one = encode_message(M.Arm(), seq=1, link_id=1, correlation_id=1, flags=0)
    other = bytearray(one)
    other[5] ^= 1
    assert [frame.name for frame in frames(one + bytes(other) + one)] == ["Arm", "Arm"]


@given(st.binary(max_size=300))
def test_noise_never_raises(noise: bytes) -> None:
    frames(noise)
