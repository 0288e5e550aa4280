"""A report as lines for a terminal: what failed in full, what was skipped by its reason, the rest as a number."""

from collections.abc import Iterator, Sequence
from typing import Final

from protocols.capture.packet import JsonObject
from protocols.text.escape import printable

SHOWN_FRAMES: Final = 8
"""Frames of a failed case, the last ones: its whole exchange is in the files."""
MAX_SENTENCE: Final = 100
"""Columns up to which a difference is read best as one sentence."""
_BAD: Final = ("failed", "mended")


def case_line(case: JsonObject) -> str:
    """Return the one line of a case."""
    return f"{case['word']:7} {case['id']:28} {' '.join(case['rules'])}  {case['title']}"


def failure_lines(case: JsonObject) -> Iterator[str]:
    """Give what is to be seen of a case that failed."""
    reason, differences = _once(case["reason"], case["differences"])
    if reason:
        yield f"        {printable(reason)}"
    for one in differences:
        yield f"        {one['what']}"
        yield f"          expected {printable(one['expected'])[:400]}"
        yield f"          found    {printable(one['found'])[:400]}"
    for one in case["timings"]:
        timing = f"{one['value_ms']:g} ms, limit {one['limit_ms']:g} ms, margin {one['margin_ms']:g} ms"
        yield f"        {one['what']}: {timing}"
    for one in case["frames"][-SHOWN_FRAMES:]:
        yield f"        {one['text']}"
    if case["recording"]:
        yield f"        recorded in {printable(case['recording'])}"


def _once(reason: str, differences: Sequence[JsonObject]) -> tuple[str, Sequence[JsonObject]]:
    """Leave out what would be said twice: a short difference is a sentence, a long one three lines."""
    sentences = [f"{one['what']}: expected {one['expected']}, found {one['found']}" for one in differences]
    if len(sentences) == 1 and reason.startswith(sentences[0]) and len(reason) <= MAX_SENTENCE:
        return reason, []
    return ("" if sentences == [reason] else reason), differences


def lines(data: JsonObject, *, every: bool = False) -> Iterator[str]:
    """Give the lines of a report; `every` also those of the cases that passed."""
    yield data["notice"]
    judged = ", ".join(f"{name} {value}" for name, value in data["judged"].items() if value not in ("", None))
    yield f"{data['program']}: {judged}"
    skipped: dict[str, int] = {}
    for case in data["cases"]:
        if case["word"] == "skipped":
            skipped[case["reason"]] = skipped.get(case["reason"], 0) + 1
        elif case["word"] in _BAD:
            yield case_line(case)
            yield from failure_lines(case)
        elif every or case["word"] == "known":
            yield case_line(case)
    for reason, number in skipped.items():
        yield f"skipped {number:3}: {reason}"
    counts = ", ".join(f"{number} {word}" for word, number in data["counts"].items() if number)
    yield f"{counts or 'no case'} in {data['seconds']:.1f} s"
    yield from _verdict(data)


def _verdict(data: JsonObject) -> Iterator[str]:
    musts = [rule for rule in data["rules"] if rule["level"] == "must"]
    shown = sum(rule["word"] == "passed" for rule in musts)
    broken = [rule["id"] for rule in musts if rule["word"] in _BAD]
    yield f"{shown} of the {len(musts)} MUSTs of a {data['end']} were seen kept"
    skipped = [rule["id"] for rule in musts if rule["word"] == "skipped"]
    if skipped:
        yield f"not tried: {' '.join(skipped)}"
    if broken:
        yield f"broken: {' '.join(broken)}"
    yield f"verdict: {data['verdict']}"
