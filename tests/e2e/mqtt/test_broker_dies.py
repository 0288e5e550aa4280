"""A broker that is killed and frozen again and again under sessions: each is reconciled, or closed with a reason.

A few strikes in the suite, two hundred in `make nightly`. When one comes is drawn from a seed, in time of the device's
own clock, which a viewer on TCP reads.
"""

import asyncio
import contextlib
import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import aiomqtt
import pytest

from devicectl.log.report import SessionReport
from firmware_sim.device import Device
from firmware_sim.memory.journal import JOURNAL_SLOTS
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports.lives import MAX_SHORT_LIVES
from firmware_sim.serve.transports.mqtt import join
from protocols.language.enums import Role, Stream
from protocols.language.messages import StreamSet, StreamSetDone, TelemetryState
from protocols.mqtt.broker_url import parse_broker_url
from protocols.mqtt.status import Status
from tests.brokers import TOPICS, Mosquitto
from tests.client import Client, tcp
from tests.e2e.processes import DEVICECTL, started
from tests.e2e.sessions import CLOGS, PARAMETERS, VIEWER_ID, reports_of
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, Served, environment

WAIT_MS: Final = (0, 2_500)
"""From one strike's end to the next one: in half of them the host has just found its way back."""
AWAY_MS: Final = (0, 50, 700, 1_500, 6_000)
"""How long the broker is away: less than a lease, more than one, more than the host asks for its birth."""
SEED: Final = 20


def passes(viewer: Client, milliseconds: int) -> None:
    """So much time of the device's clock."""
    if not milliseconds:
        return
    told = viewer.await_told(TelemetryState)
    assert isinstance(told, TelemetryState)
    end = told.uptime_ms + milliseconds
    viewer.pump(lambda: any(isinstance(one, TelemetryState) and one.uptime_ms >= end for one in viewer.told))


@contextlib.contextmanager
def clock(address: tuple[str, int]) -> Iterator[Client]:
    """A viewer that is told the device's time."""
    with tcp(address, host_id=VIEWER_ID, role=Role.VIEWER) as viewer:
        viewer.link()
        assert isinstance(viewer.ask(StreamSet(stream=Stream.STATE, interval_ms=20)), StreamSetDone)
        yield viewer


STRIKES: Final[dict[str, tuple[Callable[[Mosquitto], None], Callable[[Mosquitto], None]]]] = {
    "killed": (Mosquitto.kill, Mosquitto.start),
    "stopped": (Mosquitto.stop, Mosquitto.start),
    "frozen": (Mosquitto.pause, Mosquitto.resume),
}


class Hosts:
    """One session after the other, each on the device at `url`; one that was not closed is taken up again."""

    def __init__(self, url: str, log: Path, folder: Path) -> None:
        self.log = log
        self._line = [*DEVICECTL, "run", "--json", "--target-cores", "30", "--device", url, "--log", str(log)]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._resume = False
        self.ended = 0
        self.completed = 0
        self.resumed = 0

    def keep_going(self) -> None:
        """See that a host runs."""
        if self._process is not None and self._process.poll() is not None:
            self.judge()
        if self._process is None:
            self.resumed += self._resume
            out, err = ((self._folder / name).open("wb") for name in ("out", "err"))
            with out, err:
                line = [*self._line, *(["--resume"] if self._resume else [])]
                self._process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def judge(self) -> None:
        """It ends: completed, or with a sentence that says why not."""
        process, self._process = self._process, None
        assert process is not None
        code = process.wait(patience())
        out, err = ((self._folder / name).read_text("utf-8") for name in ("out", "err"))
        assert "Traceback" not in err and "Exception" not in err, err
        ended = json.loads(out) if out else {"state": "", "reconciled": False}
        completed = (ended["state"], ended["reconciled"]) == ("completed", True)
        explained = completed or err.splitlines()[-1].startswith("devicectl: ")
        assert explained and (code == 0) is completed, f"exit {code}\n{out}\n{err}"
        self.completed += completed
        self._resume = any(not one.summary.reconciled for one in reports_of(self.log)[-1:])
        self.ended += 1

    def finish(self) -> None:
        """Until a session has ended whose counts are reconciled."""
        for _ in range(5):
            self.keep_going()
            self.judge()
            if not self._resume:
                return
        raise AssertionError("it is not reconciled, with a broker that stands")

    def kill(self) -> None:
        """Leave no process behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(patience())


def compare_rows(viewer: Client, sessions: list[SessionReport]) -> int:
    """Hold the log's rows against the device's journal, of the sessions that its ring still has; how many rows."""
    upto = sessions[-1].next_event_no
    held = [one for one in sessions if one.start.first_event_no > upto - JOURNAL_SLOTS // 2]
    for one in held:
        first = one.start.first_event_no
        assert viewer.journal(one.start.epoch, first, one.next_event_no) == one.records
    return sum(len(one.records) for one in held)


def strike(broker: Mosquitto, count: int, folder: Path) -> None:
    """So many strikes; the judgement."""
    dice = random.Random(SEED)
    log = folder / "log.sqlite"
    said = folder / "device.err"
    line = [*FIRMWARE_SIM, "serve", "--json", "--mqtt", broker.url(), "--tcp", "127.0.0.1:0", *PARAMETERS, *CLOGS]
    hosts = Hosts(broker.url(), log, folder)
    struck = dict.fromkeys(STRIKES, 0)
    with (
        said.open("wb") as errors,
        started(line, stdout=subprocess.PIPE, stderr=errors, env=environment()) as device,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(hosts.kill)
        assert device.stdout is not None
        served = Served(device, json.loads(device.stdout.readline()))
        with clock(served.tcp) as viewer:
            for _ in range(count):
                hosts.keep_going()
                passes(viewer, dice.randint(*WAIT_MS))
                kind = dice.choice([*STRIKES])
                begin, end = STRIKES[kind]
                begin(broker)
                passes(viewer, dice.choice(AWAY_MS))
                end(broker)
                struck[kind] += 1
            hosts.finish()
            rows = compare_rows(viewer, reports_of(hosts.log))
        assert device.poll() is None, said.read_text("utf-8")
    told = said.read_text("utf-8").splitlines()
    assert all(one.startswith("firmware-sim: --mqtt: ") and one.endswith("; connecting again") for one in told), told
    sessions = reports_of(hosts.log)
    assert sessions and all(one.summary.reconciled for one in sessions)
    print(
        f"{count} strikes at the broker {struck}: {hosts.ended} hosts, {hosts.completed} completed, "
        f"{hosts.resumed} resumed; {len(sessions)} sessions, each reconciled; {rows} rows compared, 0 lost, 0 doubled"
    )


def test_a_few_times(mosquitto: Mosquitto, tmp_path: Path) -> None:
    strike(mosquitto, 4, tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_two_hundred_times(mosquitto: Mosquitto, tmp_path: Path) -> None:
    strike(mosquitto, 200, tmp_path)


@pytest.mark.asyncio
async def test_a_device_that_breaks_its_own_connection_again_and_again_is_no_twin_of_another(
    mosquitto: Mosquitto, capfd: pytest.CaptureFixture[str]
) -> None:
    broker = await join(RealTimeDevice(Device(seed=7)), parse_broker_url(mosquitto.url()))
    births: list[int] = []
    async with (
        asyncio.timeout(patience()),
        aiomqtt.Client("127.0.0.1", mosquitto.port, protocol=aiomqtt.ProtocolVersion.V5) as anybody,
    ):
        await anybody.subscribe(TOPICS.of("status"))
        async for message in anybody.messages:
            status = Status.from_body(bytes(message.payload))
            if not status.online:
                continue
            births.append(status.birth_no)
            if len(births) == MAX_SHORT_LIVES + 3:
                break
            broker.cut(host_knows=True, device_knows=True)
            broker.mend()
    await broker.close()
    assert births == sorted(set(births)) and not capfd.readouterr().err
