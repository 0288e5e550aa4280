"""Interlocks 5, 6 and 7: a blocked line and clogged needles are found, and what they do not explain stops the count.

Law: attribute first, then alarm. Misses by a line that is found blocked, or a needle that is found clogged, leave the
window before it is judged. A line is blocked where all needles are empty at once, whatever the pressure reads; needles
clog one by one.
The needles held to be clogged are in the memory, one bit each.
"""

from firmware_sim.board.board import Board
from firmware_sim.board.strokes import StrokeWindow
from firmware_sim.memory.steps import Put
from protocols.language import alarm_codes as A
from protocols.language.units import Micros


def begin_session(board: Board) -> None:
    """Forget what was watched in the session before."""
    board.nvm.keep(Put("flagged", 0))
    begin_again(board)


def begin_again(board: Board) -> None:
    """Begin to watch with an empty window."""
    board.strokes = StrokeWindow(board.plant.needles, board.parameters.count_window)


def tell(board: Board, now: Micros) -> None:
    """Raise the alarm of the needles that are flagged, as after a boot."""
    flagged = board.nvm.flagged
    if flagged:
        board.raise_alarm(A.NEEDLES_CLOGGED if flagged & flagged - 1 else A.NEEDLE_CLOGGED, now)


def take(board: Board, seen: int, now: Micros) -> None:
    """Take one cycle's count: one bit a needle whose core was seen."""
    nvm, strokes, clog_empties = board.nvm, board.strokes, board.parameters.clog_empties
    for needle, in_row in enumerate(strokes.empty_in_row):
        missed = not seen >> needle & 1
        strokes.empty_in_row[needle] = in_row + 1 if missed else 0
        if not nvm.flagged >> needle & 1:
            strokes.add(needle, missed)
    if not seen and _line_is_blocked(board):
        board.raise_alarm(A.LINE_BLOCKED, now)
    for needle, in_row in enumerate(strokes.empty_in_row):
        if in_row >= clog_empties and not nvm.flagged >> needle & 1:
            # Held to be clogged from now on: its run of empties is explained by that.
            nvm.keep(Put("flagged", nvm.flagged | 1 << needle))
            strokes.explain(needle)
            tell(board, now)
    _judge(board, now)


def _line_is_blocked(board: Board) -> bool:
    """Return True, and explain the misses, where the needles that are not flagged have all been empty for long enough.

    One needle alone does not tell a blocked line from a clog.
    """
    strokes = board.strokes
    watched = [needle for needle in range(board.plant.needles) if not board.nvm.flagged >> needle & 1]
    least = min(strokes.empty_in_row[needle] for needle in watched) if len(watched) > 1 else 0
    if least < board.parameters.blocked_empties:
        return False
    for needle in watched:
        strokes.explain(needle)
        strokes.empty_in_row[needle] = 0
    return True


def _judge(board: Board, now: Micros) -> None:
    missing, parameters = board.strokes.missing, board.parameters
    if missing >= parameters.count_stop:
        board.raise_alarm(A.COUNT_STOPPED, now)
    elif missing >= parameters.count_warn:
        board.raise_alarm(A.COUNT_MISMATCH, now)
    else:
        board.clear_alarm(A.COUNT_MISMATCH, now)


def purge(board: Board, now: Micros) -> int:
    """Purge the flagged needles; a needle that is free begins again. Returns those that are free."""
    nvm, empty_in_row = board.nvm, board.strokes.empty_in_row
    cleared = board.plant.purge(nvm.flagged)
    nvm.keep(Put("flagged", nvm.flagged & ~cleared))
    for needle in range(len(empty_in_row)):
        if cleared >> needle & 1:
            empty_in_row[needle] = 0
    if nvm.flagged.bit_count() < 2:
        board.clear_alarm(A.NEEDLES_CLOGGED, now)
    if not nvm.flagged:
        board.clear_alarm(A.NEEDLE_CLOGGED, now)
    return cleared
