"""Two runs part at the first packet that differs, said in words."""

import pytest

from devicectl.campaign.recording import DEVICE_SENT, EVENT, HOST_SENT, Recorded
from devicectl.station.debrief.execution.parting import part
from devicectl.station.debrief.facts import Parting
from protocols.language.units import SECOND, Micros
from protocols.mqtt.wire import Publication
from tests.unit.devicectl.station.debrief.execution.lessons import watched

S = SECOND


def packet(at_s: float, where: str, data: object) -> Recorded:
    return Recorded(Micros(round(at_s * S)), where, data)  # type: ignore[arg-type]


def the_host_sends(name: str) -> Recorded:
    """Return what a host sent of that name, out of a lesson."""
    sent = (one for one in watched().room.bench.recording if one.where == HOST_SENT)
    return next(one for one in sent if (parted := part([one], [], 0)) and f" {name} " in parted.was)


def test_equal_runs_never_part() -> None:
    recording = watched().room.bench.recording
    assert part(recording, list(recording), 0) is None


def test_the_first_packet_that_differs_is_the_moment() -> None:
    same = packet(1, EVENT, {"event": "boot"})
    was = [same, packet(5, EVENT, {"event": "state", "state": "ARMED"}), packet(6, EVENT, {"event": "boot"})]
    becomes = [same, packet(4, EVENT, {"event": "state", "state": "SAFE"})]
    assert part(was, becomes, S) == Parting(
        3 * S, "the device comes to ARMED at 0:04.0", "the device comes to SAFE at 0:03.0"
    )


def test_a_run_that_is_over_sooner_says_so() -> None:
    one = packet(2, EVENT, {"event": "boot"})
    assert part([one], [], 0) == Parting(2 * S, "the device boots at 0:02.0", "nothing more happens")
    assert part([], [one], 0) == Parting(2 * S, "nothing more happens", "the device boots at 0:02.0")


def test_a_frame_is_said_by_its_message() -> None:
    stop = the_host_sends("Stop")
    parted = part([stop], [], stop.at_us)
    assert parted is not None and parted.was == "the host sends command Stop at 0:00.0"


@pytest.mark.parametrize("data", [b"\x00\x01", b""])
def test_what_is_no_message_is_said_so(data: bytes) -> None:
    parted = part([packet(0, DEVICE_SENT, data)], [], 0)
    assert parted is not None and parted.was == "the device sends bytes that are no message at 0:00.0"


def test_a_publication_is_said_by_its_message() -> None:
    body = b'{"protocol_version":"1.0","seq":1}'
    parted = part([packet(0, HOST_SENT, Publication("handpiece/v1/site/device/command/stop", body))], [], 0)
    assert parted is not None and parted.was.startswith("the host sends ")


def test_an_event_without_words_has_its_name() -> None:
    parted = part([packet(0, EVENT, {"event": "other_host", "asked": 1})], [], 0)
    assert parted is not None and parted.was == "other host at 0:00.0"
