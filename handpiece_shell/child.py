"""Signals to a child process of the event loop."""

import asyncio
import contextlib
import os


def signal_child(process: asyncio.subprocess.Process, number: int) -> None:
    """Send signal `number` to a child that has not ended.

    Not by `process.send_signal`: that looks first whether the child has ended, and so takes its exit code away from the
    loop, which then makes 255 of it.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
