"""Recordings as conversations: both directions, in order; and a sentence where no twin can be made of one."""

import io
from typing import Any

import pytest

from firmware_sim.twin.conversation import (
    DAY,
    DEVICE,
    HOST,
    MAX_DAYS,
    Called,
    Piece,
    TwinError,
    encode_frame,
    read_conversation,
)
from protocols.capture.blocks import encode_capture
from protocols.capture.contents import encode_data, encode_event
from protocols.capture.packet import FROM_DEVICE, NO_DIRECTION, TO_DEVICE, CaptureError, Packet
from protocols.capture.reader import read_capture
from protocols.language import messages as M
from protocols.mqtt.wire import Publication
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import encode_message
from tests.unit.firmware_sim.twin.recorded_line import PORT, RecordedLine, captured, whole_session

SAID = [Packet(0, 1, TO_DEVICE, b"\0a\0"), Packet(1, 1, FROM_DEVICE, b"\0b\0")]


def refusal(packets: list[Packet], interfaces: tuple[str, ...] = ("events", PORT)) -> str:
    with pytest.raises(TwinError) as caught:
        read_conversation(captured(packets, interfaces))
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_both_ends_are_heard_in_their_order_with_what_was_done_to_the_device() -> None:
    line = RecordedLine(booted=True)
    line.greet()
    line.ask(M.Echo(data=b"x"))
    found = line.conversation()
    names = [(said.sender, said.name) for said in found.said[PORT]]
    assert names == [(HOST, "Hello"), (DEVICE, "Welcome"), (HOST, "Echo"), (DEVICE, "EchoDone")]
    assert [type(step) for step in found.steps] == [Called, Piece, Piece]
    assert found.boot is not None and (found.frames, found.end_us) == (4, 0)
    places = [said.place for said in found.said[PORT]]
    assert places == sorted(set(places)) and found.packets == 6


def test_a_frame_that_comes_in_two_pieces_is_one_and_comes_with_the_second() -> None:
    frame = encode_message(M.Echo(data=b"x" * 9), 1, 0, 1)
    packets = [Packet(5, 1, TO_DEVICE, frame[:8]), Packet(9, 1, TO_DEVICE, frame[8:]), *whole_session(1).packets]
    (first, *_) = read_conversation(captured(packets)).said[PORT]
    assert (first.at_us, first.name, first.frame) == (9, "Echo", frame)


def test_a_message_that_this_version_does_not_know_is_kept_as_its_bytes() -> None:
    line = RecordedLine()
    line.greet()
    frame = bytearray(encode_message(M.Echo(data=b""), 9, line.link_id, 9))
    packets = [*line.packets, Packet(9, 1, TO_DEVICE, _unknown(bytes(frame)))]
    last = read_conversation(captured(packets)).said[PORT][-1]
    assert last.message is None and last.name == "COMMAND 0x7777"


def _unknown(frame: bytes) -> bytes:
    (item,) = FrameDecoder().feed(frame)
    assert isinstance(item, Frame)
    return encode_frame(item.header._replace(message_id=0x7777), item.payload)


# --- what no twin can be made of ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "says"), [(TO_DEVICE, "the host's direction alone"), (FROM_DEVICE, "the device's direction alone")]
)
def test_one_direction_only(direction: int, says: str) -> None:
    packets = [packet for packet in whole_session(1).packets if packet.direction == direction]
    assert says in refusal(packets)


@pytest.mark.parametrize("first_us", [0, 2 * MAX_DAYS * DAY])
def test_times_that_no_device_could_tell(first_us: int) -> None:
    first, *rest = whole_session(1).packets
    later = [packet._replace(at_us=packet.at_us + MAX_DAYS * DAY - 1) for packet in rest]
    assert "more than 40 days lie between two packets" in refusal([first._replace(at_us=first_us), *later])


def test_an_empty_recording() -> None:
    assert "nothing was said in it" in refusal([])


@pytest.mark.parametrize("text", [b"AT+CSQ\r\n", b"$GPGGA,123519,4807.038,N*47\r\n", b"\0\1\2\3\0" * 40])
def test_another_protocol(text: bytes) -> None:
    packets = [Packet(0, 1, TO_DEVICE, text), Packet(1, 1, FROM_DEVICE, text)]
    assert "no frame is in the" in refusal(packets)


def test_a_session_over_mqtt_by_its_packets_and_by_its_port() -> None:
    body = encode_data(Publication("handpiece/v1/a/b/hello/c", b"{}"))
    assert "MQTT" in refusal([Packet(0, 1, TO_DEVICE, body)])
    attach = {"port": "mqtt:a", "client": "a", "root": "handpiece/v1", "site": "a", "device": "b"}
    assert "MQTT" in refusal([Packet(0, 0, NO_DIRECTION, encode_event("attach", attach))])


def test_packets_without_a_direction() -> None:
    assert "direction" in refusal([Packet(0, 1, NO_DIRECTION, b"\0a\0")])


@pytest.mark.parametrize(
    "packet",
    [
        Packet(0, 0, NO_DIRECTION, encode_event("scenario", {"faults": [{"fault": "drop"}]})),
        Packet(0, 2, TO_DEVICE, b"\0"),
    ],
    ids=["a scenario", "a line with faults"],
)
def test_a_device_or_line_with_faults(packet: Packet) -> None:
    assert "faults" in refusal([packet, *SAID], ("events", PORT, f"host:{PORT}"))


def test_a_fault_that_was_injected_over_the_link_and_not_one_that_was_refused() -> None:
    line = RecordedLine()
    line.greet()
    line.ask(M.PowerCut(for_ms=100))  # nobody can, here: E_UNSUPPORTED
    assert read_conversation(line.capture()).frames == 4
    packets = list(line.packets)
    done = encode_message(M.PowerCutDone(for_ms=100), 3, line.link_id, 2)
    packets[-1] = packets[-1]._replace(data=done)
    assert "a fault was injected at 0.0" in refusal(packets)


def test_a_file_that_is_cut_short_or_of_another_link_type() -> None:
    line = whole_session(1)
    data = encode_capture({"verdict": {}}, ("events", PORT), line.packets)
    with pytest.raises(CaptureError, match="middle of a block"):
        read_conversation(read_capture(io.BytesIO(data[:-20]).read))
    at = data.index(b"\x93\0\0\0")  # link type 147
    with pytest.raises(CaptureError, match="link type 1"):
        read_conversation(read_capture(io.BytesIO(data[:at] + b"\1" + data[at + 1 :]).read))


def test_more_frames_than_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.twin.conversation._MAX_FRAMES", 10)
    packets: Any = whole_session(1).packets
    assert "more than 10 frames" in refusal(packets)
