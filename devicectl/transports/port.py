"""What a transport is to the host, and the one over TCP."""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from devicectl.errors import LinkError
from protocols.language.units import Micros
from protocols.text.addresses import format_address


class Receiver(Protocol):
    """Who hears of a transport, always from the event loop."""

    def received(self, data: Any) -> None:
        """Something came in for the wire: bytes, or MQTT messages."""

    def noticed(self, what: str) -> None:
        """Something is wrong with the transport that may be why no answer comes."""

    def closed(self, reason: str, *, final: bool = False) -> None:
        """The transport is gone, and `final` where another one would go as well; called at most once."""

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a transport's own task, beside all else; it ends soon after the transport was closed."""


class Transport(Protocol):
    """An open way to a device."""

    @property
    def boot_us(self) -> Micros:
        """Time that a device may take to answer because this was opened: a serial port resets some boards."""

    def write(self, data: Any) -> None:
        """Send what the wire made, in order. A transport whose peer takes nothing for long closes itself."""

    def close(self) -> None:
        """Close; `closed` is not called for it."""


MOST_UNSENT_BYTES: Final = 64 * 1024
"""Some 250 frames: a device that has not read for that long is not there."""
CONNECT_TIMEOUT_S: Final = 10.0
"""A host that is switched off answers nothing at all; the system would try it for two minutes."""


class TcpTransport(asyncio.Protocol):
    """A TCP connection."""

    boot_us: Final = Micros(0)

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._open = True
        self._full = False
        self.data_received = receiver.received  # type: ignore[method-assign]  # one call less for each piece

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection stands. It sets TCP_NODELAY by itself."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection is gone."""
        if self._open:
            self._open = False
            reason = "the device closed the connection"
            if exc is not None:
                reason = f"connection lost: {_reason(exc) if isinstance(exc, OSError) else exc}"
            self._receiver.closed("the device takes no more bytes" if self._full else reason)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        assert self._transport is not None
        if self._transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self._full = True
            self._transport.abort()
        elif self._open:
            self._transport.write(data)

    def close(self) -> None:
        """Close after what was written has gone out."""
        self._open = False
        if self._transport is not None:
            self._transport.close()


async def open_tcp(host: str, port: int, receiver: Receiver) -> Transport:
    """Connect.

    Raises:
        LinkError: nobody listens there, or the name is not known.
    """
    loop, where = asyncio.get_running_loop(), format_address(host, port)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, protocol = await loop.create_connection(lambda: TcpTransport(receiver), host, port)
    except TimeoutError as error:
        raise LinkError(f"cannot connect to {where}: nothing answers within {CONNECT_TIMEOUT_S:g} s") from error
    except OSError as error:
        raise LinkError(f"cannot connect to {where}: {_reason(error)}") from error
    return protocol


def _reason(error: OSError) -> str:
    """In the system's own words; asyncio's have the address once more."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)
