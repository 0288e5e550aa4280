"""Recordings of real programs in tshark: each frame has its name, nothing is malformed, each command has its end."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from handpiece_shell.recording_file import read_recording
from protocols.capture.contents import decode_publication_of
from protocols.language.message import REGISTRY
from protocols.mqtt.bodies import decode_body
from protocols.serial.framing import Frame, FrameDecoder
from tests.brokers import Mosquitto
from tests.e2e.captures.shark import Shark
from tests.e2e.processes import devicectl
from tests.programs import firmware_sim

MANY_FRAMES: Final = 100_000
MANY_TAKE_S: Final = 900.0
"""For two looks at half of them; on an idle machine all takes a minute and a half."""
NEVER: Final = ("hlp1.payload", "hlp1.later", "hlp1.bad_frame", "hlp1.record.rest", "hlp1.unfinished", "_ws.malformed")
"""Fields of what has no name, or is no frame."""
WRONG: Final = tuple(
    f"hlp1.expert.{one}" for one in ("malformed", "bad_crc", "bad_payload", "bad_record", "unknown_message")
)
LINKS: Final = (
    "frame.number",
    "hlp1.message",
    "hlp1.kind",
    "hlp1.correlation_id",
    "hlp1.response_in",
    "hlp1.request_in",
    "hlp1.first_sent_in",
)
EVERY_PORT: Final = ("-2", "-R", "frame.interface_id >= 0")


def names_in(path: Path) -> Iterator[str]:
    """The messages of a recording in order, as the product reads them."""
    with read_recording(str(path)) as capture:
        decoders: dict[tuple[int, int], FrameDecoder] = {}
        for packet in capture.packets:
            name = capture.interfaces[packet.interface]
            if name == "events":
                continue
            if "mqtt:" in name:
                message = decode_body(decode_publication_of(packet).body, None, "").message
                yield type(message).__name__
                continue
            for found in decoders.setdefault((packet.interface, packet.direction), FrameDecoder()).feed(packet.data):
                assert isinstance(found, Frame)
                yield REGISTRY[found.header.kind, found.header.message_id].__name__


def assert_shown(shark: Shark, path: Path, seconds: float) -> list[list[str]]:
    """Hold tshark's names against the product's, and that all is named and well; returns the rows of `LINKS`."""
    rows = shark.fields(path, *LINKS, *NEVER, *WRONG, options=EVERY_PORT, seconds=seconds)
    shown = [name for row in rows for name in row[1].split(";") if name]
    assert shown == list(names_in(path))
    assert [row for row in rows if any(row[len(LINKS) :])] == []
    return [row[: len(LINKS)] for row in rows if row[1]]


def assert_linked(rows: list[list[str]]) -> int:
    """Hold each command to its end, where a packet has one frame; returns how many there are, however often sent."""
    by_number = {row[0]: row for row in rows}
    asked, answered = set(), set()
    for number, name, kind, correlation, response, _, first in rows:
        if kind == "0":
            _, answer, other, same, _, request, _ = by_number[response]
            assert (other, same, request) == ("1", correlation, first or number)
            assert answer in (f"{name}Done", "JournalPage", "Refused", "Failed", "Aborted")
            asked.add(first or number)
        elif kind == "1" and name != "Received":
            answered.add(by_number[number][5])
    assert asked == answered
    return len(asked)


def test_a_session_in_virtual_time(shark: Shark, tmp_path: Path) -> None:
    path = tmp_path / "run.pcapng"
    line = ("--seed", "7", "--target-cores", "60", "--log", str(tmp_path / "log.sqlite"))
    devicectl("run", *line, "--record", str(path), code=0)
    assert assert_linked(assert_shown(shark, path, 60.0)) > 100


def test_a_served_device_over_tcp(shark: Shark, tmp_path: Path) -> None:
    """Its pieces are what the system gave, and two frames may be in one."""
    path, log = tmp_path / "device.pcapng", str(tmp_path / "log.sqlite")
    host = (sys.executable, "-m", "devicectl", "run", "--target-cores", "6", "--log", log)
    served = ("--tcp", "127.0.0.1:0", "--param", "anesthesia_wait_s=1", "--record", str(path))
    done = firmware_sim("exec", *served, "--", *host)
    assert done.returncode == 0, done.stderr
    shown = Counter(row[1] for row in assert_shown(shark, path, 60.0))
    assert shown["Hello"] == shown["Welcome"] == 1 and shown["Punch"] >= 2
    events = shark.fields(path, "hlp1.recorded_event")
    assert ["boot"] in events and ["attach"] in events


def test_a_session_behind_a_broker(shark: Shark, mosquitto: Mosquitto, tmp_path: Path) -> None:
    path, log = tmp_path / "device.pcapng", str(tmp_path / "log.sqlite")
    host = (sys.executable, "-m", "devicectl", "run", "--target-cores", "6", "--log", log)
    served = ("--mqtt", mosquitto.url(), "--param", "anesthesia_wait_s=1", "--record", str(path))
    done = firmware_sim("exec", *served, "--", *host)
    assert done.returncode == 0, done.stderr
    assert assert_linked(assert_shown(shark, path, 60.0)) > 20


@pytest.mark.nightly
@pytest.mark.timeout(2 * MANY_TAKE_S)
def test_a_hundred_thousand_frames(shark: Shark, tmp_path: Path) -> None:
    """Two whole sessions: a cartridge does not last for more in one."""
    frames = commands = 0
    for seed in ("7", "8"):
        path = tmp_path / f"{seed}.pcapng"
        devicectl("run", "--seed", seed, "--log", str(tmp_path / "log.sqlite"), "--record", str(path), code=0)
        rows = assert_shown(shark, path, MANY_TAKE_S)
        frames += len(rows)
        commands += assert_linked(rows)
    assert frames >= MANY_FRAMES
    assert commands >= MANY_FRAMES // 4
