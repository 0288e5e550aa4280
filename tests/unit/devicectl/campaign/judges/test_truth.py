import pytest

from tests.unit.devicectl.campaign.judges.spoiled import clean, sentences


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


def test_a_write_that_power_met_leaves_doubt_about_one_cycle_and_no_more() -> None:
    truth = {**clean()[1].truth, "cores_evacuated": 0}
    assert sentences("truth", truth={**truth, "punctures": truth["punctures"] - 3}, unwritten=1) == []
    assert sentences("truth", truth={**truth, "punctures": truth["punctures"] - 4}, unwritten=1)
    assert sentences("truth", truth={**truth, "punctures": truth["punctures"] + 1}, unwritten=1), "never understated"
