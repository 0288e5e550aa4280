"""`devicectl check` of what real programs have recorded, of captures of other programs, and of what is none."""

import gzip
import io
import json
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devicectl.campaign.recording_file import encode_trial
from devicectl.cli.program import call
from firmware_sim.faults.fault import declare
from protocols.capture.blocks import encode_capture, interface_block, packet_block
from protocols.capture.reader import read_capture
from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import serve
from tests.unit.devicectl.campaign.trials import tried


@pytest.fixture(scope="module")
def both_ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One session over TCP, recorded at the device and at the host."""
    folder = tmp_path_factory.mktemp("session")
    files = {"device": folder / "device.pcapng", "host": folder / "host.pcapng"}
    with serve("--tcp", "127.0.0.1:0", "--record", str(files["device"]), "--seed", "7", *PARAMETERS) as device:
        log, url = str(folder / "log.sqlite"), device.urls[0]
        assert call(["run", "--device", url, "--target-cores", "6", "--log", log, "--record", str(files["host"])]) == 0
        assert device.stop() == 0
    return files


def checked(path: Path, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    """Return what --json prints."""
    capsys.readouterr()
    assert call(["check", str(path), "--json"]) == code
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def states(said: dict[str, Any]) -> dict[str, str]:
    """State of each judge."""
    return {judge["name"]: judge["state"] for judge in said["judges"]}


@pytest.mark.parametrize("end", ["device", "host"])
def test_a_session_is_right_at_both_its_ends(
    end: str, both_ends: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    said = checked(both_ends[end], capsys)
    assert (said["verdict"], said["not_whole"], said["breaches"]) == ("right", None, [])
    assert said["counts"]["messages from the device"] > 20
    assert {name for name, state in states(said).items() if state == "skipped"} == {"timing", "alarms", "calm"}
    assert said["notice"] == "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"


def test_the_device_knows_its_journals_tail_from_the_beginning(
    both_ends: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    of_device, of_host = (checked(both_ends[end], capsys)["judges"] for end in ("device", "host"))
    rules = [
        next(one["rules"] for one in judges if one["name"] == "acknowledgement") for judges in (of_device, of_host)
    ]
    assert "the journal's tail" in rules[0] and "the journal's tail" not in rules[1]


def test_people_read_what_was_judged_and_why_not_all(
    both_ends: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert call(["check", str(both_ends["host"])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
    assert lines[-1] == "verdict: no breach; 6 judges judged, 3 were skipped"
    assert any(line.split()[:2] == ["timing", "skipped"] for line in lines)
    assert any("no wire shows needles, states, faults and commits" in line for line in lines)


def test_the_file_of_a_trial_is_judged_by_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trial = tried(declare("drop", 'frame("COUNT", 2)'), cores=6)
    path = tmp_path / "trial.pcapng"
    path.write_bytes(encode_trial(trial.scenario, trial.verdict, trial.recording))
    assert set(states(checked(path, capsys)).values()) == {"judged"}


def test_a_command_that_is_carried_out_twice_is_a_breach(
    both_ends: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = read_capture(io.BytesIO(both_ends["host"].read_bytes()).read)
    packets = list(capture.packets)
    later = [packet._replace(at_us=packet.at_us + packets[-1].at_us) for packet in packets]
    path = tmp_path / "twice.pcapng"
    path.write_bytes(encode_capture({"program": "somebody"}, capture.interfaces, [*packets, *later]))
    said = checked(path, capsys, 1)
    assert any("was carried out twice" in breach["sentence"] for breach in said["breaches"])
    assert call(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert f"verdict: {len(said['breaches'])} breaches" in out and "more; --json has all" in out


def test_a_file_that_is_cut_short_is_judged_up_to_there_and_an_edited_one_as_it_is(
    both_ends: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = both_ends["host"].read_bytes()
    cut = tmp_path / "cut.pcapng"
    for size in (len(data) - 1, len(data) * 2 // 3):
        cut.write_bytes(data[:size])
        said = checked(cut, capsys)
        assert "the file ends in the middle of a block" in said["not_whole"]
    cut.write_bytes(data.replace(b'"seed":null', b'"seed":1234', 1))
    assert "it was edited" in checked(cut, capsys)["not_whole"]


def test_wiresharks_tools_may_write_it_again(
    program: Callable[[str], str], both_ends: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "again.pcapng"
    line = [program("tshark"), "-r", str(both_ends["host"]), "-w", str(path)]
    subprocess.run(line, check=True, capture_output=True, timeout=patience())
    again, before = checked(path, capsys), checked(both_ends["host"], capsys)
    assert (again["verdict"], again["counts"]) == (before["verdict"], before["counts"])


ETHERNET = interface_block("eth0").replace(struct.pack("<H", 147), struct.pack("<H", 1), 1)
SECTION = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file"),
        (SECTION[:20], "ends in the middle of a block"),
        (SECTION, "no message that can be judged in 0 packets"),
        (SECTION + interface_block("tcp"), "no message that can be judged in 0 packets"),
        (SECTION + ETHERNET + packet_block(0, 0, 1, b"x"), "an interface of link type 1; expected 147, USER0"),
        (bytes.fromhex("d4c3b2a1"), "older format pcap"),
        (gzip.compress(b"a recording", mtime=0), "gzip has compressed"),
        (b"$GPGGA,123519", "expected pcapng"),
        (SECTION + interface_block("nmea") + packet_block(0, 0, 1, b"$GPGGA,1*47\r\n"), "in 1 packets"),
        (SECTION + interface_block("none") + packet_block(0, 0, 0, b"\0"), "1 packets without a direction"),
    ],
)
def test_what_cannot_be_judged_is_one_line_that_says_what_is_taken(
    content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert call(["check", str(path)]) == 2
    out, err = capsys.readouterr()
    assert not out and len(err.splitlines()) == 1 and says in err, err
    assert "taken is pcapng of link type 147 (USER0)" in err


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["check", "nowhere.pcapng"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
