"""The session of somebody else's host for our log: what it opened, read of the journal and closed, as that went by.

Law: only what went over its wire is in it. A count is a fold of the journal's records here as everywhere.
"""

from typing import NamedTuple

from devicectl.session.context import Identity
from devicectl.session.count import Counts, Fold
from devicectl.session.device_time import SessionClock
from devicectl.session.entries import Batch, Finish, SessionStart
from devicectl.session.plan import Plan
from devicectl.station.console.commits import Commits
from firmware_sim.model.parameters import PARAMETERS
from protocols.language import messages as M
from protocols.language.enums import CloseReason
from protocols.language.records import event_no_of, whole_records
from protocols.language.units import SECOND, Micros

USUAL_DIAMETER_UM = round(1_000 * next(one.default for one in PARAMETERS if one.name == "core_diameter_mm"))
"""Diameter of a core where its host has not asked the device."""


class Opening(NamedTuple):
    """A session that was opened: by whom it was welcomed, where the journal ended then, and what the device is."""

    welcome: M.Welcome
    journal_head: int
    info: M.DeviceInfoDone | None


class Ledger:
    """Writes to the commits of a lesson. Before a session was opened, and when it is closed, nothing is written."""

    def __init__(self, commits: Commits, identity: Identity) -> None:
        self._commits = commits
        self._identity = identity
        self._opened_at = Micros(0)
        self._fold: Fold | None = None
        self._clock = SessionClock()

    def open(self, opening: Opening, opened: M.SessionOpenDone, plan: Plan) -> None:
        """Begin the session."""
        welcome, info = opening.welcome, opening.info
        start = SessionStart(
            simulated=welcome.simulated,
            seed=info.seed if info is not None and welcome.simulated else None,
            device="" if info is None else info.serial,
            device_model="" if info is None else info.model,
            session_no=opened.session_no,
            epoch=welcome.journal_epoch,
            first_event_no=opening.journal_head,
            first_cycle_no=opened.first_cycle_no,
            needles=opened.needles,
            core_diameter_um=USUAL_DIAMETER_UM if info is None else info.core_diameter_um,
            plan=plan,
            course=self._identity.course,
            session_date=self._identity.session_date,
            versions={**self._identity.versions, "model": welcome.model_version},
            device_url=self._identity.device_url,
        )
        self._opened_at = self._commits.now()
        self._fold = Fold(opened.needles, opened.first_cycle_no, first_event_no=opening.journal_head)
        self._commits.write([start])

    def page(self, page: M.JournalPage) -> None:
        """Keep the records of a page that were not there yet."""
        fold, start = self._fold, self._commits.start
        if fold is None or start is None or page.epoch != start.epoch:
            return
        new: list[bytes] = []
        for raw in whole_records(page.records):
            before = fold.next_event_no
            record = fold.add_raw(raw)
            if fold.next_event_no != before:
                new.append(raw)
                if record is not None:
                    self._clock.add(record)
        if new:
            assert fold.next_event_no is not None
            self._commits.write([Batch(page.epoch, event_no_of(new[0]), fold.next_event_no, tuple(new))])

    def close(self, asked: M.SessionClose, closed: M.SessionCloseDone) -> None:
        """End the session: the device has compared the host's counts with its own, unless it was abandoned."""
        if self._fold is None:
            return
        finish = Finish(
            state="completed" if asked.reason is CloseReason.COMPLETED else "aborted",
            reconciled=asked.reason is not CloseReason.ABANDONED,
            session_seconds=self._clock.seconds,
            wall_seconds=round((self._commits.now() - self._opened_at) / SECOND, 3),
            device_totals=Counts(
                cycles=closed.cycles,
                completed=closed.completed,
                aborted=closed.aborted,
                ambiguous=closed.ambiguous,
                punctures=closed.punctures,
                cores_counted=closed.cores_counted,
            ),
            cells_begun=len(self._fold.cells),
        )
        self._fold = None
        self._commits.write([finish])
