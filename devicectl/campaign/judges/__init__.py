"""Judges of a run: each reads the recording and the three ledgers, and knows docs/protocol.md and docs/model.md.

Law: they import nothing of engine, firmware or exchange, and decode frames by themselves: what they judge cannot
mislead them. Each breach is a sentence. A new judge is a row of `JUDGES`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from devicectl.campaign.judges import acknowledgement, alarms, answers, calm, exactly_once, motion, timing, truth
from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Found, Reading, seen
from devicectl.campaign.recording import Recorded
from devicectl.campaign.verdict import Breach

__all__ = ["JUDGES", "Ledgers", "judge_all"]

JUDGES: Final[Mapping[str, Callable[[Reading, Ledgers], Found]]] = {
    "exactly once": exactly_once.judge,
    "acknowledgement": acknowledgement.judge,
    "truth": truth.judge,
    "answers": answers.judge,
    "motion": motion.judge,
    "timing": timing.judge,
    "alarms": alarms.judge,
    "calm": calm.judge,
}
"""Name of a judge -> what gives its breaches, each with its time and its sentence."""


def judge_all(recording: Sequence[Recorded], ledgers: Ledgers) -> tuple[list[Breach], Counter[tuple[str, str]]]:
    """Return what every judge finds, in the order of time, and what was seen in the run."""
    reading = Reading(recording)
    found = [Breach(name, *breach) for name, judge in JUDGES.items() for breach in judge(reading, ledgers)]
    return sorted(found, key=lambda breach: breach.at_us), seen(reading)
