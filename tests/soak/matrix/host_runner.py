"""The runner of hosts with a defect: the kit against each, what is kept of it, and its part of the page.

To try them all again: `python -m tests.soak.matrix.host_runner`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from devicectl.conformance.controller.catalogue import UNSHOWN
from devicectl.conformance.rules import Duty, Level, rules_of
from tests.architecture.tree import ROOT
from tests.patience import patience
from tests.programs import environment
from tests.soak.matrix.hosts import HOSTS, SEEN_BY
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
    spoilt = ("-m", "tests.soak.matrix.spoilt_host", mutant.file, mutant.text, mutant.replacement)
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
        if one["word"] == "failed":
            for rule in one["rules"]:
                failed.setdefault(rule, one["id"])
    return Tried(mutant.name, failed, "" if failed else (done.stdout + done.stderr)[-800:])


def attempt_all(mutants: Sequence[Mutant], jobs: int) -> list[Tried]:
    """Try each host, so many at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(attempt, mutants))


def keep(results: Sequence[Tried]) -> None:
    """Keep what came of hosts for the page, with what is kept of the others."""
    known = (kept() if KEPT.exists() else {}) | {one.name: one.failed for one in results}
    text = json.dumps({one.name: known[one.name] for one in HOSTS if one.name in known}, indent=1)
    KEPT.write_text(text + "\n", encoding="utf-8")


def kept() -> dict[str, dict[str, str]]:
    """Return rules and cases by host, of the run that was kept."""
    found: dict[str, dict[str, str]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return found


def killers() -> dict[str, list[tuple[str, str]]]:
    """Return the hosts that were made for each rule and seen to break it, each with its case."""
    results = kept()
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
    found, results = killers(), kept()
    seen, dead = sum(map(bool, found.values())), sum(map(bool, results.values()))
    yield from ("", "## Controllers", "")
    yield "What `devicectl conform controller` can see: `devicectl run` with one defect, as a program of its own, tried"
    yield "by the cases of the rule that it was made for."
    yield "`python -m tests.soak.matrix.host_runner` tries all of them again in two minutes."
    yield ""
    yield f"{seen} of {len(MUSTS)} MUSTs of a host were seen broken; the others have their reason."
    yield f"{dead} of {len(results)} controllers with a defect were seen."
    yield from ("", "| rule | says | defects that its cases see | by the case |", "| --- | --- | --- | --- |")
    for rule in MUSTS:
        pairs = found[rule.id]
        names, case = "<br>".join(name for name, _ in pairs), f"`{pairs[0][1]}`" if pairs else ""
        yield f"| {rule.id} | {rule.text} | {names or f'none: {UNSEEN[rule.id]}'} | {case} |"


if __name__ == "__main__":
    keep(attempt_all(HOSTS, 4))
