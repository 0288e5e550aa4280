"""The interface of a transport: its receiver, and the transport itself.

Law: pure. A module of this package, named by a row of `urls.SCHEMES`, opens a `Transport` for a `Receiver`.
"""

from collections.abc import Coroutine
from typing import Any, Final, Protocol

from protocols.language.units import Micros


class Receiver(Protocol):
    """The owner of a transport, which calls it from the event loop."""

    def received(self, data: object) -> None:
        """Something came in for the wire: bytes, or MQTT messages."""

    def noticed(self, what: str) -> None:
        """Something is wrong with the transport that may be why no answer comes."""

    def closed(self, reason: str, *, final: bool = False) -> None:
        """The transport is gone, and `final` where another one would go as well; called at most once."""

    def start(self, work: Coroutine[object, object, None]) -> None:
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


MAX_UNSENT_BYTES: Final = 64 * 1024
"""Some 250 frames: a device that has not read for that long is not there."""
