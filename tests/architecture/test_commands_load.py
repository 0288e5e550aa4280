"""Modules that each command of `devicectl` brings into its process: what it does not need would be waited for."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from devicectl.log.store import SessionLog
from tests.patience import patience
from tests.programs import environment, loaded_by

DEVICE: Final = frozenset(("firmware_sim", "transitions", "aiomqtt", "paho", "serial", "yaml", "rich"))
"""A device, the host's state machine, transports, plans' files and a screen."""
WORK: Final = DEVICE | {"sqlalchemy", "sqlite3", "asyncio", "platformdirs", "protocols.language.message"}
"""What no help may load, and so no module of a command at its top. Typer itself may load pydantic."""


def loaded(folder: Path, *arguments: str, code: int = 0) -> set[str]:
    """The modules that a command had loaded at its end."""
    return loaded_by("devicectl", folder, *arguments, code=code)


def test_the_version_needs_no_command_line(tmp_path: Path) -> None:
    assert not loaded(tmp_path, "--version") & (WORK | {"typer", "pydantic", "importlib.metadata"})


@pytest.mark.parametrize(
    "command", ["", "run", "plan", "spec", "report", "sessions", "sessions list", "sessions export"]
)
def test_help_needs_no_command(command: str, tmp_path: Path) -> None:
    found = loaded(tmp_path, *command.split(), "--help")
    assert "typer" in found and not found & WORK


@pytest.mark.parametrize("command", ["list", "show 1", "export 1", "export 1 --format jsonl"])
def test_reading_the_log_needs_no_device(command: str, tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    SessionLog.open(log).close()
    code = 0 if command == "list" else 2  # there is no session 1
    found = loaded(tmp_path, "sessions", *command.split(), "--log", str(log), code=code)
    assert "sqlalchemy" in found and not found & DEVICE


def test_a_wrong_command_line_needs_no_log(tmp_path: Path) -> None:
    found = loaded(tmp_path, "run", "--plan", str(tmp_path / "nothing.yaml"), code=2)
    assert not found & {"sqlalchemy", "sqlite3", "asyncio", "rich", "transitions"}


@pytest.mark.parametrize("wrong", ["--host a.example", "--port 65536", "--stations 9", "--seed -1"])
def test_a_wrong_command_line_of_the_station_needs_no_lesson(wrong: str, tmp_path: Path) -> None:
    found = loaded(tmp_path, "station", *wrong.split(), code=2)
    assert not found & {"sqlalchemy", "starlette", "uvicorn", "devicectl.station.lesson"}


@pytest.mark.parametrize("wrong", ["nothing", "nothing.yaml"])
def test_a_wrong_lesson_needs_no_server(wrong: str, tmp_path: Path) -> None:
    found = loaded(tmp_path, "station", "--lesson", wrong, code=2)
    assert "devicectl.station.lesson" in found and not found & {"starlette", "uvicorn", "devicectl.log.lessons"}


@pytest.mark.parametrize("command", ["", "sessions"])
def test_a_list_of_commands_has_each_in_one_whole_line(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "devicectl", *command.split(), "--help"],
        capture_output=True,
        text=True,
        timeout=patience(),
        env=environment({"COLUMNS": "80"}),
        check=True,
    )
    _, heading, commands = done.stdout.partition("Commands:")
    assert heading and "..." not in commands
