"""Device time, from the uptimes in the journal: over wraps and boots, for a session's length and an anesthesia's age.

    uptime    0 ... 2**32-1, 0 ... | off | 0 ...
    here      rises through a wrap, and stops while the device is off

Law: pure. What records cannot tell is not guessed: an age has a least and a most, and for safety the most counts.
"""

from typing import Final, NamedTuple

from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S

WRAP_MS: Final = 2**32
"""An uptime begins again after 49.7 days."""
CLOCKS_DIFFER_MS: Final = 60_000
"""So far the host may believe the device to be behind its last record, over hours on one link, by its slower clock."""
_MAX_AGE_MS: Final = MAX_ANESTHESIA_AGE_S * 1_000


class DeviceTime:
    """`ms` is how long the device was on from the first record to the last. Time may be missing at each of `breaks`."""

    def __init__(self) -> None:
        self.ms = 0
        self.breaks = 0
        self._uptime_ms: int | None = None

    def follow(self, record: R.Record) -> bool:
        """Take the next record; false for one that tells no time.

        A boot ends the open cycle first, in its own uptime, of 0: that CYCLE is before BOOT and is of neither time.
        """
        if isinstance(record, R.Gap):
            self.breaks, self._uptime_ms = self.breaks + 1, None
            return False
        if isinstance(record, R.Boot):
            self.breaks, self._uptime_ms = self.breaks + 1, record.uptime_ms
        elif isinstance(record, R.Cycle) and record.uptime_ms == 0:
            return False
        else:
            self.ms += self._since_ms(record.uptime_ms)
            self._uptime_ms = record.uptime_ms
        return True

    def at(self, uptime_ms: int) -> int:
        """Device time at an uptime that the host believes it to have now."""
        since_ms = self._since_ms(uptime_ms)
        return self.ms + (since_ms if since_ms < WRAP_MS - CLOCKS_DIFFER_MS else 0)

    def _since_ms(self, uptime_ms: int) -> int:
        return 0 if self._uptime_ms is None else (uptime_ms - self._uptime_ms) % WRAP_MS


class SessionClock:
    """Device time from the first ARM to the last cycle, over reboots: the time it was off is not in it."""

    def __init__(self) -> None:
        self._time = DeviceTime()
        self._sum_ms = 0
        self._from_ms: int | None = None
        self._to_ms = 0

    def add(self, record: R.Record) -> None:
        """Take the next record."""
        timed = self._time.follow(record)
        if isinstance(record, R.Cycle) and timed:
            self._to_ms = self._time.ms
        elif isinstance(record, R.Action):
            if record.message_id == M.Arm.ID and self._from_ms is None:
                self._from_ms = self._to_ms = self._time.ms
        elif isinstance(record, R.Boot):
            self._sum_ms = self._total_ms()
            self._from_ms = None

    def _total_ms(self) -> int:
        return self._sum_ms + (0 if self._from_ms is None else self._to_ms - self._from_ms)

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._total_ms() / 1000


class Age(NamedTuple):
    """Whole seconds since an injection: at least as many by the device's own clock, and at most as many."""

    least_s: int
    most_s: int


class _Numbed(NamedTuple):
    at_ms: int
    age_ms: int
    breaks: int


class AnesthesiaClock:
    """Age of each zone's anesthesia, from the session's records. `confirmed` zones have waited long enough.

    `zones` are those that the device knows of now, each with True once it was confirmed: it forgets all as it is made
    safe and as it restarts.
    """

    def __init__(self) -> None:
        self.confirmed: set[int] = set()
        self.zones: dict[int, bool] = {}
        self._time = DeviceTime()
        self._numbed: dict[int, _Numbed] = {}

    def add(self, record: R.Record) -> None:
        """Take the next record."""
        self._time.follow(record)
        if not isinstance(record, R.Anesthesia):
            # What was made safe begins again by a reset.
            if isinstance(record, R.Boot) or (isinstance(record, R.Action) and record.message_id == M.FaultReset.ID):
                self.zones.clear()
            return
        self.zones[record.zone] = bool(record.confirmed)
        if record.confirmed:
            self.confirmed.add(record.zone)
        else:
            self.confirmed.discard(record.zone)
        # CONFIRM only repeats what START said, in seconds rounded down.
        if not (record.confirmed and record.zone in self._numbed):
            age_ms = (record.age_s + record.confirmed) * 1_000
            self._numbed[record.zone] = _Numbed(self._time.ms, age_ms, self._time.breaks)

    def ages(self, uptime_ms: int, open_s: float | None) -> dict[int, Age]:
        """Each zone's age now, `most_s` never younger than the truth.

        `uptime_ms` is the device's now, rather too late than too early. `open_s` is how long ago the session was
        opened, by a clock that went on while the device was off; None where there is none. It tells what is missing
        where the device was restarted, or its uptime may have wrapped unseen; without it such an anesthesia counts as
        worn off.
        """
        now_ms = self._time.at(uptime_ms)
        ages = {}
        for zone, numbed in sorted(self._numbed.items()):
            least_ms = now_ms - numbed.at_ms + numbed.age_ms + 1  # each uptime is rounded down
            if open_s is None:
                most_ms = least_ms if numbed.breaks == self._time.breaks else _MAX_AGE_MS
            elif numbed.breaks == self._time.breaks and open_s * 1_000 < WRAP_MS - CLOCKS_DIFFER_MS:
                most_ms = least_ms
            else:
                most_ms = max(least_ms, round(open_s * 1_000) + numbed.age_ms)
            ages[zone] = Age(_whole_s(least_ms), _whole_s(most_ms))
        return ages


def _whole_s(age_ms: int) -> int:
    """Rounded up, and no more than can be told to a device."""
    return min(-(-age_ms // 1_000), MAX_ANESTHESIA_AGE_S)
