"""The runner: each device with a defect in a process of its own, what is kept of it, and the page."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from devicectl.conformance.rules import Duty, Level, rules_of
from tests.architecture.tree import ROOT
from tests.patience import patience
from tests.soak.matrix.behind import BEHIND, attempt_behind
from tests.soak.matrix.cycles import CYCLES
from tests.soak.matrix.frames import FRAMES
from tests.soak.matrix.host_runner import section
from tests.soak.matrix.kept import HEAD, read, row
from tests.soak.matrix.links import LINKS
from tests.soak.matrix.procedure import PROCEDURE
from tests.soak.mutants.device import DEVICE
from tests.soak.mutants.link import LINK
from tests.soak.mutants.mutant import Mutant

OF_HOSTS: Final = ("protocols/link/host_end.py", "protocols/link/requests.py")
"""Modules that no device runs: a defect in them makes another host, and not another device."""
GENERAL: Final[Sequence[Mutant]] = tuple(one for one in (*DEVICE, *LINK) if one.file not in OF_HOSTS)
"""Mutants of campaigns that are devices; many of their defects show under a fault or a loss of power alone."""
MADE: Final[Sequence[Mutant]] = (*FRAMES, *LINKS, *PROCEDURE, *CYCLES, *BEHIND)
"""Mutants that were made for a rule each: `judge` is its number."""
SURVIVORS: Final[Mapping[str, str]] = {
    "the latch stays set where the motor kept the needles at home": (
        "It shows where the motor stalls at home and power is lost within that same stroke: needles that never touched "
        "the skin count as punctured then, and no rule forbids a device to overstate."
    ),
}
"""Device that no case sees -> why, in a sentence."""
NO_DEVICES: Final[Mapping[str, str]] = {
    one.name: f"`{one.file}` is a host's half of the link, which no device runs" for one in LINK if one.file in OF_HOSTS
}
"""Mutant of campaigns that is not counted -> why."""
KEPT: Final = ROOT / "tests" / "soak" / "matrix" / "results.json"
"""Rules that each mutant was seen to break, in the run that was kept last: the page is made of it."""
MUSTS: Final = tuple(rules_of(Duty.DEVICE, Level.MUST))
TAKES_S: Final = 60.0


class Tried(NamedTuple):
    """A mutant, the rules that failed with it, each with the first of its cases, and what broke off the run."""

    name: str
    failed: dict[str, str]
    broke: str


def attempt(mutant: Mutant | None) -> Tried:
    """Try a device with a defect; None has none."""
    if mutant in BEHIND:
        return Tried(mutant.name, *attempt_behind(mutant))
    change = [] if mutant is None else [mutant.file, mutant.text, mutant.replacement]
    command = [sys.executable, "-B", "-m", "tests.soak.matrix.tried"]
    done = subprocess.run(
        command,
        input=json.dumps(change),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(TAKES_S),
        check=False,
    )
    name = "" if mutant is None else mutant.name
    assert done.returncode == 0, f"{name} does not run:\n{done.stderr}"
    told = json.loads(done.stdout)
    return Tried(name, told["failed"], told["broke"])


def killers() -> dict[str, list[tuple[str, str]]]:
    """Return the mutants of each rule, each with its case: those made for it first."""
    made = {mutant.name: mutant.judge for mutant in MADE}
    found: dict[str, list[tuple[str, str]]] = {rule.id: [] for rule in MUSTS}
    for name, failed in read(KEPT).items():
        for rule, case in failed.items():
            if rule in found:
                found[rule].append((name, case))
    for rule, pairs in found.items():
        pairs.sort(key=lambda pair: made.get(pair[0]) != rule)
    return found


def page() -> str:
    """Return the page: each MUST with the mutants that its cases kill."""
    results, found = read(KEPT), killers()
    dead, shown = sum(map(bool, results.values())), sum(map(bool, found.values()))
    lines = [
        "# Kill matrix",
        "",
        "What `devicectl conform device` can see. Each device here has one defect of one place, as a mistake would",
        "make it, and is tried by all cases in virtual time, or in real time by those of a broker where it is about",
        "that. A rule that none was seen to break may be seen by nobody.",
        "TRAINING SIMULATOR - NOT A MEDICAL DEVICE.",
        "",
        "`python -m tests.soak.matrix --keep` tries all of them again in some minutes; `make docs` makes the page.",
        "",
        f"{shown} of {len(found)} MUSTs of a device were seen broken by a defect.",
        f"{dead} of {len(results)} devices with a defect were seen, {100 * dead / len(results):.1f} %. One that breaks",
        "off, or cannot be brought to where a case begins, is seen by that, and no rule counts as broken.",
        "",
        *HEAD,
        *(row(rule.id, rule.text, found[rule.id], "**none**") for rule in MUSTS),
    ]
    return "\n".join([*lines, *_explained(), *section()]) + "\n"


def _explained() -> Iterator[str]:
    """Write the tables of what no case sees, and of what is not counted."""
    yield from ("", "## Survivors", "", "| device that no case sees | because |", "| --- | --- |")
    yield from (f"| {name} | {reason} |" for name, reason in SURVIVORS.items())
    yield from ("", "## Not counted", "", "[Mutants](mutants.md) of campaigns that make no other device.", "")
    yield from ("| mutant | because |", "| --- | --- |")
    yield from (f"| {name} | {reason} |" for name, reason in NO_DEVICES.items())
