"""The runner: a copy of the tree with one mutant in it, a process that tries it, and the table of what came of them."""

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
TABLE = ROOT / "docs" / "generated" / "mutants.md"


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


def table(results: Sequence[Killed]) -> str:
    """The page: each mutant with who noticed it and by what."""
    dead = sum(bool(result.judge) for result in results)
    lines = [
        "# Mutants",
        "",
        "Made by `python -m tests.soak.mutants --table`: defects of one place, each applied alone, and the smallest",
        "list of faults that shows it to a judge.",
        "",
        f"{dead} of {len(results)} were noticed.",
        "",
        "| mutant | file | noticed by | faults | runs tried |",
        "| --- | --- | --- | --- | --- |",
    ]
    files = {mutant.name: mutant.file for mutant in MUTANTS}
    for name, judge, faults, count in results:
        shown = "<br>".join(f"`{fault}`" for fault in faults) or ("none" if judge else SURVIVORS.get(name, ""))
        lines.append(f"| {name} | `{files[name]}` | {judge or '**nobody**'} | {shown} | {count} |")
    return "\n".join(lines) + "\n"
