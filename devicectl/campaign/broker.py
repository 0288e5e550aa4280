"""Acts of a broker's faults that are not on single pieces alone: its end, and what it does to one publication.

Law: a broker is what lies between two ends. It changes no byte of a publication.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from firmware_sim.device import Device
from firmware_sim.faults.injector import End, Firing, Injector
from firmware_sim.faults.wire import Piece
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.units import Micros
from protocols.mqtt.wire import Publication

_COMMAND: Final = "/command/"


class BrokerFaults:
    """Acts of the catalogue's broker rows, but for those of `WireFaults`.

    `unplug` and `plug` break the transport and mend it, by the cause; `deliver(sender, piece)` hands a piece over, and
    `later` does something to the device, both at the same time and not in the midst of what is done now.
    """

    def __init__(
        self,
        injector: Injector,
        device: Device,
        *,
        unplug: Callable[[Firing], None],
        plug: Callable[[object], None],
        later: Callable[[Callable[[], None]], None],
        deliver: Callable[[str, Piece], None],
    ) -> None:
        self._injector = injector
        self._device = device
        self._unplug = unplug
        self._plug = plug
        self._later = later
        self._deliver = deliver
        self._lost: list[Firing] = []
        """Faults that wait for a publication to be lost."""
        self._stale: list[Firing] = []
        """Faults that wait for a command, to give one again that came before it."""
        self._command: Publication | None = None
        injector.acts["publish_lost"] = partial(self._arm, self._lost)
        injector.acts["stale_command"] = partial(self._arm, self._stale)

    def takes(self, sender: str, piece: Piece, now: Micros) -> bool:
        """Return True if a fault decides over this piece: then nobody else carries it."""
        if sender == "host" and isinstance(piece, Publication) and _COMMAND in piece.topic:
            if self._stale and self._command is not None:
                self._give_again(self._stale[0], self._command, now)
            self._command = piece
        for firing in self._lost:
            if firing.fault.word("direction") in ("both", sender):
                self._lose(firing, sender, piece, now)
                return True
        return False

    def _arm(self, waiting: list[Firing], firing: Firing, now: Micros) -> End:
        waiting.append(firing)

        def end(now: Micros) -> None:
            if firing in waiting:
                waiting.remove(firing)
            self._plug(firing)

        return end

    def _lose(self, firing: Firing, sender: str, piece: Piece, now: Micros) -> None:
        """Break the connection in which a publication is under way; it is mended when the fault ends."""
        firing.struck(now)
        self._lost.remove(firing)
        if firing.fault.number("arrives"):
            self._deliver(sender, piece)
        self._unplug(firing)

    def _give_again(self, firing: Firing, command: Publication, now: Micros) -> None:
        """Give the device an earlier command that was retained, as `firmware-sim serve` takes one."""
        firing.struck(now)
        self._injector.finish(firing, now)
        self._later(lambda: self._device.set_alarm(RETAINED_COMMAND, present=True, now=now))
        self._deliver("host", command._replace(retain=True))
