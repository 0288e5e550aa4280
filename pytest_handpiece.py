"""pytest's way to a handpiece: fixtures, options and markers. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.

    async def test_counts(handpiece_session):
        async for cycle in handpiece_session.run():
            assert cycle.cores_counted <= 3

pytest loads this module in every repository of an environment that the package is installed in, so it imports nothing
but pytest and the standard library: not even the package, until a URL is given or a test asks for one of the fixtures.
"""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import pluggy

    from devicectl import Handpiece, Plan, Session
    from devicectl.testing.faults import Faults
    from devicectl.testing.run import Invocation, Run
    from protocols.language.messages import TruthGetDone

DEFAULT_URL: Final = "sim://"
SEED_BYTES: Final = 4
"""Size of a base seed that is drawn: short enough to be typed again."""
_REPEATED: Final = {"--rootdir": "rootdir", "-c": "inifilename", "-o": "override_ini", "--asyncio-mode": "asyncio_mode"}
"""Options of pytest and pytest-asyncio that decide a test's node id, and with it its seed, or how it runs."""
_OF_TWIN: Final = {
    "handpiece_twin": (
        "FILE",
        "twin.json of `firmware-sim twin`; a run that should not trust it fails",
    ),
    "handpiece_twin_max_age": ("AGE", "greatest age of that twin, as 90d, 12h or 6w"),
    "handpiece_twin_firmware": ("VERSION", "firmware that the recorded device must have had"),
}
"""Options, also of the configuration file, by their names there."""
_BASE_SEED: Final = pytest.StashKey[int]()
_RUN: Final = pytest.StashKey["Run"]()
"""Device and artifacts of a test, of a module, or of the collection of all tests."""
_FAULTS: Final = pytest.StashKey["Faults"]()
_SHARED: Final = pytest.StashKey["list[Run]"]()
_OF_TEST: Final = "_handpiece_run"
_OF_MODULE: Final = "_handpiece_run_per_module"
_OF_ALL: Final = "_handpiece_run_per_run"
_MARK_EXAMPLE: Final = "@pytest.mark.handpiece_param(needles=2)"
_MARK_SCENARIO: Final = '@pytest.mark.handpiece_scenario("file.yaml")'
_MARKERS: Final = (
    "handpiece_sim_only: needs a simulated handpiece; skipped on hardware",
    "handpiece_hardware_safe: may run on hardware, with --handpiece-allow-hardware",
    "handpiece_param(name=value): parameters with which the simulated handpiece starts",
    "handpiece_scenario(file): a scenario whose parameters and faults the simulated handpiece has",
)


# --- options -------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; without any, each test has a simulator of its own in virtual time."""
    add = parser.getgroup("handpiece", "simulated handpiece").addoption
    add("--handpiece-url", action="append", metavar="URL", help="a device's URL; each test runs once per URL (sim://)")
    add("--handpiece-seed", type=_seed, metavar="N", help="repeats the seeds of all tests; else one is drawn")
    add("--handpiece-artifacts", metavar="DIR", help="where a failing test leaves its trace, log and seed")
    add("--handpiece-allow-hardware", action="store_true", help="run tests marked handpiece_hardware_safe on hardware")
    for name, (metavar, text) in _OF_TWIN.items():
        add(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
        parser.addini(name, text)
    add("--handpiece-twin-warn", action="store_true", help="warn of a twin that is not to be trusted, and go on")
    parser.addini("handpiece_twin_warn", "warn of a twin that is not to be trusted, and go on", type="bool")


def _seed(text: str) -> int:
    """A whole number in the digits that every other option takes: `int` takes `1_0` as well, and other digits."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number; for example 7")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers; draw the base seed once, also for workers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    given = config.getoption("--handpiece-seed")
    sent = getattr(config, "workerinput", {}).get("handpiece_seed")
    drawn = int.from_bytes(os.urandom(SEED_BYTES), "big") if given is None else given
    config.stash[_BASE_SEED] = drawn if sent is None else sent
    config.pluginmanager.register(_async_fixtures(config), "handpiece-async")
    urls = _urls(config)
    if urls and sent is None:
        _check_urls(urls)
    if sent is None:
        _check_twin(config)


def _urls(config: pytest.Config) -> list[str]:
    """Each URL once: one of the configuration file's may be on the command line again."""
    return list(dict.fromkeys(config.getoption("--handpiece-url") or []))


def _check_urls(urls: list[str]) -> None:
    from devicectl.testing.process import check

    if wrong := check(urls):
        raise pytest.UsageError(f"--handpiece-url: {wrong}")


def _check_twin(config: pytest.Config) -> None:
    """Fail, or warn, where a twin is given or asked for that does not say that the simulator is to be trusted."""
    given = {name: config.getoption(name) or "" for name in _OF_TWIN}
    found = {name: value or str(config.getini(name) or "") for name, value in given.items()}
    path, max_age, firmware = found.values()
    if not path:
        if max_age or firmware:
            name = "max-age" if max_age else "firmware"
            raise pytest.UsageError(f"--handpiece-twin-{name} needs --handpiece-twin FILE, or `handpiece_twin = FILE`")
        return
    from devicectl.testing.process import doubts_of

    place = config.invocation_params.dir if given["handpiece_twin"] else config.rootpath
    doubts, wrong = doubts_of(str(place / path), max_age, firmware)
    if wrong:
        raise pytest.UsageError(f"--handpiece-twin: {wrong}")
    if doubts and not (config.getoption("handpiece_twin_warn") or config.getini("handpiece_twin_warn")):
        raise pytest.UsageError(f"--handpiece-twin: {'; '.join(doubts)}")
    for doubt in doubts:
        config.issue_config_time_warning(pytest.PytestWarning(f"--handpiece-twin: {doubt}"), stacklevel=2)


def _repeated(config: pytest.Config) -> list[str]:
    """Return the options that the line that repeats a failure needs: without them seed or result may differ."""
    words = ["--handpiece-allow-hardware"] if config.getoption("--handpiece-allow-hardware") else []
    for option, name in _REPEATED.items():
        given = config.getoption(name, None) or []
        words += [word for value in (given if isinstance(given, list) else [given]) for word in (option, str(value))]
    return words


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: every worker has the same base seed."""
    node.workerinput["handpiece_seed"] = node.config.stash[_BASE_SEED]


def pytest_report_header(config: pytest.Config) -> str | None:
    """The base seed, where any of the options is used."""
    urls = _urls(config)
    if not urls and config.getoption("--handpiece-seed") is None:
        return None
    return f"handpiece: seed {config.stash[_BASE_SEED]}, {', '.join(urls or [DEFAULT_URL])}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once per URL, where there are several."""
    urls = _urls(metafunc.config)
    for name in (_OF_TEST, _OF_MODULE, _OF_ALL):
        if len(urls) > 1 and name in metafunc.fixturenames:
            metafunc.parametrize(name, urls, indirect=True, ids=[url.partition("?")[0] for url in urls])


@pytest.hookimpl(hookwrapper=True)  # the older way, which every pluggy knows
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, "pluggy.Result[pytest.TestReport]", None]:
    """A failing test says where its artifacts are, and the line that repeats it."""
    report = (yield).get_result()
    for run in _runs(item):
        known = run.properties() if call.when == "setup" else []
        if report.failed:
            run.failed = True
            report.sections.append(("handpiece", run.story()))
            known += run.failure()
        new = [pair for pair in known if pair not in item.user_properties]
        item.user_properties += new
        report.user_properties += new  # which has a list of its own
    if call.when == "teardown" and _RUN in item.stash:
        item.stash[_RUN].finish()


def _runs(item: pytest.Item) -> "list[Run]":
    """Runs of a test: of its own, of its module's and of all tests', those that it asks for."""
    asked = getattr(item, "fixturenames", ())
    nodes = {_OF_TEST: item, _OF_MODULE: item.getparent(pytest.Module), _OF_ALL: item.session}
    stashes = [node.stash for name, node in nodes.items() if name in asked and node is not None]
    return [stash[_RUN] for stash in stashes if _RUN in stash]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Devices that tests shared have ended: what they left is kept where one of those tests failed."""
    for run in session.config.stash.get(_SHARED, []):
        run.finish()


# --- fixtures ------------------------------------------------------------------------------------------------------


@pytest.fixture
def _handpiece_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Run":
    """Return the device of one test, and the files that it leaves."""
    return _make_run(request, tmp_path_factory)


@pytest.fixture(scope="module")
def _handpiece_run_per_module(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Run":
    return _make_run(request, tmp_path_factory)


@pytest.fixture(scope="session")
def _handpiece_run_per_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Run":
    return _make_run(request, tmp_path_factory)


def _make_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Run":
    """Make the run of a test, or of the module or collection whose tests share it."""
    from devicectl.testing.run import Run

    node = request.node
    invocation = _invocation(request.config, tmp_path_factory.getbasetemp() / "handpiece")
    url = getattr(request, "param", [*invocation.urls, DEFAULT_URL][0])
    run = Run(node.nodeid, url, parameters=_parameters(node), invocation=invocation, scenario=_scenario(node))
    node.stash[_RUN] = run
    if not isinstance(node, pytest.Item):
        request.config.stash.setdefault(_SHARED, []).append(run)
    if run.refused:
        pytest.skip(f"{run.url} is started by somebody else: its parameters and scenario are not this test's to set")
    return run


def _invocation(config: pytest.Config, scratch: Path) -> "Invocation":
    from devicectl.testing.run import Invocation

    place = config.invocation_params.dir
    return Invocation(
        place=place,
        root=config.rootpath,
        base_seed=config.stash[_BASE_SEED],
        urls=_urls(config),
        options=_repeated(config),
        artifacts=place / (config.getoption("--handpiece-artifacts") or scratch),
        worker=getattr(config, "workerinput", {}).get("workerid", ""),
    )


def _parameters(item: pytest.Item | pytest.Collector) -> dict[str, object]:
    """Those of its marks; of one name the nearest. A mark that says none fails the test: it would mean nothing."""
    found: dict[str, object] = {}
    for mark in reversed(list(item.iter_markers("handpiece_param"))):
        if mark.args or not mark.kwargs:
            pytest.fail(f"handpiece_param takes name=value, as in {_MARK_EXAMPLE}", pytrace=False)
        found |= mark.kwargs
    return found


def _scenario(item: pytest.Item | pytest.Collector) -> Path | None:
    """That of its nearest mark, whose path is seen from the test's file."""
    mark = item.get_closest_marker("handpiece_scenario")
    if mark is None:
        return None
    if len(mark.args) != 1 or mark.kwargs:
        pytest.fail(f"handpiece_scenario takes a file, as in {_MARK_SCENARIO}", pytrace=False)
    return Path(item.path.parent, mark.args[0])


@pytest.fixture
def handpiece_seed(_handpiece_run: "Run") -> int:
    """The test's own seed: a hash of the base seed and the test's name."""
    return _handpiece_run.seed


@pytest.fixture
def handpiece_url(request: pytest.FixtureRequest, _handpiece_run: "Run") -> Iterator[str]:
    """A handpiece for a host of any language: the URL of a simulator in a process of its own, or of the one given."""
    yield from _url_of(request, _handpiece_run)


@pytest.fixture(scope="module")
def handpiece_url_per_module(request: pytest.FixtureRequest, _handpiece_run_per_module: "Run") -> Iterator[str]:
    """The same for all tests of a module; what counts of marks are the module's own."""
    yield from _url_of(request, _handpiece_run_per_module)


@pytest.fixture(scope="session")
def handpiece_url_per_run(request: pytest.FixtureRequest, _handpiece_run_per_run: "Run") -> Iterator[str]:
    """The same for all tests that pytest runs."""
    yield from _url_of(request, _handpiece_run_per_run)


def _url_of(request: pytest.FixtureRequest, run: "Run") -> Iterator[str]:
    from devicectl.testing.process import identify, served

    with served(run) as url:
        if not run.simulated:
            _judge(request, identify(url))
        yield url


def _judge(request: pytest.FixtureRequest, simulated: bool) -> None:
    """Return true if the test may run on this device."""
    if simulated:
        return
    marked = request.node.get_closest_marker
    if marked("handpiece_sim_only") is not None:
        pytest.skip("the device is no simulator, and the test is marked handpiece_sim_only")
    if not request.config.getoption("--handpiece-allow-hardware"):
        pytest.fail("the device is no simulator: --handpiece-allow-hardware lets tests run on it", pytrace=False)
    if marked("handpiece_hardware_safe") is None:
        pytest.skip("the device is no simulator, and the test is not marked handpiece_hardware_safe")


@pytest.fixture
def handpiece_plan() -> "Plan":
    """The plan of `handpiece_session`, of a dozen cores; override it for another."""
    from devicectl.testing.names import require

    require()
    from devicectl import Plan

    return Plan(target_cores=12)


async def handpiece(request: pytest.FixtureRequest, _handpiece_run: "Run") -> AsyncIterator["Handpiece"]:
    """A handpiece, connected; its trace and session log are kept where the test fails."""
    from devicectl.testing.names import require

    require()
    from devicectl.testing.faults import Faults
    from devicectl.testing.handpieces import connected

    allowed = request.config.getoption("--handpiece-allow-hardware")
    async with connected(_handpiece_run, allow_hardware=allowed) as found:
        _judge(request, found.simulated)
        faults = request.node.stash[_FAULTS] = Faults(found)
        await faults.declare(_handpiece_run.scenario)
        yield found
        await faults.check()


async def handpiece_session(handpiece: "Handpiece", handpiece_plan: "Plan") -> AsyncIterator["Session"]:
    """A session of `handpiece_plan`, its anesthesia confirmed; closed at the end, if the test has not done it."""
    async with handpiece.open_session(handpiece_plan) as session:
        await session.confirm_anesthesia()
        yield session


async def handpiece_truth(handpiece: "Handpiece") -> "Callable[[], Awaitable[TruthGetDone]]":
    """Await it once the session is closed: what really came out, of a device that knows."""
    from devicectl.testing.handpieces import truth_of

    if not handpiece.device.has_truth:
        pytest.skip("this device knows no ground truth")

    async def truth() -> "TruthGetDone":
        return truth_of(handpiece)

    return truth


async def handpiece_faults(request: pytest.FixtureRequest, handpiece: "Handpiece") -> "Faults":
    """Faults to inject into the test's device; one that never fired fails the test at its end."""
    faults: Faults = request.node.stash[_FAULTS]
    return faults


# --- async fixtures: made once it is known who runs them -----------------------------------------------------------


def _async_fixtures(config: pytest.Config) -> type:
    """Return fixtures of pytest-asyncio, also for its strict mode, where pytest has loaded it; else some that say so.

    It is not imported here: a repository that has it installed may have switched it off.
    """
    plugin = sys.modules.get("pytest_asyncio.plugin")
    there = plugin is not None and config.pluginmanager.is_registered(plugin)
    made = plugin.fixture if plugin is not None and there else _missing
    functions: tuple[Callable[..., object], ...] = (handpiece, handpiece_session, handpiece_truth, handpiece_faults)
    return type("AsyncFixtures", (), {function.__name__: made(function) for function in functions})


def _missing(function: Callable[..., object]) -> object:
    def missing() -> None:
        text = f"the fixture {function.__name__} is async and needs pytest-asyncio, which pytest has not loaded"
        pytest.fail(f"{text}; handpiece_url needs nothing but pytest", pytrace=False)

    return pytest.fixture(missing, name=function.__name__)
