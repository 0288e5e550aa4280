"""Findings of a debrief in tables: checks, alarms, beliefs and counts, each with its empty state."""

from collections.abc import Sequence
from typing import Final

from devicectl.station.debrief.drawings.axis import clock, lasting
from devicectl.station.debrief.facts import Belief, CheckResult, Facts, Response
from devicectl.station.debrief.markup import Markup, element
from devicectl.station.debrief.tables import listing, table

MARKS: Final = {
    True: ("\N{CHECK MARK} passed", "passed"),
    False: ("\N{BALLOT X} failed", "failed"),
    None: ("\N{EN DASH} not judged", "not-judged"),
}


def summary(facts: Facts) -> Markup:
    """Return the sentences with which a debrief begins."""
    ending, done = facts.ending, [one.passed for one in facts.checks]
    missed = [one.words for one in facts.checks if one.critical and one.passed is False]
    took = f"The lesson took {lasting(ending.lasts_us)}."
    if not facts.heading.over:
        took = f"This lesson is not over: the page shows its first {lasting(ending.lasts_us)}."
    lines = [f"{took} {ending.state}"]
    if done:
        lines.append(f"Of {len(done)} checks {done.count(True)} passed and {done.count(False)} failed.")
    lines += [f"A critical check failed: {words}." for words in missed]
    lines.append(
        f"{ending.cores_counted} of {ending.target} cores were counted; {ending.cores_evacuated} really came out."
    )
    if ending.reconciled is not None:
        lines.append(
            f"Host and device {'agree' if ending.reconciled else 'do not agree'} on the counts of the session."
        )
    return listing([*lines, *ending.differences], class_="short")


def checks(results: Sequence[CheckResult]) -> Markup:
    """Return the checklist."""
    rows = [(_mark(one), _words(one), _began(one), _judged(one)) for one in results]
    return table(("Result", "Check", "Asked for", "Judged"), rows, "This lesson has no checks.")


def _mark(one: CheckResult) -> Markup:
    words, style = MARKS[one.passed]
    return element("span", words, class_=style)


def _words(one: CheckResult) -> str:
    return f"{one.words} (critical)" if one.critical else one.words


def _began(one: CheckResult) -> str:
    if one.began_us is None:
        return "never"
    within = "" if one.within_us is None else f", within {lasting(one.within_us)}"
    return f"at {clock(one.began_us)}{within}"


def _judged(one: CheckResult) -> str:
    said = "never" if one.at_us is None or one.outcome == "not_judged" else f"at {clock(one.at_us)}"
    if one.at_us is not None and one.began_us is not None and one.outcome == "passed":
        said += f", after {lasting(one.at_us - one.began_us)}"
    if one.override is None:
        return said
    own = one.outcome.replace("_", " ")
    return f"{said}: {own}; judged as {'passed' if one.override else 'failed'} by the instructor: {one.reason}"


def alarms(responses: Sequence[Response]) -> Markup:
    """Return what followed each alarm."""
    rows = [
        (
            clock(one.at_us),
            f"{one.label} {one.words}",
            one.priority,
            _first(one),
            _after(one.at_us, one.acknowledged_us),
            _after(one.at_us, one.over_us),
        )
        for one in responses
    ]
    columns = ("Shown", "Alarm", "Priority", "First response", "Acknowledged", "Over")
    return table(columns, rows, "No alarm was shown.")


def _first(one: Response) -> str:
    own = "none" if one.first_us is None else f"{one.first}, after {lasting(one.first_us - one.at_us)}"
    if one.let_go_us is None:
        return own
    return f"{own}; the station let go of the trigger after {lasting(one.let_go_us - one.at_us)}: its page had gone"


def _after(since_us: int, at_us: int | None) -> str:
    return "never" if at_us is None else f"after {lasting(at_us - since_us)}"


def beliefs(found: Sequence[Belief]) -> Markup:
    """Return what was shown otherwise than it was."""
    rows = [
        (one.quantity, f"{clock(one.from_us)} to {clock(one.to_us)}", one.believed, one.so) for one in found
    ]  # fmt: skip
    columns = ("Quantity", "When", "Shown to the trainee", "So in the model")
    return table(columns, rows, "What the trainee was shown was so, all the time.")


def counts(facts: Facts) -> Markup:
    """Return each count beside the truth of it."""
    rows = [
        (
            one.quantity,
            "not known" if one.counted is None else str(one.counted),
            str(one.truth),
            "" if one.counted is None else f"{one.counted - one.truth:+d}" if one.counted != one.truth else "equal",
        )
        for one in facts.beside
    ]
    return table(("Quantity", "Counted", "True", "Difference"), rows, "No session was opened.")
