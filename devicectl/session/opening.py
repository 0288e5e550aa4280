"""Opening a session on the device: asked for once, however often the link goes meanwhile.

Law: what the device has opened for this host is this host's, also where its answer was lost. The journal tells.
"""

from devicectl.errors import CommandRefusedError, SessionFoundError
from devicectl.session.context import OpenedSession, SessionContext
from devicectl.session.count import Fold
from devicectl.session.journal import RECORDS_PER_PAGE
from devicectl.session.plan import Plan, PlanError
from devicectl.session.procedures import Procedure, ask
from devicectl.session.recovery import Recovery
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.records import SessionOpened, whole_records


class Opening:
    """One session's opening. `head` is where its records begin; `found` tells that its answer was lost."""

    def __init__(self, context: SessionContext, recovery: Recovery, plan: Plan) -> None:
        self.head = 0
        self.found = False
        self._context = context
        self._recovery = recovery
        self._plan = plan
        self._asked = False

    def open(self) -> Procedure[OpenedSession]:
        """Ask for the session; after a lost link, check first that it is not open already.

        Raises:
            HardwareError: the device is not simulated, and `allow_hardware` was not given.
            PlanError: the plan is not one that this device can do.
            SessionFoundError: it holds another session.
            CommandRefusedError: the device does not open it.
        """
        self._context.require_allowed()
        if self._asked and self._context.welcome.session_no:
            return (yield from self._find())
        yield from self._recovery.leave_hold(self._context.welcome.state)
        self.head = yield from self._skip_journal()
        self._asked = True
        done = yield from self._ask()
        return self._opened(done.session_no, done.first_cycle_no, done.needles)

    def _opened(self, session_no: int, first_cycle_no: int, needles: int) -> OpenedSession:
        info = self._context.info
        assert info is not None
        return OpenedSession(session_no, first_cycle_no, needles, info.core_diameter_um)

    def _skip_journal(self) -> Procedure[int]:
        """Acknowledge what is in the journal, which belongs to closed sessions; return its head."""
        welcome = self._context.welcome
        page = yield from ask(M.JournalRead(epoch=welcome.journal_epoch, first=welcome.journal_head, max_records=1))
        yield from ask(M.JournalAck(epoch=welcome.journal_epoch, upto=page.head))
        return page.head

    def _ask(self) -> Procedure[M.SessionOpenDone]:
        """Send SESSION_OPEN. If the device refuses the plan's values, that is an error of the plan."""
        plan = self._plan
        try:
            done = yield from ask(
                M.SessionOpen(
                    target_cores=plan.target_cores,
                    coverage_bp=plan.coverage_bp,
                    depth_um=plan.depth_um,
                    zones_cm2=tuple(zone.area_cm2 for zone in plan.zones),
                )
            )
        except CommandRefusedError as refused:
            if refused.code is not Code.E_RANGE:
                raise
            raise PlanError("plan", None, None, f"this device cannot do it: {refused.sentence}") from refused
        return done

    def _find(self) -> Procedure[OpenedSession]:
        """Find out that the device opened the session which this host asked for, when the answer was lost.

        Nobody else may have it: its record has this plan, follows what was asked, and no cycle was done.
        """
        info, epoch = self._context.info, self._context.welcome.journal_epoch
        assert info is not None
        fold = Fold(info.needles, 0, first_event_no=self.head)
        cursor, head = self.head, self.head + 1
        while cursor < head:
            page = yield from ask(M.JournalRead(epoch=epoch, first=cursor, max_records=RECORDS_PER_PAGE))
            for record in map(fold.add_raw, whole_records(page.records)):
                if isinstance(record, SessionOpened) and self._is_ours(record):
                    self.found = True
                    return self._opened(record.session_no, record.first_cycle_no, info.needles)
            assert fold.next_event_no is not None
            head, asked_from, cursor = page.head, cursor, fold.next_event_no
            if cursor == asked_from:
                break  # a page that brings nothing new would be asked for for ever
        raise SessionFoundError(self._context.welcome.session_no, info.serial, known=False)

    def _is_ours(self, record: SessionOpened) -> bool:
        plan, welcome = self._plan, self._context.welcome
        asked = (plan.target_cores, plan.coverage_bp, plan.depth_um, plan.cells, len(plan.zones))
        opened = (record.target_cores, record.coverage_bp, record.depth_um, record.cells, record.zones)
        return (
            record.session_no == welcome.session_no
            and opened == asked
            and not welcome.controller_host_id
            and welcome.cycle_no < record.first_cycle_no
        )
