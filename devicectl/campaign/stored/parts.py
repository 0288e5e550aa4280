"""Parts of the judges, each with what it needs of a capture: a wire alone shows less than a campaign records.

Law: together they are the judges of a recording, as a test holds. A part whose need is not met is skipped, and says so.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from devicectl.campaign.judges import acknowledgement, alarms, answers, calm, exactly_once, host, motion, timing
from devicectl.campaign.judges.reading import Found, Reading


class Need(StrEnum):
    """Something that a part needs, as the reason why it is skipped where that is missing."""

    HOST = "the capture has nothing that a host sent"
    DEVICE = "the capture has nothing that a device sent"
    WHOLE = "the capture does not begin with an empty journal, or lacks ports of the device"
    HOST_CLOCK = "the capture was made in real time, where a tap sees a piece later than its host"
    EVENTS = "no wire shows needles, states, faults and commits; a campaign's recording has them"


class Part(NamedTuple):
    """One part of a judge: what it holds against the specification, its needs, and what gives its breaches."""

    judge: str
    about: str
    needs: frozenset[Need]
    find: Callable[[Reading], Found]


def _part(judge: str, about: str, find: Callable[[Reading], Found], *needs: Need) -> Part:
    return Part(judge, about, frozenset(needs), find)


PARTS: Final = (
    _part("exactly once", "pages of the journal", exactly_once.judge_pages, Need.DEVICE),
    _part("exactly once", "counts at the close", exactly_once.judge_closes, Need.HOST, Need.DEVICE),
    _part("acknowledgement", "commits of the log", acknowledgement.judge_commits, Need.EVENTS),
    _part("acknowledgement", "the journal's tail", acknowledgement.judge_tails, Need.HOST, Need.DEVICE, Need.WHOLE),
    _part("acknowledgement", "numbers that never go back", acknowledgement.judge_marks, Need.DEVICE),
    _part("answers", "numbers of commands", answers.judge_commands, Need.HOST),
    _part("answers", "answers to motions", answers.judge_answers, Need.HOST, Need.DEVICE),
    _part("answers", "links of answers", answers.judge_links, Need.DEVICE),
    _part("answers", "ports that went", answers.judge_partings, Need.EVENTS),
    _part("answers", "other hosts", answers.judge_others, Need.EVENTS),
    _part("host", "numbers of cycles", host.judge_cycle_numbers, Need.HOST, Need.DEVICE),
    _part("host", "times of repetitions", host.judge_repetitions, Need.HOST, Need.DEVICE, Need.HOST_CLOCK),
    _part("motion", "depths of strokes", motion.judge_depths, Need.HOST, Need.DEVICE),
    _part("motion", "strokes and states", motion.judge_moves, Need.EVENTS),
    _part("timing", "times after a loss or a stop", timing.judge, Need.EVENTS),
    _part("alarms", "causes and ends", alarms.judge, Need.EVENTS),
    _part("calm", "nothing without a fault", calm.judge, Need.EVENTS),
)
"""All parts, those of one judge side by side."""
