"""The page about the kit: its commands, cases, claims and limits are those that there are."""

import itertools
import json
import re
import shlex
from collections.abc import Sequence
from typing import Final

import pytest

from devicectl.conformance.case import Case, matching
from devicectl.conformance.claims import read_claims
from devicectl.conformance.controller import bench, scene, session
from devicectl.conformance.controller.cases.declare import scene_of
from devicectl.conformance.controller.catalogue import CONTROLLER_CASES, UNSHOWN
from devicectl.conformance.device import ground, opening, runner
from devicectl.conformance.device.catalogue import DEVICE_CASES
from devicectl.conformance.device.session import MANY_LINKS
from devicectl.conformance.report.lines import case_line
from devicectl.transports.urls import parse_url
from tests.architecture.tree import ROOT

PAGE: Final = (ROOT / "docs/conformance.md").read_text(encoding="utf-8")
OPTIONS: Final = (ROOT / "docs/generated/command_line.md").read_text(encoding="utf-8")
CASES: Final = {"device": DEVICE_CASES, "controller": CONTROLLER_CASES}
COMMANDS: Final = [
    line.split("  ")[0]
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("devicectl conform")
]


def options_of(command: str) -> set[str]:
    """Return the options of a command, as the generated page has them."""
    section = re.search(rf"^## `devicectl conform {command}`$.*?(?=^## |\Z)", OPTIONS, re.MULTILINE | re.DOTALL)
    assert section, command
    return set(re.findall(r"--[a-z0-9-]+", section[0]))


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_has_options_cases_and_urls_that_there_are(line: str) -> None:
    _, _, command, *words = shlex.split(line)
    ours = words[: words.index("--")] if "--" in words else words
    assert {word for word in ours if word.startswith("--")} <= options_of(command)
    for option, value in itertools.pairwise(ours):
        if option == "--case":
            assert matching(value, CASES[command]), value
        if option == "--device":
            parse_url(value)


@pytest.mark.parametrize("end", CASES)
def test_the_table_of_an_end_has_each_group_of_its_cases(end: str) -> None:
    part = PAGE.partition("\n## A controller\n")[end == "controller" and 2]
    named = [name for row in re.findall(r"^\| ((?:`[a-z]+\.\*` ?)+)\|", part, re.MULTILINE) for name in row.split()]
    assert sorted(named) == sorted({f"`{one.id.partition('.')[0]}.*`" for one in CASES[end]})


def test_options_of_the_tables_are_those_of_the_command() -> None:
    named = re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)
    assert len(named) > 10 and set(named) <= options_of("device")


def test_claims_of_the_page_can_be_read() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    stated = read_claims(text, DEVICE_CASES)
    assert set(json.loads(text)) == {"claims", *stated._fields} and len(stated.lacks) > 1


def test_the_example_of_a_failure_is_the_line_of_a_case() -> None:
    (shown,) = re.findall(r"^failed .*$", PAGE, re.MULTILINE)
    assert shown == case_line(_as_data(DEVICE_CASES, shown.split()[1]))


def _as_data(cases: Sequence[Case], name: str) -> dict[str, object]:
    (one,) = (one for one in cases if one.id == name)
    return {"word": "failed", "id": one.id, "rules": one.rules, "title": one.title}


def test_limits_of_the_page_are_those_of_the_code() -> None:
    limits = {text: float(s) for s, text in re.findall(r"^\| ([0-9]+) s \| (.*?)[;:,|]", PAGE, re.MULTILINE)}
    assert limits == {
        "from the start of the command to its HELLO ": scene.START_LIMIT_S,
        "for one run of the command": scene.Scene("any").limit_s,
        "from SIGTERM to SIGKILL": bench.GRACE_S,
        "lateness of a time that is measured": scene.SLACK_MS / 1000,
        "for the whole run": session.RUN_LIMIT_S,
    }
    unanswered = {scene_of(one).limit_s for one in CONTROLLER_CASES} - {scene.Scene("any").limit_s}
    assert [f"{limit:g} s where HELLO is not answered" in PAGE for limit in unanswered] == [True]
    assert f"a case has {runner.CASE_LIMIT_S:g} s" in PAGE
    assert f"may take {ground.BACK_MS / 1000:g} s to come back" in PAGE
    assert f"`rfc2217://`, {MANY_LINKS} elsewhere" in PAGE
    assert f"machine: {opening.SLACK_MS:g}, and {opening.VIRTUAL_SLACK_MS:g} for `sim://`" in PAGE


def test_rules_without_a_case_are_named() -> None:
    sentence = re.search(r"These rules of a host have no case: (.*?)\n\n", PAGE, re.DOTALL)
    assert sentence and set(re.findall(r"HLP-[A-Z]+-[0-9]+", sentence[1])) == set(UNSHOWN)
