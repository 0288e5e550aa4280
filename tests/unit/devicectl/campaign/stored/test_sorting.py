"""Packets of a capture, sorted: what each program's interfaces mean, and what comes of bytes that say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.campaign.judges.frames import frames
from devicectl.campaign.stored.sorting import Piece, Sorted, Sorter
from protocols.capture.contents import encode_data
from protocols.capture.packet import FROM_DEVICE, NO_DIRECTION, TO_DEVICE, Packet
from protocols.language.checksum import crc32c
from protocols.language.message import REGISTRY
from protocols.language.messages import Count, Echo, JournalPage
from protocols.mqtt.bodies import encode_body
from protocols.mqtt.wire import Publication
from protocols.serial.framing import pack_crc, pack_header, stuff
from protocols.serial.payload import encode_message
from tests.property.strategies import instances

ECHO = encode_message(Echo(data=b"hi"), 1, 1, 1)


def sort(program: str, *packets: tuple[str, int, bytes]) -> Sorted:
    """Sort packets of interface, direction and data."""
    sorter = Sorter(program)
    for at_us, (name, direction, data) in enumerate(packets):
        sorter.take(name, Packet(at_us, 0, direction, data))
    return sorter.sorted


def places(found: Sorted, wire: str) -> list[tuple[str, ...]]:
    """Return the places of a wire's pieces."""
    return [piece.places for piece in found.wires[wire]]


def test_a_tap_sees_what_was_sent_and_heard_each_port_a_wire_of_its_own() -> None:
    found = sort("", ("a", TO_DEVICE, ECHO), ("b", FROM_DEVICE, ECHO))
    assert places(found, "a") == [("host>", ">device")]
    assert places(found, "b") == [("device>", ">host")]


def test_ports_of_a_served_device_are_of_one_device_and_line_faults_part_its_ends() -> None:
    before, behind, after = ("tcp", TO_DEVICE, ECHO), ("host:tcp", TO_DEVICE, ECHO), ("tcp", TO_DEVICE, ECHO)
    found = sort("firmware-sim", before, behind, after)
    assert places(found, "") == [("host>", ">device"), ("host>",), (">device",)]


def test_a_trial_has_both_ends_and_its_events_in_their_place() -> None:
    event = b'{"event":"boot"}'
    packets = (("host", TO_DEVICE, ECHO), ("events", NO_DIRECTION, event), ("sim", FROM_DEVICE, ECHO))
    found = sort("devicectl campaign", *packets)
    assert places(found, "") == [("host>",), ("event",), ("device>",)]
    assert found.wires[""][1].data == {"event": "boot"}


@pytest.mark.parametrize(("memory", "fresh"), [(b"null", True), (b'{"journal":[]}', False)])
def test_a_served_device_says_if_it_began_with_a_memory(memory: bytes, fresh: bool) -> None:
    boot = b'{"event":"boot","memory":' + memory + b"}"
    assert sort("firmware-sim", ("events", NO_DIRECTION, boot)).fresh is fresh


def test_a_frame_that_comes_in_pieces_is_whole_and_several_in_one_piece_are_several() -> None:
    found = sort("", ("a", TO_DEVICE, ECHO[:7]), ("a", TO_DEVICE, ECHO[7:] + ECHO + b"noise\0"))
    assert [piece.data for piece in found.wires["a"]] == [ECHO, ECHO]
    assert found.counts == {"messages from the host": 2, "bad frames from the host": 1}


def test_both_directions_are_decoded_apart() -> None:
    half = ("a", FROM_DEVICE, ECHO[:9]), ("a", TO_DEVICE, ECHO), ("a", FROM_DEVICE, ECHO[9:])
    assert len(sort("", *half).wires["a"]) == 2


def test_publications_become_the_frames_that_say_the_same() -> None:
    topic = "handpiece/v1/s/d/command/Count"
    said = Publication(topic, encode_body(Count(cycle_no=7), 2, 3, 4))
    kept = encode_data(said._replace(retain=True))
    found = sort("", ("mqtt", TO_DEVICE, encode_data(said)), ("mqtt", TO_DEVICE, kept))
    first, second = found.wires["mqtt"]
    assert isinstance(first.data, bytes)
    (frame,) = frames(first.data)
    assert (frame.name, frame.link_id, frame.fields) == ("Count", 3, {"cycle_no": 7})
    assert (first.places, second.places) == (("host>", ">device"), ("host>",))


def test_a_right_checksum_around_a_wrong_payload_is_a_breach_of_its_sender() -> None:
    body = pack_header(0x10, 0, 0x030A, 1, 1, 1, 0, 2) + b"xx"
    bad = b"\0%b\0" % stuff(body + pack_crc(crc32c(body)))
    assert sort("", ("a", TO_DEVICE, bad)).breaches[0][1].startswith("the host sent Count")
    page = encode_message(JournalPage(epoch=1, first=1, tail=1, head=2, records=bytes(31)), 1, 1, 1)
    assert "31 bytes are no whole record" in sort("", ("a", FROM_DEVICE, page)).breaches[0][1]
    topic = "handpiece/v1/s/d/reply/h"
    broken = Publication(topic, b'{"message":"Count","payload":{"cycle_no":-1}}')
    assert "published" in sort("", ("m", FROM_DEVICE, encode_data(broken))).breaches[0][1]


def test_unknown_messages_and_other_majors_are_counted() -> None:
    unknown = pack_header(0x10, 0, 0x7777, 1, 1, 1, 0, 0)
    major = pack_header(0x20, 0, 0x030A, 1, 1, 1, 0, 0)
    data = b"".join(b"\0%b\0" % stuff(body + pack_crc(crc32c(body))) for body in (unknown, major))
    found = sort("", ("a", TO_DEVICE, data))
    assert found.counts == {"unknown messages from the host": 2} and not found.breaches


def test_packets_without_a_direction_and_odd_events_are_counted() -> None:
    packets = ("a", NO_DIRECTION, ECHO), ("events", NO_DIRECTION, b"[]"), ("events", NO_DIRECTION, b"\xff")
    assert sort("devicectl campaign", *packets).counts == {"packets without a direction": 1, "events without a name": 2}


@given(st.sampled_from(list(REGISTRY.values())).flatmap(instances))
def test_every_message_passes_as_it_is(message: object) -> None:
    data = encode_message(message, 5, 6, 7)  # type: ignore[arg-type]
    found = sort("", ("a", FROM_DEVICE, data))
    records = message.records if isinstance(message, JournalPage) else b""
    if len(records) % 32 == 0:
        assert isinstance(found.wires["a"][0], Piece) and found.wires["a"][0].data == data
        frames(data)


@given(st.sampled_from(["", "firmware-sim", "devicectl campaign"]), st.integers(0, 2), st.binary(max_size=300))
def test_no_bytes_raise(program: str, direction: int, data: bytes) -> None:
    sort(program, ("events" if direction == NO_DIRECTION else "a", direction, data), ("host", TO_DEVICE, b"{" + data))
