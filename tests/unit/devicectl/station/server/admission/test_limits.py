import json

import pytest

from devicectl.station.server.admission.limits import MAX_DEPTH, Budget, Budgets, parse_json
from protocols.language.units import SECOND, Micros


def test_budget_is_so_many_at_once_and_so_many_a_second() -> None:
    budget = Budget((10, 3), Micros(0))
    assert [budget.take(1, Micros(0)) for _ in range(4)] == [True, True, True, False]
    assert budget.take(1, Micros(SECOND // 10)) and not budget.take(1, Micros(SECOND // 10))


def test_budget_does_not_grow_beyond_its_beginning() -> None:
    budget = Budget((10, 3), Micros(0))
    assert not budget.take(4, Micros(60 * SECOND))
    assert budget.take(3, Micros(60 * SECOND))


def test_each_address_has_its_own_budget() -> None:
    budgets = Budgets((1, 1))
    assert budgets.take("a", Micros(0)) and budgets.take("b", Micros(0))
    assert not budgets.take("a", Micros(0))


def test_addresses_that_rest_take_no_memory() -> None:
    budgets = Budgets((1, 1))
    for number in range(100):
        budgets.take(str(number), Micros(10 * number * SECOND))
    assert len(budgets._of) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "JSON object"),
        ("1", "JSON object"),
        ("{", "Expecting"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "Infinity"),
        ('{"a": ' * 100_000, "deeper"),
        ('{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", "deeper"),
        ('{"a": ' + "9" * 5_000 + "}", "digits"),
        (b'{"a": "\xff"}', "UTF-8"),
    ],
)
def test_text_that_is_no_plain_object_is_refused(text: str | bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)


def test_nesting_up_to_the_limit_is_taken() -> None:
    deep: object = 1
    for _ in range(MAX_DEPTH - 1):
        deep = {"a": deep}
    assert parse_json(json.dumps(deep)) == deep
