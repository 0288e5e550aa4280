"""Mutated inputs: no exception, no more kept than is stated; and a memory file damaged at each of its bytes."""

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from firmware_sim import memory_file
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.image import snapshot
from protocols.language.messages import JournalPage
from protocols.mqtt.wire import Publication, decode_publication
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, decode_payload
from tests.soak import fuzz, kept_inputs
from tests.unit.protocols.serial.frames import seal

SHORT: Final = {"decoder": 60_000, "frames": 30_000, "publications": 15_000, "pages": 40_000, "memory": 500}
NIGHTLY: Final = {
    "decoder": 10_000_000,
    "frames": 3_000_000,
    "publications": 1_000_000,
    "pages": 2_000_000,
    "memory": 50_000,
}
GROWTH: Final = 64 * 1024
"""Bytes; some caches of the interpreter and of the layouts fill up."""


@pytest.mark.parametrize("name", SHORT)
def test_mutated_inputs_raise_nothing(name: str) -> None:
    print(fuzz.run(name, SHORT[name]))


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("name", NIGHTLY)
def test_many_mutated_inputs_raise_nothing(name: str) -> None:
    print(fuzz.run(name, NIGHTLY[name], seed=2))


def test_a_seed_repeats_the_same_inputs() -> None:
    fed: list[list[bytes]] = []
    for _ in range(2):
        draw, decoder = Random("7:decoder"), fuzz.Decoder()
        for _ in range(50):
            decoder.feed(draw)
        fed.append(decoder._fed)
    assert fed[0] == fed[1] and len(set(fed[0])) > 40


@pytest.mark.parametrize("name", ["decoder", "frames", "publications"])
def test_memory_is_flat_however_many_inputs_came(name: str) -> None:
    draw, target = Random(3), fuzz.TARGETS[name]()

    def feed(batches: int) -> None:
        for _ in range(batches):
            for _ in range(fuzz.BATCH):
                target.feed(draw)
            target.balance()
        gc.collect()  # what is kept is measured: in a process with much else, garbage waits long to be collected

    feed(8)
    tracemalloc.start()
    try:
        feed(4)
        before, _ = tracemalloc.get_traced_memory()
        feed(24)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < GROWTH


def test_kept_inputs_are_what_the_ends_say() -> None:
    """Unmutated each is taken: a corpus that is refused at the door would test the door."""
    for body in kept_inputs.frames():
        (frame,) = FrameDecoder().feed(seal(body))
        assert isinstance(frame, Frame) and decode_message(frame) is not None
    for topic, raw in kept_inputs.publications():
        assert decode_publication(Publication(kept_inputs.TOPICS.base + topic, raw)).message is not None
    for page in kept_inputs.pages():
        assert len(decode_payload(JournalPage, page).records) % 32 == 0


# --- the memory's file at each of its bytes --------------------------------------------------------------------------


class Damaged:
    """The kept memory file, to be damaged at a place, and what of it was synced."""

    def __init__(self, path: Path) -> None:
        self.raw = kept_inputs.memory()
        self.path = path
        self.synced_size = self.raw.rindex(memory_file._MARK)
        whole, synced = self.load(self.raw), self.load(self.raw[: self.synced_size])
        assert isinstance(whole, dict) and isinstance(synced, dict)
        self.whole, self.synced = whole, synced
        assert self.whole["last_cycle_no"] > self.synced["last_cycle_no"] > 0, "cycles were begun behind the last sync"

    def load(self, raw: bytes) -> dict[str, Any] | str:
        """The memory in these bytes, or the reason why there is none; what was loaded goes on and loads again."""
        self.path.write_bytes(raw)
        try:
            nvm = memory_file.load(self.path, epoch=1)
        except NvmFileError as error:
            assert self.path.read_bytes() == raw, "what is refused is left alone"
            return error.reason
        image = snapshot(nvm)
        memory_file.close(nvm)
        again = memory_file.load(self.path)
        memory_file.close(again)
        assert snapshot(again) == image
        return image


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[Damaged]:
    yield Damaged(tmp_path / "device.nvm")


def test_a_memory_torn_at_any_byte_is_an_earlier_one_or_an_error_with_the_byte(damaged: Damaged) -> None:
    """Where what was synced is whole, its cycle numbers are used; what was cut off with it nobody can know."""
    last = 0
    for size in range(1, len(damaged.raw) + 1):
        found = damaged.load(damaged.raw[:size])
        if isinstance(found, str):
            assert size < memory_file._HEADER.size or "is damaged at byte 12;" in found, (size, found)
            assert last == 0
            continue
        assert found["last_cycle_no"] >= last, size
        last = found["last_cycle_no"]
        if size >= damaged.synced_size:
            assert last >= damaged.synced["last_cycle_no"], size
    assert found == damaged.whole


def flips(raw: bytes, bits: int) -> Iterator[tuple[int, bytes]]:
    """Each byte with one of its bits the other way; which `bits`, as a mask."""
    for at in range(len(raw)):
        for bit in range(8):
            if bits >> bit & 1:
                yield at, raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


@pytest.mark.parametrize("bits", [0x08, pytest.param(0xF7, marks=[pytest.mark.nightly, pytest.mark.timeout(1_800)])])
def test_a_memory_flipped_at_any_byte_uses_no_cycle_number_twice(damaged: Damaged, bits: int) -> None:
    loaded = refused = 0
    for at, raw in flips(damaged.raw, bits):
        found = damaged.load(raw)
        if isinstance(found, str):
            refused += 1
            assert at < memory_file._HEADER.size or "is damaged at byte " in found, (at, found)
            assert at < damaged.synced_size, (at, found)
        else:
            loaded += 1
            assert found["last_cycle_no"] >= damaged.synced["last_cycle_no"], at
    print(f"{loaded + refused} files with one bit flipped: {loaded} loaded, {refused} refused, 0 cycle numbers lost")
    assert loaded and refused
