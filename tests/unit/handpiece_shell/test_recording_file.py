"""The file of a recording: readable at any moment, its verdict last, and never the end of what is recorded."""

import os
from pathlib import Path
from typing import Any

import pytest

from handpiece_shell import limited_file
from handpiece_shell.recording_file import BLOCK_PACKETS, VERDICT_BYTES, RecordingFile, read_recording, versions
from handpiece_shell.version import VERSION
from protocols.capture.packet import FROM_DEVICE, NO_DIRECTION, TO_DEVICE, CaptureError, Packet
from protocols.mqtt.wire import Publication

COMMENT = {"seed": 7}


def opened(path: Path, said: list[str] | None = None, **options: Any) -> RecordingFile:
    """A recording that warns nobody, unless a list is given."""
    return RecordingFile(str(path), COMMENT, pytest.fail if said is None else said.append, **options)


def read(path: Path) -> tuple[dict[str, Any], list[str], list[Packet]]:
    """All that is in a recording."""
    with read_recording(str(path)) as capture:
        packets = list(capture.packets)
        return capture.comment, list(capture.interfaces), packets


SEAL = {"packets": 4, "crc32": "c4fd6f98"}


def test_what_was_heard_is_in_the_file_with_its_verdict(tmp_path: Path) -> None:
    file = opened(tmp_path / "one")
    file.heard("tcp", "host", b"ask", 5)
    file.event("advance", 6, {})
    file.heard("mqtt", "device", Publication("a/reply/b", b"{}"), 7)
    file.heard("tcp", "device", b"answer", 8)
    file.verdict = {"ended": "by a signal"}
    file.close()
    assert read(tmp_path / "one") == (
        {"recording": 1, "seed": 7, "faults": [], "verdict": {"ended": "by a signal"}, **SEAL},
        ["tcp", "events", "mqtt"],
        [
            Packet(5, 0, TO_DEVICE, b"ask"),
            Packet(6, 1, NO_DIRECTION, b'{"event":"advance"}'),
            Packet(7, 2, FROM_DEVICE, b'{"topic":"a/reply/b","body":"{}"}'),
            Packet(8, 0, FROM_DEVICE, b"answer"),
        ],
    )


def test_one_that_was_never_closed_is_read_and_has_no_verdict(tmp_path: Path) -> None:
    file = opened(tmp_path / "one")
    file.heard("tcp", "host", b"ask", 5)
    comment, _, packets = read(tmp_path / "one")
    assert comment["verdict"] is None
    assert packets == [Packet(5, 0, TO_DEVICE, b"ask")]
    file.close()


def test_in_blocks_packets_come_together_and_none_is_lost(tmp_path: Path) -> None:
    file = opened(tmp_path / "one", at_once=False)
    for at_us in range(BLOCK_PACKETS + 3):
        file.heard("tcp", "host", b"ask", at_us)
    assert BLOCK_PACKETS - 2 <= len(read(tmp_path / "one")[2]) <= BLOCK_PACKETS
    file.close()
    assert [packet.at_us for packet in read(tmp_path / "one")[2]] == list(range(BLOCK_PACKETS + 3))


def test_an_earlier_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(bytes(9_999))
    opened(tmp_path / "one").close()
    assert read(tmp_path / "one")[2] == []


def test_a_full_disk_ends_the_recording_after_its_last_whole_packet(small_disk: Path) -> None:
    said: list[str] = []
    file = opened(small_disk / "one", said)
    for at_us in range(40):
        file.heard("tcp", "host", bytes(10_000), at_us)
    file.verdict = {"ended": "by a signal"}
    file.close()
    assert said == [f"{small_disk / 'one'}: No space left on device; the recording ends here"]
    comment, _, packets = read(small_disk / "one")
    assert comment["incomplete"] == "No space left on device"
    assert comment["verdict"] == {"ended": "by a signal"}
    assert [packet.at_us for packet in packets] == list(range(len(packets)))
    assert 20 < len(packets) < 27


def test_a_packet_that_is_too_large_ends_the_recording(tmp_path: Path) -> None:
    said: list[str] = []
    file = opened(tmp_path / "one", said)
    for size in (3, 262_145, 3):
        file.heard("tcp", "host", bytes(size), size)
    file.close()
    assert said == [f"{tmp_path / 'one'}: packet: 262145 bytes; expected at most 262144; the recording ends here"]
    assert len(read(tmp_path / "one")[2]) == 1


def test_ports_beyond_the_bound_end_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handpiece_shell.recording_file.MAX_INTERFACES", 2)
    said: list[str] = []
    file = opened(tmp_path / "one", said)
    for name in ("a", "b", "a", "c"):
        file.heard(name, "host", b"ask", 1)
    file.close()
    assert said == [f"{tmp_path / 'one'}: interface: one more; expected at most 2; the recording ends here"]
    assert len(read(tmp_path / "one")[2]) == 3


def test_a_verdict_that_finds_no_room_leaves_a_recording_without_one(tmp_path: Path) -> None:
    said: list[str] = []
    file = opened(tmp_path / "one", said)
    file.verdict = {"ended": "x" * (VERDICT_BYTES + 99)}
    file.close()
    assert len(said) == 1 and "expected at most" in said[0]
    assert read(tmp_path / "one")[0]["verdict"] is None


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no /dev/null here")
def test_what_is_no_regular_file_is_refused() -> None:
    with pytest.raises(OSError, match="is no regular file"):
        opened(Path("/dev/null"))


def test_a_comment_that_fits_nowhere_is_refused_before_the_file_is_touched(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="^comment: "):
        RecordingFile(str(tmp_path / "one"), {"scenario": "x" * 65_536}, pytest.fail)
    assert not (tmp_path / "one").exists()


def test_no_recording_is_one_line_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "one"
    for said in ("No such file or directory; expected a recording", "byte 0: a file that begins with 68 65 6C 6C"):
        with pytest.raises(CaptureError) as caught, read_recording(str(path)):
            pass
        assert str(caught.value).startswith(str(path)) and said in str(caught.value)
        path.write_text("hello")


def test_one_that_is_cut_short_says_so_where_it_ends(tmp_path: Path) -> None:
    file = opened(tmp_path / "one")
    file.heard("tcp", "host", b"ask", 5)
    file.close()
    whole = (tmp_path / "one").read_bytes()
    (tmp_path / "one").write_bytes(whole[:-1])
    with pytest.raises(CaptureError, match=f"one, byte {len(whole) - 1}: the file ends in the middle of a block"):
        read(tmp_path / "one")


def test_versions_name_what_a_replay_needs() -> None:
    assert versions() | {"devicectl": VERSION} == versions()
    assert set(versions()) == {"devicectl", "compiled", "protocol", "python"}


def test_a_pipe_is_read_once_and_not_waited_for_without_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr(limited_file, "SILENT_LIMIT_S", 0.05)
    silent = r"reading: nobody has written to it for 0\.05 s"
    with pytest.raises(CaptureError, match=silent), read_recording(str(pipe), of_anybody=True):
        raise AssertionError("nobody has written")
    with pytest.raises(CaptureError, match="it is no regular file, and is read twice"), read_recording(str(pipe)):
        raise AssertionError("a reader who reads it twice would wait")
