"""Connections of uvicorn with the limits that it lacks: on half-open sockets, floods and readers that do not read.

Law: only asyncio's own methods of a protocol and uvicorn's named hooks are overridden, each calls what it overrides.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from devicectl import clock
from devicectl.station.server.admission.limits import (
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_FROM,
    MAX_FRAGMENTS,
    REQUEST_US,
    SOCKET_BYTES,
    STUCK_US,
    Budget,
)
from protocols.language.units import SECOND

UNKNOWN: Final = "?"


class HttpConnection(H11Protocol):
    """A connection that is closed unless it comes to a whole request, or becomes a WebSocket, in time.

    A request that is whole takes as long as it takes, but its answer has to be read.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or drop it where there are too many."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        if _too_many(self.connections, self):
            transport.abort()
            return
        self._expect_progress()

    def on_response_complete(self) -> None:
        """Expect the next request."""
        super().on_response_complete()
        self._expect_progress()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget_deadline()
        super().connection_lost(exc)

    def _expect_progress(self) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(REQUEST_US / SECOND, self._drop)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def _drop(self) -> None:
        if self.transport.get_protocol() is not self:
            return  # it is a WebSocket by now, which has limits of its own
        if self._at_work and not self.flow.write_paused:
            self._expect_progress()
        else:
            self.transport.abort()

    @property
    def _at_work(self) -> bool:
        """True while a request is here as a whole, and its answer is not."""
        return self.cycle is not None and not (self.cycle.more_body or self.cycle.response_complete)


class SocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket whose peer is dropped when it sends too much, or reads nothing."""

    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over."""
        super().connection_made(transport)
        self._budget = Budget(SOCKET_BYTES, clock.monotonic())

    def data_received(self, data: bytes) -> None:
        """Count all that comes: pings and empty frames are no messages, but work."""
        if not self._budget.take(len(data), clock.monotonic()):
            self.transport.abort()
            return
        super().data_received(data)

    def handle_cont(self, event: Frame) -> None:
        """Count the parts of a message."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self.transport.abort()
            return
        super().handle_cont(event)

    def pause_writing(self) -> None:
        """Give the peer a time in which it has to read."""
        super().pause_writing()
        self._stuck = self.loop.call_later(STUCK_US / SECOND, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the peer has read."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        """Drop a peer that does not take the end of the connection."""
        super().on_task_complete(task)
        self.loop.call_later(STUCK_US / SECOND, self.transport.abort)


def _too_many(connections: Iterable[object], new: object) -> bool:
    addresses = [_address(one) for one in connections]
    return len(addresses) > MAX_CONNECTIONS or addresses.count(_address(new)) > MAX_CONNECTIONS_FROM


def _address(connection: object) -> str:
    client = getattr(connection, "client", None)  # each of uvicorn's kinds of connection has it
    return UNKNOWN if client is None else str(client[0])
