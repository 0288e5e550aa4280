"""A device and its host over MQTT in WebSockets, with TLS and without."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import devicectl
from devicectl import Plan
from tests.brokers import Mosquitto, make_certificates
from tests.e2e.processes import DEVICECTL
from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, Served, environment, serve
from tests.websocket_proxy import HOST, websockets


@asynccontextmanager
async def served(*arguments: str) -> AsyncIterator[Served]:
    """As `serve`, while this loop goes on."""
    device = serve(*arguments)
    yield await asyncio.to_thread(device.__enter__)
    await asyncio.to_thread(device.__exit__, None, None, None)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.asyncio
async def test_a_session_in_websockets(mosquitto: Mosquitto, tmp_path: Path, scheme: str) -> None:
    context, options = None, "?path=/broker"
    if scheme == "wss":
        make_certificates(tmp_path)
        context, options = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), f"?ca={tmp_path}/ca.pem&path=/broker"
        context.load_cert_chain(tmp_path / "broker.pem", tmp_path / "broker.key")
    async with websockets(mosquitto.port, "/broker", context) as port:
        url = f"{scheme}://{HOST}:{port}/bench/sim-7{options}"
        async with served("--mqtt", url, *PARAMETERS) as device:
            assert device.urls == [url]
            async with devicectl.connect(url) as handpiece, handpiece.open_session(Plan(target_cores=6)) as session:
                await session.confirm_anesthesia()
                async for _ in session.run():
                    pass
            assert session.summary.succeeded


@pytest.mark.parametrize("line", [(*FIRMWARE_SIM, "serve", "--mqtt"), (*DEVICECTL, "run", "--device")], ids=len)
@pytest.mark.asyncio
async def test_websockets_that_are_elsewhere_are_told(
    mosquitto: Mosquitto, line: tuple[str, ...], tmp_path: Path
) -> None:
    """By each program, as one: the client library leaves the socket of a failed handshake to whoever sweeps."""
    async with websockets(mosquitto.port, "/broker") as port:
        url = f"ws://{HOST}:{port}/bench/sim-7"
        env = environment({"DEVICECTL_LOG": str(tmp_path / "log.sqlite")})
        done = await asyncio.to_thread(
            subprocess.run, [*line, url], capture_output=True, text=True, timeout=patience(), env=env, check=False
        )
    assert done.returncode == 3
    assert "it has no WebSockets for MQTT at /mqtt; path=/... names another place" in done.stderr.splitlines()[-1]
