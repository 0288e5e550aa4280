"""`firmware-sim serve`: announce a device, and wait until it is to end."""

import errno
import sys

from firmware_sim.serve.errors import ServeError
from firmware_sim.serve.loop import run
from firmware_sim.serve.options import Options
from firmware_sim.serve.service import service
from handpiece_shell.streams import loss_of


def serve(options: Options) -> int:
    """Serve a device until a signal, the end of the parent or of the time; the exit code.

    Raises:
        ServeError: it cannot be served, or no longer; or a fault of its scenario never fired.
    """
    run(_serve(options))
    return 0


async def _serve(options: Options) -> None:
    async with service(options) as device:
        said = device.announcement
        print(said.to_json() if options.json else said.to_text(), flush=True)
        lost = loss_of(sys.stdout)
        if lost is not None and lost.errno != errno.EBADF:  # it may be closed: a ready file can say the same
            raise ServeError(f"nobody reads the announcement: {lost.strerror}")
        await device.ending.reached
        if device.unfired:
            raise ServeError(f"--scenario: {'; '.join(device.unfired)}")
