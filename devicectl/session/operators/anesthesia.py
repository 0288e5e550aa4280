"""The operator's part in anesthesia: when each zone was numbed, how long to wait, and its confirmation.

Law: where the age of a zone's anesthesia is in doubt, it counts as old as it may be and is waited for as the youngest,
so that no zone is taken for numb too early or for too long.
"""

from collections.abc import Mapping
from typing import Final

from devicectl.errors import CommandRefusedError
from devicectl.session.context import SessionContext
from devicectl.session.machine import Event, State
from devicectl.session.procedures import Procedure, Until, ask
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from protocols.language.units import SECOND, Micros

MIN_AGE_DOUBT_US: Final = 4 * SECOND
"""The least age may be too old by this: it is rounded up, and an uptime may be told 2.6 s after HELLO."""


def _zones(numbed: Mapping[int, Micros]) -> str:
    return f"{len(numbed)} zone" + "s" * (len(numbed) != 1)


class AnesthesiaOperator:
    """One session's zones: those that were numbed, by whom and when.

    The time of numbing is kept by the host's own clock, and held against the device's journal after a loss.
    """

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._numbed: dict[int, Micros] = {}
        self._numbed_latest: dict[int, Micros] = {}
        self._opened_at: float | None = None
        self._method = self._confirmed_by = ""

    @property
    def begun(self) -> bool:
        """True once a zone was numbed, by this host or by the one before it."""
        return bool(self._numbed)

    def begin(self, method: str, confirmed_by: str, age_s: int) -> None:
        """Take every zone of the plan as numbed `age_s` seconds ago, but for those that were numbed before."""
        self._method, self._confirmed_by = method, confirmed_by
        for zone in range(len(self._context.plan.zones)):
            self._numbed.setdefault(zone, Micros(self._context.link.now - age_s * SECOND))

    def adopt(self, method: str, confirmed_by: str, open_s: float | None) -> None:
        """Take over from another operator, in a session that was opened `open_s` seconds ago, where that is known."""
        self._method, self._confirmed_by = method, confirmed_by
        self._opened_at = None if open_s is None else self._context.link.now - open_s * SECOND

    def recall(self) -> None:
        """Hold what is known of each zone's anesthesia against the journal: the older one counts.

        A zone that this host has numbed itself it times by its own clock, which does not run while a laptop sleeps.
        """
        _, reader = self._context.session()
        link = self._context.link
        open_s = None if self._opened_at is None else (link.now - self._opened_at) / SECOND
        ages, zones = reader.anesthesia.ages(link.latest_uptime_ms(), open_s), range(len(self._context.plan.zones))
        for zone in zones:
            if (age := ages.get(zone)) is not None:
                age_s = age.least_s if zone in self._numbed else age.most_s
                if age_s != age.least_s and zone not in reader.anesthesia.confirmed:
                    self._numbed_latest[zone] = Micros(link.now - age.least_s * SECOND + MIN_AGE_DOUBT_US)
                self._numbed[zone] = Micros(min(self._numbed.get(zone, link.now), link.now - age_s * SECOND))
        if self._numbed:  # the one before numbed all of them at a time, and was cut off before all were told
            oldest = min(self._numbed.values())
            self._numbed = {zone: self._numbed.get(zone, oldest) for zone in zones}

    def numb(self) -> Procedure[None]:
        """Numb each zone, wait as long as the device says, and confirm each; no-op if that was done."""
        if self._context.machine.now is State.ANESTHESIA_CONFIRMED:
            return
        self._context.require_allowed()  # here too: the link may lead to another device by now
        if self._numbed_latest:
            # Told as old as they may be, so that none is taken for numb too long, these are waited for as the youngest.
            wait = yield from ask(M.ParamGet(name="anesthesia_wait_s"))
            until = Micros(max(self._numbed_latest.values()) + round(wait.value * SECOND))
            left_s = max(0, -((self._context.link.now - until) // SECOND))
            said = f"{_zones(self._numbed_latest)} may be numbed for less long; waiting {left_s} s"
            yield from self._wait(until, "anesthesia_wait", said)
            self._numbed_latest.clear()
        wait_s = 0
        for zone, numbed_at in self._numbed.items():
            age_s = min(-((numbed_at - self._context.link.now) // SECOND), MAX_ANESTHESIA_AGE_S)  # rounded up
            started = yield from ask(M.AnesthesiaStart(zone=zone, age_s=age_s, method=self._method))
            self._context.machine.happened(Event.ANESTHESIA_STARTED)
            wait_s = max(wait_s, started.wait_s)
        said = f"{_zones(self._numbed)}, {self._method}; waiting {wait_s} s"
        yield from self._wait(Micros(self._context.link.now + wait_s * SECOND), "anesthesia_start", said)
        for zone in self._numbed:
            yield from self._confirm(zone)
        self._context.machine.happened(Event.ANESTHESIA_CONFIRMED)
        self._context.note("action", "anesthesia_confirm", f"{_zones(self._numbed)}, by {self._confirmed_by}")

    def _wait(self, until: Micros, name: str, said: str) -> Procedure[None]:
        """Let time pass before the anesthesia is confirmed, and note it: with that note a display counts it down."""
        self._context.waits_until = until
        try:
            self._context.note("action", name, said)
            yield Until(until)
        finally:
            self._context.waits_until = None

    def _confirm(self, zone: int) -> Procedure[None]:
        while True:
            try:
                yield from ask(M.AnesthesiaConfirm(zone=zone, confirmed_by=self._confirmed_by))
            except CommandRefusedError as refused:
                if refused.interlock != I.ANESTHESIA_TIME or refused.actual >= refused.expected:
                    raise
                # Both ends round to seconds, and the device's clock began later: wait out the difference.
                yield Until(Micros(self._context.link.now + max(1, refused.expected - refused.actual) * SECOND))
            else:
                return

    def numb_again(self) -> Procedure[None]:
        """Numb every zone now: its time is over."""
        self._numbed = dict.fromkeys(self._numbed, self._context.link.now)
        self._context.machine.happened(Event.ANESTHESIA_STARTED)
        yield from self.numb()
