"""What the pytest plugin may ask in a process of its own, and what is no question."""

import sys

import pytest

from devicectl.testing.__main__ import main


def asked(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["devicectl.testing", *arguments])
    return main()


@pytest.mark.parametrize("arguments", [(), ("",), ("chek", "sim://"), ("identify",), ("identify", "sim://", "sim://")])
def test_what_is_no_question_is_one_line_and_exit_2(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(monkeypatch, *arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err == "devicectl.testing: must be asked `check URL...` or `identify URL`\n"


def test_urls_are_checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(monkeypatch, "check", "sim://", "tcp://h:1") == 0
    assert asked(monkeypatch, "check", "sim://", "tcp://h") == 2
    assert capsys.readouterr().err.startswith("device URL tcp://...: port")
