"""Random streams: their words by cycle and act, and on over a restart."""

import hashlib
import struct
from statistics import fmean

import pytest

from firmware_sim.model.streams import NAMES, WORDS, Streams


def test_the_words_are_those_of_the_page() -> None:
    """As the page of the model says, so that a run can be repeated by other means."""
    streams = Streams(7, 0, 3)
    streams.begin_cycle()
    streams.begin_cycle()
    streams.draw("sensor")
    digest = hashlib.shake_128(b"7:2:1").digest(4 * 3 * 8)
    words = struct.unpack("<24I", digest)
    place = ("clog", "needles", "evacuation", "sensor", "encoder", "purge", "hand", "hand's angle").index("sensor") * 3
    assert streams.draw("sensor") == words[place : place + 3]


def test_a_stream_that_comes_later_moves_no_other() -> None:
    """The hash of more words begins with the same ones."""
    more, fewer = hashlib.shake_128(b"7:2:1").digest(400), hashlib.shake_128(b"7:2:1").digest(96)
    assert more.startswith(fewer)


def test_acts_of_a_cycle_differ_and_are_their_streams_own() -> None:
    streams, again = Streams(7, 0, 3), Streams(7, 0, 3)
    drawn = [streams.draw("hand") for _ in range(3)]
    again.draw("purge")
    assert [again.draw("hand") for _ in range(3)] == drawn
    assert len(set(drawn)) == 3


@pytest.mark.parametrize("acts", [0, 1, 5])
def test_acts_of_one_cycle_change_no_other_cycle(acts: int) -> None:
    plain, busy = Streams(7, 0, 3), Streams(7, 0, 3)
    for _ in range(acts):
        busy.draw("encoder")
    plain.begin_cycle()
    busy.begin_cycle()
    assert [busy.draw(name) for name in NAMES] == [plain.draw(name) for name in NAMES]


def test_each_seed_boot_cycle_and_name_has_its_own() -> None:
    words: set[int] = set()
    for seed in (7, 8):
        for boots in (0, 1, 2):
            streams = Streams(seed, boots, 8)
            for _ in range(3):
                for name in NAMES:
                    words.update(streams.draw(name))
                streams.begin_cycle()
    assert len(words) == 2 * 3 * 3 * len(NAMES) * 8


def test_words_are_even() -> None:
    streams = Streams(7, 0, 8)
    drawn: list[int] = []
    for _ in range(500):
        drawn += streams.draw("needles")
        streams.begin_cycle()
    assert 0 <= min(drawn) < WORDS * 0.002 and WORDS * 0.998 < max(drawn) < WORDS
    assert fmean(drawn) / WORDS == pytest.approx(0.5, abs=0.02)
    assert fmean(word < WORDS // 10 for word in drawn) == pytest.approx(0.1, abs=0.02)
