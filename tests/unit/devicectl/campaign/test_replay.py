import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from devicectl.campaign.recording_file import encode_trial
from devicectl.campaign.replay import Replayed, ReplayError, replay
from devicectl.campaign.trial import Trial
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
    del capture.comment["recording"]
    return encode_capture(capture.comment, capture.interfaces, packets)


def test_every_packet_is_equal(trial: Trial) -> None:
    assert again(file_of(trial)) == Replayed(len(trial.recording), "right", None)


def test_the_first_packet_that_differs_is_shown_decoded(trial: Trial) -> None:
    def say_again(comment: dict[str, Any], packets: list[Packet]) -> None:
        packets[40] = packets[41]

    found = again(changed(file_of(trial), say_again))
    assert found.packets == 40 and found.difference is not None and found.difference.number == 41
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
        (lambda comment: comment.pop("scenario"), "no recording of a scenario"),
        (lambda comment: comment["scenario"].pop("plan"), "cannot be taken"),
        (lambda comment: comment.update(verdict=None), "no verdict"),
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
