"""The runner of hosts with a defect: the kit against each, what is kept of it, and its part of the page.

To try them all again: `python -m tests.soak.matrix.host_runner`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from devicectl.conformance.controller.catalogue import UNSHOWN
from devicectl.conformance.rules import Duty, Level, rules_of
from tests.architecture.tree import ROOT
from tests.patience import patience
from tests.programs import environment
from tests.soak.matrix.hosts import HOSTS, SEEN_BY
from tests.soak.matrix.kept import HEAD, attempt_all, note, read, row, write
from tests.soak.mutants.mutant import Mutant

KEPT: Final = ROOT / "tests" / "soak" / "matrix" / "hosts.json"
"""Rules that each host was seen to break, in the run that was kept last: the page is made of it."""
UNSEEN: Final = {**UNSHOWN, "HLP-PAY-2": "no message of a host has a bool"}
"""MUSTs of a host that no host of these breaks, each with its reason."""
MUSTS: Final = tuple(rules_of(Duty.HOST, Level.MUST))
TAKES_S: Final = 90.0
_RUN: Final = ("run", "--target-cores", "30", "--log", "{folder}/log.db")


class Tried(NamedTuple):
    """A host, the rules that failed with it, each with the first of its cases, and the kit's last line if none did."""

    name: str
    failed: dict[str, str]
    said: str


def attempt(mutant: Mutant) -> Tried:
    """Try a host with a defect by the cases of its rule."""
    change = json.dumps([mutant.file, mutant.text, mutant.replacement])
    spoilt = ("-m", "tests.soak.matrix.spoilt", "devicectl", change)
    case = SEEN_BY.get(mutant.judge, mutant.judge)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        way = "--mqtt" if "-MQT-" in mutant.judge else "--tcp"
        kit = ("-P", "-m", "devicectl", "conform", "controller", way, "--case", case, "--json", str(report))
        done = subprocess.run(
            [sys.executable, *kit, "--", sys.executable, "-B", *spoilt, *_RUN],
            env=environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience(TAKES_S),
            check=False,
        )
        told = json.loads(report.read_text("utf-8")) if report.exists() and report.stat().st_size else {"cases": []}
    failed: dict[str, str] = {}
    for one in told["cases"]:
        note(failed, one["word"], one["reason"], one["rules"], one["id"])
    return Tried(mutant.name, failed, "" if failed else (done.stdout + done.stderr)[-800:])


def killers() -> dict[str, list[tuple[str, str]]]:
    """Return the hosts that were made for each rule and seen to break it, each with its case."""
    results = read(KEPT)
    return {
        rule.id: [
            (host.name, results[host.name][rule.id])
            for host in HOSTS
            if host.judge == rule.id and rule.id in results[host.name]
        ]
        for rule in MUSTS
    }


def section() -> Iterator[str]:
    """Write the part of the page about hosts."""
    found, results = killers(), read(KEPT)
    seen, dead = sum(map(bool, found.values())), sum(map(bool, results.values()))
    yield from ("", "## Controllers", "")
    yield "What `devicectl conform controller` can see: `devicectl run` with one defect, as a program of its own, tried"
    yield "by the cases of the rule that it was made for."
    yield "`python -m tests.soak.matrix.host_runner` tries all of them again in two minutes."
    yield ""
    yield f"{seen} of {len(MUSTS)} MUSTs of a host were seen broken; the others have their reason."
    yield f"{dead} of {len(results)} controllers with a defect were seen."
    yield from ("", *HEAD)
    yield from (row(rule.id, rule.text, found[rule.id], f"none: {UNSEEN.get(rule.id, '')}") for rule in MUSTS)


if __name__ == "__main__":
    write(KEPT, {one.name: one.failed for one in attempt_all(attempt, HOSTS, 4)}, HOSTS)
