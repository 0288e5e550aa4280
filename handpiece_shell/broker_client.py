"""The client of a broker, as both programs have it: aiomqtt's, with `Calls`, and with its socket in this loop's hands.

How it works. The library connects in a thread, and from there has the event loop watch the socket, some time later and
by its number. Where a broker dies meanwhile, that is the number of nothing, at which asyncio prints a traceback, or of
another connection. So nothing is asked for in the thread. Once that is done, `_watch` has the loop watch the socket,
and from then on the loop's own thread alone watches and closes it.

Whatever ends a connection, its socket is closed when `async with` is left. The library leaves those open that a broker
has not answered in time, and those that brought what is not MQTT.

Law: whatever a broker does, the event loop is never told of an error; a caller is.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Self

import aiomqtt

from handpiece_shell.broker_calls import Calls, count_as_seen, opened_socket
from protocols.mqtt.broker import NOT_MQTT, UNANSWERED


class BrokerClient(Calls):
    """One connection to the broker."""

    _watched = False
    _left = False

    async def __aenter__(self) -> Self:
        """Aiomqtt: connect; a connection that does not come about leaves nothing open."""
        try:
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

    async def _wait_for(self, fut: Awaitable[Any], timeout: float | None) -> Any:
        """As the library has it. In Python 3.11 it forgets a cancellation that comes with the answer."""
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        answer = await super()._wait_for(fut, timeout)
        if task.cancelling() > before:
            raise asyncio.CancelledError
        return answer

    # --- the socket ------------------------------------------------------------------------------------------

    def _client_connect(self) -> None:
        super()._client_connect()
        self._loop.call_soon_threadsafe(self._watch)

    def _on_socket_open(self, client: Any, userdata: Any, sock: Any) -> None:
        """In the thread: too early."""

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
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
        except Exception as error:  # noqa: BLE001 - what came is not MQTT: whoever waits hears it
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
