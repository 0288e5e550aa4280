"""Drivers, which bring time and bytes to an engine; and the choice of one for a device URL.

    sim://               virtual time, the device in this process
    sim+tcp:// ...       a simulator of its own as a process, then as for a device that runs already
    tcp:// ...           real time, over a transport

Law: only a driver knows a clock and a transport, and it does not know what a session is.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Protocol, TypeVar

from devicectl.real_time import RealTimeDriver
from devicectl.session.context import Entry
from devicectl.session.engine import Engine
from devicectl.session.link import Tap
from devicectl.session.procedures import Procedure
from devicectl.transports.port import Receiver, Transport
from devicectl.transports.urls import DeviceUrl, module_of
from protocols.serial.wire import SerialWire

_T = TypeVar("_T")


class Driver(Protocol):
    """A driver of an engine, as a connection needs it."""

    engine: Engine

    async def perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        """Run a procedure to its end; with `whole` a first cancellation waits for that end.

        After that cancellation, or with `ending` from the beginning, it waits no longer than the device makes headway.
        """

    def abandon_log(self) -> None:
        """Continue without the log."""


@contextlib.asynccontextmanager
async def open_driver(
    url: DeviceUrl, make_engine: Callable[..., Engine], write: Callable[[list[Entry]], None], tap: Tap | None
) -> AsyncIterator[Driver]:
    """Bring the device of `url`, where it is simulated, and what drives an engine that talks to it.

    A URL with `spy+` has another tap there, which shows what it hears.

    Raises:
        UrlError: the URL asks for what this device or this system does not have.
        LinkError: no simulator, or nothing answers at the address.
    """
    with contextlib.ExitStack() as stack:
        if url.spy is not None:
            from devicectl.monitor.spy import spied  # few sessions have one

            tap = stack.enter_context(spied(url, url.spy, tap))
        async with _open_driver(url, make_engine, write, tap) as driver:
            yield driver


@contextlib.asynccontextmanager
async def _open_driver(
    url: DeviceUrl, make_engine: Callable[..., Engine], write: Callable[[list[Entry]], None], tap: Tap | None
) -> AsyncIterator[Driver]:
    if url.in_process:
        from devicectl.simulation.virtual_time import host_random, make_device, make_driver

        device = make_device(url)
        draw = host_random(device.seed)
        engine = make_engine(
            host_id=draw.getrandbits(32) or 1, draw_nonce=lambda: draw.getrandbits(32), wire=SerialWire(url.baud)
        )
        async with make_driver(url, device, engine, write, tap) as virtual:
            yield virtual
        return
    host_id = secrets.randbits(32) or 1  # 0 means nobody
    client = f"host-{host_id:08x}"
    async with contextlib.AsyncExitStack() as stack:
        if url.simulated:
            from devicectl.simulation.process import simulator

            target = await stack.enter_async_context(simulator(url))
        else:
            target = url

        module = module_of(target.scheme)

        async def opener(receiver: Receiver) -> Transport:
            return await module.open_transport(target, client, receiver)

        engine = make_engine(
            host_id=host_id, draw_nonce=lambda: secrets.randbits(32), wire=module.make_wire(target, client)
        )
        yield await stack.enter_async_context(RealTimeDriver(engine, opener, write, tap))
