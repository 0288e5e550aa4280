"""A broker of one's own for `sim+mqtt://`: Mosquitto where it is installed, else the package `iotcore`.

It listens at 127.0.0.1 and nowhere else, and ends with the process that started it, also if that is killed.
"""

import asyncio
import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from devicectl import clock
from devicectl.errors import LinkError
from protocols.mqtt.mosquitto import loopback
from protocols.mqtt.wire import MAX_PACKET_BYTES

HOST: Final = "127.0.0.1"
START_TIMEOUT_S: Final = 10.0
"""Either answers within half a second; a machine that is loaded twentyfold still makes this."""
STOP_TIMEOUT_S: Final = 5.0
POLL_S: Final = 0.01
ATTEMPTS: Final = 5
"""Ports that are tried: between its choice and its use, any program may take one."""
FOLDERS: Final = [r"C:\Program Files\mosquitto"] if os.name == "nt" else ["/usr/sbin", "/usr/local/sbin"]
"""Folders where Mosquitto is installed and PATH need not lead."""
_SCRIPTS: Final = Path(__file__).parent
_MISSING: Final = (
    "{asker} needs a broker, and there is none: install the program mosquitto with the system's package manager, "
    "or the one that Python brings with: pip install 'devicectl[broker]'"
)
_CONNACK: Final = 0x20
_DISCONNECT: Final = b"\xe0\x00"


class Program(NamedTuple):
    """A broker's program: its name, its configuration for a port, and its command line before the configuration's path.

    It listens itself, and not another program at the same port, once `sign` is on its standard error; `{client}` there
    is a client's identifier.
    """

    name: str
    configure: Callable[[int], str]
    command: Sequence[str | Path]
    sign: str


def mosquitto() -> Program | None:
    """Mosquitto, where it is installed."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(FOLDERS))
    return None if path is None else Program("mosquitto", loopback, (path, "-c"), " as {client} ")


def embedded() -> Program | None:
    """The broker of the extra `broker`, where it is installed."""
    if importlib.util.find_spec("iotcore") is None:
        return None
    line = (sys.executable, "-P", _SCRIPTS / "embedded_broker.py")
    return Program("iotcore", _rumqttd, line, "Listening for remote connections")


KNOWN: Final = (mosquitto, embedded)
"""Functions that find a program, the better known first; where one does not start, the next is tried."""


def _rumqttd(port: int) -> str:
    """The configuration of the broker that `iotcore` has in it."""
    return f"""\
id = 0
[router]
id = 0
max_connections = 64
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 10
[v5.1]
name = "v5"
listen = "{HOST}:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = {MAX_PACKET_BYTES}
max_inflight_count = 100
"""


@contextlib.asynccontextmanager
async def broker(
    known: Sequence[Callable[[], Program | None]] = KNOWN, *, asker: str = "sim+mqtt://"
) -> AsyncIterator[str]:
    """Run a broker while the context lasts; gives its HOST:PORT, where it answers. `asker` is what a user typed.

    Raises:
        LinkError: no program is installed that is one, or it does not come up.
    """
    programs = [program for find in known if (program := find()) is not None]
    if not programs:
        raise LinkError(_MISSING.format(asker=asker))
    said: dict[str, str] = {}
    for program in (program for program in programs for _ in range(ATTEMPTS)):
        with tempfile.TemporaryDirectory(prefix="devicectl-broker-", ignore_cleanup_errors=True) as folder:
            port, log = _free_port(), Path(folder, "log")
            async with _running(program, port, Path(folder), log) as process:
                if await _answers(process, port, program.sign, log):
                    yield f"{HOST}:{port}"
                    return
            said[program.name] = _last_line(log) or "it said nothing"
    reasons = "; ".join(f"{name} did not start: {line}" for name, line in said.items())
    raise LinkError(f"no broker for {asker}: {reasons}")


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        port: int = chosen.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def _running(program: Program, port: int, folder: Path, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    configuration = folder / "broker.toml"  # its end is how iotcore knows a format; Mosquitto does not look at it
    configuration.write_text(program.configure(port), encoding="utf-8")
    leash = (sys.executable, "-I", _SCRIPTS / "leash.py", folder)
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *leash,
            *program.command,
            configuration,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # a Ctrl-C is for the host, which closes the session through this broker
        )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _answers(process: asyncio.subprocess.Process, port: int, sign: str, log: Path) -> bool:
    """Wait until the broker takes a client of MQTT 5; whether it did before it ended.

    Raises:
        LinkError: the time is over.
    """
    client = f"probe-{secrets.token_hex(4)}"
    sign = sign.format(client=client)
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while process.returncode is None:
                if await _takes(client, port) and sign in log.read_text("utf-8", errors="replace"):
                    return True
                await clock.pause(POLL_S)
    except TimeoutError as error:
        reason = _last_line(log) or "it said nothing"
        raise LinkError(f"the broker did not answer within {START_TIMEOUT_S:g} s: {reason}") from error
    return False


async def _takes(client: str, port: int) -> bool:
    """True if a program at the port accepts a client of MQTT 5."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        writer.write(_connect(client.encode()))
        head = await reader.readexactly(4)  # kind, length, flags, reason
        writer.write(_DISCONNECT)
        return head[0] == _CONNACK and head[3] == 0
    except (OSError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()


def _connect(client: bytes) -> bytes:
    """CONNECT with a clean start, 5 s of keep-alive and no properties. It follows section 3.1 of MQTT 5.0."""
    rest = b"\x00\x04MQTT\x05\x02\x00\x05\x00" + len(client).to_bytes(2, "big") + client
    return bytes((0x10, len(rest))) + rest


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else ""
