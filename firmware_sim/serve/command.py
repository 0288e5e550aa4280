"""`firmware-sim exec`: a device for as long as a command runs, in this process, so that it cannot outlive its end.

Exit codes: the command's own, 128 + n where signal n ended it; 124 the time was over, 126 it cannot be run,
127 there is no such command; those of `serve` where there was no device. A report that cannot be written, and with
`--strict` one that is not good, is 1 in place of the command's 0: a verdict that is missing is none that passes.
So is a fault of a scenario that never fired: what it was to test was not tested.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Final

from firmware_sim.serve.errors import ServeError
from firmware_sim.serve.loop import run
from firmware_sim.serve.options import Options
from firmware_sim.serve.service import Reason, Service, service
from handpiece_shell.child import signal_child
from handpiece_shell.streams import say

TIME_OVER: Final = 124
CANNOT_RUN: Final = 126
NOT_FOUND: Final = 127
"""Exit codes of `timeout` and `env` for the same."""
NOT_GOOD: Final = 1
GRACE_S: Final = 5.0
"""From SIGTERM to SIGKILL, for a command whose device has ended."""


def execute(options: Options, command: Sequence[str]) -> int:
    """Run `command` beside a device; the exit code.

    Raises:
        ServeError: there can be no device.
    """
    return run(_execute(options, command))


async def _execute(options: Options, command: Sequence[str]) -> int:
    code = 0
    try:
        async with service(options) as device:
            said = device.announcement
            # The command's own output stays its own.
            say(*(said.to_json() if options.json else said.to_text()).splitlines())
            code = await _run(device, command, options.max_seconds)
        if device.unfired:
            say(f"firmware-sim: --scenario: {'; '.join(device.unfired)}")
            code = code or NOT_GOOD
        if options.strict and device.faults:
            say(f"firmware-sim: --strict: the report is not good: {', '.join(device.faults)}")
            code = code or NOT_GOOD
    except ServeError as error:
        if not code:
            raise
        say(f"firmware-sim: {error}")  # a report that cannot be written; the code says that the command failed
    return code


async def _run(device: Service, command: Sequence[str], max_seconds: float | None) -> int:
    environment = {**os.environ, **device.announcement.environment()}
    try:
        process = await asyncio.create_subprocess_exec(*command, env=environment)
    except OSError as error:
        say(f"firmware-sim: cannot run {command[0]}: {error.strerror}")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_RUN
    code = await _attend(device, process)
    if code is None:
        say(f"firmware-sim: {command[0]} was ended: it ran for longer than --max-seconds {max_seconds:g}")
        return TIME_OVER
    return code


async def _attend(device: Service, process: asyncio.subprocess.Process) -> int | None:
    """Wait for the command; pass on what asks us to end. Its exit code; None where its time was over."""
    device.ending.watch_signals(lambda number: _pass_on(process, number))
    reached = device.ending.reached
    async with asyncio.TaskGroup() as group:
        running = group.create_task(process.wait(), name="command")
        either: set[asyncio.Future[int] | asyncio.Future[Reason]] = {running, reached}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        in_time = running.done()
        if not in_time:
            signal_child(process, signal.SIGTERM)
            await asyncio.wait({running}, timeout=GRACE_S)
            signal_child(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    if not in_time and reached.result() is Reason.TIME_OVER:  # raises what the device could not survive
        return None
    code = running.result()
    return code if code >= 0 else 128 - code


def _pass_on(process: asyncio.subprocess.Process, number: int) -> None:
    """Give the command a signal that we were given; a Ctrl-C at a terminal has reached it already."""
    if number != signal.SIGINT or not _in_foreground():
        signal_child(process, number)


def _in_foreground() -> bool:
    """Return True if a terminal sends its Ctrl-C to our process group, and so to the command."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
