"""The operators' part in anesthesia: when each zone was numbed, how long to wait, and its confirmation.

Law: where the age of a zone's anesthesia is in doubt, it counts as old as it may be and is waited for as the youngest,
so that no zone is taken for numb too early or for too long.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

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


class ZoneState(NamedTuple):
    """Anesthesia of one zone. `ready_at` is when the device lets it be confirmed, None where it has not said so."""

    numbed_at: Micros
    ready_at: Micros | None
    confirmed: bool


def _zones(numbed: Mapping[int, Micros]) -> str:
    return f"{len(numbed)} zone" + "s" * (len(numbed) != 1)


class AnesthesiaOperator:
    """One session's zones: those that were numbed, by whom and when; and what the device was told of them.

    The time of numbing is kept by the host's own clock, and held against the device's journal after a loss.
    """

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._numbed: dict[int, Micros] = {}
        self._numbed_latest: dict[int, Micros] = {}
        self._told: dict[int, bool] = {}
        """Zones that the device knows of, each with True once it was confirmed; it knows of none once made safe."""
        self._ready: dict[int, Micros] = {}
        self._opened_at: float | None = None
        self._method = self._confirmed_by = ""

    @property
    def begun(self) -> bool:
        """True once a zone was numbed, by this host or by the one before it."""
        return bool(self._numbed)

    @property
    def zones(self) -> dict[int, ZoneState]:
        """The zones that were numbed."""
        return {
            zone: ZoneState(at, self._ready.get(zone), self._told.get(zone, False)) for zone, at in self._numbed.items()
        }

    @property
    def complete(self) -> bool:
        """True where every zone that was numbed is confirmed."""
        return all(self._told.get(zone, False) for zone in self._numbed)

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
        if self._context.machine.now is State.ANESTHESIA_CONFIRMED and self.complete:
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
            wait_s = max(wait_s, (yield from self._start(zone, age_s, self._method)))
        said = f"{_zones(self._numbed)}, {self._method}; waiting {wait_s} s"
        yield from self._wait(Micros(self._context.link.now + wait_s * SECOND), "anesthesia_start", said)
        for zone in self._numbed:
            yield from self._confirm_when_ready(zone)
        self._context.note("action", "anesthesia_confirm", f"{_zones(self._numbed)}, by {self._confirmed_by}")

    def _wait(self, until: Micros, name: str, said: str) -> Procedure[None]:
        """Let time pass before the anesthesia is confirmed, and note it: with that note a display counts it down."""
        self._context.waits_until = until
        try:
            self._context.note("action", name, said)
            yield Until(until)
        finally:
            self._context.waits_until = None

    def _confirm_when_ready(self, zone: int) -> Procedure[None]:
        while True:
            try:
                yield from self._confirm(zone, self._confirmed_by)
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

    # --- one zone at a time ----------------------------------------------------------------------------------

    def _start(self, zone: int, age_s: int, method: str) -> Procedure[int]:
        """Tell the device that a zone was numbed `age_s` seconds ago; returns for how many it has to wait."""
        started = yield from ask(M.AnesthesiaStart(zone=zone, age_s=age_s, method=method))
        self._told[zone] = False
        self._ready[zone] = Micros(self._context.link.now + started.wait_s * SECOND)
        self._context.machine.happened(Event.ANESTHESIA_STARTED)
        return started.wait_s

    def _confirm(self, zone: int, confirmed_by: str) -> Procedure[None]:
        """Confirm a zone; the device lets one arm once all zones that it was told of are confirmed."""
        yield from ask(M.AnesthesiaConfirm(zone=zone, confirmed_by=confirmed_by))
        self._told[zone] = True
        if all(self._told.values()):
            self._context.machine.happened(Event.ANESTHESIA_CONFIRMED)

    def start_by_hand(self, zone: int, age_s: int) -> Procedure[None]:
        """Tell the device of one zone, which a person has numbed `age_s` seconds ago."""
        method = self._context.plan.operator.anesthesia_method
        wait_s = yield from self._start(zone, age_s, method)
        self._numbed[zone] = Micros(self._context.link.now - age_s * SECOND)
        self._numbed_latest.pop(zone, None)
        self._context.note("action", "anesthesia_start", f"zone {zone}, {method}; to wait {wait_s} s")

    def confirm_by_hand(self, zone: int) -> Procedure[None]:
        """Confirm one zone, as a person says."""
        confirmed_by = self._context.plan.operator.confirmed_by
        yield from self._confirm(zone, confirmed_by)
        self._context.note("action", "anesthesia_confirm", f"zone {zone}, by {confirmed_by}")

    def forget_confirmations(self) -> None:
        """Take in that the device was made safe: each zone is to be told of and confirmed again."""
        self._told.clear()
        self._ready.clear()

    def recall_confirmations(self) -> None:
        """Take in from the journal which zones the device knows of: an answer may have been lost with the link."""
        _, reader = self._context.session()
        self._told = dict(reader.anesthesia.zones)
        self._ready = {zone: ready_at for zone, ready_at in self._ready.items() if zone in self._told}
        ages = reader.anesthesia.ages(self._context.link.latest_uptime_ms(), None)
        for zone in self._told:
            self._numbed.setdefault(zone, Micros(self._context.link.now - ages[zone].least_s * SECOND))
