import pytest

from devicectl.campaign.judges.links import links_of
from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.judges.timing import judge
from devicectl.campaign.recording import Recorded
from devicectl.campaign.scenario import Person
from firmware_sim.faults.fault import Fault, declare
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
from tests.unit.devicectl.campaign.trials import right


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


@pytest.mark.parametrize(
    ("jam_ms", "freed_ms", "breaches"), [(0, 999, 1), (0, 1_001, 0), (1_800, 1_900, 0), (2_100, 2_200, 1)]
)
def test_needles_are_judged_but_for_those_that_were_jammed(jam_ms: int, freed_ms: int, breaches: int) -> None:
    jam = [
        event(name, ms * MS, fault=0, kind="retract_jammed") for name, ms in (("fired", jam_ms), ("ended", freed_ms))
    ]
    out = event("needles", 1_000 * MS, home_at=None), event("needles", 2_000 * MS, home_at=2_000 * MS)
    packets = [welcome(), *arming(), *armed(1_000, 1_600), *out]
    assert len(found(*packets, *jam, event("end", 3_000 * MS))) == breaches


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


IN_PUNCH = 'cycle == 4 and phase == "punch"'
NOT_HEARD, HEARD = Person(heard=0.0, waits_ms=(20_000,)), Person(heard=1.0, waits_ms=(20_000,))


@pytest.mark.parametrize(
    ("fault", "person", "cause"),
    [
        (declare("mute", IN_PUNCH, direction="host", for_ms=3_000), HEARD, "600 ms without a valid frame"),
        (declare("half_open", IN_PUNCH, unaware="device", for_ms=3_000), HEARD, "600 ms without a valid frame"),
        (declare("half_open", IN_PUNCH, unaware="host", for_ms=3_000), HEARD, "the transport has gone"),
        (declare("disconnect", IN_PUNCH, for_ms=3_000), HEARD, "the transport has gone"),
        (declare("host_crash", IN_PUNCH), HEARD, "the transport has gone"),
        (declare("host_crash", IN_PUNCH), NOT_HEARD, "600 ms without a valid frame"),
    ],
)
@pytest.mark.parametrize(("late_ms", "breaches"), [(200, 0), (201, 1)])
def test_needles_that_are_home_late_after_each_end_of_control_are_seen(
    fault: Fault, person: Person, cause: str, late_ms: int, breaches: int
) -> None:
    trial = right(fault, person=person)
    reading = Reading(trial.recording)
    (fired,) = reading.of("fired")
    lost_us = next(loss.at_us for loss in links_of(reading).losses if loss.at_us >= fired.at_us)
    needles = reading.of("needles")
    out = [one for one in needles if one.at_us <= lost_us and one.event["home_at"] is None][-1]
    home = next(one for one in needles if one.place > out.place)
    spoiled = [*trial.recording]
    late = {**home.event, "home_at": lost_us + late_ms * MS}
    spoiled[home.place] = spoiled[home.place]._replace(data=late)
    expected = f"the device was out with its needles for {late_ms} ms after {cause}"
    assert [sentence for _, sentence in judge(Reading(spoiled))] == [expected] * breaches


def test_a_pump_that_runs_on_is_seen() -> None:
    packets = changed("pump", lambda pump: None, number=1)
    assert any("under vacuum" in sentence for sentence in sentences("timing", [*packets, event("end", 10**9)]))
