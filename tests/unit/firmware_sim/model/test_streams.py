"""Random streams: one for each subsystem, and on over a restart."""

import random

from firmware_sim.model.streams import Streams


def test_a_stream_is_made_once_and_goes_on() -> None:
    streams, again = Streams(7, 0), Streams(7, 0)
    drawn = [streams.of("hand").random() for _ in range(3)]
    again.of("purge").random()
    assert [again.of("hand").random() for _ in range(3)] == drawn
    assert len(set(drawn)) == 3


def test_each_seed_boot_and_name_has_its_own() -> None:
    first = {
        Streams(seed, boots).of(name).random() for seed in (7, 8) for boots in (0, 1, 2) for name in ("hand", "purge")
    }
    assert len(first) == 12


def test_the_first_boot_is_the_plain_seed() -> None:
    """As the page of the model says, so that a run can be repeated by other means."""
    assert Streams(7, 0).of("hand").random() == random.Random("7:hand").random()
    assert Streams(7, 3).of("hand").random() == random.Random("7:3:hand").random()
