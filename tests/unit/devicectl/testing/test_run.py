"""What one test of the pytest plugin runs against: its URLs, its folder, the line that repeats it."""

import shlex
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from devicectl.testing.run import VIRTUAL, Invocation, Run
from devicectl.transports.urls import parse_url

ROOT: Final = Path("/repository")
NODE_ID: Final = "tests/test_it.py::TestIt::test_one"


def run_of(node_id: str = NODE_ID, url: str = "sim://", parameters: dict[str, object] | None = None, **of: Any) -> Run:
    usual = {"place": ROOT, "root": ROOT, "base_seed": 5, "urls": (), "options": (), "artifacts": ROOT / "left"}
    return Run(node_id, url, parameters=parameters or {}, invocation=Invocation(**{**usual, **of}))


def options(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


# --- URLs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a+b", "a b", "a%b", "zwölf&=?"])
def test_a_file_keeps_its_name(name: str) -> None:
    for scheme in ("sim", "sim+tcp"):
        run = run_of(url=f"{scheme}://?nvm={quote(name, safe='+')}")
        assert parse_url(run.device_url).nvm == parse_url(run.host_url).nvm == name


def test_a_seed_is_a_whole_number_in_plain_digits() -> None:
    assert run_of(url="sim://?seed=77").seed == 77
    drawn = run_of(url="sim://").seed
    assert run_of(url="sim://?seed=\uff17").seed == run_of(url="sim://?seed=1_0").seed == drawn


def test_for_a_host_sim_is_on_tcp_without_what_it_alone_has() -> None:
    run = run_of(url="sim://?speed=1&baud=9600&seed=3&nvm=/a b&needles=2", parameters={"clog_hazard": 0.1})
    mine = {"seed": "3", "nvm": "/a b", "needles": "2", "clog_hazard": "0.1"}
    assert run.device_url.startswith("sim://?")
    assert options(run.device_url) == {**mine, "speed": "1", "baud": "9600"}
    assert run.host_url.startswith("sim+tcp://?")
    assert options(run.host_url) == {**mine, "anesthesia_wait_s": "1"}
    assert run.seed == 3


def test_what_sim_alone_has_is_a_parameter_to_every_other() -> None:
    given = "&".join(f"{name}=9600" for name in VIRTUAL)
    assert not parse_url(f"sim://?{given}").parameters
    assert set(parse_url(f"sim+tcp://?{given}").parameters) == VIRTUAL


@pytest.mark.parametrize("url", ["sim+tcp://", "SIM+TCP://", "sim+pty:///"])
def test_a_simulator_in_real_time_waits_for_a_second_unless_told_otherwise(url: str) -> None:
    assert options(run_of(url=url).device_url) == {"seed": str(run_of().seed), "anesthesia_wait_s": "1"}
    assert options(run_of(url=f"{url}?anesthesia_wait_s=9").host_url)["anesthesia_wait_s"] == "9"
    assert "anesthesia_wait_s" not in run_of().device_url


@pytest.mark.parametrize("scheme", ["sim", "sim+tcp"])
def test_a_memory_has_its_devices_seed(scheme: str, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    first = run_of(url=f"{scheme}://?nvm={memory}")
    assert options(first.device_url)["seed"] == first.device_seed == str(run_of().seed), "a new one takes the test's"
    memory.write_bytes(b"somebody's")
    later = run_of(url=f"{scheme}://?nvm={memory}")
    assert "seed" not in options(later.device_url)
    assert dict(later.properties())["handpiece_seed"] == later.device_seed == "the memory's"
    assert later.seed == run_of().seed, "what else is random in the test"
    assert options(run_of(url=f"{scheme}://?nvm={memory}&seed=5").device_url)["seed"] == "5"


def test_a_memory_that_no_file_can_be_is_for_the_device_to_refuse() -> None:
    assert "nvm" in options(run_of(url=f"sim://?nvm={'a' * 300}").device_url)


def test_a_device_that_is_there_already_keeps_its_url() -> None:
    run = run_of(url="serial:///dev/x?baud=9600", parameters={"needles": 2})
    assert run.device_url == run.host_url == "serial:///dev/x?baud=9600"
    assert run.refused and not run.simulated
    assert not run_of(url="serial:///dev/x").refused, "nothing is asked of it"
    assert not run_of(parameters={"needles": 2}).refused, "a simulator takes them"


# --- what a failure leaves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("test_one", "test_it.py_test_one-"),
        ("test_one[sim+tcp://]", "test_it.py_test_one_sim_tcp_-"),
        ("test_one[tcp://[::1]:4001-a/b]", "test_it.py_test_one_tcp_1_4001-a_b_-"),
    ],
)
def test_its_folder_has_the_name_of_the_test(test: str, name: str) -> None:
    folder = run_of(f"tests/deep/test_it.py::{test}").folder
    assert folder.parent == ROOT / "left" and folder.name.startswith(name)


def test_a_shared_device_has_a_folder_and_a_seed_for_each_url_and_a_folder_for_each_worker() -> None:
    urls = ("sim+tcp://?needles=2", "sim+pty://")
    runs = [run_of("tests/test_it.py", url, urls=urls, worker=worker) for url in urls for worker in ("gw0", "gw1")]
    assert len({run.folder for run in runs}) == 4 and len({run.seed for run in runs}) == 2
    assert runs[0].folder.name.startswith("test_it.py_sim_tcp_") and runs[0].folder.name.endswith("-gw0")
    assert {run.command().split()[1] for run in runs} == {"tests/test_it.py"}
    assert run_of("", worker="gw1").command().split()[1] == "."
    assert not run_of(worker="gw1").folder.name.endswith("gw1"), "a test is run by one"
    assert run_of(urls=urls).folder == run_of().folder and run_of(urls=urls).seed == run_of().seed, (
        "it has it in its id"
    )
    alone = run_of("tests/test_it.py", urls=urls[:1])
    assert alone.folder == run_of("tests/test_it.py").folder and not alone.folder.name.endswith("-")


@pytest.mark.parametrize("failed", [True, False])
def test_what_a_test_leaves_is_kept_only_where_it_failed(failed: bool, tmp_path: Path) -> None:
    run = run_of(artifacts=tmp_path)
    (run.open_folder() / "trace.txt").touch()
    run.failed = failed
    run.given_url = "tcp://127.0.0.1:1"
    run.finish()
    kept = {file.name for file in run.folder.iterdir()} if run.folder.exists() else set()
    assert kept == ({"trace.txt", "seed.txt"} if failed else set())
    assert not failed or "\ngiven to the test: tcp://127.0.0.1:1\n" in (run.folder / "seed.txt").read_text()


@pytest.mark.parametrize(
    ("place", "node_id"),
    [
        ("", "tests/test_it.py::TestIt::test_one"),
        ("tests", "test_it.py::TestIt::test_one"),
        ("docs", "../tests/test_it.py::TestIt::test_one"),
    ],
)
def test_the_line_that_repeats_it_is_for_where_pytest_was_started(place: str, node_id: str) -> None:
    assert run_of(place=ROOT / place).command() == f"pytest {node_id} --handpiece-seed 5"


def test_the_line_that_repeats_it_has_all_that_matters() -> None:
    test = f"{NODE_ID}[it's-sim://]"
    run = run_of(test, urls=("sim://", "tcp://h:1"), options=("--handpiece-allow-hardware", "-o", "asyncio_mode=auto"))
    urls = ["--handpiece-url", "sim://", "--handpiece-url", "tcp://h:1"]
    rest = ["--handpiece-allow-hardware", "-o", "asyncio_mode=auto"]
    assert shlex.split(run.command()) == ["pytest", test, "--handpiece-seed", "5", *urls, *rest]
