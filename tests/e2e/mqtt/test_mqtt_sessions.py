"""Whole sessions over a real Mosquitto in real time: other transports beside it, and brokers that go and come back."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

import devicectl
from devicectl import Plan
from devicectl.errors import CommandRefusedError, LinkError
from devicectl.log.store import SessionLog
from devicectl.session import link
from devicectl.session.machine import State
from protocols.language.enums import Code, DeviceState, Role, Stream
from protocols.language.messages import Alarm, Arm, StreamSet, StreamSetDone, TelemetryState
from protocols.language.units import SECOND
from protocols.mqtt.status import LOST, Status
from protocols.text.notice import NOTICE
from tests import client
from tests.brokers import TOPICS, Mosquitto
from tests.e2e.processes import DEVICECTL, read_until, started, wait_until
from tests.e2e.processes import devicectl as run_devicectl
from tests.e2e.sessions import CLOGS, EVERY_PHASE, LONG_LEASE, PARAMETERS, VIEWER_ID, When, assert_exact, whole_session
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, Served, environment, serve


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("DEVICECTL_LOG", str(path))
    return path


# --- whole ways --------------------------------------------------------------------------------------------------


def test_sixty_cores_between_two_processes(mosquitto: Mosquitto, log: Path) -> None:
    with serve("--mqtt", mosquitto.url(), "--seed", "7", *PARAMETERS) as served:
        assert served.urls == [mosquitto.url()]
        done = run_devicectl("run", "--json", "--device", served.urls[0], "--target-cores", "60", code=0)
    summary = json.loads(done.stdout)
    assert (summary["seed"], summary["device"], summary["simulated"]) == (7, "SIM-00000007", True)
    assert summary["cores_counted"] >= 60 and summary["reconciled"]
    assert_exact(log, cycles=20)


@pytest.mark.asyncio
async def test_one_device_on_three_transports(mosquitto: Mosquitto, log: Path) -> None:
    """The controller is behind the broker; others look through the pty and TCP, and one of them would like to drive."""
    with serve("--pty", "--tcp", "127.0.0.1:0", "--mqtt", mosquitto.url(), *PARAMETERS) as served, ExitStack() as stack:
        viewer = stack.enter_context(client.tcp(served.tcp, host_id=2, role=Role.VIEWER))
        rival = stack.enter_context(client.serial_port(served.pty, host_id=3))
        seen: list[DeviceState] = []

        def look() -> None:
            seen.append(viewer.link().state)
            rival.link()
            answer = rival.ask(Arm())
            assert getattr(answer, "code", None) is Code.E_BUSY, answer

        summary = await whole_session(mosquitto.url(), log, When((State.COUNTING, look)))
        # The host is about to say COUNT: its loop is kept busy by those who look.
        assert summary.succeeded and seen == [DeviceState.ADVANCING]
        assert len(served.urls) == 3
    assert_exact(log)


@pytest.mark.asyncio
async def test_a_second_host_behind_the_broker(mosquitto: Mosquitto, log: Path) -> None:
    with serve("--mqtt", mosquitto.url(), *PARAMETERS):
        async with devicectl.connect(mosquitto.url()) as first, first.open_session(Plan(target_cores=6)) as session:
            async with devicectl.connect(mosquitto.url(), role=Role.VIEWER) as viewer:
                assert viewer.device == first.device
            async with devicectl.connect(mosquitto.url()) as second:
                with pytest.raises(CommandRefusedError, match="holds control") as refused:
                    await second.abandon_session()
            assert refused.value.code is Code.E_BUSY
            await session.confirm_anesthesia()
            cycles = [cycle async for cycle in session.run()]
        assert session.summary.succeeded and len(cycles) == session.summary.cycles


def test_exec_behind_a_broker(mosquitto: Mosquitto, log: Path) -> None:
    line = [*FIRMWARE_SIM, "exec", "--mqtt", mosquitto.url(), *PARAMETERS, "--"]
    host = [*DEVICECTL, "run", "--json", "--target-cores", "6", "--device"]
    script = f'exec {" ".join(host)} "$HANDPIECE_URL"'
    done = subprocess.run(
        [*line, "sh", "-c", script], capture_output=True, text=True, timeout=patience(), env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reconciled"]
    assert_exact(log)


# --- brokers that go ---------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_the_broker_is_killed_in_each_phase(mosquitto: Mosquitto, log: Path) -> None:
    """Killed and started again at its port, each time in another phase: nothing is lost, counted or moved twice."""

    def restart() -> None:
        mosquitto.kill()
        mosquitto.start()

    with serve("--mqtt", mosquitto.url(), "--seed", "7", *PARAMETERS, *CLOGS, LONG_LEASE):
        observer = When(*((phase, restart) for phase in EVERY_PHASE))
        summary = await whole_session(mosquitto.url(), log, observer, pause_after=4)
        assert not observer.waiting and summary.succeeded
    assert_exact(log)
    with SessionLog.open(log) as opened:
        report = opened.load(1)
    lost = [note.detail for note in report.notes if note.name == "link_lost"]
    assert len(lost) == len(EVERY_PHASE), lost
    assert report.truth is not None, "one plant saw it all"


@pytest.mark.asyncio
async def test_a_broker_that_is_away_for_longer_than_a_lease(mosquitto: Mosquitto, log: Path) -> None:
    """During a cycle, and while either end tries to come back; how long is measured by the device's own clock."""
    away_ms = 1_500
    with (
        serve("--mqtt", mosquitto.url(), "--tcp", "127.0.0.1:0", *PARAMETERS) as served,
        client.tcp(served.tcp, host_id=VIEWER_ID, role=Role.VIEWER) as viewer,
        ThreadPoolExecutor(1) as aside,
    ):
        absences: list[Future[list[TelemetryState]]] = []

        def absence() -> list[TelemetryState]:
            """While the host's loop goes on."""
            viewer.pump(lambda: any(isinstance(told, Alarm) and told.code == 1501 for told in viewer.told))
            first = viewer.ask(StreamSet(stream=Stream.STATE, interval_ms=20))
            assert isinstance(first, StreamSetDone)
            states: list[TelemetryState] = []
            while not states or states[-1].uptime_ms - states[0].uptime_ms < away_ms:
                told = viewer.await_told(TelemetryState)
                assert isinstance(told, TelemetryState)
                states.append(told)
            mosquitto.start()
            return states

        def kill() -> None:
            welcome = viewer.link()
            assert welcome.lease_armed_ms < away_ms
            mosquitto.kill()
            absences.append(aside.submit(absence))

        observer = When((State.SUCTIONING, kill))
        summary = await whole_session(mosquitto.url(), log, observer, plan=Plan(target_cores=12))
        (states,) = (absence.result() for absence in absences)
        assert not observer.waiting and summary.succeeded and summary.alarms["MC-1501"] == 1
    assert {one.state for one in states} == {DeviceState.SAFE}, "it never goes on by itself"
    assert_exact(log)


@pytest.mark.asyncio
async def test_a_broker_that_stalls(mosquitto: Mosquitto, log: Path) -> None:
    """It neither ends nor answers: the leases see it, the device makes itself safe, and the session goes on after."""
    alarms: list[Alarm] = []

    def stall() -> None:
        mosquitto.pause()
        with client.tcp(served.tcp, host_id=9, role=Role.VIEWER) as viewer:
            viewer.link()
            viewer.pump(lambda: any(isinstance(told, Alarm) and told.code == 1501 for told in viewer.told))
            alarms.extend(told for told in viewer.told if isinstance(told, Alarm))
        mosquitto.resume()

    with serve("--mqtt", mosquitto.url(), "--tcp", "127.0.0.1:0", *PARAMETERS) as served:
        observer = When((State.SUCTIONING, stall))
        summary = await whole_session(mosquitto.url(), log, observer)
        assert not observer.waiting and summary.succeeded
    assert alarms and summary.alarms["MC-1501"] == 1, "raised while nobody could be told: the journal knows"
    assert_exact(log)


@pytest.mark.asyncio
async def test_the_device_is_killed_and_its_will_is_heard(mosquitto: Mosquitto, log: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:

        def start() -> Served:
            memory = str(tmp_path / "nvm")
            return stack.enter_context(serve("--mqtt", mosquitto.url(), "--nvm", memory, "--seed", "7", *PARAMETERS))

        running = [start()]

        def restart() -> None:
            running[-1].kill()
            running.append(start())

        observer = When((State.PUNCHING, restart), (State.COUNTING, restart))
        summary = await whole_session(mosquitto.url(), log, observer)
        assert not observer.waiting and (summary.state, summary.reconciled) == ("completed", True)
    assert_exact(log)


def test_the_host_is_killed_and_resumes(mosquitto: Mosquitto, log: Path) -> None:
    with serve("--mqtt", mosquitto.url(), *PARAMETERS) as served:
        line = [*DEVICECTL, "run", "--explain", "--device", served.urls[0], "--target-cores", "30"]
        with started(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            read_until(process, "Count:")
            process.kill()
            process.wait()
        done = run_devicectl("run", "--resume", "--json", "--device", served.urls[0], code=0)
        assert json.loads(done.stdout)["session_id"] == 1
    assert_exact(log)


# --- births and wills --------------------------------------------------------------------------------------------


@asynccontextmanager
async def bystander(mosquitto: Mosquitto) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port, protocol=aiomqtt.ProtocolVersion.V5) as found:
        yield found


def status(online: bool, birth_no: int) -> bytes:
    return Status(
        notice=NOTICE,
        simulated=True,
        online=online,
        birth_no=birth_no,
        reason="" if online else LOST,
        protocol="HLP/1",
        minor=0,
        schema_id=1,
        boot_count=1,
    ).to_body()


@pytest.mark.asyncio
async def test_a_will_of_an_older_birth_says_nothing(
    mosquitto: Mosquitto, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = TOPICS.of("status")
    with serve("--mqtt", mosquitto.url(), *PARAMETERS):
        async with bystander(mosquitto) as other:
            await other.subscribe(topic, qos=1)
            birth = Status.from_body(bytes((await anext(aiter(other.messages))).payload))
            assert birth.online
            async with devicectl.connect(mosquitto.url()) as handpiece:
                async with handpiece.open_session(Plan(target_cores=6)) as session:
                    await session.confirm_anesthesia()
                    async for _ in session.run():
                        for body in (
                            status(False, birth.birth_no - 1),
                            b"",
                            b"[]",
                            b'{"online":false}',
                            b"\xff" * 9000,
                        ):
                            await other.publish(topic, body, qos=1, retain=False)
                assert session.summary.succeeded
                assert "MC-1501" not in session.summary.alarms, "the link was never lost"
            # That of this birth does count: the device is as good as gone, and each try to come back is in vain.
            async with devicectl.connect(mosquitto.url()) as handpiece:
                monkeypatch.setattr(link, "CONNECT_TIMEOUT_US", SECOND // 5)
                await other.publish(topic, status(False, birth.birth_no), qos=1, retain=True)
                with pytest.raises(LinkError, match="gone from its broker"):
                    async with handpiece.open_session(Plan(target_cores=6)) as session:
                        await session.confirm_anesthesia()


@pytest.mark.asyncio
async def test_the_version_of_what_is_shown_goes_on_at_a_new_broker(mosquitto: Mosquitto, log: Path) -> None:
    @asynccontextmanager
    async def versions() -> AsyncIterator[AsyncIterator[int]]:
        async with bystander(mosquitto) as other, asyncio.timeout(patience()):
            await other.subscribe(TOPICS.of("state"), qos=1)
            yield (json.loads(bytes(message.payload))["version"] async for message in other.messages)

    with serve("--mqtt", mosquitto.url(), *PARAMETERS):
        async with devicectl.connect(mosquitto.url()) as handpiece, handpiece.open_session(), versions() as before:
            reached = await anext(version async for version in before if version > 1)
        mosquitto.kill()
        mosquitto.start()
        async with versions() as after:
            assert await anext(after) >= reached


def test_no_device_and_no_broker(mosquitto: Mosquitto, log: Path) -> None:
    absent = mosquitto.url().replace("sim-7", "nobody")
    assert "no device bench/nobody" in run_devicectl("run", "--device", absent, code=3).stderr
    mosquitto.kill()
    assert "Connection refused" in run_devicectl("run", "--device", mosquitto.url(), code=3).stderr
    done = subprocess.run(
        [*FIRMWARE_SIM, "serve", "--mqtt", mosquitto.url()],
        capture_output=True,
        text=True,
        timeout=patience(),
        env=environment(),
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == f"firmware-sim: --mqtt: broker 127.0.0.1:{mosquitto.port}: Connection refused\n"


def test_two_devices_of_one_id(mosquitto: Mosquitto) -> None:
    """They throw each other out of the broker for ever, unless one of them gives up and says why."""
    line = [*FIRMWARE_SIM, "serve", "--mqtt", mosquitto.url()]
    with ExitStack() as stack:
        both = [stack.enter_context(started(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)) for _ in range(2)]
        wait_until(lambda: any(process.poll() is not None for process in both), "one of them gives up")
        gone = next(process for process in both if process.poll() is not None)
        assert gone.stdout is not None and gone.returncode == 3
        assert "does another device serve bench/sim-7?" in gone.stdout.read()


# --- what is left ------------------------------------------------------------------------------------------------


async def retained(mosquitto: Mosquitto) -> set[str]:
    """The topics that the broker gives to who comes now. The last of them is asked for by name: it is our own."""
    async with bystander(mosquitto) as other, asyncio.timeout(patience()):
        await other.publish("zzz", b"last", qos=1, retain=True)
        await other.subscribe("handpiece/#", qos=1)
        await other.subscribe("zzz", qos=1)
        found: set[str] = set()
        async for message in other.messages:
            if str(message.topic) == "zzz":
                return found
            found.add(str(message.topic))
    raise AssertionError("the broker has gone")


@pytest.mark.parametrize("forget", [False, True])
@pytest.mark.asyncio
async def test_what_a_device_leaves_at_its_broker(mosquitto: Mosquitto, log: Path, forget: bool) -> None:
    with serve("--mqtt", mosquitto.url(), *PARAMETERS, *(["--forget"] if forget else [])) as served:
        shown = await retained(mosquitto)
        assert served.stop() == 0
    everything = {TOPICS.of(name) for name in ("status", "info", "state", "alarms", "params")}
    assert shown == everything
    assert await retained(mosquitto) == (set() if forget else everything)


def test_what_cannot_be_forgotten_is_said(mosquitto: Mosquitto) -> None:
    with serve("--mqtt", mosquitto.url(), "--forget") as served:
        mosquitto.pause()
        assert served.stop() == 0
        mosquitto.resume()
        assert served.process.stderr is not None
        assert "--forget: broker 127.0.0.1:" in served.process.stderr.read()
