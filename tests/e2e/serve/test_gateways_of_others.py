"""ser2net and socat between our two ends: the gateway is theirs, or the line beneath it."""

import asyncio
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import devicectl
from devicectl import Plan
from devicectl.errors import LinkError
from devicectl.transports.rfc2217 import MAX_ANSWER_TIMEOUT_S
from firmware_sim.replay import replay_device
from handpiece_shell.recording_file import read_recording
from tests.e2e.gateways import free_port, running, ser2net
from tests.patience import patience
from tests.programs import serve

Program = Callable[[str], str]
"""The fixture that finds a program of the system."""
QUICK = ("--seed", "7", "--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01")


def patient(url: str) -> str:
    """Give a gateway as long as it may have, where a test does not say for how long it waits."""
    if not url.startswith("rfc2217://") or "timeout=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}timeout={MAX_ANSWER_TIMEOUT_S:g}"


async def session(url: str, cores: int = 6) -> devicectl.Summary:
    """Hold a session of a few cores."""
    async with (
        asyncio.timeout(patience()),
        devicectl.connect(patient(url)) as handpiece,
        handpiece.open_session(Plan(target_cores=cores)) as held,
    ):
        await held.confirm_anesthesia()
        async for _ in held.run():
            pass
    return held.summary


@pytest.mark.asyncio
async def test_ser2net_before_a_pseudo_terminal_of_ours(tmp_path: Path, program: Program) -> None:
    with serve("--pty", *QUICK) as served:
        line = f"serialdev(nouucplock),{served.pty},115200n81,local"
        gateway = (program("ser2net"), tmp_path, "telnet(rfc2217),tcp", line)
        for options in ("", "?dtr=0&ign_set_control"):
            with ser2net(*gateway) as port:
                assert (await session(f"rfc2217://127.0.0.1:{port}{options}")).reconciled
        limit = f"{min(MAX_ANSWER_TIMEOUT_S, patience(1)):g}"
        said = (
            f"no answer to SET-CONTROL DTR off within {re.escape(limit)} s; with ign_set_control it is not waited for"
        )
        with ser2net(*gateway) as port, pytest.raises(LinkError, match=said):
            await session(f"rfc2217://127.0.0.1:{port}?dtr=0&timeout={limit}")


@pytest.mark.asyncio
async def test_a_gateway_that_is_in_use_says_so(tmp_path: Path, program: Program) -> None:
    with serve("--pty", *QUICK) as served:
        line = f"serialdev(nouucplock),{served.pty},115200n81,local"
        with (
            ser2net(program("ser2net"), tmp_path, "telnet(rfc2217),tcp", line) as port,
            socket.create_connection(("127.0.0.1", port), patience()) as other,
        ):
            assert other.recv(1), "it is served"
            with pytest.raises(LinkError, match="the gateway closed the connection: Port already in use"):
                await session(f"rfc2217://127.0.0.1:{port}")


@pytest.mark.asyncio
async def test_ser2net_as_the_host_of_our_gateway(tmp_path: Path, program: Program) -> None:
    report = tmp_path / "report.json"
    with serve("--rfc2217", "127.0.0.1:0", "--report", str(report), *QUICK) as served:
        address = served.urls[0].removeprefix("rfc2217://").replace(":", ",")
        with ser2net(program("ser2net"), tmp_path, "tcp", f"telnet(rfc2217),tcp,{address}") as port:
            assert (await session(f"tcp://127.0.0.1:{port}")).reconciled
        served.stop()
    (host,) = json.loads(report.read_text(encoding="utf-8"))["hosts"]
    assert host["transports"] == ["rfc2217"] and host["bad_frames"] == {}


@pytest.mark.asyncio
async def test_a_line_that_carries_three_bytes_at_a_time(program: Program) -> None:
    """Each of Telnet's commands comes in two pieces or more."""
    with serve("--rfc2217", "127.0.0.1:0", *QUICK) as served:
        port, address = free_port(), served.urls[0].removeprefix("rfc2217://")
        command = (program("socat"), "-b", "3", f"TCP-LISTEN:{port},bind=127.0.0.1,fork", f"TCP:{address},nodelay")
        with running(*command, port=port):
            assert (await session(f"rfc2217://127.0.0.1:{port}?dtr=0")).reconciled


FAULTS = [
    {"fault": "drop", "when": 'frame("PUNCH", 1)', "direction": "host"},
    {"fault": "flip", "when": 'frame("COUNT", 1)', "bits": 3},
    {"fault": "disconnect", "when": 'cycle == 2 and phase == "suction"', "for_ms": 300},
]


@pytest.mark.asyncio
async def test_faults_and_a_recording_work_over_it_as_over_tcp(tmp_path: Path) -> None:
    scenario, record = tmp_path / "scenario.yaml", tmp_path / "line.pcapng"
    scenario.write_text(json.dumps({"seed": 7, "faults": FAULTS}), encoding="utf-8")  # JSON is YAML, too
    with serve("--rfc2217", "127.0.0.1:0", "--scenario", str(scenario), "--record", str(record), *QUICK[2:]) as served:
        summary = await session(f"{served.urls[0]}?dtr=1", cores=9)
        assert summary.reconciled and summary.cores_counted >= 9
        assert served.stop() == 0
    with read_recording(str(record)) as capture:
        assert replay_device(capture) is None
        assert len(capture.comment["faults"]) == len(FAULTS)
