"""The broker of `sim+mqtt://`: where it listens, that it speaks what is needed, and that it ends with its owner."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from devicectl.errors import LinkError
from devicectl.simulation import broker as brokers
from devicectl.simulation.broker import Program, broker
from protocols.mqtt.properties import from_message, to_properties
from protocols.mqtt.wire import Publication
from tests.e2e.processes import devicectl as run_devicectl
from tests.e2e.processes import read_until, started, wait_until
from tests.e2e.sessions import QUERY, assert_exact, whole_session
from tests.patience import patience
from tests.programs import environment

Finder = Callable[[], Program | None]
COMMAND: Final = "handpiece/v1/bench/sim-7/command/stop"


@pytest.fixture(params=["mosquitto", "embedded"])
def known(request: pytest.FixtureRequest, program: Callable[[str], str], package: Callable[[str], None]) -> Finder:
    """One broker at a time; one that is not installed is not tried."""
    if request.param == "mosquitto":
        program("mosquitto")
        return brokers.mosquitto
    package("iotcore")
    return brokers.embedded


def listeners(pid: int) -> set[str]:
    """Every address at which a process, or one that it started, listens: HOST:PORT as hex, as the kernel has it."""
    family = [pid]
    for parent in family:
        tasks = Path(f"/proc/{parent}/task")
        family += [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
    sockets = {
        link.readlink().name[len("socket:[") : -1]
        for member in family
        for link in Path(f"/proc/{member}/fd").iterdir()
        if link.is_symlink() and link.readlink().name.startswith("socket:")
    }
    rows = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in sockets}


def is_open(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((brokers.HOST, port)) == 0


@asynccontextmanager
async def client(address: str, name: str, **options: Any) -> AsyncIterator[aiomqtt.Client]:
    host, _, port = address.partition(":")
    version = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client(
        host, int(port), identifier=name, protocol=version, timeout=patience(10), **options
    ) as opened:
        yield opened


async def received(opened: aiomqtt.Client) -> Publication:
    async with asyncio.timeout(patience(10)):
        return from_message(await anext(aiter(opened.messages)))


# --- what it is --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not show who listens where")
@pytest.mark.asyncio
async def test_it_listens_at_127_0_0_1_and_nowhere_else(known: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = []
    start = asyncio.create_subprocess_exec

    async def noted(*line: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*line, **options)
        pids.append(process.pid)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    async with broker((known,)) as address:
        host, _, port = address.partition(":")
        assert host == "127.0.0.1"
        assert listeners(pids[-1]) == {f"0100007F:{int(port):04X}"}
    assert not is_open(int(port)), "it has ended with its context"


@pytest.mark.asyncio
async def test_it_carries_what_the_protocol_needs(known: Finder) -> None:
    async with broker((known,)) as address, client(address, "a") as one, client(address, "b") as other:
        await other.subscribe(COMMAND, options=SubscribeOptions(qos=1))
        sent = Publication(COMMAND, b"{}", expiry_s=2, response_topic="reply/a", correlation_data=b"\x00\xff")
        await one.publish(sent.topic, sent.body, 1, properties=to_properties(sent))
        assert await received(other) == sent


@pytest.mark.asyncio
async def test_it_speaks_the_will_of_a_client_that_is_gone(known: Finder) -> None:
    will = Publication("status", b"gone", retain=True)
    last_words = aiomqtt.Will("status", b"gone", 1, True, to_properties(will, PacketTypes.WILLMESSAGE))
    async with broker((known,)) as address, client(address, "a") as watcher:
        await watcher.subscribe("status", qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with client(address, "b", will=last_words) as dying:
                dying._client.socket().shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
                assert (await received(watcher)).body == b"gone"
                await received(dying)
        async with client(address, "c") as late:
            await late.subscribe("status", qos=1)
            assert await received(late) == will


@pytest.mark.parametrize(("finder", "kept"), [(brokers.mosquitto, True), (brokers.embedded, False)])
@pytest.mark.asyncio
async def test_only_mosquitto_shows_a_retained_command_that_is_given_now(finder: Finder, kept: bool) -> None:
    """What the embedded broker cannot do: docs/mqtt.md says so. One that lies there is shown by both."""
    if finder() is None:
        pytest.skip(f"{finder.__name__} is not installed; the tests above see to CI")
    async with broker((finder,)) as address, client(address, "a") as one, client(address, "b") as other:
        await other.subscribe(COMMAND, options=SubscribeOptions(qos=1, retainAsPublished=True))
        await one.publish(COMMAND, b"{}", 1, retain=True)
        assert (await received(other)).retain is kept
        async with client(address, "c") as late:
            await late.subscribe(COMMAND, options=SubscribeOptions(qos=1, retainAsPublished=True))
            assert (await received(late)).retain is True


# --- how it starts -----------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_port_that_was_lost_is_another_ones(known: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would answer there too: a broker of somebody else's."""
    async with broker((known,)) as first:
        taken = int(first.partition(":")[2])
        ports = [brokers._free_port(), taken, taken]
        free = ports[0]
        monkeypatch.setattr(brokers, "_free_port", ports.pop)
        async with broker((known,)) as second:
            assert second == f"127.0.0.1:{free}" and not ports


@pytest.mark.asyncio
async def test_nothing_is_installed() -> None:
    with pytest.raises(LinkError, match=r"install the program mosquitto .*, or .* pip install 'devicectl\[broker\]'"):
        async with broker((lambda: None,)):
            raise AssertionError("there is none")


WITHOUT_BROKERS: Final = """
import sys
from devicectl.simulation import broker
sys.modules["iotcore"] = None  # as where it is not installed
broker.FOLDERS.clear()  # where programs are that PATH does not lead to
from devicectl.cli import main
main()
"""


def test_the_command_where_nothing_is_installed(tmp_path: Path) -> None:
    """Exit 3, and one line that names both ways to a broker."""
    line = [
        sys.executable,
        "-c",
        WITHOUT_BROKERS,
        "run",
        "--device",
        "sim+mqtt://",
        "--log",
        str(tmp_path / "log.sqlite"),
    ]
    pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with started(line, **pipes, env=environment({"PATH": str(tmp_path)})) as process:
        (said,) = process.communicate(timeout=patience())[1].splitlines()
    assert process.returncode == 3
    assert said.startswith("devicectl: sim+mqtt:// needs a broker, and there is none: install the program mosquitto ")
    assert said.endswith("pip install 'devicectl[broker]'")


@pytest.mark.asyncio
async def test_one_that_does_not_start_gives_way_to_the_next(known: Finder) -> None:
    def broken() -> Program:
        line = (sys.executable, "-c", "import sys; sys.exit('it is kept from its configuration')")
        return Program("broken", lambda port: "", line, "")

    with pytest.raises(LinkError, match="broken did not start: it is kept from its configuration"):
        async with broker((broken,)):
            raise AssertionError("it has ended")
    async with broker((broken, known)) as address:
        assert is_open(int(address.partition(":")[2]))


@pytest.mark.asyncio
async def test_one_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "START_TIMEOUT_S", 0.5)
    line = (sys.executable, "-c", "import sys, threading; sys.stderr.write('busy'); threading.Event().wait()")
    with pytest.raises(LinkError, match=r"did not answer within 0\.5 s"):
        async with broker((lambda: Program("mute", lambda port: "", line, ""),)):
            raise AssertionError("it is mute")


# --- how it ends -------------------------------------------------------------------------------------------------

OWNER: Final = """
import asyncio, sys
from devicectl.simulation import broker as brokers
from tests.patience import patience

async def own():
    async with brokers.broker((getattr(brokers, sys.argv[1]),)) as address:
        print(address, flush=True)
        await asyncio.Event().wait()

asyncio.run(own())
"""


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_it_ends_with_its_owner(known: Finder, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with started([sys.executable, "-c", OWNER, known.__name__], stdout=subprocess.PIPE) as owner:
        port = int(read_until(owner, "\n").strip().partition(":")[2])
        assert is_open(port) and list(tmp_path.iterdir())
        getattr(owner, how)()
        owner.wait()
        wait_until(lambda: not is_open(port), "the broker's end")
        wait_until(lambda: not list(tmp_path.iterdir()), "the end of its folder")


# --- the whole way -----------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_session_with_a_broker_and_a_simulator_of_its_own(
    known: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers, "broker", partial(broker, (known,)))
    log = tmp_path / "log.sqlite"
    summary = await whole_session(f"sim+mqtt://?seed=8&{QUERY}", log)
    assert summary.succeeded and (summary.seed, summary.device) == (8, "SIM-00000008")
    assert_exact(log)


def test_a_bad_parameter_is_the_urls_fault(tmp_path: Path, program: Callable[[str], str]) -> None:
    program("mosquitto")
    line = ("run", "--device", "sim+mqtt://?anesthesia_wait=1", "--log", str(tmp_path / "log.sqlite"))
    assert "anesthesia_wait_s" in run_devicectl(*line, code=2).stderr
