"""The bench of real time: channels of the probe as transports, its time as the wall's, a hook as a command.

Law: it carries effects out and decides nothing. Whatever a transport does, each effect ends: a wait at its time, an
opening at its own limit, a hook at `HOOK_LIMIT_S`.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Final, TypeVar

from devicectl import clock
from devicectl.conformance.brokers import BrokerGoneError, why_shut_out
from devicectl.conformance.device.probe import Close, Effect, GoneError, Open, Power, Probe, Steps, Until
from devicectl.conformance.device.wires import Piece
from devicectl.errors import LinkError, LinkForbiddenError
from devicectl.transports.port import Transport
from devicectl.transports.urls import DeviceUrl, module_of
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.mqtt.wire import Publication

_T = TypeVar("_T")

OPEN_LIMIT_S: Final = 15.0
"""Seconds to open a way to the device; a serial port that waits for a board's boot takes eight at most."""
HOOK_LIMIT_S: Final = 60.0
"""Seconds for a hook's command."""

_NO_VERDICT: Final = "no verdict about the device"


class _Way:
    """Receiver of one channel's transport."""

    def __init__(self, bench: "RealBench", channel: int) -> None:
        self._bench = bench
        self._channel = channel
        self.transport: Transport | None = None
        self.left = False

    def received(self, data: object) -> None:
        """Take what the transport brought."""
        if not self.left:
            assert isinstance(data, bytes | Publication)
            self._bench.received(self._channel, data)

    def noticed(self, what: str) -> None:
        """Pass over what is wrong with the transport: it shows in what does not come."""

    def closed(self, reason: str, *, final: bool = False) -> None:
        """Take in that the transport is gone."""
        if not self.left:
            self.left = True
            self._bench.closed(self._channel, reason, final=final)

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Run a transport's own task."""
        self._bench.start(work)


class RealBench:
    """Ways to one device. `client` names the host of a channel to a broker; `hook` is the command that cycles power."""

    def __init__(self, probe: Probe, url: DeviceUrl, client: Callable[[int], str], hook: str | None) -> None:
        self._probe = probe
        self._url = url
        self._client = client
        self._hook = hook
        self._ways: dict[int, _Way] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._came = asyncio.Event()
        self._shut_out = ""
        """Something that a broker forbids the kit, as a sentence; "" while it forbids nothing."""
        self._started = clock.monotonic()

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator["RealBench"]:
        """Keep the bench while the context lasts; each way is closed at its end."""
        try:
            yield self
        finally:
            for channel in list(self._ways):
                self._close(channel)
            await clock.pause(0)
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=OPEN_LIMIT_S)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def run(self, steps: Steps[_T]) -> _T:
        """Run steps of the probe to their end.

        Raises:
            BrokerGoneError: a broker is not there, or keeps the kit out: the device is not to blame for what follows.
        """
        self._tick()
        try:
            effect = next(steps)
            while True:
                self._flush()
                try:
                    await self._carry_out(effect)
                    if self._shut_out:
                        raise BrokerGoneError(f"{_NO_VERDICT}: {self._shut_out}")
                except GoneError as gone:
                    self._tick()
                    effect = steps.throw(gone)
                else:
                    self._tick()
                    effect = steps.send(None)
        except StopIteration as stop:
            self._flush()
            result: _T = stop.value
            return result

    # --- for the ways ----------------------------------------------------------------------------------------

    def received(self, channel: int, piece: Piece) -> None:
        """Take a piece in at its time."""
        self._tick()
        if channel in self._probe.channels:
            self._probe.heard(channel, piece)
        self._came.set()

    def closed(self, channel: int, reason: str, *, final: bool) -> None:
        """Take in that a channel is closed."""
        self._tick()
        self._shut_out = self._shut_out or (reason if final else "")
        self._probe.closed(channel, reason)
        self._came.set()

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Run a transport's own task until the bench is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def see_broker(self, channel: int = 0) -> None:
        """See that a broker on the way is there, as the client that a channel was.

        Raises:
            BrokerGoneError: it is not, or does not let that client in.
        """
        broker = self._url.broker
        reason = "" if broker is None else await why_shut_out(broker, self._client(channel))
        if reason:
            raise BrokerGoneError(f"{_NO_VERDICT}: {reason}")

    # --- inside ----------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._probe.now = Micros(clock.monotonic() - self._started)

    def _flush(self) -> None:
        sent = list(self._probe.outbox)
        self._probe.outbox.clear()
        for channel, piece in sent:
            way = self._ways.get(channel)
            if way is not None and way.transport is not None and not way.left:
                way.transport.write(piece)

    async def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Until(due):
                await self._until(due)
            case Open(channel):
                await self._open(channel)
            case Close(channel):
                self._close(channel)
                await clock.pause(0)
            case Power(off_ms):
                await self._power(off_ms)

    async def _until(self, due: Micros) -> None:
        self._tick()
        left_s = (due - self._probe.now) / SECOND
        if left_s <= 0:
            await clock.pause(0)  # a device that floods must not keep the loop from its other work
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._came.wait()
        self._came.clear()

    async def _open(self, channel: int) -> None:
        self._close(channel)
        way = _Way(self, channel)
        self._probe.opened(channel)
        try:
            async with asyncio.timeout(OPEN_LIMIT_S):
                way.transport = await module_of(self._url.scheme).open_transport(self._url, self._client(channel), way)
        except (LinkError, TimeoutError) as error:
            way.left = True
            reason = str(error) or f"it could not be opened within {OPEN_LIMIT_S:g} s"
            self._probe.closed(channel, reason)
            if isinstance(error, LinkForbiddenError):
                raise BrokerGoneError(f"{_NO_VERDICT}: {reason}") from error
            await self.see_broker(channel)
            raise GoneError(f"the way to the device is closed: {reason}") from error
        self._probe.channels[channel].birth_no = getattr(way.transport, "birth_no", None)
        self._ways[channel] = way

    def _close(self, channel: int) -> None:
        self._flush()
        way = self._ways.pop(channel, None)
        if way is not None and way.transport is not None:
            gone, way.left = way.left, True
            if not gone:
                way.transport.close()

    async def _power(self, off_ms: int) -> None:
        """Run the hook; it gets the time for which power is to be off.

        Raises:
            GoneError: it fails, or does not end.
        """
        assert self._hook is not None, "no case that needs one runs without it"
        process = await asyncio.create_subprocess_shell(
            self._hook,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "OFF_MS": str(off_ms)},
        )
        try:
            async with asyncio.timeout(HOOK_LIMIT_S + off_ms / MILLISECOND):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise GoneError(f"the hook power_cycle did not end within {HOOK_LIMIT_S:g} s") from None
        if code:
            raise GoneError(f"the hook power_cycle ended with code {code}")
