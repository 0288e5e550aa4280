"""Wires of the probe: what is made by hand, and what comes in whatever it is."""

from devicectl.conformance.device.wires import BytesWire, TopicsWire, frame, header_of, payload_of
from protocols.language.messages import Echo, EchoDone, Heartbeat, Suction
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import Publication
from protocols.serial.payload import encode_message


def test_a_frame_by_hand_is_that_of_the_page() -> None:
    """docs/protocol.md, section 7."""
    made = BytesWire().encode(Suction(cycle_no=1), 2, 3, 4, 2)
    assert made.hex(" ") == "00 06 10 02 08 03 02 02 03 02 04 01 03 04 01 01 01 05 31 83 37 47 00"


def test_what_does_not_fit_is_made_all_the_same() -> None:
    header = header_of(Echo(data=b""), 1, 2, 3, 0, 200)
    (item,) = BytesWire().feed(frame(header, b"short"))
    assert (item.header, item.message) == (None, None) and "length" in item.problem


def test_whatever_comes_in_is_a_value() -> None:
    wire = BytesWire()
    whole = encode_message(EchoDone(data=b"x"), 1, 2, 3)
    assert [item.message for item in wire.feed(whole)] == [EchoDone(data=b"x")]
    (noise,) = wire.feed(b"\0AT+CSQ\r\n\0")
    assert noise.header is None and wire.bad
    cut = frame(header_of(Heartbeat.unchecked(**dict.fromkeys(Heartbeat.FIELDS, 0)), 1, 2, 0, 0, 3), b"abc")
    (short,) = wire.feed(cut)
    assert short.header is not None and short.message is None and short.problem.startswith("Heartbeat")
    assert wire.explain()


def test_bad_frames_are_not_kept_without_end() -> None:
    wire = BytesWire()
    wire.feed(b"\0\x01" * 10_000 + b"\0")
    assert len(wire.bad) == 50


def test_publications_of_a_device() -> None:
    topics = DeviceTopics("bench", "sim-7")
    wire = TopicsWire(topics, "host-1")
    sent = wire.encode(Echo(data=b"x"), 1, 2, 3, 0)
    assert (sent.topic, sent.expiry_s) == ("handpiece/v1/bench/sim-7/command/echo", 2)
    reply = Publication(topics.of("reply", "host-1"), b"no json")
    assert not wire.explain()
    (item,) = wire.feed(reply)
    assert item.message is None and item.problem
    assert wire.explain() == "bodies that are no message: 1, the last one b'no json'"


def test_a_payload_is_that_of_the_layout() -> None:
    assert payload_of(Suction(cycle_no=258)) == b"\x02\x01\0\0"
