"""What runs by itself: the workflows call each check that there is, by the name that make has for it."""

import re
from typing import Final

import yaml

from tests.architecture.tree import ROOT

CHECKS: Final = {"test", "nightly", "flakes", "bounds"}
"""Targets of make that say whether the product is right. `test` is what `.ci/run` does without a name."""


def _called() -> set[str]:
    jobs = [
        job
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values()
    ]
    lines = [step.get("run", "").split() for job in jobs for step in job["steps"]]
    return {[*line, "test"][1] for line in lines if line[:1] == [".ci/run"]}


def test_each_check_is_called_by_a_workflow() -> None:
    assert _called() == CHECKS


def test_each_check_is_a_target_and_what_is_repeated_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert set(re.findall(r"^(\w+):", makefile, re.MULTILINE)) > CHECKS
    (repeated,) = re.findall(r"^FLAKES \?= (.+)$", makefile, re.MULTILINE)
    assert set(repeated.split()) == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_pytest_plugin*.py")
    }
