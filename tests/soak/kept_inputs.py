"""Inputs that the fuzzer mutates: frames, publications, journal pages and a memory file, each of a real session.

    python -m tests.soak.kept_inputs        writes the four files of corpus/ again

One input a line; what once made a defect show is added by hand, below the others. Text is hex digits, of a publication
its topic below the device's own and its body.
"""

import tempfile
from pathlib import Path
from typing import Any, Final

from firmware_sim import memory_file
from firmware_sim.memory.session_steps import BeginCycle, PowerOn
from firmware_sim.memory.steps import Put
from protocols.language.messages import JournalPage
from protocols.language.units import Micros
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import Publication
from protocols.serial.framing import CRC_SIZE, Frame, FrameDecoder, unstuff
from tests.world import Lab, a_plan

CORPUS: Final = Path(__file__).parent / "corpus"
TOPICS: Final = DeviceTopics("site", "device")
CORES: Final = 12
PAGES: Final = 8


def frames() -> list[bytes]:
    """Header and payload of each frame that is kept: sealed again, they are frames."""
    return _lines("frames")


def pages() -> list[bytes]:
    """Payloads of JOURNAL_PAGE."""
    return _lines("pages")


def publications() -> list[tuple[str, bytes]]:
    """Topics below the device's own, and bodies."""
    lines = (CORPUS / "publications.txt").read_text("utf-8").splitlines()
    return [(topic, body.encode()) for topic, _, body in (line.partition(" ") for line in lines)]


def memory() -> bytes:
    """A memory file: sessions and cycles that were synced, and behind the last mark steps that never were."""
    (raw,) = _lines("memory")
    return raw


def _lines(name: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in (CORPUS / f"{name}.txt").read_text("ascii").splitlines()]


# --- made of a real session ------------------------------------------------------------------------------------------


def _session(lab: Lab) -> None:
    """A short session with a clogged needle and a pause."""
    lab.begin(2)
    lab.inject(clog_now={0})
    lab.run(lab.engine.pause())
    lab.finish()


def _write(name: str, lines: list[str]) -> None:
    (CORPUS / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _write_frames_and_pages() -> None:
    kept: dict[tuple[int, int], bytes] = {}
    read: list[bytes] = []

    def tap(sender: str, data: Any, now: Micros) -> None:
        for frame in FrameDecoder().feed(data):
            assert isinstance(frame, Frame)
            name = frame.header.kind, frame.header.message_id
            kept.setdefault(name, unstuff(data[1:-1])[:-CRC_SIZE])
            if name == (JournalPage.KIND, JournalPage.ID):
                read.append(frame.payload)

    _session(Lab(plan=a_plan(CORES), tap=tap))
    _write("frames", [body.hex() for body in kept.values()])
    _write("pages", [page.hex() for page in sorted(read, key=len)[-PAGES:]])


def _write_publications() -> None:
    kept: dict[str, str] = {}

    def tap(sender: str, data: Publication, now: Micros) -> None:
        body = data.body.decode()
        kept.setdefault(body.split('"', 4)[3], f"{data.topic.removeprefix(TOPICS.base)} {body}")

    _session(Lab(plan=a_plan(CORES), topics=TOPICS, tap=tap))
    _write("publications", list(kept.values()))


def _write_memory() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "device.nvm"
        nvm = memory_file.load(path, epoch=42)
        Lab(plan=a_plan(CORES), nvm=nvm).begin(2)
        for step in (BeginCycle(3, 0, 0, 3_000), Put("stroke_latch", True), PowerOn(0), BeginCycle(4, 0, 0, 3_000)):
            nvm.keep(step)
        raw = path.read_bytes().rstrip(b"\0")
    _write("memory", [raw.hex()])


if __name__ == "__main__":
    _write_frames_and_pages()
    _write_publications()
    _write_memory()
