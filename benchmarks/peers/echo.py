"""The ceiling for a simulator in Python: a bare asyncio server that gives back what it gets.

python -m benchmarks.peers.echo tcp PORT
python -m benchmarks.peers.echo uvloop PORT    the same on uvloop in place of asyncio's own loop
python -m benchmarks.peers.echo pty LINK
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import cast


class Echo(asyncio.Protocol):
    """Gives back what it gets."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: a connection stands."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class, which is none of asyncio's

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes came in."""
        self.transport.write(data)


async def _tcp(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port)
    await server.serve_forever()


async def _pty(link: Path) -> None:
    import pty
    import tty

    controller, line = pty.openpty()
    tty.setraw(line)
    link.symlink_to(os.ttyname(line))
    asyncio.get_running_loop().add_reader(controller, lambda: os.write(controller, os.read(controller, 4096)))
    await asyncio.Event().wait()


def main() -> None:
    """Serve until ended."""
    kind, place = sys.argv[1:]
    make_loop = None
    if kind == "uvloop":
        import uvloop

        make_loop = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(_pty(Path(place)) if kind == "pty" else _tcp(int(place)))


if __name__ == "__main__":
    main()
