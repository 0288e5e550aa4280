"""A simulated device as a process of its own, reached over a real transport: `sim+tcp://` and its like.

It imports nothing of the simulator: it starts the program and reads the one line with its addresses.
"""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from devicectl.errors import DevicectlError, LinkError, UrlError
from devicectl.transports.urls import SCHEMES, DeviceUrl, parse_url
from handpiece_shell.child import signal_child

START_TIMEOUT_S: Final = 20.0
"""It answers in well under a second; a machine that is loaded tenfold still makes this."""
STOP_TIMEOUT_S: Final = 5.0
BAD_ARGUMENTS: Final = 2


def command(url: DeviceUrl, address: str = "") -> list[str]:
    """Compose the command line that brings the device of `url`; `address` is that of the broker, if it wants one."""
    transport = [option.format(broker=address) for option in url.served]
    line = [sys.executable, "-P", "-m", "firmware_sim", "serve", "--json", "--no-keep-running", *transport]
    if url.seed is not None:
        line += ["--seed", str(url.seed)]
    for name, value in url.parameters.items():
        line += ["--param", f"{name}={value:.15g}"]
    return line if url.nvm is None else [*line, "--nvm", url.nvm]


@contextlib.asynccontextmanager
async def simulator(url: DeviceUrl, options: Sequence[str] = ()) -> AsyncIterator[DeviceUrl]:
    """Run the simulator, and the broker that it needs, while the context lasts; gives the URL at which it answers.

    With the seed that it has: `url`'s, else its memory's, else one that it drew.

    `options` are further ones of `firmware-sim serve`.

    Raises:
        DevicectlError: a fault of the scenario in `options` never fired.
        UrlError: it does not take the URL's options.
        LinkError: it did not come up, or there is no broker.
    """
    if any("{broker}" in option for option in url.served):
        from devicectl.simulation.broker import broker

        async with broker() as address, _simulator(url, [*command(url, address), *options]) as target:
            yield target
    else:
        async with _simulator(url, [*command(url), *options]) as target:
            yield target


@contextlib.asynccontextmanager
async def _simulator(url: DeviceUrl, line: list[str]) -> AsyncIterator[DeviceUrl]:
    process = await asyncio.create_subprocess_exec(
        *line,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is for the host, which stops the device and closes the session
    )
    unfired = ""
    try:
        yield await _address(url, process)
    finally:
        if process.returncode is None:
            signal_child(process, signal.SIGTERM)
            try:
                _, said = await asyncio.wait_for(process.communicate(), STOP_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                _, said = await process.communicate()
            if "--scenario" in line and process.returncode and said:
                unfired = said.decode(errors="replace").strip().splitlines()[-1]
    if unfired:
        raise DevicectlError(unfired)


async def _address(url: DeviceUrl, process: asyncio.subprocess.Process) -> DeviceUrl:
    assert process.stdout is not None and process.stderr is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
    except TimeoutError as error:
        raise LinkError(f"the simulator did not come up within {START_TIMEOUT_S:g} s") from error
    if not line:
        said = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else "it said nothing"
        if await process.wait() == BAD_ARGUMENTS:
            raise UrlError(url.text, "options", reason, SCHEMES[url.scheme].example)
        raise LinkError(f"the simulator did not start: {reason}")
    said = json.loads(line)
    return replace(parse_url(said["urls"][0]), seed=said["seed"])
