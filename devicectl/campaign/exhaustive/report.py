"""Report of a run of all singles or pairs: the claim, and everything that bounds it.

Law: but for `times` it is made of the tally alone.
"""

import textwrap
from collections.abc import Iterator
from typing import Final

from devicectl.campaign.exhaustive.every import Exhaustive
from devicectl.campaign.exhaustive.places import EVENTS, FaultOf, fits
from devicectl.campaign.many.report import MAX_FAILURES, SIMULATOR, WIDTH
from devicectl.campaign.many.tally import RIGHT, Tally
from handpiece_shell.version import VERSION
from protocols.capture.packet import JsonObject
from protocols.text.notice import NOTICE

_PLACES: Final = {"piece": "piece on the wire", "write": "write of the memory", "commit": "commit of the log"}
_WHAT: Final = {1: "single faults", 2: "pairs of faults"}
SKIPPED: Final = "none was skipped"


def report_data(work: Exhaustive, tally: Tally, *, done: int, seconds: float) -> JsonObject:
    """Return all of the report; `done` singles were tried, or were the first of every pair that they begin."""
    singles = len(work.firsts())
    idle = tally.declared.total() - tally.fired.total()
    found = tally.to_json()
    return {
        "notice": NOTICE,
        "simulator": True,
        "version": VERSION,
        "exhaustive": {"faults": work.faults, "cycles": work.cycles, "seed": work.seed, "wire": work.wire},
        "kinds": {
            _PLACES[event.key[0]]: [_name(kind) for kind in event.kinds if fits(kind[0], work.wire)] for event in EVENTS
        },
        "claim": _claim(work, tally, whole=done == singles),
        "singles": singles,
        "singles_done": done,
        "skipped": 0,
        "without_effect": idle,
        "words": found["words"],
        "endings": found["endings"],
        "tried": tally.sessions,
        "failures": found["failures"],
        "times": {"seconds": round(seconds, 3), "sessions_per_s": round(tally.sessions / max(seconds, 1e-3), 1)},
    }


def _claim(work: Exhaustive, tally: Tally, *, whole: bool) -> str:
    wrong, stuck = tally.words["wrong"], tally.words["stuck"]
    assert tally.sessions == wrong + stuck + tally.words[RIGHT]
    all_of = "all" if whole else "the first"
    return f"{all_of} {tally.sessions:,} {_WHAT[work.faults]} of {work.cycles} cycles: {wrong:,} wrong, {stuck:,} stuck"


def _name(kind: FaultOf) -> str:
    name, values = kind
    return f"{name} ({', '.join(f'{key} {value}' for key, value in values.items())})" if values else name


def lines(data: JsonObject) -> Iterator[str]:
    """Yield the report for people."""
    for line in _paragraphs(data):
        yield from textwrap.wrap(line, WIDTH, subsequent_indent="    ", break_on_hyphens=False) or [""]


def _paragraphs(data: JsonObject) -> Iterator[str]:
    work, times = data["exhaustive"], data["times"]
    yield data["claim"]
    yield f"{data['tried']:,} sessions in {times['seconds']:.1f} s, {times['sessions_per_s']:.1f} a second"
    yield f"singles: {data['singles_done']:,} of {data['singles']:,}; {SKIPPED}"
    if data["without_effect"]:
        yield f"a second fault had nothing left to change in {data['without_effect']:,}; they were judged all the same"
    yield f"ended: {', '.join(f'{name} {count:,}' for name, count in data['endings'].items())}"
    yield f"bounds of this claim: seed {work['seed']}, {work['wire']}, version {data['version']}, and these kinds"
    yield from (f"    at each {place}: {', '.join(kinds)}" for place, kinds in data["kinds"].items())
    for failure in data["failures"][:MAX_FAILURES]:
        judge = f" by {failure['judge']}" if failure["judge"] else ""
        last = failure["sentence"].strip().rpartition("\n")[2]
        yield f"{failure['word']}{judge}, at {failure['at_us'] / 1e6:.3f} s: {last}"
        yield from (f"    {fault}" for fault in failure["faults"])
    yield SIMULATOR
