"""What a user can get wrong on the command line of `firmware-sim`: one line that says so, and exit 2 or 3."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_sim.cli import call
from handpiece_shell.version import version_text
from tests.e2e.processes import WITH_A_FULL_DEVICE
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, environment, firmware_sim

LONG = 300 * "a"
"""More than a name of a file or a host may have."""
LOST = [
    pytest.param(">/dev/full", "", "No space left on device", marks=WITH_A_FULL_DEVICE, id="full"),
    pytest.param(">/dev/full", "1", "No space left on device", marks=WITH_A_FULL_DEVICE, id="full, unbuffered"),
    pytest.param(">&-", "", "it is closed", id="closed"),
]
WRONG = [
    ([], "COMMAND"),
    (["fly"], "invalid choice: 'fly'"),
    (["serve", "--fly"], "--fly"),
    (["serve", "now"], "now"),
    (["serve", "--see", "7"], "--see"),
    (["serve", "--tcp"], "--tcp"),
    (["serve", "--tcp", "4001"], "127.0.0.1:4001"),
    (["serve", "--tcp", ":4001"], "HOST:PORT"),
    (["serve", "--tcp", "127.0.0.1:"], "HOST:PORT"),
    (["serve", "--tcp", "127.0.0.1:port"], "HOST:PORT"),
    (["serve", "--tcp", "127.0.0.1:65536"], "65535"),
    (["serve", "--tcp", "tcp://127.0.0.1:0"], "HOST:PORT"),
    (["serve", "--tcp", "::1:0"], "brackets"),
    (["serve", "--tcp", "no-such-host.invalid:0"], "no-such-host.invalid"),
    (["serve", "--tcp", "192.0.2.1:0"], "192.0.2.1"),
    (["serve", "--tcp", "a..b:0"], "no host name"),
    (["serve", "--tcp", f"{LONG}:0"], "no host name"),
    (["serve", "--seed", "seven"], "whole number"),
    (["serve", "--seed", "-1"], "whole number"),
    (["serve", "--seed", "9223372036854775808"], "9223372036854775807"),
    (["serve", "--param", "anesthesia_wait=1"], "did you mean anesthesia_wait_s? (`firmware-sim serve --help` lists"),
    (["serve", "--param", "foo=1"], "foo: no such parameter (`firmware-sim serve --help` lists"),
    (["serve", "--param", "sed=1"], "did you mean --seed?"),
    (["serve", "--param", "anesthesia_wait_s"], "NAME=VALUE"),
    (["serve", "--param", "=1"], "NAME=VALUE"),
    (["serve", "--param", "anesthesia_wait_s=soon"], "'soon' is not a finite number"),
    (["serve", "--param", "anesthesia_wait_s=1_0"], "not a finite number"),
    (["serve", "--param", "anesthesia_wait_s=\uff11"], "not a finite number"),
    (["serve", "--max-seconds", "1_0"], "not a number of seconds"),
    (["serve", "--seed", "\uff11"], "not a whole number"),
    (["serve", "--param", "anesthesia_wait_s=nan"], "finite"),
    (["serve", "--param", "needles=9"], "1 to 8"),
    (["serve", "--param", "needles=2.5"], "whole number"),
    (["serve", "--param", "needles=2", "--param", "needles=3"], "twice"),
    (["serve", "--max-seconds", "0"], "above 0"),
    (["serve", "--max-seconds", "nan"], "above 0"),
    (["serve", "--max-seconds", "soon"], "soon"),
    (["serve", "--link", "port"], "--pty"),
    (["serve", "--forget"], "--mqtt"),
    (["serve", "--pty", "--link", "no/such/folder/port"], "folder that exists"),
    (["serve", "--pty", "--link", "a-file"], "exists"),
    (["serve", "--trace", "no/such/folder/trace"], "folder that exists"),
    (["serve", "--trace", "."], "--trace"),
    (["serve", "--ready-file", "no/such/folder/ready"], "folder that exists"),
    (["serve", "--ready-file", "."], "--ready-file"),
    (["serve", "--report", "no/such/folder/report"], "folder that exists"),
    (["serve", "--report", "."], "no regular file"),
    (["serve", "--ready-file", "."], "no regular file"),
    (["serve", "--ready-file", "/dev/null"], "no regular file"),
    (["serve", "--report", LONG], "name too long"),
    (["serve", "--nvm", "no/such/folder/memory"], "--nvm"),
    (["serve", "--nvm", "."], "--nvm"),
    (["serve", "--nvm", "a-file"], "not a memory file"),
    (["serve", "--", "pytest"], "exec"),
    (["exec"], "--"),
    (["exec", "pytest"], "the command goes behind --, for example `firmware-sim exec -- pytest`"),
    (["exec", "sh", "-c", "echo hi"], "behind --, for example `firmware-sim exec -- sh -c 'echo hi'`"),
    (["exec", "--fly", "--", "pytest"], "unrecognized arguments: --fly (see"),
    (["exec", "--"], "--"),
]


def test_the_version() -> None:
    done = firmware_sim("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"firmware-sim {version_text()}\n", "")


@pytest.mark.parametrize(("redirected", "unbuffered", "reason"), LOST)
def test_a_version_that_cannot_be_printed_is_one_line(redirected: str, unbuffered: str, reason: str) -> None:
    done = firmware_sim("--version", redirected=redirected, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"firmware-sim: standard output cannot be written: {reason}\n"


@pytest.mark.parametrize(
    ("arguments", "hint"), WRONG, ids=[" ".join(arguments).replace(LONG, "LONG") or "none" for arguments, _ in WRONG]
)
def test_one_line_that_says_what_is_wrong(
    arguments: list[str],
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process: warnings are errors here, so that nothing stays open either."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("somebody's notes, which no device may write to")
    code = call(arguments)
    said = capsys.readouterr()
    assert code == 2, said.err
    assert len(said.err.splitlines()) == 1 and said.err.startswith("firmware-sim: ")
    assert hint in said.err
    assert said.out == ""
    assert {path.name for path in tmp_path.iterdir()} == {"a-file"}
    assert "notes" in (tmp_path / "a-file").read_text()


@pytest.mark.parametrize(
    "arguments",
    [[], ["serve", "--tcp", "4001"], ["serve", "--tcp", "\udcfe:0"], ["serve", "--nvm", "."], ["exec"]],
    ids=ascii,
)
def test_no_traceback_from_the_program(arguments: list[str], tmp_path: Path) -> None:
    done = firmware_sim(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--report", "--trace", "--ready-file", "--nvm", "--pty --link"])
def test_a_folder_that_may_not_be_entered(option: str, held_to_modes: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "no").mkdir(mode=0)
    done = subprocess.run(
        [*held_to_modes, *FIRMWARE_SIM, "serve", *option.split(), "no/t"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=patience(),
        check=False,
    )
    (tmp_path / "no").chmod(0o700)
    assert done.returncode == 2, done.stderr
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert option.split()[-1] in done.stderr and "Permission denied" in done.stderr


@pytest.mark.parametrize("arguments", [["--link", "x"], []], ids=["named", "default"])
def test_a_link_in_a_working_folder_that_is_gone(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    in_no_folder = (
        "import os, sys; os.rmdir(os.getcwd()); from firmware_sim.cli import call; sys.exit(call(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", in_no_folder, "serve", "--pty", *arguments],
        cwd=tmp_path / "gone",
        capture_output=True,
        text=True,
        env=environment({"XDG_RUNTIME_DIR": "."}),
        timeout=patience(),
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("firmware-sim: --link: cannot make ")


def test_an_address_in_use_is_exit_3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = firmware_sim("serve", "--tcp", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 3
    assert "in use" in done.stderr and len(done.stderr.splitlines()) == 1


def test_an_address_in_use_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        link, ready = str(tmp_path / "port"), str(tmp_path / "ready")
        done = firmware_sim("serve", "--pty", "--link", link, "--ready-file", ready, "--tcp", address)
    assert done.returncode == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("missing", "option"), [("termios", "--pty"), ("fcntl", "--nvm")])
def test_a_system_without_what_an_option_needs(missing: str, option: str, tmp_path: Path) -> None:
    values = [] if option == "--pty" else [str(tmp_path / "memory")]
    without = (
        f"import sys; sys.modules[{missing!r}] = None; from firmware_sim.cli import call; sys.exit(call(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", without, "serve", option, *values],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=patience(),
        check=False,
    )
    assert done.returncode == 2
    assert option in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_folder_of_the_users_does_not_stand_for_ours(tmp_path: Path) -> None:
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    without_p = [part for part in FIRMWARE_SIM if part != "-P"]
    done = subprocess.run(
        [*without_p, "serve", "--json", "--max-seconds", "0.01"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=patience(),
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("redirected", "unbuffered", "reason"), LOST)
@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"]], ids=" ".join)
def test_help_that_is_lost_is_one_line_and_exit_1(
    arguments: list[str], redirected: str, unbuffered: str, reason: str
) -> None:
    done = firmware_sim(*arguments, redirected=redirected, PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"firmware-sim: standard output cannot be written: {reason}\n"


@pytest.mark.parametrize("redirected", [pytest.param("2>/dev/full", marks=WITH_A_FULL_DEVICE), "2>&-"])
def test_what_is_wrong_is_never_said_on_standard_output(redirected: str) -> None:
    done = firmware_sim("serve", "--tcp", "4001", redirected=redirected)
    assert (done.returncode, done.stdout) == (2, "")


def test_without_a_reader_of_its_help_it_says_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*FIRMWARE_SIM, "serve", "--help"], stdout=write, stderr=subprocess.PIPE, env=environment(), check=False
    )
    os.close(write)
    assert b"Traceback" not in done.stderr
