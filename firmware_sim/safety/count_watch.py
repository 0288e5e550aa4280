"""Interlocks 6 and 7: clogged needles are found and purged, and what clogs do not explain stops the count.

Law: attribute first, then alarm. The misses of a needle that is found clogged leave the window before it is judged.
"""

from collections import deque
from typing import TYPE_CHECKING

from firmware_sim.memory.steps import Put
from protocols.language import alarm_codes as A
from protocols.language.units import Micros

if TYPE_CHECKING:
    from firmware_sim.firmware import Firmware


class CountWatch:
    """What is watched from cycle to cycle."""

    def __init__(self, firmware: "Firmware") -> None:
        self._firmware = firmware
        self._begin()

    @property
    def flagged(self) -> int:
        """The needles held to be clogged, one bit each; the memory keeps them."""
        return self._firmware.nvm.flagged

    def _begin(self) -> None:
        self._empty_in_row = [0] * self._firmware.plant.needles
        self._missed: deque[list[int]] = deque(maxlen=self._firmware.parameters.count_window)
        self._missing = 0

    def begin_session(self) -> None:
        """Forget what was watched in the session before."""
        self._firmware.nvm.keep(Put("flagged", 0))
        self._begin()

    def forgive(self) -> None:
        """The controller has acknowledged the stopped count: the watch begins anew."""
        self._begin()

    def tell(self, now: Micros) -> None:
        """Raise the alarm of the needles that are flagged, as after a boot."""
        if self.flagged:
            self._firmware.raise_alarm(A.NEEDLES_CLOGGED if self.flagged & self.flagged - 1 else A.NEEDLE_CLOGGED, now)

    def take(self, seen: int, now: Micros) -> None:
        """Take one cycle's count: one bit a needle whose core was seen."""
        parameters, nvm = self._firmware.parameters, self._firmware.nvm
        for needle, in_row in enumerate(self._empty_in_row):
            missed = not seen >> needle & 1
            self._empty_in_row[needle] = in_row + 1 if missed else 0
            if nvm.flagged >> needle & 1:
                continue
            if len(self._missed) == self._missed.maxlen:
                self._missing -= self._missed[0][1]
            self._missed.append([needle, int(missed)])
            self._missing += missed
            if self._empty_in_row[needle] >= parameters.clog_empties:
                self._flag(needle, now)
        self._judge(now)

    def _judge(self, now: Micros) -> None:
        firmware, parameters = self._firmware, self._firmware.parameters
        if self._missing >= parameters.count_stop:
            firmware.raise_alarm(A.COUNT_STOPPED, now)
        elif self._missing >= parameters.count_warn:
            firmware.raise_alarm(A.COUNT_MISMATCH, now)
        else:
            firmware.clear_alarm(A.COUNT_MISMATCH, now)

    def _flag(self, needle: int, now: Micros) -> None:
        """Hold a needle to be clogged; its run of empties is explained by that and leaves the count watch."""
        self._firmware.nvm.keep(Put("flagged", self.flagged | 1 << needle))
        run = self._empty_in_row[needle]
        for entry in reversed(self._missed):
            if entry[0] == needle and run:
                run -= 1
                self._missing -= entry[1]
                entry[1] = 0
        self.tell(now)

    def purge(self, now: Micros) -> int:
        """Purge the flagged needles; a needle that is free starts anew. Returns those that are free."""
        cleared = self._firmware.plant.purge(self.flagged)
        self._firmware.nvm.keep(Put("flagged", self.flagged & ~cleared))
        for needle in range(len(self._empty_in_row)):
            if cleared >> needle & 1:
                self._empty_in_row[needle] = 0
        if self.flagged.bit_count() < 2:
            self._firmware.clear_alarm(A.NEEDLES_CLOGGED, now)
        if not self.flagged:
            self._firmware.clear_alarm(A.NEEDLE_CLOGGED, now)
        return cleared
