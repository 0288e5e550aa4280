"""The pytest plugin, as a user's repository has it: each test runs pytest in a process and a folder of its own."""

import json
import re
import shlex
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from devicectl import Plan
from devicectl.testing.handpieces import connected
from devicectl.testing.run import Invocation, Run
from handpiece_shell.recording_file import read_recording
from protocols.text.notice import NOTICE
from tests.native import reaches_inside
from tests.programs import hardware_served

LOOP: Final = ("-o", "asyncio_default_fixture_loop_scope=function")
PLAIN: Final = (*LOOP, "-p", "no:randomly", "-p", "no:cacheprovider")
SESSION: Final = """
    import pytest

    @pytest.mark.asyncio
    async def test_session(handpiece_session, handpiece_truth, handpiece_seed, handpiece):
        cycles = [cycle async for cycle in handpiece_session.run()]
        summary = await handpiece_session.close()
        assert summary.reconciled and summary.cores_counted == sum(cycle.cores_counted for cycle in cycles)
        assert (await handpiece_truth()).cores_counted == summary.cores_counted
        assert handpiece.device.seed == handpiece_seed
"""
SEEDS: Final = """
    import pytest

    @pytest.mark.parametrize("number", range(4))
    def test_seed(number, handpiece_seed, request):
        with open(f"{request.config.rootpath}/seeds-{number}", "w") as file:
            file.write(str(handpiece_seed))
"""


def seeds_of(path: Path) -> list[str]:
    return [(path / f"seeds-{number}").read_text() for number in range(4)]


# --- where it is not used ----------------------------------------------------------------------------------------


def test_it_does_nothing_where_it_is_not_used(pytester: pytest.Pytester) -> None:
    """Same output, same warnings; and of all modules only its own is imported besides, also without pytest-asyncio."""
    pytester.makeconftest(
        """
        import json, sys

        def pytest_unconfigure(config):
            with open(config.rootpath / f"modules{len(config.option.plugins)}", "w") as file:
                json.dump(sorted(sys.modules), file)
        """
    )
    pytester.makepyfile("def test_nothing(): pass")
    options = ("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error")
    with_it = pytester.runpytest_subprocess(*options)
    without = pytester.runpytest_subprocess(*options, "-p", "no:handpiece")
    with_it.assert_outcomes(passed=1)
    both = [[line for line in run.outlines if " in " not in line] for run in (with_it, without)]
    for lines in both:
        assert not [line for line in lines if "handpiece" in line and not line.startswith("plugins:")]
    assert len(both[0]) == len(both[1])
    imported = [set(json.loads(file.read_text())) for file in pytester.path.glob("modules*")]
    fewer, more = sorted(imported, key=len)
    assert more - fewer == {"pytest_handpiece"}
    assert not {"devicectl", "protocols", "firmware_sim", "pydantic", "aiomqtt", "sqlalchemy", "rich"} & more


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    from importlib.metadata import entry_points

    (found,) = [point for point in entry_points(group="pytest11") if point.value == "pytest_handpiece"]
    assert found.name == "handpiece"


# --- fixtures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_a_session_in_both_modes_of_pytest_asyncio(pytester: pytest.Pytester, mode: str) -> None:
    text = SESSION if mode == "strict" else SESSION.replace("@pytest.mark.asyncio", "")
    pytester.makepyfile(text)
    run = pytester.runpytest_subprocess(*PLAIN, "-W", "error", "-o", f"asyncio_mode={mode}")
    run.assert_outcomes(passed=1)


@pytest.mark.parametrize("scope", ["function", "module"])
def test_another_event_loop_than_the_fixtures_is_one_line_with_every_url(pytester: pytest.Pytester, scope: str) -> None:
    pytester.makepyfile(SESSION.replace("mark.asyncio", 'mark.asyncio(loop_scope="module")'))
    urls = ("--handpiece-url", "sim://", "--handpiece-url", "sim+tcp://?anesthesia_wait_s=0&reposition_mean_s=0.1")
    run = pytester.runpytest_subprocess(*PLAIN, "-o", f"asyncio_default_fixture_loop_scope={scope}", *urls)
    run.assert_outcomes(**({"passed": 2} if scope == "module" else {"failed": 2}))
    told = [line for line in run.outlines if line.startswith("E ") and "another event loop than the fixture" in line]
    assert len(told) == (0 if scope == "module" else 2)


def test_without_pytest_asyncio_it_says_what_is_missing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_async(handpiece_truth, handpiece): pass
        def test_url(handpiece_url): assert handpiece_url.startswith("tcp://127.0.0.1:")
        """,
    )
    run = pytester.runpytest_subprocess("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider")
    run.assert_outcomes(passed=1, errors=1)
    run.stdout.fnmatch_lines(
        ["the fixture handpiece_truth is async and needs pytest-asyncio, which pytest has not loaded; *handpiece_url*"]
    )


def test_the_seed_is_a_hash_of_the_name(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SEEDS)
    pytester.runpytest_subprocess(*PLAIN, "--handpiece-seed", "5").assert_outcomes(passed=4)
    alone = seeds_of(pytester.path)
    assert len(set(alone)) == 4
    pytester.runpytest_subprocess(*PLAIN, "--handpiece-seed", "5", "-n", "2").assert_outcomes(passed=4)
    assert seeds_of(pytester.path) == alone
    pytester.runpytest_subprocess(*PLAIN, "--handpiece-seed", "6").assert_outcomes(passed=4)
    assert not set(seeds_of(pytester.path)) & set(alone)


def test_parameters_by_marker_and_the_plan_by_a_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import devicectl
        import pytest

        @pytest.mark.handpiece_param(needles=2)
        class TestIt:
            @pytest.mark.asyncio
            async def test_two(self, handpiece):
                assert handpiece.device.needles == 2

            @pytest.mark.handpiece_param(needles=4)
            @pytest.mark.asyncio
            async def test_the_nearest_counts(self, handpiece):
                assert handpiece.device.needles == 4

            @pytest.fixture
            def handpiece_plan(self):
                return devicectl.Plan(target_cores=2)

            @pytest.mark.asyncio
            async def test_the_plan_is_overridden(self, handpiece_session):
                assert handpiece_session.plan.target_cores == 2
                assert len([cycle async for cycle in handpiece_session.run()]) < 4

            @pytest.mark.handpiece_param(noodles=4)
            @pytest.mark.asyncio
            async def test_unknown(self, handpiece):
                pass

            @pytest.mark.handpiece_param("needles", 2)
            def test_positional(self, handpiece_seed):
                pass

            @pytest.mark.handpiece_param
            def test_empty(self, handpiece_seed):
                pass
        """
    )
    run = pytester.runpytest_subprocess(*PLAIN)
    run.assert_outcomes(passed=3, errors=3)
    run.stdout.fnmatch_lines(["*device URL *: noodles: *"])
    assert run.outlines.count("handpiece_param takes name=value, as in @pytest.mark.handpiece_param(needles=2)") == 2


def test_the_same_file_over_several_urls(pytester: pytest.Pytester) -> None:
    """For tests in Python, and for a host in a process of its own."""
    host = """
    import subprocess, sys

    pytestmark = pytest.mark.handpiece_param(anesthesia_wait_s=0, reposition_mean_s=0.1)

    def test_host(handpiece_url):
        host = [sys.executable, "-m", "devicectl.testing", "identify", handpiece_url]
        assert subprocess.run(host, stdout=subprocess.PIPE).stdout == b"true\\n"
    """
    pytester.makepyfile(SESSION + host)
    urls = ("sim://?speed=max", "sim+pty://", "sim+tcp://?needles=2")
    run = pytester.runpytest_subprocess(*PLAIN, "-v", *(part for url in urls for part in ("--handpiece-url", url)))
    run.assert_outcomes(passed=6)
    for test in ("session", "host"):
        run.stdout.fnmatch_lines([f"*test_{test}[[]{url.partition('?')[0]}[]] PASSED*" for url in urls])
    run.stdout.fnmatch_lines(["handpiece: seed * sim://[?]speed=max, sim+pty://, sim+tcp://[?]needles=2"])


# --- failures ----------------------------------------------------------------------------------------------------


def test_a_failure_leaves_artifacts_and_the_line_that_repeats_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where pytest is started in a folder of the repository, and a test goes to yet another one."""
    quick = "anesthesia_wait_s=0&reposition_mean_s=0.1"
    urls = ("--handpiece-url", f"sim+tcp://?{quick}", "--handpiece-url", f"sim://?needles=2&{quick}")
    pytester.makeini(f"[pytest]\naddopts = {' '.join(urls[:2])}")
    text = """
        import subprocess, sys

        import pytest

        @pytest.fixture(autouse=True)
        def elsewhere(monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)

        @pytest.mark.parametrize("word", ["it's [odd]"])
        async def test_fails(word, handpiece_session, handpiece_seed):
            async for cycle in handpiece_session.run():
                break
            needles = handpiece_session.handpiece.device.needles
            raise AssertionError(f"seed is {handpiece_seed} of {needles} needles")

        def test_host_fails(handpiece_url):
            line = [sys.executable, "-P", "-m", "devicectl.testing", "identify", handpiece_url]
            subprocess.run(line, check=True)
            raise AssertionError

        def test_passes(handpiece_seed):
            pass
    """
    tests = pytester.mkdir("tests")
    (tests / "test_it.py").write_text(textwrap.dedent(text))
    monkeypatch.chdir(tests)
    options = (*PLAIN, *urls, "--handpiece-allow-hardware", "--asyncio-mode", "auto", "-n", "2")
    run = pytester.runpytest_subprocess(*options, "--handpiece-artifacts", "left", "test_it.py")
    run.assert_outcomes(passed=2, failed=4)
    folders = sorted((tests / "left").iterdir())
    assert [folder.name.partition("_sim_")[0] for folder in folders] == (
        ["test_it.py_test_fails"] * 2 + ["test_it.py_test_host_fails"] * 2
    )
    for folder in folders[:2]:
        kept = {"trace.txt", "recording.pcapng", "session.sqlite", "seed.txt"}
        assert {file.name for file in folder.iterdir()} >= kept
        with read_recording(str(folder / "recording.pcapng")) as capture:
            assert list(capture.packets)
        trace = (folder / "trace.txt").read_text()
        assert trace.startswith(NOTICE) and " Punch " in trace and " SessionClose " in trace
    for folder in folders[2:]:
        assert {file.name for file in folder.iterdir()} == {"trace.txt", "recording.pcapng", "report.txt", "seed.txt"}
        given = re.findall(
            r"^given to the test: (tcp://127\.0\.0\.1:\d+)$", (folder / "seed.txt").read_text(), re.MULTILINE
        )
        assert len(given) == 1 and f"given to the test: {given[0]}" in run.outlines
        assert "It linked as" in (folder / "report.txt").read_text() or "Nothing" in (folder / "report.txt").read_text()
        trace = (folder / "trace.txt").read_text()
        assert trace.startswith(NOTICE) and " Hello " in trace and " Bye " in trace
    (folder,) = [folder for folder in folders[:2] if "needles=2" in (folder / "seed.txt").read_text().splitlines()[0]]
    (repeat,) = re.findall("^repeat: (.*)$", (folder / "seed.txt").read_text(), re.MULTILINE)
    assert f"repeat: {repeat}" in run.outlines
    seed = re.search(r"seed is \d+ of 2 needles", run.stdout.str())
    program, *arguments = shlex.split(repeat)
    assert program == "pytest" and seed is not None and "--handpiece-allow-hardware" in arguments
    again = pytester.runpytest_subprocess("-p", "no:randomly", *arguments)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines([f"*{seed[0]}*"])


def test_junit_has_seed_url_and_version_and_workers_share_a_base_seed_that_was_drawn(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(f"{SEEDS}        assert False")
    run = pytester.runpytest_subprocess(
        *PLAIN, "--junit-xml", "junit.xml", "-n", "2", "--handpiece-url", "sim://?needles=2"
    )
    run.assert_outcomes(failed=4)
    bases = re.findall(r"^repeat: .* --handpiece-seed (\d+) ", run.stdout.str(), re.MULTILINE)
    assert len(bases) == 4 and len(set(bases)) == 1, bases
    cases = list(ElementTree.parse(pytester.path / "junit.xml").iter("testcase"))
    assert len(cases) == 4
    for case in cases:
        found = {item.get("name"): item.get("value") for item in case.iter("property")}
        assert found["handpiece_seed"] in seeds_of(pytester.path)
        assert found["handpiece_url"] == "sim://?needles=2" and found["handpiece_version"]
        assert f"artifacts: {found['handpiece_artifacts']}" in run.outlines
        assert f"repeat: {found['handpiece_repeat']}" in run.outlines
        names = [item.get("name") for item in case.iter("property")]
        assert len(names) == len(set(names)) == 5


def test_junit_names_no_artifacts_of_a_test_that_passed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def breaks(handpiece_seed):
            yield
            raise AssertionError("at the end")

        def test_passes(handpiece_seed): pass
        def test_breaks(breaks): pass
        """
    )
    pytester.runpytest_subprocess(*PLAIN, "--junit-xml", "junit.xml").assert_outcomes(passed=2, errors=1)
    cases = ElementTree.parse(pytester.path / "junit.xml").iter("testcase")
    named = [(case.get("name"), item.get("name")) for case in cases for item in case.iter("property")]
    assert [test for test, name in named if name == "handpiece_artifacts"] == ["test_breaks"]
    assert [test for test, name in named if name == "handpiece_repeat"] == ["test_breaks"]


SHARED: Final = """
    import json, pathlib, subprocess, sys

    import pytest

    pytestmark = pytest.mark.handpiece_param(needles=2)

    @pytest.fixture(scope="module")
    def of_my_own(handpiece_url_per_module):
        return handpiece_url_per_module

    @pytest.mark.parametrize("number", range(2))
    def test_one(number, of_my_own, handpiece_url_per_run, request):
        line = [sys.executable, "-P", "-m", "devicectl.testing", "identify", of_my_own]
        assert subprocess.run(line, stdout=subprocess.PIPE, check=True).stdout == b"true\\n"
        with open(pathlib.Path(str(request.config.rootpath)) / "urls", "a") as file:
            print(request.module.__name__, of_my_own, handpiece_url_per_run, file=file)
        assert number == 0 or request.module.__name__ != "test_b"
"""


def test_a_device_for_a_module_and_one_for_all(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_a=SHARED, test_b=SHARED)
    run = pytester.runpytest_subprocess(*PLAIN, "--handpiece-artifacts", "left", "--handpiece-seed", "5")
    run.assert_outcomes(passed=3, failed=1)
    told = [line.split() for line in (pytester.path / "urls").read_text().splitlines()]
    assert [len({url for module, url, _ in told if module == name}) for name in ("test_a", "test_b")] == [1, 1]
    assert len({url for _, url, _ in told}) == 2 and len({url for _, _, url in told}) == 1
    of_b, of_all = sorted((pytester.path / "left").iterdir(), key=lambda folder: not folder.name.startswith("test_b"))
    for folder, repeated in ((of_b, "pytest test_b.py --handpiece-seed 5"), (of_all, "pytest . --handpiece-seed 5")):
        assert {file.name for file in folder.iterdir()} == {"trace.txt", "recording.pcapng", "report.txt", "seed.txt"}
        assert f"\nrepeat: {repeated}" in (folder / "seed.txt").read_text()
        assert f"repeat: {repeated} -o asyncio_default_fixture_loop_scope=function" in run.outlines
    assert "needles=2" in (of_b / "seed.txt").read_text() and "needles" not in (of_all / "seed.txt").read_text()


def test_a_device_for_a_module_over_several_urls_and_workers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_a=SHARED.replace("pytestmark =", "_ ="))
    urls = ("--handpiece-url", "sim://", "--handpiece-url", "sim+pty://")
    text = (pytester.path / "test_a.py").read_text().replace(", handpiece_url_per_run", "").replace("url_per_run", "")
    (pytester.path / "test_a.py").write_text(text.replace("of_my_own, handpiece_, file", "of_my_own, file"))
    run = pytester.runpytest_subprocess(*PLAIN, *urls, "-n", "2", "--dist", "loadfile")
    run.assert_outcomes(passed=4)
    told = {line.split()[1] for line in (pytester.path / "urls").read_text().splitlines()}
    assert sorted(url.partition("://")[0] for url in told) == ["serial", "tcp"]


def test_a_wrong_url_is_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    run = pytester.runpytest_subprocess(*PLAIN, "--handpiece-url", "sim+tpc://")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["ERROR: --handpiece-url: device URL sim+tpc://...: scheme: *"])
    assert "Traceback" not in run.stderr.str()


@pytest.mark.parametrize("seed", ["1_0", "\uff17", "seven", "-"])
def test_a_seed_is_a_whole_number_in_plain_digits(pytester: pytest.Pytester, seed: str) -> None:
    run = pytester.runpytest_subprocess(*PLAIN, f"--handpiece-seed={seed}")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines([f"*argument --handpiece-seed: {seed!r} is not a whole number; for example 7"])


def test_a_device_that_is_not_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SESSION)
    run = pytester.runpytest_subprocess(*PLAIN, "--handpiece-url", "tcp://127.0.0.1:1")
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*LinkError: cannot connect to 127.0.0.1:1: Connection refused"])


# --- hardware ----------------------------------------------------------------------------------------------------


@pytest.fixture
def hardware(tmp_path: Path) -> Iterator[str]:
    """A device that does not say that it is simulated, and knows no truth."""
    with hardware_served(tmp_path) as url:
        yield url


@reaches_inside
def test_hardware_is_left_alone_unless_it_is_allowed(pytester: pytest.Pytester, hardware: str) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.asyncio
        async def test_any(handpiece): pass

        def test_any_host(handpiece_url): pass

        @pytest.mark.handpiece_sim_only
        @pytest.mark.asyncio
        async def test_sim(handpiece): pass

        @pytest.mark.handpiece_param(needles=2)
        @pytest.mark.asyncio
        async def test_parameter(handpiece): pass

        @pytest.mark.handpiece_hardware_safe
        @pytest.mark.asyncio
        async def test_safe(handpiece):
            assert not handpiece.device.simulated

        @pytest.mark.handpiece_hardware_safe
        @pytest.mark.asyncio
        async def test_truth(handpiece_truth):
            raise AssertionError
        """
    )
    run = pytester.runpytest_subprocess(*PLAIN, "--handpiece-url", hardware, "-rs")
    run.assert_outcomes(errors=4, skipped=2)
    run.stdout.fnmatch_lines(["*the device is no simulator: --handpiece-allow-hardware lets tests run on it*"])
    run = pytester.runpytest_subprocess(*PLAIN, "--handpiece-url", hardware, "--handpiece-allow-hardware", "-rs")
    run.assert_outcomes(passed=1, skipped=5)
    run.stdout.fnmatch_lines_random(
        ["*not marked handpiece_hardware_safe*", "*handpiece_sim_only*", "*not this test's to set*", "*no ground truth"]
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.asyncio
async def test_a_trace_that_cannot_be_written_ends_no_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    invocation = Invocation(place=tmp_path, root=tmp_path, base_seed=5, urls=(), options=(), artifacts=tmp_path)
    run = Run("test_it.py::test_one", "sim://?anesthesia_wait_s=1", parameters={}, invocation=invocation)
    (run.open_folder() / "trace.txt").symlink_to("/dev/full")
    async with connected(run, allow_hardware=False) as handpiece:
        async with handpiece.open_session(Plan(target_cores=12)) as session:
            await session.confirm_anesthesia()
            async for _ in session.run():
                pass
        assert session.summary.succeeded
    assert capsys.readouterr().err.count("the trace ends here") == 1
