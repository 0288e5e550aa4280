"""`--record` of a run: both directions are in the file, its verdict too, and a trace hears the same."""

from pathlib import Path

import pytest

from handpiece_shell.recording_file import read_recording
from protocols.capture.packet import FROM_DEVICE, TO_DEVICE
from tests.e2e.processes import devicectl, one_line

URL = "sim://?seed=7"
RUN = ("run", "--device", URL, "--target-cores", "10", "--json")


def run(folder: Path, *options: str) -> None:
    done = devicectl(*RUN, "--log", str(folder / "log.sqlite"), *options)
    assert done.returncode == 0, done.stderr


def test_a_run_is_recorded_with_its_verdict(tmp_path: Path) -> None:
    path = tmp_path / "run.pcapng"
    run(tmp_path, "--record", str(path), "--trace", str(tmp_path / "trace"))
    with read_recording(str(path)) as capture:
        packets = list(capture.packets)
        assert list(capture.interfaces) == [URL]
        assert (capture.comment["program"], capture.comment["seed"], capture.comment["device"]) == ("devicectl", 7, URL)
        assert capture.comment["verdict"]["state"] == "completed"
        assert capture.comment["verdict"]["reconciled"] is True
    assert {packet.direction for packet in packets} == {TO_DEVICE, FROM_DEVICE}
    lines = (tmp_path / "trace").read_text("utf-8").splitlines()
    assert len(packets) <= len([line for line in lines if ">" in line])


def test_the_same_seed_gives_the_same_packets(tmp_path: Path) -> None:
    packets = []
    for name in ("one", "two"):
        run(tmp_path, "--record", str(tmp_path / name))
        with read_recording(str(tmp_path / name)) as capture:
            packets.append(list(capture.packets))
    assert packets[0] == packets[1]


@pytest.mark.parametrize("path", ["/dev/null", "no/such/folder"])
def test_a_file_that_cannot_be_had_is_one_line(path: str, tmp_path: Path) -> None:
    done = devicectl(*RUN, "--log", str(tmp_path / "log.sqlite"), "--record", path)
    assert done.returncode == 2
    assert "--record" in one_line(done) and f"cannot write {path}" in one_line(done)
