"""Standing of a device: its state, session and cycle, as it last said that they are.

Law: it believes what it is told, message by message, and asks nothing.
"""

from typing import Final

from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.enums import DeviceState as S
from protocols.language.message import Message

UNARMED: Final = (S.SESSION_OPEN, S.ANESTHESIA_WAIT, S.ANESTHESIA_CONFIRMED)
NEXT_PHASE: Final = {S.PUNCHING: M.Suction, S.SUCTIONING: M.Advance, S.ADVANCING: M.Count}
"""State in a cycle -> the command that comes next."""
_SAID: Final = {
    M.SessionOpenDone: S.SESSION_OPEN,
    M.AnesthesiaStartDone: S.ANESTHESIA_WAIT,
    M.AnesthesiaConfirmDone: S.ANESTHESIA_CONFIRMED,
    M.ArmDone: S.ARMED,
    M.RepositionDone: S.ARMED,
    M.PurgeDone: S.ARMED,
    M.CountDone: S.ARMED,
    M.PauseDone: S.PAUSED,
    M.ResumeDone: S.ARMED,
    M.PunchDone: S.PUNCHING,
    M.SuctionDone: S.SUCTIONING,
    M.AdvanceDone: S.ADVANCING,
}
"""Done -> the state that the device is in after it."""
_STATE_IN: Final = (M.Heartbeat, M.TelemetryState, M.StopDone, M.DisarmDone, M.FaultResetDone)


class Standing:
    """A device as it is believed to be. `cycles_left` is that of the cell of the hand."""

    def __init__(self) -> None:
        self.state = S.UNKNOWN
        self.session_no = 0
        self.cycle_no = 0
        self.cycles_left = 0
        self.placed = False
        self.next_cell = 0
        self.head = 1
        """The journal's head as it was told last."""
        self.session_from = 1
        """Number of a record before which there is none of the session."""

    def follow_welcome(self, welcome: M.Welcome) -> None:
        """Take in WELCOME."""
        self.state, self.session_no = welcome.state, welcome.session_no
        self.cycle_no, self.head = welcome.cycle_no, welcome.journal_head

    def follow(self, command: Message, answer: Message) -> None:
        """Take in the end of a command."""
        state = _SAID.get(type(answer))
        if state is not None:
            self.state = state
        elif isinstance(answer, _STATE_IN):
            self.state = answer.state
        self._follow_session(answer)
        if isinstance(command, M.Punch):
            self._follow_punch(command, answer)

    def _follow_session(self, answer: Message) -> None:
        if isinstance(answer, M.SessionOpenDone):
            self.session_no, self.placed, self.next_cell = answer.session_no, False, 0
            self.session_from = self.head
        elif isinstance(answer, M.JournalPage):
            self.head = answer.head
        elif isinstance(answer, M.SessionCloseDone):
            self.session_no, self.placed = 0, False
            self.state = S.IDLE if self.state in UNARMED else self.state
        elif isinstance(answer, M.RepositionDone):
            self.placed, self.cycles_left = True, answer.cycles_left
        elif isinstance(answer, M.CountDone):
            self.cycles_left = answer.cycles_left

    def _follow_punch(self, command: M.Punch, answer: Message) -> None:
        if isinstance(answer, M.PunchDone):
            self.cycle_no = max(self.cycle_no, answer.cycle_no)
        elif isinstance(answer, M.Aborted | M.Failed):
            self.cycle_no = max(self.cycle_no, command.cycle_no)
        elif isinstance(answer, M.Refused) and answer.code is Code.E_CYCLE_GAP:
            self.cycle_no = answer.expected - 1
