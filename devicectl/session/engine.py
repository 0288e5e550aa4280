"""The session engine: what the host does from HELLO to the closed session, as procedures over one link.

`HostLink` moves messages, `SessionMachine` holds where the session stands, `entries` is what goes to the log;
`operator`, `recovery` and `closing` say what is done. When, and over what, is the shell's.

Law: counts are a fold of the device's journal. A number in a reply steers the procedure and is never recorded.
"""

from collections.abc import Callable
from typing import Any

from devicectl.errors import CommandRefusedError, LinkError
from devicectl.session.closing import Closing
from devicectl.session.context import Entry, Identity, Observer, OpenedSession, SessionContext
from devicectl.session.count import Fold
from devicectl.session.entries import SessionStart, StoredSession
from devicectl.session.machine import ENDED, Event, State
from devicectl.session.operator import AutomaticOperator, CycleResult
from devicectl.session.plan import Plan
from devicectl.session.plan_file import PlanError
from devicectl.session.procedures import Procedure
from protocols import messages as M
from protocols.enums import Code, Role
from protocols.serial_wire import SerialWire, Wire

__all__ = ["CycleResult", "Engine", "Entry", "Identity", "Observer"]


class Engine(SessionContext):
    """One host and at most one session, and all that can be done with it."""

    def __init__(
        self,
        *,
        host_id: int,
        role: Role = Role.CONTROLLER,
        draw_nonce: Callable[[], int],
        observer: Observer | None = None,
        wire: Wire[Any, Any] | None = None,
    ) -> None:
        wire = wire if wire is not None else SerialWire()
        super().__init__(host_id=host_id, role=role, draw_nonce=draw_nonce, observer=observer, wire=wire)
        self._operator = AutomaticOperator(self)
        self._recovery = self._operator.recovery
        closing = Closing(self, self._operator)
        self.confirm_anesthesia = self._operator.confirm_anesthesia
        self.next_cycle = self._operator.next_cycle
        self.pause = self._operator.pause
        self.close = closing.close
        self.settle = closing.settle
        self.stop = closing.stop
        self.abandon = closing.abandon

    def connect(self) -> Procedure[M.DeviceInfoDone]:
        """Make the link and ask who is there.

        Raises:
            LinkError: no transport, no answer, or a device that refuses this host.
        """
        self.machine.happened(Event.HELLO_SENT)
        try:
            yield from self.link.make()
        except LinkError:
            if self.machine.now is State.CONNECTING:
                self.machine.happened(Event.LINK_DENIED)
            raise
        self.machine.happened(Event.LINK_MADE)
        self.info = yield M.DeviceInfo()
        assert self.info is not None
        return self.info

    def open_session(self, plan: Plan, identity: Identity) -> Procedure[None]:
        """Open a session on an idle device.

        Raises:
            PlanError: the plan is not one that this device can do.
            CommandRefusedError: the device does not open it.
        """
        info = self.info
        assert info is not None
        yield from self._recovery.leave_hold(self.welcome.state)
        head = yield from self._skip_journal()
        opened = yield from self._open_on_device(plan)
        self.machine.happened(Event.SESSION_OPENED)
        self.plan = plan
        self.opened = OpenedSession(opened.session_no, opened.first_cycle_no, opened.needles, info.core_diameter_um)
        self.last_cycle_no = opened.first_cycle_no - 1
        start = SessionStart(
            simulated=self.welcome.simulated,
            seed=info.seed if self.welcome.simulated else None,
            device=info.serial,
            device_model=info.model,
            session_no=opened.session_no,
            epoch=self.welcome.journal_epoch,
            first_event_no=head,
            first_cycle_no=opened.first_cycle_no,
            needles=opened.needles,
            core_diameter_um=info.core_diameter_um,
            plan=plan,
            course=identity.course,
            session_date=identity.session_date,
            versions={**identity.versions, "model": info.model_version},
            device_url=identity.device_url,
        )
        self.emit(start)
        self.begin_reading(Fold(opened.needles, opened.first_cycle_no, first_event_no=head))
        self.note("action", "session_open", f"{plan.target_cores} cores at {plan.coverage_percent:g} %")
        yield from self.durable()

    def _open_on_device(self, plan: Plan) -> Procedure[M.SessionOpenDone]:
        """SESSION_OPEN. That the plan is out of the device's range is the plan's error, as if it had said so itself."""
        try:
            done: M.SessionOpenDone = yield M.SessionOpen(
                target_cores=plan.target_cores,
                coverage_bp=plan.coverage_bp,
                depth_um=plan.depth_um,
                zones_cm2=tuple(zone.area_cm2 for zone in plan.zones),
            )
        except CommandRefusedError as refused:
            if refused.code is not Code.E_RANGE:
                raise
            raise PlanError("plan", None, None, f"this device cannot do it: {refused.sentence}") from refused
        return done

    def _skip_journal(self) -> Procedure[int]:
        """What stands in the journal before a session is opened belongs to closed ones: its head, acknowledged."""
        epoch = self.welcome.journal_epoch
        page: M.JournalPage = yield M.JournalRead(epoch=epoch, first=self.welcome.journal_head, max_records=1)
        yield M.JournalAck(epoch=epoch, upto=page.head)
        return page.head

    def adopt(
        self, stored: StoredSession, records: list[bytes], age_s: float, *, restore: bool = True
    ) -> Procedure[None]:
        """Take over a session that the device holds open and the log knows, and recover it if it is to go on.

        `records` are those that the log holds; `age_s` is how long ago the last of them was stored.

        Raises:
            SessionError: the device holds no such session.
        """
        welcome = self.welcome
        if restore or welcome.session_no:
            self._recovery.check_held(welcome, stored.epoch, stored.session_no)
        self.machine.happened(Event.SESSION_FOUND)
        self.plan = stored.plan
        self.opened = OpenedSession(stored.session_no, stored.first_cycle_no, stored.needles, stored.core_diameter_um)
        self.begin_reading(Fold(stored.needles, stored.first_cycle_no, first_event_no=stored.first_event_no))
        assert self.reader is not None
        for raw in records:
            self.reader.add(raw)
        self.counted = welcome.cores_counted
        operator = stored.plan.operator
        self._operator.adopt(operator.anesthesia_method, operator.confirmed_by, stored.anesthesia, age_s)
        self.note("action", "session_resume", f"session {stored.session_no} from cycle {welcome.cycle_no}")
        yield from self._recovery.await_control()
        if restore:
            yield from self._recovery.through(_nothing, self._operator.restore)

    def give_up(self) -> None:
        """The session cannot be gone on with or closed; it stays open on the device."""
        if self.machine.now not in ENDED:
            self.machine.happened(Event.FAILED)


def _nothing() -> Procedure[None]:
    yield from ()
