"""The file of a plan: what is printed as an example is taken, and every key of the model is explained."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from devicectl.cli import call
from devicectl.cli.plan import example_text, keys
from devicectl.plan_file import load_plan
from devicectl.session.plan import Operator, Plan, Zone

MODELS: dict[str, type[BaseModel]] = {"": Plan, "zones[].": Zone, "operator.": Operator}


def test_the_example_is_the_default_plan(tmp_path: Path) -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert call(["plan", "--example"]) == 0
    (tmp_path / "plan.yaml").write_text(said.getvalue(), encoding="utf-8")
    assert load_plan(tmp_path / "plan.yaml") == Plan()
    assert all(len(line) <= 160 for line in said.getvalue().splitlines())


def test_every_key_is_explained_and_has_its_default() -> None:
    told = {key.path: key for key in keys()}
    assert set(told) == {f"{prefix}{name}" for prefix, model in MODELS.items() for name in model.model_fields}
    for prefix, model in MODELS.items():
        for name, field in model.model_fields.items():
            key = told[f"{prefix}{name}"]
            assert key.meaning and key.right == field.description
            if key.default is not None:
                assert key.default == str(field.default)
    assert (told["target_cores"].default, told["zones[].name"].default) == ("10000", None)


@pytest.mark.parametrize("key", [key.path for key in keys()])
def test_what_is_said_to_be_right_is_what_a_wrong_value_is_told(tmp_path: Path, key: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(wrong(key)), encoding="utf-8")
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        assert call(["run", "--plan", str(path), "--log", str(tmp_path / "log")]) == 2
    right = next(one.right for one in keys() if one.path == key)
    assert f"must be {right}" in said.getvalue()


def wrong(key: str) -> dict[str, Any]:
    """A plan in which the value at `key` is of a kind that no key has."""
    match key.partition("."):
        case ("zones[]", _, name):
            return {"zones": [{"name": "a", "area_cm2": 1, name: [1]}]}
        case ("operator", ".", name):
            return {"operator": {name: [1]}}
        case (name, _, _):
            return {name: 1.5 if name in ("zones", "operator") else [1]}


def test_without_an_option_there_is_help_and_exit_2() -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert call(["plan"]) == 2
    assert "--example" in said.getvalue()


def test_comments_stand_before_what_they_are_about() -> None:
    lines = example_text().splitlines()
    assert lines[lines.index("target_cores: 10000") - 1].startswith("# the session ends when the device has counted")
