"""What a transport is to the service, and the table of those there are.

A further transport is a module with an opener, a row here, and its option.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from firmware_sim.serve.errors import OptionError
from firmware_sim.serve.options import Options
from firmware_sim.serve.real_time import RealTimeDevice


class Transport(Protocol):
    """An open way to the device. It attaches a port for each host that it can tell from another."""

    @property
    def url(self) -> str:
        """The device URL that a host on this machine opens."""

    @property
    def warning(self) -> str:
        """What a person should know about it, in one sentence; empty where there is nothing."""

    async def close(self) -> None:
        """Let what was written go out, if it can, and close."""


Opener = Callable[[RealTimeDevice, Options], Awaitable[Transport]]
"""Opens a transport.

Raises:
    ServeError: it cannot be opened.
"""


async def _open_tcp(device: RealTimeDevice, options: Options) -> Transport:
    from firmware_sim.serve.transports.tcp import listen

    assert options.tcp is not None
    return await listen(device, options.tcp)


async def _open_pty(device: RealTimeDevice, options: Options) -> Transport:
    try:
        from firmware_sim.serve.transports.pty_line import open_line
    except ImportError as error:
        raise OptionError("--pty", "this system has no pseudo-terminals; --tcp 127.0.0.1:0 works everywhere") from error
    return open_line(device, options.link)


async def _join_broker(device: RealTimeDevice, options: Options) -> Transport:
    from firmware_sim.serve.transports.mqtt import join

    assert options.mqtt is not None
    return await join(device, options.mqtt, forget=options.forget)


_OPENERS: Final[tuple[tuple[Callable[[Options], bool], Opener], ...]] = (
    (lambda options: options.pty, _open_pty),
    (lambda options: options.tcp is not None, _open_tcp),
    (lambda options: options.mqtt is not None, _join_broker),
)
"""Whether it is wanted, and what opens it; imported only then, since not every system has every transport."""


def wanted(options: Options) -> list[Opener]:
    """The openers of the transports that are asked for, in the order in which they are announced."""
    return [opener for is_wanted, opener in _OPENERS if is_wanted(options)]
