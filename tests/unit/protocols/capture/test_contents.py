"""Publications and events in packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.capture.contents import decode_object, decode_publication_of, encode_data, encode_event
from protocols.capture.packet import CaptureError, Packet
from protocols.mqtt.wire import Publication

publications = st.builds(
    Publication,
    topic=st.text(),
    body=st.binary() | st.text().map(lambda text: text.encode(errors="replace")),
    qos=st.integers(0, 2),
    retain=st.booleans(),
    expiry_s=st.none() | st.integers(0, 2**32 - 1),
    response_topic=st.none() | st.text(),
    correlation_data=st.none() | st.binary(),
    bare=st.booleans(),
    ignored=st.text(),
)


def packet(data: bytes) -> Packet:
    """A packet with this in it."""
    return Packet(3_204_000, 0, 1, data)


@given(publications)
def test_a_publication_is_read_as_it_was_written(publication: Publication) -> None:
    assert decode_publication_of(packet(encode_data(publication))) == publication


def test_a_body_is_text_that_a_person_can_read_and_bytes_stay_bytes() -> None:
    said = encode_data(Publication("a/command/arm", b'{"seq":1}', correlation_data=b"12"))
    assert said == b'{"topic":"a/command/arm","correlation_data":"3132","body":"{\\"seq\\":1}"}'
    assert encode_data(b"\x00\xff") == b"\x00\xff"


def test_an_event_is_an_object_with_its_name() -> None:
    assert decode_object(packet(encode_event("fired", {"fault": 2}))) == {"event": "fired", "fault": 2}


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"topic":"a"}',
        b'{"topic":"a","body":7}',
        b'{"topic":7,"body":""}',
        b'{"topic":"a","body_hex":"g"}',
        b'{"topic":"a","body":"","qos":"1"}',
        b'{"topic":"a","body":"","more":1}',
        b'{"topic":"a","body":"","correlation_data":[1]}',
    ],
)
def test_an_object_that_is_no_publication_is_said_with_its_time(data: bytes) -> None:
    with pytest.raises(CaptureError, match="^packet at 3.204000 s: a JSON object that is no publication; expected one"):
        decode_publication_of(packet(data))


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"[" * 9_999])
def test_what_is_no_object_is_said_with_its_time(data: bytes) -> None:
    with pytest.raises(CaptureError, match="^packet at 3.204000 s: b'.*'; expected a JSON object$"):
        decode_object(packet(data))
