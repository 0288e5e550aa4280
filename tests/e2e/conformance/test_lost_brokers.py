"""The kit behind a broker that freezes in the midst of a run, or keeps it out: one line, and no word about the end."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.brokers import TOPICS, Mosquitto, write_passwords
from tests.e2e.processes import wait_until
from tests.patience import patience
from tests.programs import environment, serve

pytestmark = pytest.mark.timeout(300)

CONFORM: Final = (sys.executable, "-P", "-m", "devicectl", "conform")
HOST: Final = ("--", sys.executable, "-P", "-m", "devicectl", "run", "--target-cores", "30", "--log", "{folder}/log.db")
PARAMETERS: Final = ("--seed", "7", "--param", "anesthesia_wait_s=0")
OTHER_PASSWORD: Final = "controller\nanother-one\n"


@contextmanager
def conforming(*options: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the kit while the context lasts."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*CONFORM, *options], env=environment(), stdout=pipe, stderr=pipe, text=True) as kit:
        try:
            yield kit
        finally:
            if kit.poll() is None:
                kit.kill()


def only_line(kit: "subprocess.Popen[str]") -> str:
    """All that the kit has said at its end, which is by exit code 3."""
    said, told = kit.communicate(timeout=patience(60))
    assert kit.returncode == 3 and not said, (kit.returncode, said, told)
    (line,) = told.splitlines()
    return line


def address(broker: Mosquitto) -> str:
    return f"127.0.0.1:{broker.port}"


@pytest.mark.parametrize(
    ("cases", "seen"),
    [((), "PunchDone"), (("--case", "lse.beats"), "FaultClearDone")],
    ids=["in a whole run", "at the only case"],
)
def test_a_broker_that_freezes_before_a_device(
    cases: tuple[str, ...], seen: str, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """The kit has its first answers: what comes then is a case."""
    trace = tmp_path / "trace"
    with (
        serve("--mqtt", mosquitto.url(), "--trace", str(trace), *PARAMETERS),
        conforming("device", "--device", mosquitto.url(), *cases) as kit,
    ):
        wait_until(lambda: seen in trace.read_text(encoding="utf-8"), seen, 120)
        mosquitto.pause()
        try:
            told = only_line(kit)
        finally:
            mosquitto.resume()
    assert told.startswith(f"devicectl: no verdict about the device: broker {address(mosquitto)}: it does not answer")


def test_a_broker_that_freezes_before_a_controller(mosquitto: Mosquitto) -> None:
    url = f"mqtt://{address(mosquitto)}/bench/kit"
    with conforming("controller", "--broker", url, "--case", "plain.*", *HOST) as kit:
        wait_until(lambda: " as host-" in mosquitto.log, "the command is at the broker")
        mosquitto.pause()
        try:
            told = only_line(kit)
        finally:
            mosquitto.resume()
    assert told.startswith(f"devicectl: broker {address(mosquitto)}: it does not answer")


@pytest.fixture
def guarded(tmp_path: Path, program: Callable[[str], str]) -> Iterator[Callable[[str], Mosquitto]]:
    """Start a broker with passwords, whose access list lets the device do all and a controller what is given."""
    write_passwords(program("mosquitto_passwd"), tmp_path)
    (tmp_path / "wrong.txt").write_text(OTHER_PASSWORD, encoding="utf-8")
    options = f"allow_anonymous false\npassword_file {tmp_path}/passwords\nacl_file {tmp_path}/acl\n"
    broker = Mosquitto(program("mosquitto"), tmp_path, lambda port: f"listener {port} 127.0.0.1\n{options}")

    def start(rights: str) -> Mosquitto:
        acl = f"user device\ntopic readwrite #\n\nuser controller\n{rights}\n"
        (tmp_path / "acl").write_text(acl, encoding="utf-8")
        broker.start()
        return broker

    try:
        yield start
    finally:
        broker.kill()


NOT_LET_IN: Final = "the broker does not let this user in"
FORBIDDEN: Final = "the broker's access list does not let this user publish to"
ALL: Final = "topic readwrite #"
PUNCH: Final = TOPICS.of("command", "punch")


@pytest.mark.parametrize(
    ("rights", "user", "says"),
    [
        (ALL, "wrong", NOT_LET_IN),
        ("topic read #", "controller", f"{FORBIDDEN} {TOPICS.of('command', 'hello')}"),
        (f"{ALL}\ntopic deny {PUNCH}", "controller", f"{FORBIDDEN} {PUNCH}"),
    ],
    ids=["password", "HELLO", "PUNCH"],
)
def test_a_broker_that_keeps_the_kit_from_a_device(
    rights: str, user: str, says: str, guarded: Callable[[str], Mosquitto], tmp_path: Path
) -> None:
    broker = guarded(rights)
    with serve("--mqtt", broker.url(credentials=tmp_path / "device.txt"), *PARAMETERS):
        url = broker.url(credentials=tmp_path / f"{user}.txt")
        with conforming("device", "--device", url, "--case", "cyc.*") as kit:
            told = only_line(kit)
    assert told.startswith("devicectl: no verdict about the device: ") and told.endswith(says)


@pytest.mark.parametrize(
    ("rights", "user", "says"),
    [
        (ALL, "wrong", f"broker {{address}}: {NOT_LET_IN}"),
        (
            "topic readwrite handpiece/#",
            "controller",
            "the command cannot be tried: the simulator did not start: firmware-sim: --mqtt: "
            f"{FORBIDDEN} handpiece-behind/v1/bench/sim-7-0/info",
        ),
        (
            "topic readwrite handpiece-behind/#\ntopic read #",
            "controller",
            f"{FORBIDDEN} handpiece/v1/bench/sim-7-0/",
        ),
    ],
    ids=["password", "behind", "before"],
)
def test_a_broker_that_keeps_the_kit_from_a_controller(
    rights: str, user: str, says: str, guarded: Callable[[str], Mosquitto], tmp_path: Path
) -> None:
    broker = guarded(rights)
    url = broker.url(credentials=tmp_path / f"{user}.txt")
    with conforming("controller", "--broker", url, "--case", "plain.*", *HOST) as kit:
        told = only_line(kit)
    assert told.startswith(f"devicectl: {says.format(address=address(broker))}")
