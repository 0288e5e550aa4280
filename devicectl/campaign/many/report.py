"""Report of a campaign: data for programs, lines of 80 columns for people.

Law: but for `times` it is made of the tally alone: the same sessions, the same report, wherever they ran.
"""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Final

from devicectl.campaign.many.campaign import Campaign
from devicectl.campaign.many.tally import RIGHT, Tally
from devicectl.campaign.many.unseen import TITLES, unseen
from handpiece_shell.version import VERSION
from protocols.capture.packet import JsonObject
from protocols.text.notice import NOTICE

WIDTH: Final = 80
SIMULATOR: Final = "All of this is about a simulator. It is no evidence about any device."
MAX_FAILURES: Final = 20
"""Failures that people are shown; programs get all."""
LARGE: Final = 200
"""Sessions from which on it means something that nobody has met a thing, so that people are shown which."""


def claim(tally: Tally) -> str:
    """Return what the sessions say about others like them, by the rule of three where none has failed."""
    bad = tally.sessions - tally.words[RIGHT]
    if not tally.sessions:
        return "0 sessions were judged"
    if bad:
        return f"{bad} of {tally.sessions:,} sessions were wrong or stuck"
    return f"0 of {tally.sessions:,} sessions were wrong or stuck: below 3 in {tally.sessions:,} at 95 %"


def report_data(campaign: Campaign, tally: Tally, *, command: str, seconds: float) -> JsonObject:
    """Return all of the report. `command` repeats the campaign, but for `--sessions` and `--seed`."""
    never = [one._asdict() for one in unseen(tally)]
    found = tally.to_json()
    for failure in found["failures"]:
        failure["repeat"] = repeat(command, failure["seed"])
    return {
        "notice": NOTICE,
        "simulator": True,
        "version": VERSION,
        "campaign": {"sessions": campaign.sessions, "cycles": campaign.cycles, "seed": campaign.seed},
        "claim": claim(tally),
        **found,
        "faults_fired": tally.faults_fired,
        "never_seen": never,
        "times": {"seconds": round(seconds, 3), "sessions_per_s": round(tally.sessions / max(seconds, 1e-3), 1)},
    }


def repeat(command: str, seed: int) -> str:
    """Return the command that repeats one session."""
    return f"{command} --sessions 1 --seed {seed}"


def lines(data: JsonObject) -> Iterator[str]:
    """Yield the report for people."""
    for line in _paragraphs(data):
        if line.lstrip().startswith("devicectl "):
            yield line  # a command is copied whole
            continue
        yield from textwrap.wrap(line, WIDTH, subsequent_indent="    ", break_on_hyphens=False) or [""]


def _paragraphs(data: JsonObject) -> Iterator[str]:
    times, sessions = data["times"], data["sessions"]
    yield data["claim"]
    yield f"{sessions:,} sessions in {times['seconds']:.1f} s, {times['sessions_per_s']:.1f} a second"
    if sessions:
        a_session = data["faults_fired"] / sessions
        yield f"{data['faults_fired']:,} faults fired, {a_session:.1f} a session; {data['lives']:,} starts of the host"
        yield f"ended: {_counts(data['endings'])}"
        yield "faults fired:"
        yield from (f"    {kind:22} {_counts(phases)}" for kind, phases in _by_kind(data["fired"]).items())
    yield from _never_lines(data["never_seen"], sessions)
    for failure in data["failures"][:MAX_FAILURES]:
        judge = f" by {failure['judge']}" if failure["judge"] else ""
        last = failure["sentence"].strip().rpartition("\n")[2]
        yield f"seed {failure['seed']}: {failure['word']}{judge}, at {failure['at_us'] / 1e6:.3f} s: {last}"
        yield f"    {failure['repeat']}"
    if len(data["failures"]) > MAX_FAILURES:
        yield f"and {len(data['failures']) - MAX_FAILURES} more"
    yield SIMULATOR


def _never_lines(never: list[dict[str, str]], sessions: int) -> Iterator[str]:
    if sessions < LARGE:
        count = sum(not one["reason"] for one in never)
        yield f"never seen: {count} changes of state, refusals, interlocks, alarms and faults; --json names them"
        return
    for what, title in TITLES.items():
        names = [one["name"] for one in never if one["what"] == what and not one["reason"]]
        if names:
            yield f"never seen, {title}: {', '.join(names)}"
        for reason in sorted({one["reason"] for one in never if one["what"] == what and one["reason"]}):
            names = [one["name"] for one in never if one["what"] == what and one["reason"] == reason]
            yield f"never seen, {title}, since {reason}: {', '.join(names)}"


def _by_kind(fired: dict[str, int]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for key, count in fired.items():
        kind, _, phase = key.partition(" ")
        found.setdefault(kind, Counter())[phase] += count
    return found


def _counts(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count:,}" for name, count in ordered)


def to_text(data: JsonObject) -> str:
    """Return the report as one JSON object, indented."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
