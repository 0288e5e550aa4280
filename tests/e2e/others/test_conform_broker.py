"""`devicectl conform controller --mqtt`: our own host, and brokers that are none or go."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.brokers import Mosquitto
from tests.e2e.mqtt.test_broker import WITHOUT_BROKERS, client, received
from tests.e2e.others.test_conform_controller import conform, words
from tests.e2e.processes import wait_until
from tests.patience import patience
from tests.programs import environment

_RUN: Final = ("-P", "-m", "devicectl", "run", "--target-cores", "30", "--log", "{folder}/log.db")


@pytest.mark.timeout(300)
def test_our_own_host_passes_behind_a_broker(tmp_path: Path) -> None:
    some = ("wrong.unknown", "wrong.must-understand", "odd.echo", "lease.silence", "hard.reboot", "hello.tries")
    chosen = ("plain.*", "mqtt.*", *some)
    code, said, report = conform(tmp_path, "--mqtt", *(word for name in chosen for word in ("--case", name)))
    found = words(report)
    assert code == 0 and report["verdict"] == "passed", said
    assert {name for name, word in found.items() if word != "passed"} == {"plain.frames", "plain.canonical"}, said
    assert sum(name.startswith("mqtt.") for name in found) == 8


@pytest.mark.asyncio
@pytest.mark.timeout(300)
async def test_a_broker_of_ones_own_is_left_as_it_was(mosquitto: Mosquitto, tmp_path: Path) -> None:
    url = f"mqtt://127.0.0.1:{mosquitto.port}/bench/kit"
    code, said, report = conform(tmp_path, "--broker", url, "--case", "plain.session")
    assert code == 0 and words(report) == {"plain.session": "passed"}, said
    async with client(f"127.0.0.1:{mosquitto.port}", "looks") as looking:
        await looking.subscribe("#")
        await looking.publish("the/end", b"x")
        assert (await received(looking)).topic == "the/end", "something was retained"


def test_a_command_that_says_nothing_does_not_pass_for_patient(tmp_path: Path) -> None:
    code, said, _ = conform(tmp_path, "--mqtt", "--case", "mqtt.no-birth", command=(sys.executable, "-c", ""))
    assert code == 3 and "no controller that says HELLO" in said


def test_a_broker_that_is_not_there(tmp_path: Path) -> None:
    code, said, _ = conform(tmp_path, "--broker", "mqtt://127.0.0.1:1/bench/kit", "--case", "plain.session")
    assert code == 3
    assert said.splitlines()[-1].startswith("devicectl: broker 127.0.0.1:1"), said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--broker", "mqtt://127.0.0.1"), "--broker"),
        (("--broker", "tcp://127.0.0.1:1/a/b"), "it begins with mqtt://"),
        (("--mqtt", "--pty"), "it is one way or the other"),
    ],
)
def test_a_wrong_command_line(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    code, told, _ = conform(tmp_path, *options)
    assert code == 2 and said in told


@pytest.mark.timeout(300)
def test_a_broker_that_goes_in_the_midst_of_a_run(mosquitto: Mosquitto, tmp_path: Path) -> None:
    url = f"mqtt://127.0.0.1:{mosquitto.port}/bench/kit"
    line = ("-P", "-m", "devicectl", "conform", "controller", "--broker", url, "--case", "plain.*", "--")
    command = (sys.executable, *line, sys.executable, *_RUN)
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as kit:
        wait_until(lambda: " as host-" in mosquitto.log, "the command is at the broker", 30)
        mosquitto.kill()
        said = kit.communicate(timeout=patience(30))[1]
    assert kit.returncode == 3, said
    (told,) = said.strip().splitlines()
    assert told.startswith(f"devicectl: broker 127.0.0.1:{mosquitto.port}"), told


def test_no_broker_is_installed(tmp_path: Path) -> None:
    line = [sys.executable, "-c", WITHOUT_BROKERS, "conform", "controller", "--mqtt", "--", "true"]
    done = subprocess.run(
        line, env=environment({"PATH": str(tmp_path)}), capture_output=True, text=True, timeout=patience(), check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith("devicectl: --mqtt needs a broker, and there is none: install the program mosquitto")
    assert len(done.stderr.strip().splitlines()) == 1
