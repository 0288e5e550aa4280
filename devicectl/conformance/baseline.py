"""The baseline: failures that are known, by the names of their cases, so that a run shows what is new.

    {"baseline": 1, "known": {"pay.short-stream-set": "firmware 1.4 answers E_RANGE"}}

Law: the file only shrinks. A case that is known to fail and passes is a failure of the run until its entry is gone.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from devicectl.conformance.outcome import Outcome, Word

VERSION: Final = 1


class BaselineError(ValueError):
    """A baseline cannot be taken."""


def read_baseline(text: str, cases: Collection[str]) -> dict[str, str]:
    """Return the known failures of a baseline: name of the case -> why, in the words of its writer.

    Raises:
        BaselineError: it is none, or names a case that there is not.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    known = data.get("known") if isinstance(data, dict) and data.get("baseline") == VERSION else None
    if not isinstance(known, dict) or not all(isinstance(reason, str) for reason in known.values()):
        raise BaselineError('it is no baseline; right is {"baseline": 1, "known": {"CASE": "REASON"}}')
    for name in known:
        if name not in cases:
            raise BaselineError(f"there is no case {name!r:.80}; take its line out, `--list` shows all")
    return known


def apply_baseline(outcomes: Iterable[Outcome], known: Mapping[str, str]) -> list[Outcome]:
    """Return the outcomes with what is known taken into account. A case that was skipped stays so."""
    found = []
    for outcome in outcomes:
        reason = known.get(outcome.case.id)
        if reason is not None and outcome.word is Word.FAILED:
            outcome = outcome._replace(word=Word.KNOWN, reason=f"{outcome.reason} (known: {reason})")
        elif reason is not None and outcome.word is Word.PASSED:
            outcome = outcome._replace(word=Word.MENDED, reason="the baseline says that it fails: take its entry out")
        found.append(outcome)
    return found


def write_baseline(outcomes: Iterable[Outcome]) -> str:
    """Return a baseline of everything that failed, or was known to."""
    failed = (Word.FAILED, Word.KNOWN)
    known = {outcome.case.id: outcome.reason[:200] for outcome in outcomes if outcome.word in failed}
    return json.dumps({"baseline": VERSION, "known": known}, indent=2, ensure_ascii=False) + "\n"
