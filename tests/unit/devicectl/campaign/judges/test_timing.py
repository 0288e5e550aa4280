import pytest

from devicectl.campaign.recording import Recorded
from protocols.language import messages as M
from protocols.language.enums import ByeReason
from protocols.language.message import Message
from tests.unit.devicectl.campaign.judges.spoiled import (
    MS,
    alone,
    armed,
    arming,
    changed,
    event,
    said,
    sentences,
    welcome,
)


def heard(message: Message, at_ms: int, link: int = 1, correlation: int = 0) -> Recorded:
    """A frame that the device hears."""
    return said(">device", message, at_us=at_ms * MS, link=link, correlation=correlation)


def found(*packets: Recorded) -> list[str]:
    """What the judge finds in these packets, in the order of time."""
    return alone(*sorted(packets, key=lambda one: one.at_us), judge="timing")


@pytest.mark.parametrize(("until_ms", "breaches"), [(1_700, 0), (1_701, 1)])
def test_a_device_that_stays_armed_in_silence_is_seen(until_ms: int, breaches: int) -> None:
    packets = [welcome(), *arming(), *armed(1_000, until_ms)]
    assert len(found(*packets)) == breaches


def test_frames_of_the_link_renew_its_lease_and_those_of_another_do_not() -> None:
    assert found(welcome(), *arming(), heard(M.HostHeartbeat(), 1_500), *armed(1_000, 2_100)) == []
    strange = found(welcome(), *arming(), heard(M.HostHeartbeat(), 1_500, link=9), *armed(1_000, 2_100))
    assert strange == ["the device was armed for 500 ms after 600 ms without a valid frame"]


@pytest.mark.parametrize(("home_ms", "breaches"), [(1_800, 0), (1_801, 1)])
def test_needles_that_are_home_later_than_800_ms_after_the_last_frame_are_seen(home_ms: int, breaches: int) -> None:
    needles = event("needles", 1_000 * MS, home_at=None), event("needles", 1_700 * MS, home_at=home_ms * MS)
    packets = [welcome(), *arming(), *armed(1_000, 1_600), *needles]
    assert len(found(*packets, event("end", 3_000 * MS))) == breaches


@pytest.mark.parametrize("last", [M.Bye(reason=ByeReason.CLOSING), M.Stop()])
def test_a_device_that_stays_armed_after_a_last_word_is_seen(last: Message) -> None:
    packets = [welcome(), *arming(), heard(last, 1_100, correlation=2)]
    assert found(*packets, *armed(1_000, 1_200)) == []
    assert found(*packets, *armed(1_000, 1_201))[0].startswith("the device was armed for 101 ms after")


@pytest.mark.parametrize(
    "cause",
    [
        event("detached", 1_100 * MS),
        event("other_host", 1_100 * MS, asked="Stop", answer="StopDone"),
        event("fired", 1_100 * MS, fault=0, kind="emergency_stop"),
    ],
)
def test_a_device_that_stays_armed_after_what_no_wire_shows_is_seen(cause: Recorded) -> None:
    packets = [welcome(), *arming(), cause]
    assert found(*packets, *armed(1_000, 1_200)) == []
    assert len(found(*packets, *armed(1_000, 1_300))) == 1


def test_a_pump_that_runs_on_is_seen() -> None:
    packets = changed("pump", lambda pump: None, number=1)
    assert any("under vacuum" in sentence for sentence in sentences("timing", [*packets, event("end", 10**9)]))
