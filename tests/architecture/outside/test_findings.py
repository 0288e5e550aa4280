"""Findings keep the form of findings/README.md, and say truly whether what was seen is still so."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.tree import PACKAGES, ROOT
from tests.patience import patience

FOLDER: Final = ROOT / "findings"
FINDINGS: Final = sorted(FOLDER.glob("*.sh"))
FIELDS: Final = ("what", "expected", "versions", "packages", "reported", "seen")
PINNED: Final = re.compile(r"[\w.-]+==\d[\w.]*")
OURS: Final = re.compile(rf"\b({'|'.join(PACKAGES)}|pytest_handpiece|firmware.sim|handpiece)\b", re.IGNORECASE)

STUB: Final = """#!/bin/sh
case "$*" in
    "-m venv "*) mkdir -p "$3/bin" && ln -s "$0" "$3/bin/python" ;;
    *"pip install"*absent==1*) echo "no such package" >&2; exit 1 ;;
    *"pip install"*) ;;
    *) exec "$REAL" "$@" ;;
esac
"""
"""A Python whose environments cost no time and whose pip needs no network."""

bash = pytest.mark.skipif(shutil.which("timeout") is None, reason="findings need bash and timeout")


def header(finding: Path) -> dict[str, str]:
    """Fields of a finding, in the order in which they stand there, each with all its lines."""
    lines = finding.read_text(encoding="utf-8").splitlines()[1:]
    end = next(at for at, line in enumerate(lines) if not line.startswith("#"))
    text = "\n".join(line.removeprefix("#") for line in lines[:end])
    return dict(re.findall(r"^ (\w+):\s*(.+?)(?=\n \w|\Z)", text, re.DOTALL | re.MULTILINE))


def test_there_are_findings() -> None:
    assert len(FINDINGS) >= 5


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda path: path.stem)
def test_each_finding_has_its_header_its_frame_and_its_limits(finding: Path) -> None:
    fields = header(finding)
    assert tuple(fields) == FIELDS
    assert all(PINNED.fullmatch(package) for package in fields["packages"].split())
    text = finding.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert '\n. "$(dirname "$0")/finding.bash"\n' in text
    assert text.count("\nobserve <<'PYTHON'\n") == 1 and text.endswith("\nPYTHON\n")
    assert os.access(finding, os.X_OK)


@pytest.mark.parametrize("file", [FOLDER / "finding.bash", *FINDINGS], ids=lambda path: path.stem)
def test_each_script_is_of_others_alone_and_stays_on_this_machine(file: Path) -> None:
    """Nothing of ours takes part, nothing leaves the machine, and nobody else's process is ended."""
    text = file.read_text(encoding="utf-8")
    assert not OURS.search(text)
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", text)) <= {"127.0.0.1"}
    assert not re.search(r"\b(pkill|killall)\b", text)


def verdict(folder: Path, code: str, *, packages: str = "some==1", before: str = "", **extra: str) -> tuple[int, str]:
    """Exit code and last line of a finding that runs `code` and once saw it print "two"."""
    stub = folder / "python"
    stub.write_text(STUB, encoding="utf-8")
    stub.chmod(0o755)
    shutil.copy(FOLDER / "finding.bash", folder)
    finding = folder / "light.sh"
    start = '. "$(dirname "$0")/finding.bash"'
    finding.write_text(
        f"#!/usr/bin/env bash\n# versions: light 1\n# packages: {packages}\n# seen:\n#   two\n"
        f"{start}\n{before}\nobserve <<'PYTHON'\n{code}\nPYTHON\n",
        encoding="utf-8",
    )
    own = {"PYTHON": str(stub), "REAL": sys.executable, "TMPDIR": str(folder)}
    line = ["bash", str(finding)]
    done = subprocess.run(line, env=os.environ | own | extra, capture_output=True, text=True, timeout=patience())
    assert not list(folder.glob("tmp.*"))  # nothing is left
    return done.returncode, done.stdout.splitlines()[-1]


@bash
def test_a_finding_that_is_still_so_says_with_which_version(tmp_path: Path) -> None:
    assert verdict(tmp_path, "print('two')") == (0, "light: as seen, with some==1")


@bash
@pytest.mark.parametrize("code", ["print('three')", "", "print('two'); raise SystemExit(3)"])
def test_a_finding_that_is_no_longer_so_is_a_failure(tmp_path: Path, code: str) -> None:
    assert verdict(tmp_path, code) == (1, "light: changed since light 1")


@bash
def test_a_finding_that_takes_too_long_is_ended_and_a_failure(tmp_path: Path) -> None:
    """Without the limit it would end as seen."""
    long = "print('two', flush=True); import threading; threading.Event().wait(20)"
    assert verdict(tmp_path, long, LIMIT_S="1") == (1, "light: changed since light 1")


@bash
def test_a_finding_whose_program_or_package_is_missing_is_skipped_with_the_reason(tmp_path: Path) -> None:
    missing = verdict(tmp_path, "print('two')", before="need no-such-program")
    assert missing == (77, "light: skipped: no-such-program is not installed")
    assert verdict(tmp_path, "", packages="absent==1") == (77, "light: skipped: pip: no such package")
