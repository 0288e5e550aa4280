"""`devicectl conform controller` against our own host, and commands that are none."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.processes import wait_until
from tests.patience import patience
from tests.programs import ROOT, environment

_RUN: Final = ("-P", "-m", "devicectl", "run", "--target-cores", "30", "--log", "{folder}/log.db")


def conform(
    folder: Path, *options: str, command: tuple[str, ...] = (sys.executable, *_RUN)
) -> tuple[int, str, dict[str, Any]]:
    """Run the kit; its exit code, what it said, and its report."""
    report = folder / "report.json"
    line = [sys.executable, "-P", "-m", "devicectl", "conform", "controller", "--json", str(report), *options]
    done = subprocess.run(
        [*line, "--", *command],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience(40),
        check=False,
    )
    told = json.loads(report.read_text()) if report.exists() and report.stat().st_size else {}
    return done.returncode, done.stdout + done.stderr, told


def words(report: dict[str, Any]) -> dict[str, str]:
    """Case -> its word."""
    return {case["id"]: case["word"] for case in report["cases"]}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["--tcp", "--pty", "--rfc2217"])
def test_our_own_host_passes(way: str, tmp_path: Path) -> None:
    chosen = ("--case", "plain.*", "--case", "wrong.*", "--case", "odd.*", "--case", "hard.reboot")
    code, said, report = conform(tmp_path, way, *chosen)
    assert code == 0, said
    assert said.startswith("TRAINING SIMULATOR - NOT A MEDICAL DEVICE\n")
    assert set(words(report).values()) == {"passed"}, said


@pytest.mark.timeout(300)
def test_what_a_controller_lacks_is_skipped_and_its_scene_not_held(tmp_path: Path) -> None:
    claims = tmp_path / "claims.json"
    claims.write_text('{"claims": 1, "lacks": {"hard.*": "it does not link again"}}')
    chosen = ("--case", "plain.session", "--case", "hard.reboot", "--case", "hard.jammed", "--claims", str(claims))
    code, said, report = conform(tmp_path, *chosen)
    found = {case["id"]: (case["word"], case["reason"], case["seconds"]) for case in report["cases"]}
    assert code == 0 and found.pop("plain.session")[0] == "passed", said
    assert set(found.values()) == {("skipped", "the claims say: it does not link again", 0)}


def test_a_command_that_there_is_not(tmp_path: Path) -> None:
    code, said, report = conform(tmp_path, "--case", "plain.*", command=("no-such-command-anywhere",))
    assert (code, report) == (3, {})
    assert "no controller that says HELLO: no-such-command-anywhere: No such file or directory" in said


def test_a_command_that_prints_megabytes_and_ends(tmp_path: Path) -> None:
    talker = (sys.executable, "-c", "print('x' * 5_000_000)\nprint('the last words')\nraise SystemExit(5)")
    code, said, _ = conform(tmp_path, "--case", "plain.*", command=talker)
    assert code == 3
    assert "it ended by itself; exit code 5; it said last: the last words" in said
    assert "the URL of its device is in HANDPIECE_URL, and {url} in its arguments" in said


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system shows no environments")
def test_a_command_that_leaves_somebody_with_its_output_has_ended_and_so_has_he(tmp_path: Path) -> None:
    leaving = (
        "import os, pathlib, time\n"
        "reader, writer = os.pipe()\n"
        "child = os.fork()\n"
        "if child:\n"
        "    os.read(reader, 1)\n"
        f"    pathlib.Path({str(tmp_path / 'left')!r}).write_text(str(child))\n"
        "    print('the last words', flush=True)\n"
        "    os._exit(5)\n"
        "os.setsid()\n"
        "os.write(writer, b'x')\n"
        "time.sleep(600)\n"
    )
    try:
        code, said, _ = conform(tmp_path, "--case", "plain.session", command=(sys.executable, "-c", leaving))
        wait_until(lambda: not _lives(Path("/proc") / (tmp_path / "left").read_text()), "it ends with the run")
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)
    assert code == 3
    assert "it ended by itself; exit code 5; it said last: the last words" in said
    assert "Traceback" not in said


@pytest.mark.timeout(300)
def test_a_command_that_hangs_and_ignores_its_signal_ends_with_its_children(tmp_path: Path) -> None:
    hanging = (
        "import os, pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        f"child and pathlib.Path({str(tmp_path / 'child')!r}).write_text(str(child))\n"
        "time.sleep(600)\n"
    )
    code, said, _ = conform(tmp_path, "--case", "plain.*", command=(sys.executable, "-c", hanging))
    assert code == 3
    assert "it did not end within its limit, ignored SIGTERM, and was killed" in said
    child = Path("/proc") / (tmp_path / "child").read_text()
    assert not _lives(child)


def _lives(process: Path) -> bool:
    try:
        return "Z" not in (process / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_the_list_names_every_case(tmp_path: Path) -> None:
    code, said, _ = conform(tmp_path, "--list")
    assert code == 0 and "plain.session" in said and "hard.reboot" in said
    assert (ROOT / "docs" / "conformance.md").is_file()


def test_a_command_that_asks_and_leaves_is_one_line(tmp_path: Path) -> None:
    """It floods a gateway with requests, reads no answer, and resets the connection."""
    asking = (
        "import os, socket, struct\n"
        "host, _, port = os.environ['HANDPIECE_URL'].removeprefix('rfc2217://').rpartition(':')\n"
        "asking = socket.create_connection((host, int(port)))\n"
        "asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n"
        "for _ in range(40):\n"
        "    asking.sendall(bytes.fromhex('fffb2c') + bytes.fromhex('fffa2c07fff0') * 20_000)\n"
    )
    code, said, _ = conform(tmp_path, "--rfc2217", "--case", "plain.session", command=(sys.executable, "-c", asking))
    (line,) = said.splitlines()
    assert code == 3 and "no controller that says HELLO: it ended by itself" in line, said
