from devicectl.campaign.judges import OF_LEDGERS, OF_RECORDING, judge_all
from tests.unit.devicectl.campaign.judges.spoiled import clean, sentences
from tests.unit.devicectl.campaign.trials import SHORT


def test_no_judge_finds_anything_in_a_right_session() -> None:
    names = {**OF_RECORDING, **OF_LEDGERS}
    assert {name: sentences(name) for name in names} == {name: [] for name in names}


def test_breaches_come_in_the_order_of_time_each_with_its_judge() -> None:
    packets, ledgers = clean()
    found, _ = judge_all(packets[: len(packets) // 2], ledgers, SHORT)
    assert {breach.judge for breach in found} == {"exactly once"}
    assert [breach.at_us for breach in found] == sorted(breach.at_us for breach in found)
