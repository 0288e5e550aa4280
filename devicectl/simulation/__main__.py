"""A simulator of any `sim+...` URL for another program: its address in a line of JSON, until standard input ends.

    python -P -m devicectl.simulation 'sim+tcp://?seed=7&anesthesia_wait_s=1'

It is what `firmware-sim serve` is, with the broker that `sim+mqtt://` needs.
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Final

from devicectl.errors import DevicectlError, UrlError
from devicectl.simulation.process import simulator
from devicectl.transports.urls import SCHEMES, parse_url
from handpiece_shell.streams import say

_EXAMPLE: Final = next(row.example for row in SCHEMES.values() if row.served)


async def _serve(text: str, options: list[str]) -> None:
    url = parse_url(text)
    if not url.served:
        raise UrlError(text, "scheme", "it starts no process", _EXAMPLE)
    async with simulator(url, options) as target:
        print(json.dumps({"simulated": True, "url": target.text, "seed": target.seed}), flush=True)
        await asyncio.to_thread(_wait_for_owner)


def _wait_for_owner() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass


def main() -> int:
    """Serve until the owner lets go; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devicectl.simulation", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--trace", default="")
    parser.add_argument("--record", default="")
    parser.add_argument("--report", default="")
    parser.add_argument("--scenario", default="")
    given = parser.parse_args()
    kept = {"--trace": given.trace, "--record": given.record, "--report": given.report, "--scenario": given.scenario}
    try:
        asyncio.run(_serve(given.url, [word for name, path in kept.items() if path for word in (name, path)]))
    except DevicectlError as error:
        say(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
