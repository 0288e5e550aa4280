"""The names of a recording's parts, which other programs know by number."""

import pytest

from protocols.capture.packet import (
    DIRECTIONS,
    FROM_DEVICE,
    MAX_COMMENT_BYTES,
    NO_DIRECTION,
    TO_DEVICE,
    CaptureError,
    Packet,
)


def test_directions_are_those_of_the_packet_flags_seen_from_the_device() -> None:
    assert (NO_DIRECTION, TO_DEVICE, FROM_DEVICE) == (0b00, 0b01, 0b10)
    assert DIRECTIONS == {"host": TO_DEVICE, "device": FROM_DEVICE}


def test_a_plain_tuple_is_as_good_as_a_packet() -> None:
    assert Packet(at_us=5, interface=0, direction=TO_DEVICE, data=b"ask") == (5, 0, 1, b"ask")


def test_the_longest_comment_has_a_length_of_two_bytes() -> None:
    assert MAX_COMMENT_BYTES.to_bytes(2, "little") == b"\xff\xff"


def test_an_error_says_place_and_finding_and_expectation_in_one_line() -> None:
    with pytest.raises(ValueError, match="^byte 8: a second section; expected one$") as caught:
        raise CaptureError("byte 8", "a second section", "one")
    assert isinstance(caught.value, CaptureError)
    assert (caught.value.where, caught.value.expected) == ("byte 8", "one")
