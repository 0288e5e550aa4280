"""docs/mqtt.md is carried out as it stands: its access list, passwords and certificates let a device and a host in."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import jsonschema
import pytest

import devicectl
from firmware_sim.control import MAX_VIEWERS
from protocols.mqtt.mosquitto import RIGHTS, USERS, acl_file
from protocols.mqtt.topics import DEFAULT_ROOT
from tests.brokers import TOPICS, by_certificate, by_password, running
from tests.patience import patience
from tests.programs import ROOT, environment, serve

PAGE: Final = (ROOT / "docs" / "mqtt.md").read_text(encoding="utf-8")
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
SCRIPTS: Final = [block for block in BLOCKS if re.search(r">acl |mosquitto_passwd|openssl req", block)]


def carry_out(script: str, folder: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment({"PATH": path}),
        capture_output=True,
        text=True,
        timeout=patience(),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.asyncio
async def test_what_the_page_makes_lets_them_in(program: Callable[[str], str], tmp_path: Path) -> None:
    for needed in ("bash", "openssl", "mosquitto_passwd"):
        program(needed)
    assert len(SCRIPTS) == 3
    for script in SCRIPTS:
        carry_out(script, tmp_path)
    assert (tmp_path / "acl").read_text() == acl_file(TOPICS)
    for user in USERS:
        password = (tmp_path / f"{user}.txt").read_text().splitlines()[1]
        assert len(password) == 32 and password not in (tmp_path / "passwords").read_text()
    for configure, options in (
        (by_password, "ca={0}/ca.pem&credentials={0}/{1}.txt"),
        (by_certificate, "ca={0}/ca.pem&cert={0}/{1}.pem&key={0}/{1}.key"),
    ):
        with running(program("mosquitto"), tmp_path, configure(tmp_path)) as broker:
            url = broker.url(scheme="mqtts") + "?" + options
            with serve("--mqtt", url.format(tmp_path, "device")):
                async with devicectl.connect(url.format(tmp_path, "controller")) as handpiece:
                    assert handpiece.device.simulated


def test_the_page_shows_how_to_judge_a_body(monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(ROOT)
    exec(shown, {})
    with pytest.raises(jsonschema.ValidationError, match="-1 is less than the minimum"):
        exec(shown.replace('"cycle_no":1', '"cycle_no":-1'), {})


def test_the_page_begins_with_sessions_of_a_minute() -> None:
    """They are in real time: a whole one would take thirty-five."""
    (readme,) = (line.split("#")[0].strip() for line in README.splitlines() if "sim+mqtt://" in line)
    lines = [line.split("#")[0].strip() for line in BLOCKS[0].splitlines()]
    assert readme in lines, "which a test of README carries out"
    assert all("--target-cores 60" in line for line in lines if line.startswith("devicectl run"))
    assert f"up to {MAX_VIEWERS} look on" in BLOCKS[0] and MAX_VIEWERS + 1 == 16 and "The sixteenth host" in PAGE


def test_the_page_names_every_topic() -> None:
    table = PAGE[PAGE.index("| topic |") : PAGE.index("A message of the protocol")]
    named = {
        name.partition("/")[0] for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in cell.split("`")
    }
    given = {name.partition("/")[0] for rights in RIGHTS.values() for name in (*rights.reads, *rights.writes)}
    assert given <= named and f"in place of `{DEFAULT_ROOT}`" in PAGE
