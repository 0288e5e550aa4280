"""What CONTRIBUTING, SECURITY and the templates name is there; they invent nobody."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
import yaml

from devicectl.cli.program import app
from tests.architecture.tree import ROOT
from tests.release import VERSION_FILE

TEMPLATES: Final = ROOT / ".github" / "ISSUE_TEMPLATE"
PAGES: Final = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(path for path in (ROOT / ".github").rglob("*.md"))]
FORMS: Final = [path for path in TEMPLATES.glob("*.yml") if path.name != "config.yml"]


def _id(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("page", [*PAGES, *FORMS], ids=_id)
def test_each_command_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE)) <= targets
    assert all((ROOT / name).is_file() for name in re.findall(r"\.ci/\w+", text))
    run = getattr(typer.main.get_command(app), "commands")["run"]  # noqa: B009
    known = {option for parameter in run.params for option in parameter.opts}
    assert set(re.findall(r"(?<=[ `])--[a-z-]+", text)) <= {*known, "--version"}


@pytest.mark.parametrize("page", [*PAGES, *FORMS], ids=_id)
def test_each_file_is_there(page: Path) -> None:
    named = re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:md|toml|py|yml)|(?:[\w.-]+/)+)`", page.read_text(encoding="utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_a_release_sets_the_version_where_it_is() -> None:
    assert f"Set the version in `{VERSION_FILE}`" in PAGES[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*PAGES, *TEMPLATES.glob("*.yml")], ids=_id)
def test_nobody_and_no_address_is_invented(page: Path) -> None:
    assert not re.findall(r"\S+@\S+\.\w+|https?://\S+|(?<!\w)@\w+", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", FORMS, ids=_id)
def test_a_form_has_what_the_hosting_site_asks_for(form: Path) -> None:
    """Name, description and body; below each field its own id and a label. A wrong one is not shown to anybody."""
    found: dict[str, Any] = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert set(found) == {"name", "description", "body"}
    fields = [part for part in found["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in fields} <= {"textarea", "input", "dropdown", "checkboxes"}
    assert len({part["id"] for part in fields}) == len(fields)
    assert all(part["attributes"]["label"] for part in fields)
