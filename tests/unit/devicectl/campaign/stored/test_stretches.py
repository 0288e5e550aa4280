"""Stretches of a wire: what belongs together, and what nobody can judge."""

from devicectl.campaign.stored.sorting import Piece
from devicectl.campaign.stored.stretches import as_recorded, divide


def heard(link_id: int, *, greets: bool = False, name: bytes = b"") -> Piece:
    """Return a piece of the host."""
    return Piece(0, ("host>",), name, link_id, greets)


def grant(link_id: int, epoch: int = 1) -> Piece:
    """Return a WELCOME."""
    return Piece(0, ("device>",), b"welcome", link_id, False, (link_id, epoch))


HELLO = heard(0, greets=True)


def test_a_piece_is_at_each_of_its_places() -> None:
    assert [one.where for one in as_recorded(Piece(3, ("host>", ">device"), b"x"))] == ["host>", ">device"]


def test_a_capture_from_the_beginning_is_one_stretch() -> None:
    pieces = [HELLO, grant(3), heard(3), heard(9)]
    divided = divide(pieces)
    assert [len(recording) for recording in divided.recordings] == [4]
    assert divided.left_out == 0


def test_frames_of_links_from_before_the_capture_are_left_out() -> None:
    pieces = [heard(2, name=b"old"), HELLO, grant(3), heard(3, name=b"new"), heard(1, name=b"old")]
    divided = divide(pieces)
    assert divided.left_out == 2
    assert b"old" not in [one.data for one in divided.recordings[0]]


def test_where_no_device_is_heard_the_hello_is_the_beginning() -> None:
    divided = divide([heard(2), HELLO, heard(3), heard(3)])
    assert (divided.left_out, len(divided.recordings[0])) == (1, 3)


def test_another_epoch_begins_another_stretch() -> None:
    divided = divide([HELLO, grant(1, 7), heard(1), grant(2, 7), grant(1, 8), heard(1)])
    assert [len(recording) for recording in divided.recordings] == [4, 2]
