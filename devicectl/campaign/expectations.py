"""Expectations of a scenario, held against the outcome of its run.

Law: pure. A declared fault that never fired and a verdict that is not right fail a run whatever is expected of it: they
are the verdict's matter.
"""

from collections.abc import Iterator
from typing import NamedTuple

from devicectl.campaign.scenario import Expectations
from protocols.language.alarm_codes import alarm_label


class Outcome(NamedTuple):
    """Result of a run. Alarms and interlocks are numbers, refusals the names of codes."""

    state: str
    reconciled: bool
    alarms: frozenset[int]
    refusals: frozenset[str]
    interlocks: frozenset[int]
    cores_counted: int
    seconds: float


def check_expectations(expect: Expectations, outcome: Outcome) -> list[str]:
    """Return a sentence for each expectation that was not met."""
    return [*_of_the_end(expect, outcome), *_of_what_was_seen(expect, outcome)]


def _of_the_end(expect: Expectations, outcome: Outcome) -> Iterator[str]:
    if expect.state not in (None, outcome.state):
        yield f"the session was to end as {expect.state}, and is {outcome.state}"
    if expect.reconciled not in (None, outcome.reconciled):
        yield f"the session was to be {_agreed(not outcome.reconciled)}, and is {_agreed(outcome.reconciled)}"
    if expect.cores_counted is not None:
        least, most = expect.cores_counted
        if not least <= outcome.cores_counted <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            yield f"{wanted} cores were to be counted, and {outcome.cores_counted} were"
    if expect.at_most_s is not None and outcome.seconds > expect.at_most_s:
        yield f"the run was to take at most {expect.at_most_s:g} s, and took {outcome.seconds:g} s"


def _of_what_was_seen(expect: Expectations, outcome: Outcome) -> Iterator[str]:
    for code in expect.alarms:
        if code not in outcome.alarms:
            yield f"alarm {alarm_label(code)} was to be raised, and never was"
    for code in expect.no_alarms:
        if code in outcome.alarms:
            yield f"alarm {alarm_label(code)} was to be raised at no time, and was"
    for refusal in expect.refusals:
        if refusal not in outcome.refusals:
            yield f"the device was to refuse something with {refusal}, and never did"
    for interlock in expect.interlocks:
        if interlock not in outcome.interlocks:
            yield f"the device was to refuse something by interlock {interlock}, and never did"


def _agreed(reconciled: bool) -> str:
    return "reconciled" if reconciled else "not reconciled"
