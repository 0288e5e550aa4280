"""The bench: a simulated device, a face of the line to it, and the command, each ended whatever it does.

Law: every wait has a limit with a name, and what the command prints is read and not kept. Children of the command end
with it: those of its process group, and where /proc tells, those that have left it.
"""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Final

from devicectl import clock
from devicectl.conformance.brokers import BrokerGoneError
from devicectl.conformance.controller.carrier import behind, check_broker, mqtt_face
from devicectl.conformance.controller.faces import Face, Taken, pty_face, rfc2217_face, tcp_face
from devicectl.conformance.controller.left import end_marked
from devicectl.conformance.controller.scene import START_LIMIT_S, End, Run, Scene
from devicectl.conformance.controller.tape import Tape
from devicectl.errors import DevicectlError
from devicectl.simulation.process import simulator
from devicectl.transports.urls import DeviceUrl, parse_url
from protocols.language.units import SECOND
from protocols.mqtt.broker_url import BrokerUrl
from protocols.text.escape import printable

GRACE_S: Final = 5.0
"""Seconds from SIGTERM to SIGKILL."""
LEFT_LIMIT_S: Final = 1.0
"""Seconds for the last of the command's output, once it has ended."""
LOOK_S: Final = 0.05
MARK: Final = "DEVICECTL_CONFORM_RUN"
"""Variable by which the children of a run are known, whatever session they put themselves in."""
KEPT_BYTES: Final = 2_000
"""Last bytes of the command's output that are kept for the report."""
SEED: Final = 7
OpenFace = Callable[[Taken, Path], AbstractAsyncContextManager[Face]]
FACES: Final[dict[str, OpenFace]] = {"tcp": tcp_face, "pty": pty_face, "rfc2217": rfc2217_face}


async def hold_run(scene: Scene, command: Sequence[str], way: str, place: BrokerUrl | None = None) -> Run:
    """Hold one run of the command; `{url}` and `{folder}` in it are those of the run. `place` is its own at a broker.

    Raises:
        BrokerGoneError: the broker has gone.
    """
    run = Run(scene, Tape())
    with tempfile.TemporaryDirectory(prefix="conform-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        path = folder / "scenario.json"
        path.write_text(json.dumps(scene.scenario(SEED)), encoding="utf-8")
        try:
            async with simulator(_device_of(place), ["--scenario", str(path)]) as target:
                taken = Taken(scene, run.tape, (target.host, target.port or 0))
                async with mqtt_face(taken, place) if place is not None else FACES[way](taken, folder) as face:
                    await _run(run, taken, command, face.url, folder)
                if taken.gone:
                    raise BrokerGoneError(taken.gone)
                if place is not None:
                    await check_broker(place)  # one that froze has kept the command from all that it should do
        except BrokerGoneError:
            raise
        except DevicectlError as error:
            if "never fired" in str(error):
                run.unfired.append(str(error).removeprefix("firmware-sim: ").removeprefix("--scenario: "))
            else:
                run.broken = str(error)
    for tamper in scene.tampers:
        if tamper.name not in run.tape.put_in:
            run.unfired.append(f"its moment never came: {tamper.name}")
    return run


def _device_of(place: BrokerUrl | None) -> DeviceUrl:
    """Return the URL of a simulated device on TCP, or at its place behind a broker."""
    if place is None:
        return parse_url("sim+tcp://")
    return replace(parse_url("sim+mqtt://"), served=("--mqtt", str(behind(place)), "--forget"))


async def _run(run: Run, taken: Taken, command: Sequence[str], url: str, folder: Path) -> None:
    """Start the command and wait for its end, or end it."""
    mark = secrets.token_hex(8)
    line = [word.replace("{url}", url).replace("{folder}", str(folder)) for word in command]
    output, inlet = os.pipe()  # its own: asyncio's wait() would also wait for children that keep asyncio's pipe
    try:
        process = await asyncio.create_subprocess_exec(
            *line,
            env={**os.environ, "HANDPIECE_URL": url, "HANDPIECE_URLS": json.dumps([url]), MARK: mark},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=inlet,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # its children are in its group, and end with it
        )
    except (OSError, ValueError) as error:
        os.close(output)
        run.end, run.words = End.NOT_STARTED, f"{line[0]}: {getattr(error, 'strerror', None) or error}"
        return
    finally:
        os.close(inlet)
    kept = bytearray()
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(_read(run, output, kept))
        waiting = group.create_task(process.wait())
        try:
            await _attend(run, taken, process.pid, waiting)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            end_marked(MARK, mark)
        await asyncio.wait({waiting}, timeout=GRACE_S)
        run.tape.ended = taken.now
        await asyncio.wait({reading}, timeout=LEFT_LIMIT_S)
        reading.cancel()
        waiting.cancel()
    run.code = process.returncode if run.end is End.ITSELF else None
    run.seconds = taken.now / SECOND
    said = kept.decode(errors="replace").strip().splitlines()
    run.words = printable(said[-1])[:200] if said else ""


async def _attend(run: Run, taken: Taken, group: int, waiting: "asyncio.Task[int]") -> None:
    """Wait for the command; past a limit it gets SIGTERM, and then SIGKILL."""
    while not waiting.done():
        await asyncio.wait({waiting}, timeout=LOOK_S)
        late = taken.now / SECOND
        if taken.gone or late >= run.scene.limit_s or (late >= START_LIMIT_S and not run.tape.greeted):
            break
    if waiting.done():
        return
    run.end = End.LIMIT
    _signal_group(group, signal.SIGTERM)
    await asyncio.wait({waiting}, timeout=GRACE_S)
    if not waiting.done():
        run.end = End.KILLED


async def _read(run: Run, output: int, kept: bytearray) -> None:
    """Read what the command and its children print, and keep the end of it."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(output, "rb", buffering=0)
    )
    try:
        await _keep(run, reader, kept)
    finally:
        transport.close()


async def _keep(run: Run, reader: asyncio.StreamReader, kept: bytearray) -> None:
    while data := await reader.read(65_536):
        run.output_bytes += len(data)
        kept += data
        del kept[:-KEPT_BYTES]


def _signal_group(group: int, number: int) -> None:
    """Send a signal to the command and to its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def since(began: int) -> float:
    """Return the seconds since a time of the clock."""
    return (clock.monotonic() - began) / SECOND
