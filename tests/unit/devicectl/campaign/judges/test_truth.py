import pytest

from devicectl.campaign.judges.reading import WRITE_FAULTS
from tests.unit.devicectl.campaign.judges.spoiled import Packets, clean, event, sentences


@pytest.mark.parametrize("name", ["cycles_commanded", "cycles_completed", "cores_counted", "punctures"])
@pytest.mark.parametrize("by", [-1, 1])
def test_a_ledger_that_is_off_by_one_is_seen(name: str, by: int) -> None:
    truth = clean()[1].truth
    assert any(name in sentence for sentence in sentences("truth", truth={**truth, name: truth[name] + by}))


def test_cores_without_punctures_and_punctures_without_cycles_are_seen() -> None:
    truth = clean()[1].truth
    found = sentences("truth", truth={**truth, "cores_evacuated": 99, "cycles_commanded": 7})
    assert any("more cores than punctures" in sentence for sentence in found)
    assert any("more punctures than needles in all cycles" in sentence for sentence in found)


def met(kind: str, state: str) -> Packets:
    """The clean recording, in which a fault of the memory meets a write in the first such state."""
    packets, _ = clean()
    states = [place for place, one in enumerate(packets) if isinstance(one.data, dict) and "armed" in one.data]
    place = next(place for place in states if packets[place].data["state"] == state)  # type: ignore[call-overload]
    return [*packets[: place + 1], event("fired", packets[place].at_us, fault=0, kind=kind), *packets[place + 1 :]]


@pytest.mark.parametrize("kind", WRITE_FAULTS)
@pytest.mark.parametrize(
    ("state", "name", "least", "most"),
    [
        ("IDLE", "cycles_commanded", 0, 0),
        ("ARMED", "cycles_commanded", 0, 0),
        ("COUNTING", "cycles_commanded", 0, 0),
        ("PUNCHING", "punctures", -3, 0),
        ("SUCTIONING", "punctures", 0, 0),
        ("COUNTING", "punctures", 0, 0),
        ("COUNTING", "cycles_completed", -1, 0),
        ("ADVANCING", "cycles_completed", 0, 0),
        ("COUNTING", "cores_counted", 0, 3),
        ("SUCTIONING", "cores_counted", 0, 0),
    ],
)
def test_a_write_that_a_fault_met_leaves_doubt_about_what_was_written_and_no_more(
    kind: str, state: str, name: str, least: int, most: int
) -> None:
    truth, packets = {**clean()[1].truth, "cores_evacuated": 0}, met(kind, state)
    doubtful = range(least, most + 1)
    for by in (least - 1, least, most, most + 1):
        spoiled = sentences("truth", packets, truth={**truth, name: truth[name] + by})
        assert any(sentence.startswith(name) for sentence in spoiled) is (by not in doubtful)


@pytest.mark.parametrize("by", [-1, 1])
def test_the_number_of_a_cycle_that_power_met_at_its_begin_is_in_doubt(by: int) -> None:
    packets, ledgers = clean()
    place = next(place for place, one in enumerate(packets) if isinstance(one.data, dict) and "line_kpa" in one.data)
    fired = event("fired", packets[place].at_us, fault=0, kind="torn_write")
    spoiled = [*packets[:place], fired, *packets[place:]]
    truth = {**ledgers.truth, "cycles_commanded": ledgers.truth["cycles_commanded"] + by}
    assert [one for one in sentences("truth", spoiled, truth=truth) if one.startswith("cycles_commanded")] == []
    assert sentences("truth", truth=truth)
