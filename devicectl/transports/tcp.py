"""TCP: a device, or a gateway to one, at HOST:PORT."""

import asyncio
import os
from collections.abc import Callable
from typing import Final, TypeVar

from devicectl.errors import LinkError, UrlError
from devicectl.transports.port import MAX_UNSENT_BYTES, Receiver, Transport
from devicectl.transports.urls import NEEDS_BRACKETS, DeviceUrl, Scheme, none_left, split
from protocols.language.units import Micros
from protocols.link.port import AnyWire
from protocols.serial.wire import SerialWire
from protocols.text.addresses import AddressError, Flaw, format_address, split_address

_PORT: Final = "a port from 1 to 65535 is needed"
CONNECT_TIMEOUT_S: Final = 10.0
"""A host that is switched off answers nothing at all; the system would try it for two minutes."""


def parse(text: str, row: Scheme) -> DeviceUrl:
    """Check a URL of HOST:PORT.

    Raises:
        UrlError: it is none.
    """
    address, path, options = split(text, row)
    host, port = parse_address(text, address, path, row.example)
    none_left(text, options, "no option", row.example)
    return DeviceUrl(text, row.scheme, host=host, port=port)


def parse_address(text: str, address: str, path: str, example: str) -> tuple[str, int]:
    """Check the HOST:PORT of a URL, behind which is no path.

    Raises:
        UrlError: it is not that.
    """
    try:
        host, port = split_address(address, of_url=True)
    except AddressError as error:
        reason = {Flaw.BARE: NEEDS_BRACKETS, Flaw.PORT: _PORT, Flaw.HIGH_PORT: _PORT}.get(error.flaw, str(error))
        raise UrlError(text, error.part, reason, example) from None
    if not port:
        raise UrlError(text, "port", _PORT, example)
    if path.strip("/"):
        raise UrlError(text, "path", "a path means nothing over TCP", example)
    return host, port


def make_wire(url: DeviceUrl, client: str) -> AnyWire:
    """Make the wire of frames; a network has no speed that frames are to be timed by."""
    return SerialWire()


_Made = TypeVar("_Made", bound="TcpTransport")


class TcpTransport(asyncio.Protocol):
    """A TCP connection."""

    boot_us: Micros = Micros(0)

    def __init__(self, receiver: Receiver, take: Callable[[bytes], None] | None = None) -> None:
        """Hand what comes to `take`, or else to the receiver as it is."""
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._open = True
        self._full = False
        self.data_received = take or receiver.received  # type: ignore[assignment,method-assign]  # one call less for each piece

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection is made. It sets TCP_NODELAY by itself."""
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
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._overflow()
        elif self._open:
            self._transport.write(data)

    def _overflow(self) -> None:
        """Break the connection: the other end has not read for long."""
        assert self._transport is not None
        self._full = True
        self._transport.abort()

    def close(self) -> None:
        """Close after what was written has gone out."""
        self._open = False
        if self._transport is not None:
            self._transport.close()


async def open_transport(url: DeviceUrl, client: str, receiver: Receiver) -> Transport:
    """Connect.

    Raises:
        LinkError: nobody listens there, or the name is not known.
    """
    return await connect(url, lambda: TcpTransport(receiver))


async def connect(url: DeviceUrl, make_transport: Callable[[], _Made]) -> _Made:
    """Connect what `make_transport` makes.

    Raises:
        LinkError: nobody listens there, or the name is not known.
    """
    loop, where = asyncio.get_running_loop(), format_address(url.host, url.port)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, protocol = await loop.create_connection(make_transport, url.host, url.port)
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
