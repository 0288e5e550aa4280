"""Power of a simulated device and its process: what keeps them away, and the boot when nothing does any more.

How it works: a write fails, so the device's process ends, to be started again a second later; then comes a brown-out.

    power.end("process", now)     off: what the memory has not synced is still there for the next process
    power.cut(brown_out, now)     it was off already; now the memory loses what it has not synced
    power.give("process", now)    the second is over, and there is no power to start it with
    power.give(brown_out, now)    nothing keeps it away any more: it boots

Law: no I/O and no clock. However many causes overlap, the device goes off once, loses memory at most once, boots once.
"""

from collections.abc import Callable

from protocols.language.units import Micros


class Power:
    """Causes for which one device is off. Each begins once, by `end` or `cut`, and is taken away by `give`.

    `off(now)` silences the device, `lose()` takes from its memory what was not synced, `boot(now)` starts it.
    """

    def __init__(
        self, *, off: Callable[[Micros], None], lose: Callable[[], None], boot: Callable[[Micros], None]
    ) -> None:
        self._off = off
        self._lose = lose
        self._boot = boot
        self._causes: set[object] = set()
        self._lost = False
        """Memory has lost what was not synced; nothing is written until the boot, so there is no more to lose."""

    def end(self, cause: object, now: Micros) -> None:
        """End the process alone."""
        was_on = not self._causes
        self._causes.add(cause)
        if was_on:
            self._off(now)

    def cut(self, cause: object, now: Micros) -> None:
        """Take the power away, and the process with it."""
        self.end(cause, now)
        if not self._lost:
            self._lost = True
            self._lose()

    def give(self, cause: object, now: Micros) -> None:
        """Take a cause away; after the last one the device boots, and may fail in that."""
        self._causes.remove(cause)
        if not self._causes:
            self._lost = False
            self._boot(now)

    def cycle(self, now: Micros) -> None:
        """Cut the power and give it back at once; where something else keeps the device off, it stays off."""
        cause = object()
        self.cut(cause, now)
        self.give(cause, now)

    def restart(self, now: Micros) -> None:
        """End the process and start it again at once, with the memory as it is."""
        cause = object()
        self.end(cause, now)
        self.give(cause, now)
