"""`firmware-sim serve`: announce a device, and wait until it is to end."""

import asyncio

from firmware_sim.serve.errors import ServeError
from firmware_sim.serve.options import Options
from firmware_sim.serve.service import service


def serve(options: Options) -> int:
    """Serve a device until a signal, the end of the parent or of the time; the exit code.

    Raises:
        ServeError: it cannot be served, or no longer.
    """
    asyncio.run(_serve(options))
    return 0


async def _serve(options: Options) -> None:
    async with service(options) as device:
        said = device.announcement
        try:
            print(said.to_json() if options.json else said.to_text(), flush=True)
        except OSError as error:
            raise ServeError(f"nobody reads the announcement: {error.strerror}") from error
        await device.ending.reached
