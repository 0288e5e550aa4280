"""The page of a debrief: one file of HTML with its style in it, without a script, to be read and to be printed.

Law: pure, facts in and markup out. Each drawing is passed over by screen readers, and has its text twin beside it.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from devicectl.station.debrief.drawings.axis import clock
from devicectl.station.debrief.drawings.timeline import draw_timeline
from devicectl.station.debrief.facts import Comparison, Facts, Heading
from devicectl.station.debrief.findings import alarms, beliefs, checks, counts, summary
from devicectl.station.debrief.markup import Markup, element
from devicectl.station.debrief.pictures import density, over_time
from devicectl.station.debrief.tables import listing, section, table
from protocols.text.notice import NOTICE

DISCLAIMER: Final = (
    "All of this is a property of the model, not of medicine. It is feedback on practice with a simulator, and not a "
    "certificate."
)
STYLE: Final = files("devicectl.station.debrief").joinpath("debrief.css").read_text(encoding="utf-8")
STYLE_SOURCE: Final = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
"""The page's own style as a source of a Content-Security-Policy: it is allowed, and no other is."""
POLICY: Final = f"default-src 'none'; style-src {STYLE_SOURCE}"


def debrief_page(facts: Facts) -> str:
    """Return the page as a document of HTML."""
    title = f"Debrief: {facts.heading.title}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    body = element(
        "body",
        element("header", element("p", NOTICE, class_="notice")),
        element("main", element("h1", title), _heading(facts), *_sections(facts)),
        element("footer", element("p", DISCLAIMER), class_="disclaimer"),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _sections(facts: Facts) -> list[Markup]:
    return [
        section("In short", summary(facts)),
        section("Objectives", listing(facts.heading.objectives)) if facts.heading.objectives else Markup(),
        section("Checklist", checks(facts.checks)),
        section("Response to alarms", alarms(facts.responses)),
        section("What was believed, and what was so", beliefs(facts.beliefs)),
        section("Counted, and true", counts(facts)),
        section("What if", *map(_comparison, facts.comparisons)) if facts.comparisons else Markup(),
        section("Questions", listing(facts.questions, class_="questions")) if facts.questions else Markup(),
        section("Notes of the instructor", _remarks(facts)),
        section("Over time", *over_time(facts)),
        section("Density of the cells", *density(facts.zones)),
        section("Timeline", draw_timeline(facts.lanes, facts.ending.lasts_us), _happened(facts)),
    ]


def _heading(facts: Facts) -> Markup:
    rows = list(_rows(facts.heading))
    rows += [
        (
            f"Attempt {place}",
            f"is lesson {one.lesson_no}" + (f", ended at {clock(one.ended_us)}" if one.ended_us is not None else "")
            + f"; the class went back to {clock(one.back_to_us)}",
        )
        for place, one in enumerate(facts.attempts, 1)
    ]  # fmt: skip
    pairs = (element("div", element("dt", name), element("dd", value)) for name, value in rows)
    return element("dl", *pairs, class_="heading")


def _rows(heading: Heading) -> Sequence[tuple[str, str]]:
    found = [
        ("Trainee", heading.trainee or "no name given"),
        ("Date", "" if heading.began is None else f"{heading.began:%Y-%m-%d %H:%M} UTC"),
        ("Lesson", str(heading.lesson_no) if heading.lesson_no else ""),
        ("Station", str(heading.station) if heading.station else ""),
        ("Seed", str(heading.seed)),
        ("Version", heading.other_version),
    ]
    return [(name, value) for name, value in found if value]


def _happened(facts: Facts) -> Markup:
    rows = [(clock(one.at_us), one.kind, one.words) for one in facts.happened]
    return table(("Time", "Kind", "What"), rows, "Nothing happened.", class_="happened")


def _comparison(one: Comparison) -> Markup:
    title = element("h3", f"What if {one.words}?")
    if one.why_not:
        return element("div", title, element("p", one.why_not, class_="soft"), class_="what-if")
    if one.parting is None:
        parting = "The two runs never differ."
    else:
        at, was, becomes = one.parting
        parting = f"The two runs part at {clock(at)}. As it was: {was}. As it would have been: {becomes}."
    return element(
        "div",
        title,
        element("p", f"{one.change} {parting}"),
        table(("", "As it was", "As it would have been"), one.rows, ""),
        class_="what-if",
    )


def _remarks(facts: Facts) -> Markup:
    rows = [(clock(one.at_us), one.kind, one.words) for one in facts.remarks]
    return table(("Time", "Kind", "Words"), rows, "The instructor noted nothing.")
