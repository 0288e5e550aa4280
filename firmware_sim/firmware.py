"""The firmware: commands and safety put together over one board, from boot to power loss.

Law: it decides by sensors and memory, never by the plant's truth. It says when it wants to be asked again, and answers
the asker; who may ask is for `control`.
"""

from firmware_sim.board.board import Board
from firmware_sim.board.motion import PROGRESS_EVERY_US, Asker
from firmware_sim.board.refusals import not_kept
from firmware_sim.board.states import Event
from firmware_sim.commands.cycle import repeat
from firmware_sim.commands.rules import AnyRule, unlawful
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.session_steps import PowerOn
from firmware_sim.safety import count_watch, suction
from firmware_sim.safety.punch_checks import no_room, no_store
from firmware_sim.safety.reactions import emergency, flooded, needles_out
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import DeviceState, Lane
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros


class Firmware:
    """Program of the device: it runs on one board."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def boot(self, now: Micros) -> None:
        """Start when power comes on: settle what was open, test, and hold if a session was open or an alarm latched."""
        board = self.board
        nvm, inputs = board.nvm, board.plant.inputs
        interrupted = nvm.register is not None
        # First of all: a cycle that was left open has ended before anybody can ask for it.
        nvm.keep(PowerOn(0))
        # Latched, without their causes: what set them off was in an earlier life.
        for code in sorted(nvm.latched):
            board.alarms.raise_(code, 0)
            board.alarms.clear(code)
        board.enter(Event.BOOTED)
        if interrupted:
            # Over at once, since the reserve has drawn the needles home. It is latched: a person must have seen it.
            board.raise_alarm(A.POWER_LOST_IN_STROKE, now)
            board.clear_alarm(A.POWER_LOST_IN_STROKE, now)
        count_watch.tell(board, now)
        if inputs.self_test_failure:
            board.enter(Event.SELF_TEST_FAILED)
            board.raise_alarm(A.SELF_TEST_FAILED, now)
        else:
            # Nobody here knows what was done meanwhile: a person resets before anything goes on.
            hold = nvm.session is not None or nvm.latched
            board.enter(Event.HOLD_RESTORED if hold else Event.SELF_TEST_PASSED)
        # Last, over whatever the boot came to: the switch may have been opened while power was off.
        if inputs.estop_open:
            emergency(board, now)
        if inputs.wet:
            flooded(board, now)
        self._watch_trigger(now)

    def next_deadline(self) -> Micros | None:
        """Return the time at which `advance` has something to do; None: nothing before something happens."""
        motion, due = self.board.motion, self.board.suction_due
        if motion is not None:
            wake = motion.due
            if motion.next_progress < wake:
                wake = motion.next_progress
            return wake if due is None or wake < due else due
        return due

    def advance(self, now: Micros) -> None:
        """Do what is due."""
        board = self.board
        due = board.suction_due
        if due is not None and now >= due:
            suction.look(board, now)  # before the motion, which it may end
        motion = board.motion
        if motion is None:
            return
        if now >= motion.due:
            motion.then(now)
        elif now >= motion.next_progress:
            # From the time at which it was due: a call that comes late does not put off those that follow.
            motion.next_progress = Micros(motion.next_progress + PROGRESS_EVERY_US)
            elapsed = (now - motion.began) // MILLISECOND
            progress = M.Progress(state=board.state, elapsed_ms=elapsed, expected_ms=motion.expected_us // MILLISECOND)
            motion.asker.reply(progress, now)

    def inputs_changed(self, now: Micros) -> None:
        """React to an input of the plant that was changed from outside, as the interrupt lines would."""
        board = self.board
        if board.plant.inputs.estop_open:
            emergency(board, now)
        else:
            board.clear_alarm(A.EMERGENCY_STOP, now)
        if board.plant.inputs.wet:
            flooded(board, now)
        else:
            board.clear_alarm(A.FLUID_INSIDE, now)
        self._watch_trigger(now)
        if board.state is DeviceState.ADVANCING and not board.plant.needle.retracted(now):
            needles_out(board, now)
        if board.armed:
            suction.look(board, now)

    def _watch_trigger(self, now: Micros) -> None:
        """Note since when the trigger's contact is closed; open, it neither sticks nor bounces."""
        board = self.board
        if not board.plant.trigger_closed:
            board.trigger_since = None
            board.clear_alarm(A.TRIGGER_UNSTEADY, now)
            board.clear_alarm(A.TRIGGER_STUCK, now)
        elif board.trigger_since is None:
            board.trigger_since = now

    def allows(self, rule: AnyRule) -> bool:
        """Return True if the state is one in which a command of this rule is lawful."""
        board = self.board
        return board.state in rule.states and (board.nvm.session is not None or not rule.needs_session)

    def turn_away(self, rule: AnyRule, asker: Asker, command: Message, now: Micros) -> Message | None:
        """Refuse a command that the state does not allow; a late one of the last cycle is answered with its ending."""
        return None if repeat(self.board, asker, command, now) else unlawful(self.board, command, rule)

    def carry_out(self, rule: AnyRule, asker: Asker, command: Message, now: Micros) -> Message | None:
        """Carry out a command of the procedure that the state allows; None where its answer comes later, or came.

        Raises:
            NvmFileError: what the command has begun cannot be kept.
        """
        board = self.board
        nvm = board.nvm
        no = no_room(board) if rule.needs_room else None
        if no is None and rule.store_room:
            no = no_store(board, rule.store_room)
        if no is not None:
            return no
        before = board.state, board.motion, nvm.steps_kept
        try:
            no = rule.check(board, now) if rule.check is not None else None
            if no is not None:
                return no
            if rule.journaled:
                board.note(R.Action, now, message_id=command.ID, zone=board.zone, cell=board.cell)
            before = board.state, board.motion, nvm.steps_kept
            return rule.handler(board, asker, command, now)
        except NvmFileError as error:
            # A handler keeps before it acts: where nothing has changed, nothing was begun. An open cycle was.
            changed = before != (board.state, board.motion, nvm.steps_kept)
            if changed or nvm.register is not None or command.LANE is Lane.STOP:
                raise
            return not_kept(error)
