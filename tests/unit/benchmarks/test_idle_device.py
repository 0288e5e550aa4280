"""A process may hold many devices: the memory of a further one to which nobody speaks."""

from benchmarks.idle_device import measure

MAX_BYTES = 8 * 1024


def test_a_further_idle_device_takes_no_more_than_eight_kib() -> None:
    assert measure() <= MAX_BYTES
