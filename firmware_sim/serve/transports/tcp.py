"""TCP: a port of the device for each connection.

Law: what a peer can make this end keep is bounded: connections, bytes read in one go, bytes that it does not fetch.
"""

import asyncio
import errno
import os
import select
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple, cast

from firmware_sim.clock import pause
from firmware_sim.control import MAX_VIEWERS
from firmware_sim.ports import Port
from firmware_sim.serve.errors import NoPlaceError, OptionError
from firmware_sim.serve.real_time import MAX_PLACES, Write
from firmware_sim.serve.transports.table import Place, Served, Transport
from handpiece_shell.files import NamedFile
from handpiece_shell.streams import say
from protocols.text.addresses import AddressError, Flaw, format_address, is_loopback, show_host, split_address

MAX_CONNECTIONS: Final = MAX_PLACES
assert MAX_CONNECTIONS > MAX_VIEWERS, "a place is kept for a controller"
READ_SIZE: Final = 4096
"""Bytes taken in one go, some 150 short frames and a few milliseconds: a flood on one connection must not keep the
heartbeat of another waiting for longer than its lease allows."""
MAX_UNREAD_BYTES: Final = 1 << 20
"""Beyond what the system buffers. A host has at most five commands in flight, which is below 2 KiB: one that has left
a mebibyte unread asks and never reads, and is cut off."""
ACCEPT_AGAIN_S: Final = 0.1
"""After a connection could not be taken for want of descriptors or memory."""
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
CLOSE_TIMEOUT_S: Final = 1.0
"""Time for a peer to fetch the last bytes when the service ends."""
_EXAMPLES: Final = "for example 127.0.0.1:0, 127.0.0.1:4001 or [::1]:4001"


class Address(NamedTuple):
    """Host and port to listen at; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return it in the form of a URL: IPv6 in brackets."""
        return format_address(self.host, self.port)

    @property
    def files(self) -> Sequence[NamedFile]:
        """No file."""
        return ()

    async def open_transport(self, device: Served) -> Transport:
        """Listen there, or raise OptionError or NoPlaceError."""
        return await listen(device, self, "tcp", Connection)


def parse(text: str, extras: Mapping[str, str]) -> Place:
    """Check HOST:PORT.

    Raises:
        OptionError: it is not that.
    """
    return parse_address(text, "--tcp")


def parse_address(text: str, option: str) -> Address:
    """Check HOST:PORT, the value of `option`.

    Raises:
        OptionError: it is not that.
    """
    try:
        host, port = split_address(text)
    except AddressError as error:
        if error.flaw is Flaw.HIGH_PORT:
            raise OptionError(option, f"{error}; port 0 takes a free one") from None
        known = str(error) if error.flaw in (Flaw.BARE, Flaw.HOST) else f"{show_host(text)} is not HOST:PORT"
        raise OptionError(option, f"{known}; {_EXAMPLES}") from None
    if port is None:
        raise OptionError(option, f"{show_host(text)} is not HOST:PORT; {_EXAMPLES}")
    return Address(host, port)


class Connection(asyncio.BufferedProtocol):
    """One host's connection, and the device's port on it, whose name begins with the `scheme` of its URL."""

    scheme: ClassVar = "tcp"

    def __init__(self, device: Served, connections: "list[Connection]", is_cut: Callable[[], bool]) -> None:
        self._device = device
        self._connections = connections
        self._is_cut = is_cut
        self._outlived = False
        """True while the port outlives the connection, by a fault."""
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(READ_SIZE)
        self._view = memoryview(self._buffer)
        self.port: Port | None = None
        self.gone = self._loop.create_future()

    @property
    def linked(self) -> bool:
        """True if a host has a link on it."""
        return self.port is not None and self.port.exchange.linked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: a host is there. It sets TCP_NODELAY by itself."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class, which is none of asyncio's
        if self._is_cut() or not self._make_room():
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=MAX_UNREAD_BYTES)
        host, port = self._transport.get_extra_info("peername")[:2]
        self.port = self._device.attach(f"{self.scheme}:{Address(host, port)}", self._way_out())
        self._connections.append(self)

    def _way_out(self) -> Write:
        """Return what takes the device's frames."""
        return self._transport.write

    def get_buffer(self, sizehint: int) -> bytearray:
        """Asyncio: where to read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Asyncio: bytes were read."""
        self._received(bytes(self._view[:nbytes]))

    def _received(self, data: bytes) -> None:
        if self.port is not None:
            self._device.receive(self.port, data)

    def eof_received(self) -> None:
        """Asyncio: the host will send nothing more; it may still fetch its last answers."""
        self._leave()
        self.close()

    def pause_writing(self) -> None:
        """Asyncio: the peer has left too much unread. The port goes later: it is being written to."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection is gone."""
        self.gone.set_result(None)
        if not self._outlived:
            self._leave()

    def close(self) -> None:
        """Close once what was written has gone out, or could not go out in time."""
        self._transport.close()
        self._loop.call_later(CLOSE_TIMEOUT_S, self._transport.abort)

    def cut(self, *, host_knows: bool, device_knows: bool) -> None:
        """Break the connection for the ends that are to know; `give_way` breaks it for the other one."""
        self._outlived = not device_knows
        if device_knows:
            self._leave()
        if host_knows:
            self._transport.abort()

    def _leave(self) -> None:
        if self.port is not None:
            port, self.port = self.port, None
            self._connections.remove(self)
            self._device.detach(port)

    def _make_room(self) -> bool:
        return len(self._connections) < self._device.places or _give_way(self._device, self._connections)

    def give_way(self) -> None:
        """Leave at once, for another."""
        self._transport.abort()
        self._leave()


def _give_way(device: Served, connections: list[Connection]) -> bool:
    """Have a connection give way, if there is one that may."""
    by_port = {connection.port: connection for connection in connections if connection.port is not None}
    port = device.device.control.expendable(by_port)
    if port is None:
        return False
    by_port[port].give_way()
    return True


MakeConnection = Callable[[Served, list[Connection], Callable[[], bool]], Connection]


class Listener:
    """The address at which connections are taken.

    They are taken here and not by asyncio's server: that one, where descriptors run out, reports sixteen errors at a
    time and begins again after each, until it does nothing else.
    """

    def __init__(self, device: Served, sock: socket.socket, scheme: str, make_connection: MakeConnection) -> None:
        self._device = device
        self._sock = sock
        self._scheme = scheme
        self._make_connection = make_connection
        self._connections: list[Connection] = []
        self._cut_off: list[Connection] | None = None
        """Connections that a fault has broken; None where there is no such fault."""
        self._told = False
        self._loop = asyncio.get_running_loop()
        host, port = sock.getsockname()[:2]
        self._open_to_others = not is_loopback(host)
        self.address = Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)
        self._accepting = self._loop.create_task(self._accept(), name=f"{scheme}: accept")
        self._accepting.add_done_callback(self._accepted)

    @property
    def url(self) -> str:
        """The device URL that a host on this machine opens."""
        return f"{self._scheme}://{self.address}"

    @property
    def warning(self) -> str:
        """A sentence where other machines can reach the device."""
        if not self._open_to_others:
            return ""
        return f"port {self.address.port} is open to every machine that can reach this one"

    async def close(self) -> None:
        """Take no more connections, and close those there are."""
        self._accepting.cancel()
        await asyncio.wait([self._accepting])
        self._sock.close()
        self.mend()
        connections = list(self._connections)
        for connection in connections:
            connection.close()
        if connections:
            await asyncio.wait([connection.gone for connection in connections])

    def cut(self, *, host_knows: bool, device_knows: bool) -> None:
        """Break each connection, and refuse others until `mend`."""
        self._cut_off = list(self._connections)
        for connection in self._cut_off:
            connection.cut(host_knows=host_knows, device_knows=device_knows)

    def mend(self) -> None:
        """Take connections again; those that were cut are gone at both ends."""
        broken, self._cut_off = self._cut_off, None
        for connection in broken or ():
            connection.give_way()

    async def _accept(self) -> None:
        while True:
            try:
                sock, _ = await self._loop.sock_accept(self._sock)
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                # Also where nobody waits: the system looks for a free descriptor first.
                if select.select([self._sock], [], [], 0)[0]:
                    self._tell_once(f"no connection can be taken: {error.strerror}; going on as some are closed")
                    _give_way(self._device, [one for one in self._connections if not one.linked])
                await pause(ACCEPT_AGAIN_S)
                continue
            await self._loop.connect_accepted_socket(self._connection, sock)

    def _connection(self) -> Connection:
        return self._make_connection(self._device, self._connections, lambda: self._cut_off is not None)

    def _tell_once(self, text: str) -> None:
        if not self._told:
            self._told = True
            say(f"firmware-sim: warning: {text}")

    def _accepted(self, accepting: asyncio.Task[None]) -> None:
        """Report the end of the accepting: a defect of this program, unless it was told to end."""
        if not accepting.cancelled() and (error := accepting.exception()) is not None:
            self._loop.call_exception_handler({"message": f"{self._scheme}: accept", "exception": error})


async def listen(device: Served, address: Address, scheme: str, make_connection: MakeConnection) -> Listener:
    """Take connections at `address`, for the option and in URLs of `scheme`.

    Raises:
        OptionError: there is no such address here.
        NoPlaceError: it is in use.
    """
    option = f"--{scheme}"
    sock = _bind(address, option)
    sock.setblocking(False)
    try:
        sock.listen(MAX_CONNECTIONS)
    except OSError as error:  # two may bind an address that neither listens at yet
        sock.close()
        raise _explained(address, option, error) from error
    return Listener(device, sock, scheme, make_connection)


def _bind(address: Address, option: str) -> socket.socket:
    """A bound socket. Of a name with several addresses the first counts: each would get a port 0 of its own."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise _explained(address, option, error) from error
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(where)
    except OSError as error:
        sock.close()
        raise _explained(address, option, error) from error
    return sock


def _explained(address: Address, option: str, error: OSError | UnicodeError) -> OptionError | NoPlaceError:
    if isinstance(error, UnicodeError):
        reason = "this is no host name"
    elif error.errno == errno.EADDRINUSE:
        return NoPlaceError(f"{option} {address}", "in use by another program; port 0 takes a free one")
    else:
        reason = error.strerror or str(error)
    return OptionError(option, f"cannot listen on {address}: {reason}; for example 127.0.0.1:0")
