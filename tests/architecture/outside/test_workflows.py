"""What runs by itself: the workflows call each check that there is, by the name that make has for it."""

import re
import tomllib
from typing import Any, Final

import pytest
import yaml

from tests.architecture.tree import ROOT
from tests.bounds import bounds, is_lowest

WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CHECKS: Final = {"test", "docs", "nightly", "flakes", "bounds", "coverage", "compiled"}
"""Targets of make that say whether the product is right. `test` is what `.ci/run` does without a name."""


def _called() -> set[str]:
    jobs = [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values()]
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


# --- what others wrote ---------------------------------------------------------------------------------------------


def test_each_action_is_pinned_by_hash_beside_its_version() -> None:
    used = {line for path in WORKFLOWS for line in re.findall(r"uses: (.+)", path.read_text("utf-8"))}
    assert not [line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)]
    names = [line.partition("@")[0] for line in used]
    assert len(names) == len(set(names)), "one action in two versions"


def test_a_program_that_a_workflow_installs_is_the_one_of_the_tests() -> None:
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["test"]
    lines = [line for path in WORKFLOWS for line in re.findall(r"pip install (.+)", path.read_text("utf-8"))]
    # What builds wheels for other systems needs them, and so is tried in the workflow alone.
    only_there = {line for line in lines if re.fullmatch(r"cibuildwheel==\d+\.\d+\.\d+", line)}
    assert set(lines) - only_there == {".", *(line for line in pinned if line.startswith("uv=="))}


# --- who may do what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_nothing_else(path: Any) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    more = {name for name, job in workflow["jobs"].items() if "permissions" in job}
    assert more == ({"publish"} if path.name == "release.yml" else set())
    kept = re.findall(r"uses: actions/checkout@.*\n\s+with:\n\s+persist-credentials: false\n", path.read_text("utf-8"))
    assert len(kept) == path.read_text("utf-8").count("actions/checkout@")


# --- a release -----------------------------------------------------------------------------------------------------


def test_nothing_is_published_before_every_other_job_has_passed() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))["jobs"]
    assert set(jobs["publish"]["needs"]) == set(jobs) - {"publish"}
    assert jobs["publish"]["environment"] == "release"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}


def test_a_compiled_wheel_is_published_where_the_tests_have_passed_against_one() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))["jobs"]
    building = {
        name for name, job in jobs.items() if any("cibuildwheel" in step.get("run", "") for step in job["steps"])
    }
    testing = {
        name for name, job in jobs.items() if any(step.get("run") == ".ci/run compiled" for step in job["steps"])
    }
    assert building and testing and building | testing <= set(jobs["publish"]["needs"])


def test_what_each_job_built_is_published() -> None:
    """One that uploads under another name would be built and left behind."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))["jobs"]
    steps = [(name, step) for name, job in jobs.items() for step in job["steps"]]
    built = [step["with"]["name"] for _, step in steps if step.get("uses", "").startswith("actions/upload-artifact@")]
    (taken,) = (step["with"] for _, step in steps if step.get("uses", "").startswith("actions/download-artifact@"))
    assert built and all(name.startswith("dist-") for name in built)
    assert taken == {"pattern": "dist-*", "path": "dist", "merge-multiple": True}


def test_the_tag_is_judged_before_anything_is_built() -> None:
    steps = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))["jobs"]["pure"]["steps"]
    lines = [step["run"] for step in steps if "run" in step]
    assert lines == ['python -m tests.release "$GITHUB_REF_NAME"', "make dist"]


# --- versions ------------------------------------------------------------------------------------------------------


def test_each_dependency_has_a_lowest_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert len(bounds(project["dependencies"])) == len(project["dependencies"])


def test_what_is_not_the_lowest_version_is_known() -> None:
    assert bounds(["rich>=13", "paho-mqtt>=2.2,<3"]) == {"rich": "13", "paho-mqtt": "2.2"}
    with pytest.raises(ValueError, match="no lowest version: rich"):
        bounds(["rich"])
    assert is_lowest("13.0.0", "13") and is_lowest("2.0.31", "2.0.31")
    assert not is_lowest("13.1", "13") and not is_lowest("15.0.0", "13") and not is_lowest("2.2.1", "2.2")


def test_the_tests_that_make_names_are_there() -> None:
    assert not [
        name
        for name in re.findall(r"tests/[\w/.]+", (ROOT / "Makefile").read_text("utf-8"))
        if not (ROOT / name).exists()
    ]
