"""The end of a session: disarmed, read to the last record, closed with the host's own counts, reconciled.

Law: the device compares; a close that it refuses leaves the session open on both sides.
"""

import contextlib
from dataclasses import asdict, fields, replace
from typing import Final

from devicectl.errors import CommandRefusedError, LinkError, SessionError
from devicectl.session.context import SessionContext
from devicectl.session.count import Counts, reconcile
from devicectl.session.entries import Finish
from devicectl.session.machine import CYCLE, ENDED, Event, State
from devicectl.session.procedures import Procedure, ask
from devicectl.session.recovery import Recovery
from devicectl.session.steps import Steps
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code
from protocols.language.records import SessionClosed

MAX_DIFFERENCES: Final = 20
"""Notes of differences in the log. After twenty a reader has understood, and a damaged journal has thousands."""


class Closing:
    """The end of one session."""

    def __init__(self, context: SessionContext, steps: Steps, recovery: Recovery) -> None:
        self._context = context
        self._steps = steps
        self._recovery = recovery

    def close(self, reason: CloseReason, wall_seconds: float) -> Procedure[Finish]:
        """Disarm, read the journal to its end, close the session with the fold of it, ask for the truth.

        It needs no way out of a hold: a device held by an emergency stop or a fault closes its session too. A cycle
        that nobody awaits any more is stopped.

        Raises:
            CommandRefusedError: the device's totals are others; the session stays open on both sides.
        """
        if self._context.machine.now in CYCLE:
            yield from self._stop_if_linked()
        self._recovery.begin_row()
        return (yield from self._recovery.through(lambda: self.close_once(reason, wall_seconds), self._recovery.relink))

    def settle(self, wall_seconds: float) -> Procedure[Finish]:
        """Log the end of an adopted session that the device has closed while no host was there to log it.

        Raises:
            SessionError: the journal does not say how it ended.
        """
        opened, reader = self._context.session()
        yield from self._recovery.through(reader.read, reader.read)
        closed = reader.closed
        if closed is None or closed.session_no != opened.session_no:
            raise SessionError(f"session {opened.session_no} is not open on the device, whose journal has no end of it")
        return (
            yield from self._recovery.through(
                lambda: self.close_once(closed.reason, wall_seconds), self._recovery.relink
            )
        )

    def stop(self) -> Procedure[None]:
        """STOP the device: retracted, vented, SAFE. No-op without a link or a session."""
        if (
            self._context.link.exchange.linked
            and self._context.opened is not None
            and self._context.machine.now not in ENDED
        ):
            yield from ask(M.Stop())
            self._context.note("action", "stop", "")
            self._context.machine.happened(Event.STOPPED)

    def abort(self, wall_seconds: float) -> Procedure[Finish]:
        """Stop the device and close the session as aborted; what was counted is kept and reconciled.

        Raises:
            CommandRefusedError: the device's totals are others; the session stays open on both sides.
        """
        yield from self._stop_if_linked()
        return (yield from self.close(CloseReason.ABORTED, wall_seconds))

    def _stop_if_linked(self) -> Procedure[None]:
        # A link that is lost under the STOP is made again for the close, which finds the device stopped by its lease.
        with contextlib.suppress(LinkError):
            yield from self.stop()

    def abandon(self) -> Procedure[int]:
        """Close a session whose records no log has; return its number.

        Raises:
            HardwareError: the device is no simulator, and nobody has allowed that.
        """
        session_no = self._context.welcome.session_no
        return (yield from self._recovery.before_session(lambda: self._abandon(session_no)))

    def _abandon(self, session_no: int) -> Procedure[int]:
        self._context.require_allowed()
        if self._context.welcome.session_no == session_no:  # else its DONE was lost with the link
            yield from self._recovery.await_control()
            yield from self._disown(session_no)
        yield from self._recovery.release(self._context.welcome.state)
        return session_no

    def abandon_adopted(self, wall_seconds: float) -> Procedure[Finish]:
        """Close an adopted session as aborted, with its counts; without them if the two ends do not agree.

        Then each difference is a note in the log, and the device's own record says ABANDONED.
        """
        yield from self._stop_if_linked()
        try:
            return (yield from self.close(CloseReason.ABORTED, wall_seconds))
        except (CommandRefusedError, SessionError) as error:
            if isinstance(error, CommandRefusedError) and error.code is Code.E_STORAGE:
                raise  # a full disk is no disagreement: the next try may close it with its counts
            self._context.note("warning", "disagreement", str(error))
        close = self._recovery.through(lambda: self._close_unreconciled(wall_seconds), self._recovery.relink)
        return (yield from close)

    def _close_unreconciled(self, wall_seconds: float) -> Procedure[Finish]:
        opened, reader = self._context.session()
        self._begin_close()
        closed = reader.closed
        if closed is None:
            device = yield from self._disown(opened.session_no)
            try:
                yield from reader.read()
            except CommandRefusedError as refused:
                self._context.note("warning", "disagreement", str(refused))
        else:
            device = _totals_of(closed, reader.fold.counts)
        return (yield from self._finish(CloseReason.ABANDONED, device, wall_seconds))

    def _disown(self, session_no: int) -> Procedure[Counts]:
        """Close without counts of this host; return the device's totals."""
        done = yield from ask(M.SessionClose(session_no=session_no, reason=CloseReason.ABANDONED, **asdict(Counts())))
        return _counts_of(done)

    def close_once(self, reason: CloseReason, wall_seconds: float) -> Procedure[Finish]:
        """Disarm, read the journal to its end, close and reconcile; without a second try where the link is lost."""
        _, reader = self._context.session()
        if self._context.machine.now in (State.ARMED, State.PAUSED):
            yield from self._steps.disarm()
        yield from reader.read()
        self._begin_close()
        device = yield from self._close_on_device(reason)
        yield from reader.read()
        return (yield from self._finish(reason, device, wall_seconds))

    def _begin_close(self) -> None:
        if self._context.machine.now is not State.CLOSING:
            self._context.machine.happened(Event.CLOSE_BEGUN)

    def _finish(self, reason: CloseReason, device: Counts, wall_seconds: float) -> Procedure[Finish]:
        """Reconcile and store the end, once the device has closed the session."""
        (_, reader), info = self._context.session(), self._context.info
        assert info is not None
        yield from self._recovery.release()
        if info.has_truth:
            yield from self._ask_truth()
        differences = reconcile(reader.fold, device).differences
        for difference in differences[:MAX_DIFFERENCES]:
            self._context.note("warning", "disagreement", difference)
        completed = reason is CloseReason.COMPLETED
        self._context.finish = Finish(
            state="completed" if completed else "aborted",
            reconciled=reason is not CloseReason.ABANDONED and not differences,
            session_seconds=reader.clock.seconds,
            wall_seconds=wall_seconds,
            device_totals=device,
            cells_begun=len(reader.fold.cells),
        )
        self._context.machine.happened(Event.SESSION_COMPLETED if completed else Event.SESSION_ABORTED)
        self._context.emit(self._context.finish)
        yield from self._context.durable()
        return self._context.finish

    def _close_on_device(self, reason: CloseReason) -> Procedure[Counts]:
        """Close with this host's counts, once; return the device's totals."""
        opened, reader = self._context.session()
        counts, closed = reader.fold.counts, reader.closed
        if closed is None:
            done = yield from ask(M.SessionClose(session_no=opened.session_no, reason=reason, **asdict(counts)))
            return _counts_of(done)
        if closed.reason is not reason:
            raise SessionError(f"session {closed.session_no} was closed by another host, as {closed.reason.name}")
        # Its DONE was lost with the link. The device has compared the three that are not in the record.
        return _totals_of(closed, counts)

    def _ask_truth(self) -> Procedure[None]:
        try:
            self._context.truth = yield from ask(M.TruthGet())
        except CommandRefusedError as refused:
            self._context.note("refusal", "truth_get", str(refused))
            return
        assert self._context.truth is not None
        self._context.emit(self._context.truth)


def _counts_of(done: M.SessionCloseDone) -> Counts:
    return Counts(**{field.name: getattr(done, field.name) for field in fields(Counts)})


def _totals_of(closed: SessionClosed, counts: Counts) -> Counts:
    """The device's totals from its record of the close, which has three of them; the others are the host's."""
    return replace(counts, cycles=closed.cycles, punctures=closed.punctures, cores_counted=closed.cores_counted)
