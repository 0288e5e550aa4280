"""Frames survive any split and any neighbor; noise and single hits never make a wrong frame nor lose the next one."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from protocols.link.port import BadFrame
from protocols.serial.framing import Frame, FrameDecoder
from tests.unit.protocols.serial.frames import encode_frame

BUFFER_LIMIT = 512
"""Bytes; what the specification allows a receiver to keep."""

NONZERO = st.integers(1, 255).map(lambda value: bytes((value,)))
FRAMES = st.builds(
    encode_frame,
    st.integers(0, 7),
    st.integers(0, 0xFFFF),
    st.one_of(st.binary(max_size=224), st.binary(max_size=224).map(lambda data: bytes(len(data)))),
    seq=st.integers(0, 0xFFFF),
    link_id=st.integers(0, 0xFFFF),
    correlation_id=st.integers(0, 0xFFFF),
    flags=st.integers(0, 255),
)
NOISE = st.one_of(
    st.binary(max_size=400),
    st.integers(0, 600).map(bytes),
    st.tuples(NONZERO, st.integers(0, 600)).map(lambda pair: pair[0] * pair[1]),
)


def fed(pieces: list[bytes]) -> list[Frame | BadFrame]:
    """What a fresh decoder finds, fed piece by piece, within its bound of memory."""
    decoder = FrameDecoder()
    found = []
    for piece in pieces:
        found += decoder.feed(piece)
        assert len(decoder.kept) <= BUFFER_LIMIT
    return found


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` cut at places that are taken modulo its length."""
    at = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(at)]


def frame_of(wire: bytes) -> Frame:
    (frame,) = FrameDecoder().feed(wire)
    assert isinstance(frame, Frame)
    return frame


@given(frame=FRAMES)
def test_frame_has_no_zero_inside_and_is_found(frame: bytes) -> None:
    assert frame[0] == frame[-1] == 0
    assert 0 not in frame[1:-1]
    assert 19 <= len(frame) <= 243
    found = frame_of(frame)
    header = found.header
    assert frame == encode_frame(
        header.kind,
        header.message_id,
        found.payload,
        seq=header.seq,
        link_id=header.link_id,
        correlation_id=header.correlation_id,
        flags=header.flags,
    )


@given(parts=st.lists(st.one_of(FRAMES, NOISE), max_size=5), places=st.lists(st.integers(0, 5000), max_size=12))
@example(parts=[b"\x01" * 242, b"\0"], places=[241])
@example(parts=[b"\x01" * 241, b"\0"], places=[241])
@example(parts=[bytes(5000)], places=[4096])
def test_any_split_gives_the_same(parts: list[bytes], places: list[int]) -> None:
    data = b"".join(parts)
    whole = fed([data])
    assert fed(cut(data, places)) == whole
    assert fed([data[at : at + 1] for at in range(len(data))]) == whole


@given(
    pairs=st.lists(st.tuples(NOISE, FRAMES), min_size=1, max_size=5), places=st.lists(st.integers(0, 5000), max_size=5)
)
def test_noise_between_frames_loses_none(pairs: list[tuple[bytes, bytes]], places: list[int]) -> None:
    found = fed(cut(b"".join(noise + frame for noise, frame in pairs), places))
    assert [item for item in found if isinstance(item, Frame)] == [frame_of(frame) for _, frame in pairs]


@given(first=FRAMES, second=FRAMES, place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_one_wrong_byte_makes_no_wrong_frame_and_loses_one_at_most(
    first: bytes, second: bytes, place: int, byte: int
) -> None:
    place %= len(first)
    hit = first[:place] + bytes((byte,)) + first[place + 1 :]
    frames = [item for item in fed([hit + second]) if isinstance(item, Frame)]
    assert frames[-1] == frame_of(second)
    assert frames[:-1] in ([], [frame_of(first)])


@given(first=FRAMES, second=FRAMES)
def test_neighbors_may_share_a_zero(first: bytes, second: bytes) -> None:
    assert fed([first + second[1:]]) == [frame_of(first), frame_of(second)]


@given(data=st.binary(max_size=2000))
def test_every_byte_is_accounted_for_once(data: bytes) -> None:
    """Nothing is reported that did not come: what is between two zeros makes one outcome, at most."""
    decoder = FrameDecoder()
    found = decoder.feed(data + b"\0")
    assert len(found) == len([piece for piece in data.split(b"\0") if piece])
    assert len(decoder.kept) == 0
    for item, piece in zip(found, filter(None, data.split(b"\0")), strict=True):
        assert isinstance(item, Frame) or piece.startswith(item.raw)
