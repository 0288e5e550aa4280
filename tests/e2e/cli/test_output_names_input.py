"""Each pair of files that a command takes: where one of the two is written they are two, or nothing is touched."""

import os
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from devicectl.cli import call as devicectl
from devicectl.log.store import SessionLog
from firmware_sim.cli import call as firmware_sim
from tests.integration.log.log_builders import a_stored_session

PRECIOUS = "target_cores: 60 # precious\n"
SECURE = "mqtts://127.0.0.1/bench/sim-7?ca={}&cert={}&key={}&credentials={}"
RUN_FILES = {"--plan": "r", "--log": "w", "--trace": "w", "nvm": "w", "ca": "r", "cert": "r", "key": "r", "port": "w"}
SERVE_FILES = {"--nvm": "w", "--link": "w", "--trace": "w", "--report": "w", "--ready-file": "w", "ca": "r", "key": "r"}
IN_A_URL = ("nvm", "port", "ca", "cert", "key")


def pairs(files: dict[str, str]) -> list[tuple[str, str]]:
    """Two files of one command, of which one at least is written, and which one URL can name."""
    return [
        (one, other)
        for one, other in combinations(files, 2)
        if "w" in files[one] + files[other] and not (one in IN_A_URL and other in IN_A_URL)
    ]


def line_of(named: dict[str, str], url_option: str) -> list[str]:
    """The arguments that name these files."""
    line = []
    for name, path in named.items():
        if name in ("ca", "cert", "key"):
            files = [path if name == each else "other.pem" for each in ("ca", "cert", "key", "credentials")]
            line += [url_option, SECURE.format(*files)]
        elif name in IN_A_URL:
            line += [url_option, f"sim://?nvm={path}" if name == "nvm" else f"serial://{path}"]
        else:
            line += [name, path]
    return line


def contents(folder: Path) -> dict[str, bytes]:
    """Each file there; the log of the user is not."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with one file; nothing of the user's is used."""
    monkeypatch.delenv("HANDPIECE_URL", raising=False)
    monkeypatch.setenv("DEVICECTL_LOG", str(tmp_path.parent / f"{tmp_path.name}.sqlite"))
    monkeypatch.setattr("handpiece_shell.broker_files.check_broker_files", lambda url: None)  # has tests of its own
    monkeypatch.chdir(tmp_path)
    (tmp_path / "precious").write_text(PRECIOUS)
    return tmp_path


def assert_refused(
    call: Callable[[list[str]], int], line: list[str], names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(Path())
    code = call(line)
    said = capsys.readouterr()
    assert code == 2, said
    (told,) = said.err.splitlines()
    assert all(name in told for name in names) and "name another one" in told
    assert said.out == ""
    assert contents(Path()) == before


@pytest.mark.parametrize(("one", "other"), pairs(RUN_FILES))
def test_run_refuses_two_options_that_name_one_file(
    one: str, other: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(folder / "precious") if "port" in (one, other) else "precious"
    assert_refused(devicectl, ["run", *line_of({one: path, other: path}, "--device")], (one, other), capsys)


@pytest.mark.parametrize(("one", "other"), pairs(SERVE_FILES))
def test_serve_refuses_two_options_that_name_one_file(
    one: str, other: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["serve", "--pty", *line_of({one: "precious", other: "precious"}, "--mqtt"), "--max-seconds", "0.01"]
    assert_refused(firmware_sim, line, (one, other), capsys)


def test_exec_does_not_start_the_command_where_two_options_name_one_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["exec", "--nvm", "precious", "--report", "precious", "--", "touch", "begun"]
    assert_refused(firmware_sim, line, ("--nvm", "--report"), capsys)


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("output", ["log", "symbolic", "hard", "log-wal"])
@pytest.mark.parametrize("named", ["log", "sqlite:///log", "sqlite:///file:log?uri=true", "symbolic"])
def test_export_refuses_to_write_over_the_log_by_any_name(
    output: str, named: str, format: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SessionLog.open("log") as log:
        a_stored_session(log)
    (folder / "symbolic").symlink_to("log")
    os.link("log", "hard")
    line = ["sessions", "export", "1", "--format", format, "-o", output, "--log", named]
    assert_refused(devicectl, line, ("--output", "--log"), capsys)


def test_a_log_that_the_environment_or_the_default_names_is_refused_as_such(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEVICECTL_LOG", "precious")
    assert_refused(devicectl, ["run", "--trace", "precious"], ("--trace", "$DEVICECTL_LOG"), capsys)
    monkeypatch.delenv("DEVICECTL_LOG")
    monkeypatch.setattr("devicectl.log.paths.user_log_path", lambda: folder / "precious")
    assert_refused(devicectl, ["run", "--trace", "precious"], ("--trace", "the user's own log"), capsys)
    monkeypatch.setenv("HANDPIECE_URL", "sim://?nvm=precious.new")
    line = ["run", "--trace", "precious.new", "--log", "log"]
    assert_refused(devicectl, line, ("--trace", "nvm of $HANDPIECE_URL"), capsys)


def test_streams_and_the_null_device_may_be_named_twice(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert firmware_sim(["serve", "--nvm", "memory", "--trace", "-", "--max-seconds", "0.01"]) == 0
    assert firmware_sim(["serve", "--nvm", "-", "--trace", "-", "--max-seconds", "0.01"]) == 0
    assert devicectl(["run", "--target-cores", "3", "--trace", "/dev/null", "--log", "log"]) == 0
    assert "reconciled" in capfd.readouterr().out
