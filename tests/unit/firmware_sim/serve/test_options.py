"""Parts of the command line of `firmware-sim`; whole lines are in tests/e2e/serve/test_serve_arguments.py."""

import pytest

from firmware_sim.serve.errors import OptionError
from firmware_sim.serve.options import (
    MAX_SEED,
    draw_seed,
    parse_parameters,
    parse_seconds,
    parse_seed,
)


def test_parameters() -> None:
    assert parse_parameters(["needles=2", "leak_kpa_s=1e-1"]) == {"needles": 2, "leak_kpa_s": 0.1}
    assert parse_parameters([]) == {}


@pytest.mark.parametrize("texts", [["needles"], ["=2"], ["needles="], ["needles=x"], ["needles=inf"], ["a=1", "a=1"]])
def test_what_are_no_parameters(texts: list[str]) -> None:
    with pytest.raises(OptionError, match="--param"):
        parse_parameters(texts)


def test_a_seed_is_taken_or_drawn() -> None:
    assert parse_seed("0") == 0
    assert parse_seed(str(MAX_SEED)) == MAX_SEED
    assert parse_seed(None) is None
    drawn = {draw_seed() for _ in range(8)}
    assert len(drawn) > 1 and all(0 <= seed <= MAX_SEED for seed in drawn)


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "0x1", "1_0", str(MAX_SEED + 1), "9" * 30])
def test_what_is_no_seed(text: str) -> None:
    with pytest.raises(OptionError, match="--seed"):
        parse_seed(text)


def test_seconds() -> None:
    assert parse_seconds(None) is None
    assert parse_seconds("0.5") == 0.5


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "soon"])
def test_what_are_no_seconds(text: str) -> None:
    with pytest.raises(OptionError, match="--max-seconds"):
        parse_seconds(text)
