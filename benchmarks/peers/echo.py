"""The ceiling for a simulator in Python: a bare asyncio server that gives back what it gets.

python -m benchmarks.peers.echo tcp PORT
python -m benchmarks.peers.echo pty LINK
"""

import asyncio
import os
import sys
from pathlib import Path


class Echo(asyncio.Protocol):
    """Gives back what it gets."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: a connection stands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

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
    asyncio.run(_tcp(int(place)) if kind == "tcp" else _pty(Path(place)))


if __name__ == "__main__":
    main()
