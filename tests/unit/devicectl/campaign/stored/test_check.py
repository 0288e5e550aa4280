"""The check of a capture: the judges' verdict, and the reasons of those that could not judge."""

import io
from collections.abc import Sequence

import pytest

from devicectl.campaign.recording_file import INTERFACES, encode_trial, packets
from devicectl.campaign.stored.check import Checked, NothingToJudgeError, check
from devicectl.campaign.stored.parts import Need
from devicectl.campaign.trial import Trial
from firmware_sim.faults.fault import declare
from protocols.capture.packet import FROM_DEVICE, TO_DEVICE, Capture, CaptureError, JsonObject, Packet
from protocols.capture.reader import read_capture
from protocols.language.messages import JournalPage
from protocols.serial.payload import encode_message
from tests.unit.devicectl.campaign.trials import tried


@pytest.fixture(scope="module")
def trial() -> Trial:
    """A trial that is right."""
    return tried(declare("drop", 'frame("COUNT", 2)'), cores=6)


def of_anybody(trial: Trial) -> list[Packet]:
    """What a tap at the device's port would have seen."""
    return [packet for packet in packets(trial.recording) if packet.interface == 0]


def checked(given: Sequence[Packet], comment: JsonObject | None = None, names: Sequence[str] = INTERFACES) -> Checked:
    """Check packets under a comment, by default none."""
    return check(Capture(comment or {}, names, given))


def states(of: Checked) -> dict[str, str]:
    """State of each judge."""
    return {judge.name: judge.state for judge in of.judges}


def test_the_recording_of_a_trial_is_judged_by_all(trial: Trial) -> None:
    data = encode_trial(trial.scenario, trial.verdict, trial.recording)
    found = check(read_capture(io.BytesIO(data).read, of_anybody=True))
    assert not found.breaches and not found.cut
    assert set(states(found).values()) == {"judged"}


def test_a_trial_that_is_wrong_is_wrong_here_too() -> None:
    trial = tried(cores=6)
    trial.recording += [
        one._replace(at_us=trial.recording[-1].at_us) for one in trial.recording[len(trial.recording) // 2 :]
    ]
    data = encode_trial(trial.scenario, trial.verdict, trial.recording)
    found = check(read_capture(io.BytesIO(data).read, of_anybody=True))
    assert {"answers", "motion"} <= {breach.judge for breach in found.breaches}


def test_a_tap_is_judged_by_what_a_wire_shows_and_says_what_it_lacks(trial: Trial) -> None:
    found = checked(of_anybody(trial))
    assert not found.breaches
    assert states(found)["exactly once"] == "judged"
    assert {name for name, state in states(found).items() if state == "skipped"} == {"timing", "alarms", "calm"}
    reasons = {reason for judge in found.judges for reason in judge.skipped.values()}
    assert reasons == {Need.WHOLE.value, Need.HOST_CLOCK.value, Need.EVENTS.value}


@pytest.mark.parametrize(
    ("direction", "lacking"), [(TO_DEVICE, Need.DEVICE.value), (FROM_DEVICE, Need.HOST.value)], ids=["host", "device"]
)
def test_one_direction_is_judged_as_far_as_it_goes(trial: Trial, direction: int, lacking: str) -> None:
    found = checked([packet for packet in of_anybody(trial) if packet.direction == direction])
    assert not found.breaches
    assert lacking in {reason for judge in found.judges for reason in judge.skipped.values()}
    assert states(found)["messages"] == "judged" and states(found)["answers"] == "in part"


def test_what_a_device_may_not_do_is_found_in_a_tap(trial: Trial) -> None:
    given = of_anybody(trial)
    late = given[-1].at_us + 1
    again = [packet._replace(at_us=late) for packet in given]
    found = checked([*given, *again])
    assert {"answers", "acknowledgement"} <= {breach.judge for breach in found.breaches}
    assert [breach.at_us for breach in found.breaches] == sorted(breach.at_us for breach in found.breaches)


def test_a_payload_that_is_none_is_a_breach(trial: Trial) -> None:
    page = encode_message(JournalPage(epoch=1, first=1, tail=1, head=2, records=bytes(5)), 1, 1, 1)
    found = checked([*of_anybody(trial), Packet(10**9, 0, FROM_DEVICE, page)])
    assert [breach.judge for breach in found.breaches] == ["messages"]


def test_the_midst_of_a_session_is_left_out_up_to_the_next_link(trial: Trial) -> None:
    given = of_anybody(trial)
    tail = given[len(given) // 2 :]
    later = [packet._replace(at_us=packet.at_us + tail[-1].at_us) for packet in given]
    with pytest.raises(NothingToJudgeError, match="links from before the capture"):
        checked(tail)
    assert checked([*tail[:5], *later]).counts["frames of links from before the capture"] == 5


@pytest.mark.parametrize("data", [b"", b"$GPGGA,123519,4807.038,N*47\r\n", b"AT\r\nOK\r\n" * 40, bytes(500)])
def test_another_protocol_is_nothing_to_judge(data: bytes) -> None:
    with pytest.raises(NothingToJudgeError, match="no message that can be judged in 1 packets"):
        checked([Packet(0, 0, TO_DEVICE, data)])


def test_a_capture_without_packets_is_nothing_to_judge() -> None:
    with pytest.raises(NothingToJudgeError):
        checked([])


def test_a_capture_that_is_cut_short_is_judged_up_to_there_without_its_events(trial: Trial) -> None:
    data = encode_trial(trial.scenario, trial.verdict, trial.recording)
    found = check(read_capture(io.BytesIO(data[: len(data) * 2 // 3]).read, of_anybody=True))
    assert "middle of a block" in found.cut
    assert states(found)["timing"] == "skipped" and not found.breaches


def test_what_is_no_capture_from_its_first_packet_on_is_raised() -> None:
    def broken() -> object:
        raise CaptureError("byte 8", "nothing", "something")
        yield

    with pytest.raises(CaptureError):
        check(Capture({}, [], broken()))  # type: ignore[arg-type]


def test_events_that_nobody_of_ours_would_write_are_a_reason(trial: Trial) -> None:
    given = [*packets(trial.recording), Packet(10**9, 2, 0, b'{"event":"state"}')]
    comment = {"program": "devicectl campaign", "scenario": trial.scenario.as_data()}
    found = checked(given, comment)
    reasons = {reason for judge in found.judges for reason in judge.skipped.values()}
    assert reasons == {"an event has not what this judge reads"}
