"""Recordings that failing tests of a user leave: each test here runs pytest in a process and a folder of its own."""

import json
from pathlib import Path
from typing import Final

import pytest

from devicectl.cli.program import call
from handpiece_shell.recording_file import read_recording
from tests.integration.plugin.test_pytest_plugin import PLAIN

FAILING: Final = """
    import devicectl, pytest, subprocess, sys

    pytestmark = pytest.mark.handpiece_param(anesthesia_wait_s=0, reposition_mean_s=0.1)

    @pytest.mark.asyncio
    async def test_fails(handpiece_faults, handpiece):
        await handpiece_faults.inject("drop", when='frame("SESSION_OPEN", 1)')
        async with handpiece.open_session(devicectl.Plan(target_cores=6)):
            raise AssertionError

    @pytest.mark.handpiece_scenario("scenario.json")
    def test_host_fails(handpiece_url, tmp_path):
        line = [sys.executable, "-m", "devicectl", "run", "--device", handpiece_url, "--target-cores", "6"]
        subprocess.run([*line, "--log", tmp_path / "log.sqlite"], check=True)
        raise AssertionError
"""


def recordings_of(pytester: pytest.Pytester, url: str) -> list[Path]:
    """The recordings of two failing tests under faults: of a host in pytest's process, and of one in its own."""
    scenario = {"faults": [{"fault": "drop", "when": 'frame("COUNT", 1)'}]}
    (pytester.path / "scenario.json").write_text(json.dumps(scenario), encoding="utf-8")
    pytester.makepyfile(FAILING)
    options = ("--handpiece-url", url, "--handpiece-artifacts", "left")
    pytester.runpytest_subprocess(*PLAIN, *options).assert_outcomes(failed=2)
    found = sorted((pytester.path / "left").glob("*/recording.pcapng"))
    assert len(found) == 2
    return found


def test_what_a_simulator_in_a_process_has_recorded_is_executed_again_with_its_faults(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in recordings_of(pytester, "sim+tcp://"):
        with read_recording(str(path)) as capture:
            assert [one["kind"] for one in capture.comment["faults"]] == ["drop"]
        capsys.readouterr()
        assert call(["replay", str(path)]) == 0
        assert "all equal" in capsys.readouterr().out


def test_what_a_host_of_a_test_has_recorded_names_the_line_that_repeats_it(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = recordings_of(pytester, "sim://")
    with read_recording(str(path)) as capture:
        assert capture.comment["verdict"]["failed"] is True
    capsys.readouterr()
    assert call(["replay", str(path)]) == 2
    err = capsys.readouterr().err
    assert "test_fails --handpiece-seed" in err and len(err.splitlines()) == 1
