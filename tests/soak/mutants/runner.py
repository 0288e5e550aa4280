"""The runner: a copy of the tree with one mutant in it, a process that tries it, and the page of what came of them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.architecture.changed_tree import ChangedTree
from tests.architecture.tree import ROOT
from tests.patience import patience
from tests.soak.mutants.device import DEVICE
from tests.soak.mutants.host import HOST
from tests.soak.mutants.link import LINK
from tests.soak.mutants.mutant import Killed, Mutant

MUTANTS: Sequence[Mutant] = (*DEVICE, *LINK, *HOST)
SURVIVORS: dict[str, str] = {}
"""Mutant that nobody notices -> why that is right."""
KEPT = ROOT / "tests" / "soak" / "mutants" / "results.json"
"""Who noticed each mutant, and by what, in the run that was kept last: the page is made of it, not of a new run."""


def misplaced(mutants: Iterable[Mutant] = MUTANTS) -> list[str]:
    """Names of the mutants whose text is not there exactly once."""
    return [one.name for one in mutants if (ROOT / one.file).read_text(encoding="utf-8").count(one.text) != 1]


def kill(mutant: Mutant) -> Killed:
    """Try one mutant in a tree of its own."""
    with tempfile.TemporaryDirectory() as folder:
        tree = ChangedTree(Path(folder))
        tree.replace(mutant.file, mutant.text, mutant.replacement)
        told = json.dumps([[fault.as_json() for fault in faults] for faults in mutant.faults])
        command = [sys.executable, "-B", "-m", "tests.soak.mutants.trials", told, mutant.judge]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=patience(900), check=False)
    assert done.returncode == 0, f"{mutant.name} does not run:\n{done.stderr}"
    judge, faults, count = json.loads(done.stdout)
    print(f"{mutant.name}: {judge or 'nobody'} {faults} after {count} runs", flush=True)
    return Killed(mutant.name, judge, [_text(fault) for fault in faults], count)


def kill_all(mutants: Sequence[Mutant], jobs: int) -> list[Killed]:
    """Try each mutant, so many at a time."""
    assert not misplaced(mutants), f"the text of {misplaced(mutants)} is not there once"
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(kill, mutants))


def _text(fault: dict[str, object]) -> str:
    values = ", ".join(f"{name}={value}" for name, value in fault.items() if name not in ("fault", "when"))
    return f"{fault['fault']}{f' ({values})' if values else ''} when {fault['when']}"


def keep(results: Sequence[Killed]) -> None:
    """Keep what came of these mutants for the page, with what is kept of the others."""
    known = kept() | {name: (judge, faults) for name, judge, faults, _ in results}
    text = json.dumps({one.name: known[one.name] for one in MUTANTS if one.name in known}, indent=1)
    KEPT.write_text(text + "\n", encoding="utf-8")


def kept() -> dict[str, tuple[str, list[str]]]:
    """Return judge and faults by mutant, of the run that was kept."""
    return {name: (judge, faults) for name, (judge, faults) in json.loads(KEPT.read_text(encoding="utf-8")).items()}


def page() -> str:
    """Return the page: each mutant, who noticed it, and by what."""
    results, files = kept(), {mutant.name: mutant.file for mutant in MUTANTS}
    dead = sum(bool(judge) for judge, _ in results.values())
    lines = [
        "# Mutants",
        "",
        "A campaign that finds nothing proves little: mutants show what its judges can see. Each is a defect of one",
        "place, as a mistake would make it, and is applied alone. Its faults are the smallest list that showed it, in",
        "a session of 39 cores: none, one or two. `stuck`: the session did not end; `traceback`: a program broke off.",
        "",
        "`python -m tests.soak.mutants --keep` tries all of them again in some minutes; `make docs` makes the page.",
        "",
        f"{dead} of {len(results)} were noticed.",
        "",
        "| mutant | file | noticed by | faults |",
        "| --- | --- | --- | --- |",
    ]
    for name, (judge, faults) in results.items():
        shown = "<br>".join(f"`{fault}`" for fault in faults) or ("none" if judge else SURVIVORS[name])
        lines.append(f"| {name} | `{files[name]}` | {judge or '**nobody**'} | {shown} |")
    return "\n".join(lines) + "\n"
