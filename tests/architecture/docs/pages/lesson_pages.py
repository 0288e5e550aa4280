"""The pages of lessons: the tables of their form and of evidence, and the list of those that are ready."""

from typing import Final

from pydantic import BaseModel

from devicectl.simulation.lesson_form import ActForm, BeginForm, CheckForm, ItemForm, LessonForm, WhatIfForm
from devicectl.station.evidence import KINDS, EvidenceKind
from devicectl.station.lesson import Lesson
from devicectl.station.ready import READY, find_lesson
from tests.architecture.docs.pages.fault_pages import keys, made
from tests.architecture.docs.pages.reference_pages import table
from tests.architecture.tree import ROOT

FORMS: Final[dict[str, type[BaseModel]]] = {
    "": LessonForm,
    "begin.": BeginForm,
    "script[].": ItemForm,
    "checks[].": CheckForm,
    "what_if[].": WhatIfForm,
    "acts[].": ActForm,
}
MAX_NAMES: Final = 3
"""Names of a kind that its row shows; of more it says where they are."""
_WHERE: Final = {
    "act": "an act of the trainee",
    "state": "a [state of the host](generated/session_states.md)",
    "alarm": "an [alarm](generated/alarms.md)",
    "alarm_over": "an [alarm](generated/alarms.md)",
    "refusal": "a code such as E_STATE, or an [interlock](generated/alarms.md)",
}


def lessons() -> str:
    """The page of lessons, with its tables made again."""
    page = (ROOT / "docs/lessons.md").read_text(encoding="utf-8")
    kinds = [(f"`{name}`", kind.sentence, _argument(name, kind)) for name, kind in KINDS.items()]
    page = made(page, "devicectl/station/evidence.py", table(("evidence", "is", "in parentheses"), kinds))
    rows = [row for prefix, form in FORMS.items() for row in keys(form, prefix)]
    return made(page, "devicectl/simulation/lesson_form.py", table(("key", "is", "right is", "default"), rows))


def _argument(name: str, kind: EvidenceKind) -> str:
    if not kind.names and not kind.number:
        return ""
    parts = [_WHERE.get(name, " or ".join(kind.names))] if kind.names else []
    if kind.number and name != "refusal":
        parts.append(f"then {kind.number}, which may be left out" if parts else kind.number)
    return ", ".join(parts) + (" (may be left out)" if kind.bare else "")


def ready() -> str:
    """The list of the ready lessons."""
    parts = [_part(name, find_lesson(name)) for name in READY]
    head = (
        "# Ready lessons\n\nGenerated from `devicectl/station/lessons/`. How one is written: [lessons](../lessons.md)."
    )
    names = [(f"[{one.title}](#{_anchor(one.title)})", f"{one.minutes:g}", one.objectives[0]) for one in _all()]
    return "\n\n".join((head, table(("lesson", "minutes", "first of what is learned"), names), *parts)) + "\n"


def _all() -> list[Lesson]:
    return [find_lesson(name) for name in READY]


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _part(name: str, lesson: Lesson) -> str:
    happens = [f"- {one.words}, {one.delay_us / 1e6:g} s after `{one.after.text}`" for one in lesson.script]
    checks = [(one.words, "critical" if one.critical else "") for one in lesson.checks]
    return "\n\n".join(
        (
            f"## {lesson.title}",
            f"`{name}`, {lesson.minutes:g} minutes at 1x.",
            "\n".join(f"- {sentence}" for sentence in lesson.objectives),
            f"**The trainee is told:** {lesson.prebrief}",
            f"**The instructor:** {lesson.guide}",
            *(["**What happens:**", "\n".join(happens)] if happens else []),
            "**What is judged:**",
            table(("check", ""), checks),
            "**Questions:**",
            "\n".join(f"- {sentence}" for sentence in lesson.questions),
        )
    )
