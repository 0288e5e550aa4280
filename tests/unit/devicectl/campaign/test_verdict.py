import pytest

from devicectl.campaign.verdict import Breach, Verdict

BREACH = Breach("motion", 5, "PUNCH without anesthesia")


@pytest.mark.parametrize(
    ("changes", "word", "good"),
    [
        ({}, "right", True),
        ({"breaches": [BREACH], "stuck": "not over", "unfired": [0]}, "wrong", False),
        ({"stuck": "not over", "unmet": ["no"]}, "stuck", False),
        ({"unmet": ["no"], "unfired": [0]}, "unmet", True),
        ({"unfired": [0]}, "unfired", True),
    ],
)
def test_the_worst_is_the_verdict(changes: dict[str, object], word: str, good: bool) -> None:
    verdict = Verdict(7)
    for name, value in changes.items():
        setattr(verdict, name, value)
    assert (verdict.word, verdict.good) == (word, good)


def test_two_failures_are_the_same_where_the_same_judge_saw_them() -> None:
    first, second = Verdict(1, breaches=[BREACH]), Verdict(2, breaches=[BREACH._replace(at_us=9), BREACH])
    assert first.failure == second.failure == ("wrong", "motion")
    assert Verdict(3, stuck="not over").failure == ("stuck", "")
