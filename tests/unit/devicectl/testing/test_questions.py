"""What the pytest plugin may ask in a process of its own, and what is no question."""

import json
import sys
from pathlib import Path

import pytest

from devicectl.testing.__main__ import main
from handpiece_shell.version import VERSION


def asked(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["devicectl.testing", *arguments])
    return main()


@pytest.mark.parametrize("arguments", [(), ("",), ("chek", "sim://"), ("identify",), ("identify", "sim://", "sim://")])
def test_what_is_no_question_is_one_line_and_exit_2(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(monkeypatch, *arguments) == 2
    said = capsys.readouterr()
    questions = "`check URL...`, `identify URL` or `twin FILE MAX_AGE FIRMWARE`"
    assert said.out == "" and said.err == f"devicectl.testing: must be asked {questions}\n"


def test_urls_are_checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(monkeypatch, "check", "sim://", "tcp://h:1") == 0
    assert asked(monkeypatch, "check", "sim://", "tcp://h") == 2
    assert capsys.readouterr().err.startswith("device URL tcp://...: port")


def test_doubts_about_a_twin_are_a_line_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "twin.json"
    versions = {"devicectl": VERSION}
    path.write_text(
        json.dumps({"twin": 1, "verdict": "same", "date": "2020-01-01T00:00:00+00:00", "versions": versions})
    )
    assert asked(monkeypatch, "twin", str(path), "", "") == 0
    assert capsys.readouterr().out == "\n"
    assert asked(monkeypatch, "twin", str(path), "90d", "2.4") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.startswith(f"{path}: it is ") for line in lines)


@pytest.mark.parametrize(
    ("content", "age", "says"),
    [
        (None, "", "cannot be read: No such file"),
        (b"\xff", "", "is no text"),
        (b"{}", "", "is no outcome of"),
        (b"{}", "soon", "'soon' is no age"),
    ],
)
def test_a_file_that_is_no_twin_is_one_line(
    content: bytes | None,
    age: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "twin.json"
    if content is not None:
        path.write_bytes(content)
    assert asked(monkeypatch, "twin", str(path), age, "") == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith(f"{path}: {says}") and said.err.count("\n") == 1
