from hypothesis import given
from hypothesis import strategies as st

from devicectl.monitor.wire import Decoder, Kind, Observation, encode

observations = st.builds(
    Observation, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=99)
)


@given(st.lists(observations, max_size=9), st.integers(1, 40))
def test_what_was_told_is_heard_in_pieces_of_any_size(told: list[Observation], size: int) -> None:
    data = b"".join(encode(*one) for one in told)
    decoder = Decoder()
    assert [one for at in range(0, len(data), size) for one in decoder.feed(data[at : at + size])] == told
