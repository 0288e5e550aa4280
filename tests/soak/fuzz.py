"""Mutated inputs, drawn from a seed: whatever comes, nothing raises and no more is kept than is stated.

    python -m tests.soak.fuzz decoder 1000000        so many inputs to the frame decoder; seed 1
    python -m tests.soak.fuzz pages 1000000 7        journal pages to the host's reader; seed 7

An input is one frame, publication, page or memory file: one of `kept_inputs` with one to four mutations. Half of the
frames are mutated inside and have a right checksum, the others are mutated as they are on the line.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final, Protocol

from devicectl.session.count import Fold
from devicectl.session.entries import Batch, Note
from devicectl.session.journal import JournalReader
from devicectl.session.procedures import nothing
from firmware_sim import memory_file
from firmware_sim.clock import monotonic
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.image import snapshot
from protocols.language.errors import MessageError
from protocols.language.messages import JournalAckDone, JournalPage, JournalRead
from protocols.language.units import SECOND
from protocols.link.port import BadFrame, Envelope
from protocols.mqtt.wire import MAX_ASKED, DeviceWire, HostWire, Publication, decode_publication
from protocols.serial.diagnosis import MAX_SAMPLES
from protocols.serial.framing import MAX_ENCODED_SIZE, FrameDecoder
from protocols.serial.payload import decode_payload
from protocols.serial.wire import SerialWire
from tests.soak import kept_inputs
from tests.soak.mutations import altered, mutate
from tests.unit.protocols.serial.frames import seal

BATCH: Final = 256
"""Inputs after which the books are balanced."""
LINES_APART: Final = 1_000_000
"""Inputs between two lines of a long run."""


class Target(Protocol):
    """One subject of the fuzzer. Both methods raise where something is not as it should be."""

    def feed(self, draw: Random) -> None:
        """Feed one mutated input."""

    def balance(self) -> None:
        """Judge what the inputs since the last time came to."""


class Decoder:
    """`FrameDecoder`: each stretch between zeros has one outcome, what is kept is bounded, a good frame is found."""

    def __init__(self) -> None:
        self._bodies = kept_inputs.frames()
        self._sealed = [seal(body) for body in self._bodies]
        self._good = self._sealed[0]
        (self._frame,) = FrameDecoder().feed(self._good)
        self._decoder = FrameDecoder()
        self._fed: list[bytes] = []
        self._found = 0

    def feed(self, draw: Random) -> None:
        """Feed one frame, whole or in two pieces."""
        bits = draw.getrandbits(24)
        which = (bits >> 2) % len(self._bodies)
        if bits & 1:
            data = seal(mutate(draw, self._bodies[which], self._bodies))
        else:
            data = mutate(draw, self._sealed[which], self._sealed)
        cut = 0 if bits & 2 else (bits >> 8) % (len(data) + 1)
        for piece in (data[:cut], data[cut:]) if cut else (data,):
            self._found += len(self._decoder.feed(piece))
            assert len(self._decoder.kept) <= MAX_ENCODED_SIZE, f"{len(self._decoder.kept)} bytes are kept"
        self._fed.append(data)

    def balance(self) -> None:
        """Hold the outcomes against the stretches; behind all of them there is a good frame."""
        *rest, last = self._decoder.feed(self._good)
        assert last == self._frame, "a good frame was not found behind what is none"
        found = self._found + len(rest)
        stretches = sum(1 for stretch in b"".join(self._fed).split(b"\0") if stretch)
        assert found == stretches, f"{stretches} stretches between zeros have {found} outcomes"
        self._fed, self._found = [], 0


class Frames:
    """`SerialWire`: a frame with a right checksum is a message or a problem, whatever it says."""

    def __init__(self) -> None:
        self._bodies = kept_inputs.frames()
        self._wire = SerialWire()

    def feed(self, draw: Random) -> None:
        """Feed one frame that was mutated inside."""
        body = self._bodies[draw.getrandbits(16) % len(self._bodies)]
        for item in self._wire.feed(seal(mutate(draw, body, self._bodies))):
            assert isinstance(item, BadFrame) or _whole(item), item

    def balance(self) -> None:
        """Hold what is kept for a diagnosis against its bound."""
        assert len(self._wire.heard.samples) <= MAX_SAMPLES


def _whole(envelope: Envelope) -> bool:
    return (envelope.message is None) is not (envelope.problem is None)


class Publications:
    """Bodies at either end: a message or a problem, and no more correlation data than is stated."""

    def __init__(self) -> None:
        self._kept = kept_inputs.publications()
        self._bodies = [body for _, body in self._kept]
        topics = kept_inputs.TOPICS
        self._host, self._device = HostWire(topics, "sim"), DeviceWire(topics, "sim")
        self._base = topics.base

    def feed(self, draw: Random) -> None:
        """Feed one publication to both ends, and as one that goes by: its bytes mutated, or a value in its JSON."""
        bits = draw.getrandbits(24)
        topic, body = self._kept[(bits >> 1) % len(self._kept)]
        made = mutate(draw, body, self._bodies) if bits & 1 else altered(draw, body)
        publication = Publication(self._base + topic, made, expiry_s=1, correlation_data=b"1")
        for envelope in (
            decode_publication(publication),
            *self._host.feed(publication),
            *self._device.feed(publication),
        ):
            assert isinstance(envelope, Envelope) and _whole(envelope), envelope

    def balance(self) -> None:
        """Hold what a device remembers of its askers against its bound."""
        assert len(self._device._asked) <= MAX_ASKED


class Pages:
    """The host's reader of the journal: its cursor never goes back, each record is logged at most once."""

    def __init__(self) -> None:
        self._pages = kept_inputs.pages()
        self._entries: list[Batch | Note] = []
        self._reader = self._new_reader()

    def _new_reader(self) -> JournalReader:
        fold = Fold(3, 1, first_event_no=1)
        return JournalReader(epoch=1, fold=fold, emit=self._entries.append, durable=nothing)

    def feed(self, draw: Random) -> None:
        """Give one page to a reading; its next page never comes."""
        payload = mutate(draw, self._pages[draw.getrandbits(16) % len(self._pages)], self._pages)
        try:
            page = decode_payload(JournalPage, payload)
        except MessageError:
            return
        before = self._reader.cursor
        reading = self._reader.read()
        wait = next(reading)
        for asked in range(4):
            try:
                if isinstance(wait, JournalRead):
                    assert wait.first >= before
                    if asked > 1:
                        reading.close()
                        return
                    wait = reading.send(page)
                else:
                    wait = reading.send(None if callable(wait) else JournalAckDone(tail=self._reader.cursor))
            except StopIteration:
                return
        raise AssertionError(f"a reading of one page does not end: {wait}")

    def balance(self) -> None:
        """Hold the batches for the log against each other, and begin with another reader."""
        upto = 1
        for batch in self._entries:
            assert isinstance(batch, Batch) and batch.first_event_no == upto < batch.next_event_no, batch
            assert len(batch.records) <= batch.next_event_no - upto, batch
            upto = batch.next_event_no
        assert upto == self._reader.cursor
        self._entries.clear()
        self._reader = self._new_reader()


class MemoryFile:
    """The file of a device's memory: it loads, and again as the same, or there is one error that says what is wrong."""

    def __init__(self) -> None:
        self._kept = [kept_inputs.memory()]

    def feed(self, draw: Random) -> None:
        """Load one mutated file twice."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "device.nvm"
            path.write_bytes(mutate(draw, self._kept[0], self._kept))
            try:
                assert _loaded(path) == _loaded(path)
            except NvmFileError as error:
                assert error.reason.isprintable()
            assert list(path.parent.iterdir()) == [path]

    def balance(self) -> None:
        """Each file is judged by itself."""


def _loaded(path: Path) -> dict[str, object]:
    nvm = memory_file.load(path, epoch=1)
    memory_file.close(nvm)
    return snapshot(nvm)


TARGETS: Final[Mapping[str, Callable[[], Target]]] = {
    "decoder": Decoder,
    "frames": Frames,
    "publications": Publications,
    "pages": Pages,
    "memory": MemoryFile,
}


def run(name: str, count: int, seed: int = 1, *, say: Callable[[str], None] | None = None) -> str:
    """Feed `count` inputs to a target and return the report in one line; `say` is given one now and then."""
    draw, target, begun = Random(f"{seed}:{name}"), TARGETS[name](), monotonic()
    done = 0
    try:
        while done < count:
            for _ in range(min(BATCH, count - done)):
                target.feed(draw)
                done += 1
            target.balance()
            if say is not None and done % LINES_APART < BATCH:
                say(_report(name, done, seed, begun))
    except BaseException as error:
        error.add_note(f"input {done + 1} of {name}, seed {seed}")
        raise
    return _report(name, count, seed, begun)


def _report(name: str, count: int, seed: int, begun: int) -> str:
    seconds = (monotonic() - begun) / SECOND
    return (
        f"{name}: {count:,} mutated inputs, 0 exceptions; seed {seed}, {seconds:.0f} s, {count / seconds:,.0f} a second"
    )


if __name__ == "__main__":
    print(run(sys.argv[1], *map(int, sys.argv[2:4]), say=print))
