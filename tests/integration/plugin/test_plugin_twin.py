"""The plugin and a twin: a run that trusts a simulator which is too old, or of another firmware, fails or warns."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from firmware_sim.twin_program import Wanted, run
from tests.unit.firmware_sim.twin.recorded_line import whole_session

PLAIN: Final = ("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider")
DAY: Final = timedelta(days=1)


def written(pytester: pytest.Pytester, *, age: timedelta = DAY, **changes: Any) -> str:
    """A file that the command has written, and of which some has become true since."""
    recording = pytester.path / "bench.pcapng"
    recording.write_bytes(whole_session(1, booted=True).file())
    output = pytester.path / "twin.json"
    assert run(Wanted(str(recording), None, str(output), False))[0] == 0
    document = json.loads(output.read_text())
    document |= {"date": (datetime.now(UTC) - age).isoformat(), **changes}  # noqa: TID251 - as the plugin's own clock
    output.write_text(json.dumps(document))
    return "twin.json"


def ran(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    pytester.makepyfile("def test_nothing(): pass")
    return pytester.runpytest_subprocess(*PLAIN, *options)


def test_a_twin_that_is_to_be_trusted_lets_the_run_pass(pytester: pytest.Pytester) -> None:
    file = written(pytester)
    options = ("--handpiece-twin", file, "--handpiece-twin-max-age", "2d", "--handpiece-twin-firmware", "sim-1")
    found = ran(pytester, *options, "-W", "error")
    found.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--handpiece-twin-max-age", "90d"), "*twin.json: it is 100 days old, of *; at most 90d is trusted*"),
        (("--handpiece-twin-firmware", "2.4"), "*twin.json: it is of firmware sim-1; 2.4 is to be trusted*"),
        (("--handpiece-twin-max-age", "soon"), "*'soon' is no age; must be hours, days or weeks*"),
    ],
)
def test_one_that_is_not_ends_the_run_in_one_line(
    pytester: pytest.Pytester, options: tuple[str, ...], says: str
) -> None:
    found = ran(pytester, "--handpiece-twin", written(pytester, age=100 * DAY), *options)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"ERROR: --handpiece-twin: {says}"])


def test_it_warns_and_goes_on_where_that_is_asked_for(pytester: pytest.Pytester) -> None:
    file = written(pytester, age=100 * DAY)
    found = ran(pytester, "--handpiece-twin", file, "--handpiece-twin-max-age", "90d", "--handpiece-twin-warn")
    found.assert_outcomes(passed=1, warnings=1)
    found.stdout.fnmatch_lines(["*PytestWarning: --handpiece-twin: *twin.json: it is 100 days old*"])


@pytest.mark.parametrize("warn", [True, False])
def test_all_of_it_can_be_in_the_configuration_file(pytester: pytest.Pytester, warn: bool) -> None:
    written(pytester, age=100 * DAY)
    pytester.makeini(
        f"""
        [pytest]
        handpiece_twin = twin.json
        handpiece_twin_max_age = 90d
        handpiece_twin_firmware = sim-1
        handpiece_twin_warn = {warn}
        """
    )
    found = ran(pytester)
    assert found.ret == (pytest.ExitCode.OK if warn else pytest.ExitCode.USAGE_ERROR)
    found = ran(pytester, "--handpiece-twin-max-age", "101d", "-W", "error")  # the command line counts more
    found.assert_outcomes(passed=1)


@pytest.mark.parametrize("option", ["max-age", "firmware"])
def test_an_age_or_firmware_without_a_file_is_one_line(pytester: pytest.Pytester, option: str) -> None:
    found = ran(pytester, f"--handpiece-twin-{option}", "90d")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"ERROR: --handpiece-twin-{option} needs --handpiece-twin FILE, or *"])


def test_a_file_that_is_not_there_is_one_line(pytester: pytest.Pytester) -> None:
    found = ran(pytester, "--handpiece-twin", "none.json")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(["ERROR: --handpiece-twin: *none.json: cannot be read: No such file or directory; *"])


def test_workers_do_not_ask_again(pytester: pytest.Pytester) -> None:
    found = ran(pytester, "--handpiece-twin", written(pytester), "-n", "1", "-W", "error")
    found.assert_outcomes(passed=1)
