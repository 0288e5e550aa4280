import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devicectl.campaign.recording_file import encode_trial
from devicectl.campaign.replay import Replayed, ReplayError, replay
from devicectl.campaign.trial import Trial
from devicectl.cli.program import call
from firmware_sim.faults.fault import declare
from protocols.capture.blocks import encode_capture
from protocols.capture.packet import Packet
from protocols.capture.reader import read_capture
from tests.unit.devicectl.campaign.trials import right

FAULTS = (declare("mute", 'frame("SUCTION", 3)', for_ms=900), declare("drop", pieces=0, share=0.1, for_ms=9_000))


@pytest.fixture(scope="module", params=["serial", "mqtt"])
def trial(request: pytest.FixtureRequest) -> Trial:
    return right(*FAULTS, wire=request.param)


def file_of(trial: Trial) -> bytes:
    return encode_trial(trial.scenario, trial.verdict, trial.recording)


def again(data: bytes) -> Replayed:
    return replay(read_capture(io.BytesIO(data).read))


def changed(data: bytes, change: Callable[[Any, list[Packet]], object]) -> bytes:
    capture = read_capture(io.BytesIO(data).read)
    packets = list(capture.packets)
    change(capture.comment, packets)
    for name in ("recording", "packets", "crc32"):
        del capture.comment[name]
    return encode_capture(capture.comment, capture.interfaces, packets)


def test_every_packet_is_equal(trial: Trial) -> None:
    assert again(file_of(trial)) == Replayed(len(trial.recording), "right", None)


def test_the_comment_has_the_faults_that_have_fired(trial: Trial) -> None:
    comment = read_capture(io.BytesIO(file_of(trial)).read).comment
    fired = sorted((one["fault"], one["kind"]) for one in comment["faults"])
    assert fired == [(0, "mute"), (1, "drop")]
    assert all(one["at_us"] > 0 and isinstance(one["phase"], str) for one in comment["faults"])


def test_the_first_packet_that_differs_is_shown_decoded(trial: Trial) -> None:
    def say_again(comment: dict[str, Any], packets: list[Packet]) -> None:
        packets[40] = packets[41]

    found = again(changed(file_of(trial), say_again))
    assert found.packets == 40 and found.difference is not None and found.difference.where == "packet 41"
    assert found.difference.expected != found.difference.found
    assert "host>device" in found.difference.found or "device>host" in found.difference.found


def test_a_recording_that_lacks_its_end_differs_there(trial: Trial) -> None:
    found = again(changed(file_of(trial), lambda comment, packets: packets.pop()))
    assert found.difference is not None and found.difference.expected == ""


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda comment: comment["versions"].update(devicectl="0.0.9"), "made by devicectl 0.0.9"),
        (lambda comment: comment.update(versions=None), "made by nobody"),
        (lambda comment: comment.pop("scenario"), "it has no scenario"),
        (lambda comment: comment["scenario"].pop("plan"), "cannot be taken"),
        (lambda comment: comment.update(verdict=None), "no verdict"),
        (lambda comment: comment.update(program="other"), "made by 'other'"),
        (lambda comment: comment["verdict"].update(word="wrong"), "it was edited"),
    ],
)
def test_a_recording_that_cannot_be_replayed_is_one_line(
    trial: Trial, edit: Callable[[object], object], says: str
) -> None:
    data = changed(file_of(trial), lambda comment, packets: edit(comment))
    with pytest.raises(ReplayError, match=says) as caught:
        again(data)
    assert "\n" not in str(caught.value) and caught.value.exit_code == 2


def test_another_process_with_another_hash_seed_replays_it(trial: Trial) -> None:
    code = "import io, sys; from devicectl.campaign.replay import replay; " + (
        "from protocols.capture.reader import read_capture; "
        "print(replay(read_capture(io.BytesIO(sys.stdin.buffer.read()).read)).difference)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=file_of(trial), capture_output=True, env={"PYTHONHASHSEED": "3"}, check=True
    )
    assert done.stdout.split() == [b"None"]


def session_recorded(folder: Path, device: str) -> Path:
    file = folder / "session.pcapng"
    options = ["--device", device, "--seed", "7", "--target-cores", "12", "--log", str(folder / "log.sqlite")]
    assert call(["run", *options, "--record", str(file)]) == 0
    return file


@pytest.mark.parametrize("device", ["sim://?anesthesia_wait_s=1", "sim://?anesthesia_wait_s=1&baud=9600"])
def test_a_plain_session_is_held_again(tmp_path: Path, device: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = session_recorded(tmp_path, device)
    assert call(["replay", str(file)]) == 0
    assert "all equal; verdict: completed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"device": "tcp://127.0.0.1:4001"}, "only sessions of sim://"),
        ({"device": "no url"}, "cannot be taken"),
        ({"seed": "x"}, "cannot be taken"),
        ({"plan": {"target_cores": 0}}, "cannot be taken"),
        ({"continues": True}, "a session from before"),
        ({"device": "sim://?nvm=there.nvm"}, "a session from before"),
    ],
)
def test_a_session_that_cannot_be_held_again_is_one_line(tmp_path: Path, edit: dict[str, object], says: str) -> None:
    data = session_recorded(tmp_path, "sim://?anesthesia_wait_s=1").read_bytes()
    with pytest.raises(ReplayError, match=says):
        again(changed(data, lambda comment, packets: comment.update(edit)))
