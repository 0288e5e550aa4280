"""A device that is spoilt in one place: the case of the rule that it breaks says so, and a right device passes it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.changed_tree import ChangedTree
from tests.patience import patience

_END = "protocols/link/device_end.py"


class Spoilt(NamedTuple):
    """One place of the device's code, what it becomes, and the case that must fail."""

    file: str
    text: str
    replacement: str
    case: str


SPOILT = {
    "carries a command out twice": Spoilt(
        _END,
        "        if known is not None and known.command == message:",
        "        if known is not None and known.answer is None:",
        "cmd.again-query",
    ),
    "does not say that an answer is an old one": Spoilt(
        _END,
        "self._send(known.answer, now, correlation_id, REPLAYED)",
        "self._send(known.answer, now, correlation_id)",
        "cmd.again-refused",
    ),
    "carries a late motion out": Spoilt(
        "protocols/link/answers.py",
        "        return lane is _MOTION and self._newest is not None and not newer(correlation_id, self._newest)",
        "        return False",
        "cmd.expired-1",
    ),
    "takes spoiled frames for life": Spoilt(
        "protocols/link/exchange.py",
        "                statistics.bad_frames += 1\n",
        "                statistics.bad_frames += 1\n                state.last_heard = now\n",
        "lse.renews-not-damaged",
    ),
    "leaves cycle numbers out": Spoilt(
        "firmware_sim/commands/cycle.py",
        "    if command.cycle_no != last + 1:",
        "    if command.cycle_no <= last:",
        "cyc.gap",
    ),
    "lets a rival command": Spoilt(
        "firmware_sim/control.py",
        "        if self.holder is not None and self.holder is not port:",
        "        if False:",
        "ctl.open",
    ),
    "closes on other counts": Spoilt(
        "firmware_sim/commands/sessions.py", "        if ours != theirs:", "        if False:", "evt.close-cycles"
    ),
    "stays armed without its host": Spoilt(
        "firmware_sim/device.py",
        "        if self.control.release(port):\n            link_lost(self.board, now)",
        "        self.control.release(port)",
        "lse.armed-bye",
    ),
    "says NAK too often": Spoilt(
        "protocols/link/budget.py", "MAX_NAKS_PER_SECOND: Final = 10", "MAX_NAKS_PER_SECOND: Final = 20", "frm.ten-naks"
    ),
    "pauses in a cycle": Spoilt(
        "firmware_sim/commands/rules.py",
        "    Rule(M.Pause, motions.pause, (S.ARMED,), journaled=True),",
        "    Rule(M.Pause, motions.pause, (S.ARMED, S.PUNCHING), journaled=True),",
        "cyc.pause",
    ),
}


def word_of(tree: ChangedTree, case: str) -> str:
    """Return what a case comes to on the device of a tree."""
    report = tree.folder / "report.json"
    command = (
        "-m",
        "devicectl",
        "conform",
        "device",
        "--device",
        "sim://?seed=1",
        "--case",
        case,
        "--json",
        str(report),
    )
    done = subprocess.run(
        [sys.executable, "-B", *command],
        cwd=tree.folder,
        capture_output=True,
        text=True,
        timeout=patience(),
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    (found,) = json.loads(report.read_text(encoding="utf-8"))["cases"]
    word: str = found["word"]
    return word


@pytest.mark.parametrize("name", list(SPOILT))
def test_the_case_of_the_rule_fails(name: str, tmp_path: Path) -> None:
    spoilt, tree = SPOILT[name], ChangedTree(tmp_path)
    tree.replace(spoilt.file, spoilt.text, spoilt.replacement)
    assert word_of(tree, spoilt.case) == "failed"


def test_a_right_device_passes_them(tmp_path: Path) -> None:
    tree = ChangedTree(tmp_path)
    assert {word_of(tree, case) for case in ("cyc.gap", "lse.armed-bye", "frm.ten-naks")} == {"passed"}
