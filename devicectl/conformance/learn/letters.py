"""Letters as commands of the probe, each with the arguments that a right host gives it, and their answers as words."""

from collections.abc import Callable
from typing import Final

from devicectl.conformance.device.ground import ZONES, Ground
from devicectl.conformance.device.probe import BrokenRule, Heard, Steps
from protocols.language import messages as M
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import AlarmState, CloseReason, Code
from protocols.language.message import Message

SETTLE_MS: Final = 50
"""Time in which an alarm of a command may still come."""
NEEDLES_HOME_MS: Final = 1_500
"""Time until needles that STOP called home are there, and FAULT_RESET is taken."""
_AGE_S: Final = 1_800
"""Age of the injection that ANESTHESIA_START tells: more than any device waits, less than it lasts."""


def _suction(ground: Ground) -> Message:
    return M.Suction(cycle_no=ground.cycle_no)


def _advance(ground: Ground) -> Message:
    return M.Advance(cycle_no=ground.cycle_no, steps=1)


def _count(ground: Ground) -> Message:
    return M.Count(cycle_no=ground.cycle_no)


def _reposition(ground: Ground) -> Message:
    cell = ground.next_cell % ZONES[0]
    ground.next_cell += 1
    return M.Reposition(zone=0, cell=cell)


MAKERS: Final[dict[str, Callable[[Ground], Message]]] = {
    "SESSION_OPEN": lambda ground: ground.plan(),
    "ANESTHESIA_START": lambda ground: M.AnesthesiaStart(zone=0, age_s=_AGE_S, method="conformance"),
    "ANESTHESIA_CONFIRM": lambda ground: M.AnesthesiaConfirm(zone=0, confirmed_by="conformance"),
    "ARM": lambda ground: M.Arm(),
    "DISARM": lambda ground: M.Disarm(),
    "REPOSITION": _reposition,
    "PUNCH": lambda ground: ground.punch(),
    "SUCTION": _suction,
    "ADVANCE": _advance,
    "COUNT": _count,
    "PURGE": lambda ground: M.Purge(),
    "PAUSE": lambda ground: M.Pause(),
    "RESUME": lambda ground: M.Resume(),
    "STOP": lambda ground: M.Stop(),
    "FAULT_RESET": lambda ground: M.FaultReset(),
    "SESSION_CLOSE": lambda ground: ground.closing(CloseReason.ABANDONED),
}
"""Letter -> the command that it is now."""


def spell(ground: Ground, letter: str) -> Steps[str]:
    """Give the command of a letter, and return its answer with the alarms that it raised, as `expected` has them."""
    raised: set[int] = set()

    def hear(heard: Heard) -> None:
        if isinstance(heard.message, M.Alarm) and heard.message.state is AlarmState.ACTIVE:
            raised.add(heard.message.code)

    ground.probe.watch = hear
    try:
        answer = (yield from ground.ask(MAKERS[letter](ground))).message
        yield from ground.probe.pause(NEEDLES_HOME_MS if letter == "STOP" else SETTLE_MS)
    except BrokenRule as silent:
        return f"no answer: {silent}"
    finally:
        ground.probe.watch = None
    return " ".join([_word(answer), *map(alarm_label, sorted(raised))])


def _word(answer: Message) -> str:
    if isinstance(answer, M.Aborted):
        return "ABORTED"
    if isinstance(answer, M.Refused) and answer.code is Code.E_INTERLOCK:
        return f"interlock {answer.interlock}"
    if isinstance(answer, M.Refused | M.Nak | M.Failed):
        return answer.code.name
    return "DONE"
