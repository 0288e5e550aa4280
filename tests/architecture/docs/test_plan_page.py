"""The page about a plan's file: its examples are taken."""

import re
from pathlib import Path

from devicectl.plan_file import load_plan
from tests.architecture.tree import ROOT


def test_the_page_s_examples_are_taken(tmp_path: Path) -> None:
    blocks = re.findall(r"```(yaml|json)\n(.*?)```", (ROOT / "docs" / "plan.md").read_text(encoding="utf-8"), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["yaml", "json"]
    for kind, text in blocks:
        (tmp_path / f"plan.{kind}").write_text(text, encoding="utf-8")
        load_plan(tmp_path / f"plan.{kind}")
