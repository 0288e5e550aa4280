"""The server's program: the listening socket, uvicorn with our connections, and the time of all stations.

Law: it prints no token but those of the links that the user asked for, and logs no request.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from devicectl.errors import DevicectlError
from devicectl.station.server.admission.connections import HttpConnection, SocketConnection
from devicectl.station.server.admission.limits import MAX_HEAD_BYTES, MAX_MESSAGE_BYTES

PING_S: Final = 10.0
GRACE_S: Final = 2
"""Time for open requests when the server ends."""
ANY_PORT_HOST: Final = "192.0.2.1"
"""An address for documentation, to which nothing is ever sent: the system is asked by which of its own it would be."""


class ListenError(DevicectlError):
    """The server cannot listen where it should."""

    exit_code = 2


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        ListenError: another program has the port, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ListenError(f"cannot listen at {host} port {port}: {error.strerror or error}") from error


def reached_at(listening: socket.socket) -> str:
    """Return the address by which others reach the server, as the beginning of a URL."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = _own_address(listening.family, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _own_address(family: int, host: str) -> str:
    """Return the address of this machine in its network; its loopback where it is in none."""
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((ANY_PORT_HOST if host == "0.0.0.0" else "2001:db8::1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1" if host == "0.0.0.0" else "::1"


async def serve(app: ASGIApp, listening: socket.socket, keep_time: Callable[[], Coroutine[None, None, None]]) -> None:
    """Serve until a signal ends it."""
    server = uvicorn.Server(configured(app))
    async with asyncio.TaskGroup() as group:
        pacing = group.create_task(keep_time())
        await server.serve(sockets=[listening])
        pacing.cancel()


def configured(app: ASGIApp) -> uvicorn.Config:
    """Return how uvicorn serves the application: with our connections and limits, and without its logs."""
    return uvicorn.Config(
        app,
        http=HttpConnection,
        ws=SocketConnection,
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_S,
    )
