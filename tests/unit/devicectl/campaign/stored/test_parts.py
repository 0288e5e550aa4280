"""Parts of the judges: together they are the judges, and each says what it needs."""

import pytest

from devicectl.campaign.judges import OF_RECORDING
from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.stored.parts import PARTS, Need
from protocols.language.messages import Count, CountDone, JournalPage
from protocols.language.records import Gap, encode_record
from protocols.link.header import REPLAYED, RETRANSMIT
from tests.unit.devicectl.campaign.judges.spoiled import Packets, clean, event, said
from tests.unit.devicectl.campaign.trials import SHORT


def _spoiled() -> Packets:
    """Return a recording in which each judge but those of one message finds something."""
    packets, _ = clean()
    return [*packets, *packets[len(packets) // 2 :], event("stroke", packets[-1].at_us, **_stroke(packets))]


def _stroke(packets: Packets) -> dict[str, object]:
    found = next(one.data for one in packets if isinstance(one.data, dict) and one.data["event"] == "stroke")
    return {name: value for name, value in found.items() if name != "event"} | {"state": "SAFE"}


@pytest.mark.parametrize("packets", [clean()[0], _spoiled()], ids=["clean", "spoiled"])
def test_the_parts_of_a_judge_find_together_what_it_finds(packets: Packets) -> None:
    reading = Reading(packets, SHORT)
    for name, judge in OF_RECORDING.items():
        found = [breach for part in PARTS if part.judge == name for breach in part.find(reading)]
        assert sorted(found) == sorted(judge(reading)), name


def test_the_spoiled_recording_has_breaches_of_most_judges() -> None:
    reading = Reading(_spoiled(), SHORT)
    assert {part.judge for part in PARTS if part.find(reading)} >= {"acknowledgement", "answers", "host", "motion"}


def test_every_judge_has_a_part_and_no_other_name_is_there() -> None:
    assert {part.judge for part in PARTS} == set(OF_RECORDING)


def test_a_part_that_needs_no_events_reads_none() -> None:
    packets, _ = clean()
    heard = [one for one in packets if not isinstance(one.data, dict)]
    without = Reading(heard, SHORT)
    found = [(part.about, part.find(without)) for part in PARTS if Need.EVENTS not in part.needs]
    assert [one for one in found if one[1]] == []


@pytest.mark.parametrize(
    ("tail", "found"), [(9, []), (4, ["event 4: a GAP, though nothing may be overwritten unread"])]
)
def test_a_gap_of_what_was_acknowledged_is_a_breach_of_a_whole_recording_alone(tail: int, found: list[str]) -> None:
    gap = encode_record(Gap(event_no=4, uptime_ms=0, missing=3))
    page = [said("device>", JournalPage(epoch=1, first=4, tail=tail, head=20, records=gap))]
    pages = next(part for part in PARTS if part.about == "pages of the journal")
    assert [sentence for _, sentence in pages.find(Reading(page, whole=False))] == found
    assert pages.find(Reading(page))


def test_an_answer_that_was_given_first_before_the_capture_is_a_breach_of_a_whole_recording_alone() -> None:
    asked = said(">device", Count(cycle_no=3), correlation=5)
    again = said("device>", a_count(3), correlation=5, flags=REPLAYED)
    answers = next(part for part in PARTS if part.about == "answers to motions")
    assert not answers.find(Reading([asked, again], whole=False))
    assert answers.find(Reading([asked, again]))


def test_a_command_whose_first_sending_was_lost_before_the_tap_is_a_breach_at_its_host_alone() -> None:
    again = said("host>", Count(cycle_no=3), correlation=5, flags=RETRANSMIT)
    other = said("host>", Count(cycle_no=4), correlation=5, flags=RETRANSMIT)
    numbers = next(part for part in PARTS if part.about == "numbers of commands")
    assert not numbers.find(Reading([again, again], host_end=False))
    assert numbers.find(Reading([again], host_end=True))
    assert numbers.find(Reading([again, other], host_end=False))


def a_count(cycle_no: int) -> CountDone:
    """Return the answer to COUNT of a cycle."""
    counts = dict.fromkeys(("outcomes", "cores_counted", "flagged", "cell_punctures", "cycles_left"), 0)
    return CountDone(cycle_no=cycle_no, total_punctures=3, total_cores_counted=0, **counts)
