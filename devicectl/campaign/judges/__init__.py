"""Judges of a run: each reads the recording and the three ledgers, and knows docs/protocol.md and docs/model.md.

Law: they import nothing of engine, firmware or exchange, and decode frames by themselves: what they judge cannot
mislead them. Each breach is a sentence. A new judge is a row of the first table, of the second, or of both.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from devicectl.campaign.judges import acknowledgement, alarms, answers, calm, exactly_once, host, motion, timing, truth
from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Found, Reading, seen
from devicectl.campaign.recording import Recorded
from devicectl.campaign.verdict import Breach

__all__ = ["OF_LEDGERS", "OF_RECORDING", "Ledgers", "judge_all"]

OF_RECORDING: Final[Mapping[str, Callable[[Reading], Found]]] = {
    "exactly once": exactly_once.judge,
    "acknowledgement": acknowledgement.judge,
    "answers": answers.judge,
    "host": host.judge,
    "motion": motion.judge,
    "timing": timing.judge,
    "alarms": alarms.judge,
    "calm": calm.judge,
}
"""Name of a judge -> what gives its breaches in any recording, each with its time and its sentence."""

OF_LEDGERS: Final[Mapping[str, Callable[[Reading, Ledgers], Found]]] = {
    "exactly once": exactly_once.judge_ledgers,
    "acknowledgement": acknowledgement.judge_ledgers,
    "truth": truth.judge_ledgers,
    "motion": motion.judge_ledgers,
    "alarms": alarms.judge_ledgers,
}
"""The same for what only the ledgers of a closed session show."""


def judge_all(
    recording: Sequence[Recorded], ledgers: Ledgers | None, parameters: Mapping[str, float]
) -> tuple[list[Breach], Counter[tuple[str, str]]]:
    """Return what every judge finds, in the order of time, and what was seen in the run.

    A session that was not closed has no ledgers. `parameters` are those of the device that the run has set.
    """
    reading = Reading(recording, parameters)
    found = [Breach(name, *breach) for name, judge in OF_RECORDING.items() for breach in judge(reading)]
    if ledgers is not None:
        found += [Breach(name, *breach) for name, judge in OF_LEDGERS.items() for breach in judge(reading, ledgers)]
    return sorted(found, key=lambda breach: breach.at_us), seen(reading)
