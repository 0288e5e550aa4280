"""The bound on instructions: a count at the limit passes, one above it is named with both numbers."""

import json
from pathlib import Path

import pytest

from benchmarks import instructions


def test_five_in_a_hundred_more_is_the_limit() -> None:
    kept = {"session": 1_000_000}
    assert instructions.exceeded({"session": 1_050_000}, kept) == []
    assert instructions.exceeded({"session": 1_050_001}, kept) == [
        "session: 1,050,001 instructions, 5.0% more than the 1,000,000 that are kept"
    ]


def test_less_is_never_too_much() -> None:
    assert instructions.exceeded({"session": 10}, {"session": 1_000_000}) == []


def test_a_case_without_a_kept_count_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instructions, "KEPT", tmp_path / "none.json")
    monkeypatch.setattr(instructions, "measure", lambda: {"session": 1})
    monkeypatch.setattr("sys.argv", ["instructions"])
    assert instructions.main() == 1
    assert "session: no count is kept for Python" in capsys.readouterr().out


def test_renewed_counts_are_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    counts = {"session": 1_000_000}
    monkeypatch.setattr(instructions, "KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(instructions, "measure", lambda: counts)
    monkeypatch.setattr("sys.argv", ["instructions", "--renew"])
    assert instructions.main() == 0
    monkeypatch.setattr("sys.argv", ["instructions"])
    assert instructions.main() == 0
    counts["session"] = 1_100_000
    assert instructions.main() == 1


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_valgrind_it_says_so_and_fails_in_ci(
    ci: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["instructions"])
    assert instructions.main() == code
    assert capsys.readouterr().out == "instructions are not counted: valgrind is not installed\n"


def test_every_case_has_a_kept_count() -> None:
    kept = json.loads(instructions.KEPT.read_text("utf-8"))
    assert all(counts.keys() == instructions.CASES.keys() for counts in kept.values())
    assert kept
