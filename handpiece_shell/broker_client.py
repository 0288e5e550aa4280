"""The client of a broker, for both programs: aiomqtt's, with `Calls`, and with its socket in this loop's hands.

    options = connection_options(url, "host-1")
    ended_by = await stay_connected(options, loop.time() + TIMEOUT_S, live)      live(client) subscribes and publishes

Law: whatever a broker does, the event loop is never told of an error; a caller is.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self, TypeVar

import aiomqtt
from paho.mqtt import client as mqtt

from handpiece_shell.broker_calls import Calls, count_as_seen, opened_socket
from handpiece_shell.broker_files import read_credentials, tls_context
from protocols.mqtt.broker import NOT_MQTT, UNANSWERED, DeniedError, LostError, client_options
from protocols.mqtt.broker_url import BrokerUrl

_Answer = TypeVar("_Answer")

ROUTINE: Final = (aiomqtt.MqttError, DeniedError, LostError)
"""Errors that end a connection in the ordinary way."""
_NO_DELAY: Final = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
_LOGGER: Final = logging.getLogger(__name__)
"""Takes what the client library says, which would else print it: what matters of it comes as an error as well."""
_LOGGER.addHandler(logging.NullHandler())


class BrokerClient(Calls):
    """One connection to the broker.

    How it works. The library connects in a thread of the event loop's pool, and from there has the loop watch the
    socket, some time later and by its number. Both go wrong:

        the broker dies meanwhile    the number is that of nothing (asyncio prints a traceback) or of another connection
        the program is told to end   asyncio waits for its pool: 2 s for the connection, and 2 s for TLS

    So a thread of our own connects, which nobody waits for, and asks the loop for nothing. Once it is done, `_watch`
    has the loop watch the socket; from then on only the loop's own thread watches and closes it. The library then
    finds a connection that is open already.

    When `async with` is left, the socket is closed, whatever ended the connection. The library leaves it open where a
    broker did not answer in time, or said what is not MQTT.
    """

    _watched = False
    _left = False
    _not_opened: Exception | None = None

    async def __aenter__(self) -> Self:
        """Aiomqtt: connect; a connection that does not come about leaves nothing open."""
        try:
            await self._open()
            await super().__aenter__()
            if self._lost is not None:  # with the answer; the library has forgotten it, and would wait for another end
                raise self._lost
        except BaseException as error:
            is_connected = self._watched and self._client.socket() is not None
            self._leave()
            if is_connected and "timed out" in str(error):
                raise aiomqtt.MqttError(UNANSWERED) from error
            raise
        return self

    async def __aexit__(self, *raised: Any) -> None:
        """Aiomqtt: take leave of the broker, and disconnect."""
        try:
            await super().__aexit__(*raised)
        finally:
            self._leave()

    async def _wait_for(self, fut: Awaitable[_Answer], timeout: float | None) -> _Answer:
        """Aiomqtt: wait. In Python 3.11 it would forget a cancellation that comes with the answer."""
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        answer = await super()._wait_for(fut, timeout)
        if task.cancelling() > before:
            raise asyncio.CancelledError
        return answer

    # --- the socket ------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        """Have a thread connect. If this is cancelled, the thread closes what it opens."""
        done = self._loop.create_future()

        def end() -> None:
            if self._not_opened is None:
                self._watch()
            if not done.done():
                done.set_result(None)

        def connect() -> None:
            try:
                super(BrokerClient, self)._client_connect()
            except Exception as error:  # noqa: BLE001 - the library is to translate it: see `_client_connect`
                self._not_opened = error
            try:
                self._loop.call_soon_threadsafe(end)
            except RuntimeError:  # the loop is closed: the program ends
                with contextlib.suppress(AttributeError, OSError):
                    opened_socket(self._client.socket()).close()

        threading.Thread(target=connect, name="broker: connect", daemon=True).start()
        await done

    def _client_connect(self) -> None:
        """Aiomqtt: connect; done by `_open`, and here only told if it failed."""
        if self._not_opened is not None:
            raise self._not_opened

    def _on_socket_open(self, client: mqtt.Client, userdata: object, sock: Any) -> None:
        """In the thread: too early."""

    def _on_socket_register_write(self, client: mqtt.Client, userdata: object, sock: Any) -> None:
        if self._watched:
            self._loop.add_writer(sock.fileno(), self._write)

    def _watch(self) -> None:
        """The thread is done with the socket."""
        self._watched = True
        if self._left:
            self._leave()
            return
        opened = self._client.socket()
        assert opened is not None, "it was opened in the thread, and nobody else closes it"
        for option in self._socket_options:  # which the library does not find in its object for WebSockets
            opened_socket(opened).setsockopt(*option)
        self._loop.add_reader(opened.fileno(), self._read)
        if self._client.want_write():
            self._loop.add_writer(opened.fileno(), self._write)
        self._misc_task = self._loop.create_task(self._misc_loop())

    def _read(self) -> None:
        try:
            self._client.loop_read()
            while (opened := self._client.socket()) is not None and self._undelivered(opened):
                self._client.loop_read()
        except Exception as error:  # noqa: BLE001 - what came is not MQTT: the one who waits hears it
            self._fail(error)

    @staticmethod
    def _undelivered(opened: Any) -> bool:
        """Bytes that TLS has taken in already, for which the socket rings no more."""
        return hasattr(opened, "pending") and opened.pending() > 0

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """End the connection by this error."""
        reason = aiomqtt.MqttError(NOT_MQTT)
        reason.__cause__ = error
        self._break(reason)

    def break_off(self) -> None:
        """End the connection as if its cable was cut: the broker says the will."""
        self._break(aiomqtt.MqttError("the connection was broken off"))

    def _break(self, reason: aiomqtt.MqttError) -> None:
        self._end_by(reason)
        if not self._disconnected.done():
            self._disconnected.set_exception(reason)
            count_as_seen(self._disconnected)
        self._close_socket()

    def _leave(self) -> None:
        """Close what is still open, with a word to the broker if that goes out at once: it then says no will."""
        self._left = True
        if not self._watched:  # the thread has it, if anybody
            return
        if self._client.socket() is not None:
            self._client.disconnect()
            self._client.loop_write()
        self._close_socket()

    def _close_socket(self) -> None:
        self._client._sock_close()  # as the library does; its public ways wait for an answer


def connection_options(url: BrokerUrl, identifier: str) -> dict[str, Any]:
    """Return the arguments of each `BrokerClient` that is `identifier` to the broker; a will comes to them.

    Raises:
        BrokerUrlError: a file of the URL cannot be used.
    """
    return {
        **client_options(url, identifier, read_credentials(url)),
        "tls_context": tls_context(url),
        "protocol": aiomqtt.ProtocolVersion.V5,
        "socket_options": (_NO_DELAY,),
        "logger": _LOGGER,
    }


async def stay_connected(
    options: dict[str, Any],
    entry_ends: float,
    live: Callable[[BrokerClient], Awaitable[None]],
    routine: tuple[type[Exception], ...] = ROUTINE,
) -> Exception | None:
    """Connect, run `live`, and return what ended the connection: an error of `routine`, or None where `live` ended.

    Until the client's `end_entry`, all together ends at `entry_ends`, in the loop's time. Any other error is raised.
    """
    try:
        client = BrokerClient(**options)
        client.begin_entry(entry_ends)
        async with client:
            await live(client)
    except routine as error:
        return error
    except BaseExceptionGroup as group:
        expected, others = group.split(routine)
        if expected is None or others is not None:
            raise (others or group).exceptions[0] from group
        first = expected.exceptions[0]
        assert isinstance(first, Exception)
        return first
    return None
