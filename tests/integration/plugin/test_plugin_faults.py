"""Faults that a user's test injects: each test here runs pytest in a process and a folder of its own."""

from typing import Final

import pytest

from tests.integration.plugin.test_pytest_plugin import PLAIN
from tests.native import reaches_inside

URLS: Final = ("sim://", "sim+tcp://", "sim+pty://", "sim+mqtt://")
QUICK: Final = """
    import devicectl
    import pytest

    pytestmark = [pytest.mark.asyncio, pytest.mark.handpiece_param(anesthesia_wait_s=0, reposition_mean_s=0.1)]

    @pytest.fixture
    def handpiece_plan():
        return devicectl.Plan(target_cores=6)

    async def finished(session):
        async for _ in session.run():
            pass
        summary = await session.close()
        assert summary.reconciled and summary.state == "completed"
"""


def run_of(pytester: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(QUICK + tests)
    return pytester.runpytest_subprocess(*PLAIN, *options)


@pytest.mark.parametrize("url", URLS)
def test_a_fault_of_the_wire_and_one_of_the_power_fire_over_every_url(pytester: pytest.Pytester, url: str) -> None:
    tests = """
    async def test_both(handpiece_faults, handpiece_session, handpiece):
        dropped = await handpiece_faults.inject("drop", when='frame("COUNT", 1)')
        cut = await handpiece_faults.inject("brown_out", when="cycle == 2", for_ms=100)
        assert await handpiece_faults.fired() == []
        boots = handpiece.driver.engine.welcome.boot_count
        await finished(handpiece_session)
        assert await handpiece_faults.fired() == [dropped, cut]
        assert handpiece.driver.engine.welcome.boot_count == boots + 1
    """
    run_of(pytester, tests, "--handpiece-url", url).assert_outcomes(passed=1)


@pytest.mark.parametrize("url", ["sim://", "sim+tcp://"])
def test_a_fault_that_never_fired_fails_its_test_also_if_it_was_cleared(pytester: pytest.Pytester, url: str) -> None:
    tests = """
    async def test_waits(handpiece_faults, handpiece_session):
        await handpiece_faults.inject("drop", when="cycle == 900")
        await finished(handpiece_session)

    async def test_cleared(handpiece_session, handpiece_faults):
        await handpiece_faults.inject("mute", when="cycle == 1")
        await handpiece_faults.clear()
        await finished(handpiece_session)

    async def test_fires_in_the_close_that_comes_after_the_test(handpiece_session, handpiece_faults):
        await handpiece_faults.inject("drop", when='frame("SESSION_CLOSE", 1)')
        async for _ in handpiece_session.run():
            pass
    """
    run = run_of(pytester, tests, "--handpiece-url", url)
    run.assert_outcomes(passed=3, errors=2)
    told = [line for line in run.outlines if line.startswith("fault 1 never")]
    assert told == [
        "fault 1 never fired: drop when cycle == 900",
        "fault 1 never fired: mute when cycle == 1",
    ]


def test_a_fault_that_was_cleared_has_ended(pytester: pytest.Pytester) -> None:
    tests = """
    async def test_ends(handpiece_faults, handpiece_session):
        await handpiece_faults.inject("latency", added_ms=1)
        async for cycle in handpiece_session.run():
            if cycle.cycle_no == 1:
                await handpiece_faults.clear()
                effects = await handpiece_faults.effects(1)
        assert 0 < effects == await handpiece_faults.effects(1)
    """
    run_of(pytester, tests).assert_outcomes(passed=1)


@reaches_inside
def test_two_cuts_that_overlap_pull_the_cable_until_the_last_has_ended(pytester: pytest.Pytester) -> None:
    tests = """
    async def test_cut(handpiece_faults, handpiece_session, handpiece):
        world = handpiece.driver._driver.world
        await handpiece_faults.inject("disconnect", when='frame("COUNT", 1)', for_ms=200)
        await handpiece_faults.inject("disconnect", when='frame("COUNT", 1)', for_ms=400)
        done = []
        world.mend = lambda mend=world.mend: (done.append(("mend", world.now)), mend())
        world.cut = lambda cut=world.cut: (done.append(("cut", world.now)), cut())
        await finished(handpiece_session)
        (cut, began), (mend, ended) = done
        assert (cut, mend, ended - began) == ("cut", "mend", 400_000)
    """
    run_of(pytester, tests).assert_outcomes(passed=1)


@pytest.mark.parametrize("url", ["sim://", "sim+tcp://"])
def test_a_fault_that_cannot_be_is_one_line(pytester: pytest.Pytester, url: str) -> None:
    tests = """
    @pytest.mark.parametrize(("fault", "values"), [
        ("dorp", {}),
        ("drop", {"when": "cicle == 3"}),
        ("drop", {"peaces": 1}),
        ("broker_killed", {}),
    ])
    async def test_wrong(fault, values, handpiece_faults):
        await handpiece_faults.inject(fault, **values)
    """
    run = run_of(pytester, tests, "--handpiece-url", url)
    run.assert_outcomes(failed=4)
    told = [line for line in run.outlines if line.startswith("E   ")]
    assert len(told) == 4
    run.stdout.fnmatch_lines(
        [
            "E *FaultError: fault: there is no fault 'dorp'; did you mean drop[?]",
            "E *TriggerError: *cicle*",
            "E *FaultError: peaces: a drop has *; did you mean pieces[?]",
            "E *CommandRefusedError: *a broker_killed acts on the broker, and nothing here does that *(E_UNSUPPORTED)",
        ]
    )


# --- a scenario of a file ----------------------------------------------------------------------------------------

SCENARIO: Final = """
start:
  parameters: {needles: 2}
faults:
  - {fault: drop, when: 'frame("COUNT", 1)'}
  - {fault: brown_out, when: cycle == CYCLE, for_ms: 100}
"""
DECLARED: Final = """
    import subprocess, sys

    pytestmark.append(pytest.mark.handpiece_scenario("of/it.yaml"))

    async def test_session(handpiece_session, handpiece, handpiece_faults):
        assert handpiece.device.needles == 2
        await finished(handpiece_session)
        assert await handpiece_faults.fired() == FIRED

    async def test_host(handpiece_url, tmp_path):
        line = [sys.executable, "-m", "devicectl", "run", "--target-cores", "6", "--log", str(tmp_path / "log.sqlite")]
        done = subprocess.run([*line, "--device", handpiece_url], stdout=subprocess.PIPE)
        assert done.returncode == 0
"""


def run_scenario(pytester: pytest.Pytester, url: str, scenario: str, tests: str) -> pytest.RunResult:
    folder = pytester.mkdir("of")
    (folder / "it.yaml").write_text(scenario)
    return run_of(pytester, tests, "--handpiece-url", url)


@pytest.mark.parametrize("url", URLS)
def test_a_scenario_gives_parameters_and_faults_to_host_and_fixture(pytester: pytest.Pytester, url: str) -> None:
    scenario = SCENARIO.replace("CYCLE", "2")
    run_scenario(pytester, url, scenario, DECLARED.replace("FIRED", "[1, 2]")).assert_outcomes(passed=2)


@pytest.mark.parametrize("url", URLS)
def test_a_fault_of_a_scenario_that_never_fired_fails_both(pytester: pytest.Pytester, url: str) -> None:
    scenario = SCENARIO.replace("CYCLE", "900")
    run = run_scenario(pytester, url, scenario, DECLARED.replace("FIRED", "[1]"))
    run.assert_outcomes(passed=2, errors=2)
    told = [line for line in run.outlines if "never fired: brown_out when cycle == 900" in line and "ERROR" not in line]
    assert told


def test_a_scenario_that_cannot_be_is_one_line(pytester: pytest.Pytester) -> None:
    run = run_scenario(pytester, "sim://", "faults: [{fault: dorp}]\n", DECLARED)
    run.assert_outcomes(errors=2)
    errors = [line for line in run.outlines if not line.startswith("ERROR ")]  # the summary cuts lines, but not in CI
    told = [line for line in errors if "line 1, column 18: faults[0].fault: there is no fault 'dorp'" in line]
    assert len(told) == 2, told


def test_a_scenario_is_not_for_a_device_of_somebody_else(pytester: pytest.Pytester) -> None:
    tests = """
    @pytest.mark.handpiece_scenario("of/it.yaml")
    def test_host(handpiece_url):
        pass
    """
    pytester.makepyfile(f"    import pytest\n{tests}")
    run = pytester.runpytest_subprocess(*PLAIN, "--handpiece-url", "tcp://127.0.0.1:1", "-rs")
    run.assert_outcomes(skipped=1)
    run.stdout.fnmatch_lines(["*its parameters and scenario are not this test's to set"])
