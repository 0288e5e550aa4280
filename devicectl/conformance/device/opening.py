"""Ways to a device for whoever probes it: in this process and virtual time, or over a transport and in the wall's.

Law: it opens and closes, and decides nothing.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from devicectl.conformance.device.ground import Ground
from devicectl.conformance.device.wires import BytesWire, TopicsWire, Wire
from devicectl.transports.urls import DeviceUrl

if TYPE_CHECKING:
    from devicectl.conformance.device.bench import RealBench
    from devicectl.simulation.bench import VirtualBench

SLACK_MS: Final = 250.0
"""Lateness of a measured time that is put down to the way and to this machine, in real time."""
VIRTUAL_SLACK_MS: Final = 1.0
BOOT_MS: Final = 1_500.0
"""Time for the first HELLO to be answered; a port whose opening resets a board adds that board's time."""
SERIAL_BOOT_MS: Final = 7_500.0


def open_simulated(url: DeviceUrl, slack_ms: float | None = None) -> "tuple[Ground, VirtualBench]":
    """Return the ground and the bench of a `sim://` device, which is a new one; `slack_ms` in place of the usual one.

    Raises:
        UrlError: its parameters or memory cannot be used.
    """
    from devicectl.conformance.device.virtual import open_bench

    slack = VIRTUAL_SLACK_MS if slack_ms is None else slack_ms
    ground = Ground(lambda channel: BytesWire(), seed=url.seed or 0, slack_ms=slack, boot_ms=BOOT_MS)
    return ground, open_bench(ground, url)


@contextlib.asynccontextmanager
async def opened(
    url: DeviceUrl, *, hook: str | None = None, slack_ms: float | None = None
) -> "AsyncIterator[tuple[Ground, RealBench]]":
    """Give the ground and the bench of a device behind a transport, while the context lasts.

    `hook` is the command that cycles its power. A simulator that the URL asks for is started and ended.

    Raises:
        LinkError: that simulator does not start.
    """
    from devicectl.conformance.device.bench import RealBench

    async with _target(url) as target:
        broker = target.broker
        clients = f"conform-{secrets.token_hex(4)}"  # another run's would throw this one out

        def client(channel: int) -> str:
            return f"{clients}-{channel}"

        def make_wire(channel: int) -> Wire:
            return BytesWire() if broker is None else TopicsWire(broker.topics, client(channel))

        slack = SLACK_MS if slack_ms is None else slack_ms
        boot_ms = SERIAL_BOOT_MS if target.scheme == "serial" else BOOT_MS
        ground = Ground(make_wire, seed=_seed_for(url), slack_ms=slack, boot_ms=boot_ms)
        async with RealBench(ground.probe, target, client, hook).opened() as bench:
            yield ground, bench


def _seed_for(url: DeviceUrl) -> int:
    """Return the seed of a run. Two at one device are two hosts, else each would throw the other out.

    A serial port has one host at a time, and the link of a run that was killed is to be replaced by the next.
    """
    if url.seed is not None:
        return url.seed
    return 0 if url.simulated or url.scheme == "serial" else secrets.randbits(32)


@contextlib.asynccontextmanager
async def _target(url: DeviceUrl) -> AsyncIterator[DeviceUrl]:
    """Bring the simulator that a URL asks for; any other device is there."""
    if not url.simulated:
        yield url
        return
    from devicectl.simulation.process import simulator

    async with simulator(url) as target:
        yield target
