"""Data of a report: the end that was judged, its cases with what was seen, and each rule with the cases that show it.

Law: plain data, as JSON has it. Skipped never reads as passed: a rule is passed when a case that shows it has, and none
that does has failed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from devicectl.conformance.outcome import Outcome, Word, count
from devicectl.conformance.rules import RULES, Duty, rules_of
from protocols.capture.packet import JsonObject
from protocols.text.notice import NOTICE

_ORDER: Final = (Word.FAILED, Word.MENDED, Word.KNOWN, Word.PASSED, Word.SKIPPED)
"""The word of a rule is the first of these that one of its cases has."""
NO_CASE: Final = "untried"
_COMMANDS: Final = {Duty.DEVICE: "device", Duty.HOST: "controller"}
"""End that is judged -> the command that judges it."""


def report_data(
    end: Duty,
    judged: Mapping[str, object],
    outcomes: Sequence[Outcome],
    *,
    seconds: float,
    versions: Mapping[str, object],
) -> JsonObject:
    """Return the data of a report; `judged` is what is known of the end."""
    return {
        "notice": NOTICE,
        "program": f"devicectl conform {_COMMANDS[end]}",
        "versions": dict(versions),
        "end": str(end),
        "judged": dict(judged),
        "verdict": "failed" if any(outcome.breaks for outcome in outcomes) else "passed",
        "counts": {str(word): number for word, number in count(outcomes).items()},
        "seconds": round(seconds, 3),
        "rules": [_rule(rule.id, outcomes) for rule in rules_of(end)],
        "cases": [_case(outcome) for outcome in outcomes],
    }


def _rule(name: str, outcomes: Iterable[Outcome]) -> JsonObject:
    rule = RULES[name]
    showing = [outcome for outcome in outcomes if name in outcome.case.rules]
    words = {outcome.word for outcome in showing}
    word = next((str(word) for word in _ORDER if word in words), NO_CASE)
    return {
        "id": name,
        "level": str(rule.level),
        "text": rule.text,
        "word": word,
        "cases": [outcome.case.id for outcome in showing],
    }


def _case(outcome: Outcome) -> JsonObject:
    return {
        "id": outcome.case.id,
        "title": outcome.case.title,
        "rules": list(outcome.case.rules),
        "level": str(outcome.case.level),
        "word": str(outcome.word),
        "reason": outcome.reason,
        "differences": [one._asdict() for one in outcome.differences],
        "timings": [
            {
                "what": one.what,
                "value_ms": round(one.value_ms, 3),
                "limit_ms": one.limit_ms,
                "margin_ms": round(one.margin_ms, 3),
            }
            for one in outcome.timings
        ],
        "frames": [] if outcome.word is Word.PASSED else [one._asdict() for one in outcome.frames],
        "seconds": round(outcome.seconds, 3),
        "recording": outcome.recording,
    }
