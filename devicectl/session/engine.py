"""The session engine: what the host does from HELLO to the closed session, as procedures over one link.

`HostLink` moves messages, `SessionMachine` holds the state of the session, `entries` is what goes to the log;
`operator`, `recovery` and `closing` say what is done. When, and over what, is the shell's.

Law: counts are a fold of the device's journal. A number in a reply steers the procedure and is never recorded.
"""

from collections.abc import Callable

from devicectl.session.closing import Closing
from devicectl.session.context import Entry, Identity, Observer, OpenedSession, SessionContext
from devicectl.session.count import Fold
from devicectl.session.entries import SessionStart, StoredSession
from devicectl.session.machine import ENDED, Event
from devicectl.session.opening import Opening
from devicectl.session.operators.anesthesia import AnesthesiaOperator
from devicectl.session.operators.automatic import AutomaticOperator
from devicectl.session.operators.manual import ManualOperator
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure, nothing
from devicectl.session.recovery import Recovery
from devicectl.session.steps import CycleResult, Steps
from protocols.language import messages as M
from protocols.language.enums import Role
from protocols.link.port import AnyWire
from protocols.serial.wire import SerialWire

__all__ = ["CycleResult", "Engine", "Entry", "Identity", "Observer"]


class Engine(SessionContext):
    """One host and at most one session, and all that can be done with it.

    A session is opened, resumed or abandoned only on a simulated device, unless `allow_hardware` is true. `manual` is
    what a person at the controller does in it, where no automatic operator does.
    """

    def __init__(
        self,
        *,
        host_id: int,
        role: Role = Role.CONTROLLER,
        draw_nonce: Callable[[], int],
        observer: Observer | None = None,
        wire: AnyWire | None = None,
        allow_hardware: bool = False,
    ) -> None:
        super().__init__(
            host_id=host_id,
            role=role,
            draw_nonce=draw_nonce,
            observer=observer,
            wire=wire if wire is not None else SerialWire(),
            allow_hardware=allow_hardware,
        )
        steps = Steps(self)
        self._recovery = Recovery(self, steps.lose_place)
        self._anesthesia = AnesthesiaOperator(self)
        self._operator = AutomaticOperator(self, steps, self._recovery, self._anesthesia)
        closing = Closing(self, steps, self._recovery)
        self.manual = ManualOperator(self, steps, self._recovery, self._anesthesia, closing)
        self.confirm_anesthesia = self._operator.confirm_anesthesia
        self.next_cycle = self._operator.next_cycle
        self.pause = self._operator.pause
        self.close = closing.close
        self.settle = closing.settle
        self.stop = closing.stop
        self.abort = closing.abort
        self.abandon = closing.abandon
        self.abandon_adopted = closing.abandon_adopted

    def connect(self) -> Procedure[M.DeviceInfoDone]:
        """Make the link and ask the device for its identity.

        Raises:
            LinkError: no transport, no answer, or a device that refuses this host.
        """
        yield from self._recovery.before_session(nothing)
        assert self.info is not None
        return self.info

    def open_session(self, plan: Plan, identity: Identity) -> Procedure[None]:
        """Open a session on an idle device.

        Raises:
            HardwareError: the device is no simulator, and nobody has allowed that.
            PlanError: the plan is not one that this device can do.
            CommandRefusedError: the device does not open it.
        """
        # It outlives a lost link: if the answer to SESSION_OPEN was lost, it finds what the device opened.
        opening = Opening(self, self._recovery, plan)
        opened = yield from self._recovery.before_session(opening.open)
        info = self.info
        assert info is not None
        self.machine.happened(Event.SESSION_FOUND if opening.found else Event.SESSION_OPENED)
        self.plan = plan
        self.opened = opened
        self.last_cycle_no = opened.first_cycle_no - 1  # cycles count on over sessions, in the device's memory
        start = SessionStart(
            simulated=self.simulated,
            seed=info.seed if self.simulated else None,
            device=info.serial,
            device_model=info.model,
            session_no=opened.session_no,
            epoch=self.welcome.journal_epoch,
            first_event_no=opening.head,
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
        self.begin_reading(Fold(opened.needles, opened.first_cycle_no, first_event_no=opening.head))
        self.note("action", "session_open", f"{plan.target_cores} cores at {plan.coverage_percent:g} %")
        # A crash before the log has the session could not resume it: nothing is done in it until then.
        yield from self.durable()
        yield from self._recovery.through(nothing, self._operator.restore)

    def adopt(
        self, stored: StoredSession, records: list[bytes], open_s: float | None, *, restore: bool = True
    ) -> Procedure[None]:
        """Take over a session that the device holds open and the log knows; with `restore` recover it, to continue.

        `records` are those that the log holds; `open_s` is how long ago the session was opened, None where no clock
        tells.

        Raises:
            HardwareError: the device is no simulator, and nobody has allowed that.
            SessionError: the device holds no such session.
        """
        yield from self._recovery.before_session(nothing)  # it may have been lost since this host connected
        self.require_allowed()
        welcome, start = self.welcome, stored.start
        if restore or welcome.session_no:
            self._recovery.check_held(welcome, start.epoch, start.session_no)
        self.machine.happened(Event.SESSION_FOUND)
        self.plan = start.plan
        self.opened = OpenedSession(start.session_no, start.first_cycle_no, start.needles, start.core_diameter_um)
        self.begin_reading(Fold(start.needles, start.first_cycle_no, first_event_no=start.first_event_no))
        assert self.reader is not None
        # The stored records are folded as if they were read again, so that a count has no second source.
        for raw in records:
            self.reader.add(raw)
        if welcome.session_no == start.session_no:
            self.reader.reopen()
            self.reader.compare_head(welcome.journal_head)
        self.counted = welcome.cores_counted  # for steering and display; the count is the fold's
        operator = start.plan.operator
        self._anesthesia.adopt(operator.anesthesia_method, operator.confirmed_by, open_s)
        self.note("action", "session_resume", f"session {start.session_no} from cycle {welcome.cycle_no}")
        yield from self._recovery.through(self._recovery.await_control, nothing)
        if restore:
            yield from self._recovery.through(nothing, self._operator.restore)

    def give_up(self) -> None:
        """End a session that cannot continue and cannot be closed; it stays open on the device."""
        if self.machine.now not in ENDED:
            self.machine.happened(Event.FAILED)
