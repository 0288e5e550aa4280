"""The form of a lesson, the part of a scenario's file for a class: its keys, what each is, and what is right for it.

Law: pure. What a pattern of evidence or a fault means is read by `devicectl.station`; here is the shape of the file.
"""

from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from protocols.capture.packet import JsonObject
from protocols.language.messages.procedure import MAX_TARGET_CORES

MAX_PATTERN: Final = 200
"""Characters of a pattern of evidence: three alternatives have half of it."""
MAX_TITLE: Final = 80
MAX_SENTENCE: Final = 300
MAX_TEXT: Final = 2_000
MAX_LIST: Final = 50
"""Items of a script, checks, questions."""
MAX_MINUTES: Final = 60
MAX_LESSON_S: Final = MAX_MINUTES * 60
MAX_ACTS: Final = 1_000
"""More than a file of the greatest size has."""
MAX_ACTS_US: Final = 86_400_000_000
"""A day: no run of a scenario is longer."""
Beginning = Literal["session_open", "anesthesia_wait", "anesthesia_confirmed", "armed", "paused"]
FOREIGN: Final = "foreign"
BEGINNINGS: Final[tuple[str, ...]] = get_args(Beginning)
"""States of the host in which a lesson may begin."""

_Id = Annotated[
    str,
    Field(
        title="its name, by which the others call it",
        pattern=r"^[a-z][a-z0-9_]{0,39}$",
        description="a name of 1 to 40 small letters, digits and _, of which the first is a letter",
    ),
]
_Sentence = Annotated[str, Field(min_length=1, max_length=MAX_SENTENCE)]
_Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN)]
_Delay = Annotated[float, Field(ge=0, le=MAX_LESSON_S, description=f"a number of seconds from 0 to {MAX_LESSON_S}")]
_PATTERN_IS: Final = "a pattern of evidence such as 'alarm(MC-0401)' or 'act(trigger_press)'"
_WORDS_ARE: Final = f"a text of 1 to {MAX_SENTENCE} characters"


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BeginForm(_Form):
    """State in which the lesson begins; the automatic operator leads there before anybody sees anything."""

    state: Annotated[
        Beginning,
        Field(title="state of the host", description=f"one of {', '.join(BEGINNINGS)}"),
    ] = "armed"
    cores: Annotated[
        int,
        Field(
            title="cores that are counted by then, or a few more: cycles are whole",
            ge=0,
            le=MAX_TARGET_CORES,
            description=f"a whole number of cores from 0 to {MAX_TARGET_CORES}",
        ),
    ] = 0


class ItemForm(_Form):
    """An item of the script: something that the instructor's side does to the handpiece."""

    item: _Id
    after: Annotated[_Pattern, Field(title="evidence after which it becomes due", description=_PATTERN_IS)] = "start"
    delay_s: Annotated[_Delay, Field(title="time between that evidence and the item")] = 0.0
    fault: Annotated[
        object | None,
        Field(title="fault that it injects", description="a fault as in `faults`; its times count from the item"),
    ] = None
    ends: Annotated[
        _Id | None,
        Field(
            title="item whose fault it takes away; it waits for its evidence from when that item has fired",
            description="the name of an earlier item with a fault",
        ),
    ] = None
    words: Annotated[_Sentence, Field(title="what happens, for the instructor", description=_WORDS_ARE)]


class CheckForm(_Form):
    """Something that the trainee has to do, or must not do, judged by what he could see."""

    check: _Id
    words: Annotated[_Sentence, Field(title="what it is about, for people", description=_WORDS_ARE)]
    after: Annotated[_Pattern, Field(title="evidence from which it counts", description=_PATTERN_IS)] = "start"
    do: Annotated[_Pattern | None, Field(title="evidence that must come", description=_PATTERN_IS)] = None
    never: Annotated[_Pattern | None, Field(title="evidence that must not come", description=_PATTERN_IS)] = None
    until: Annotated[
        _Pattern | None, Field(title="evidence at which it ends; else the end of the lesson", description=_PATTERN_IS)
    ] = None
    within_s: Annotated[
        float | None,
        Field(
            title="time after which it ends",
            gt=0,
            le=MAX_LESSON_S,
            description=f"a number of seconds up to {MAX_LESSON_S}",
        ),
    ] = None
    critical: Annotated[bool, Field(title="a lesson in which it fails is not passed", description="true or false")] = (
        False
    )


class WhatIfForm(_Form):
    """Another course of the lesson, for its debrief: one act at another time, another act, or one less."""

    words: Annotated[_Sentence, Field(title="what was different, for people", description=_WORDS_ARE)]
    instead_of: Annotated[
        _Pattern | None,
        Field(title="act that is left out: the first such one from `at` on", description="a pattern of an act"),
    ] = None
    act: Annotated[
        str | None,
        Field(title="act that is put in", max_length=40, description="the name of an act of the trainee, such as stop"),
    ] = None
    arguments: Annotated[JsonObject, Field(title="arguments of that act", description="a mapping")] = {}
    lets_go: Annotated[
        bool,
        Field(title="the trigger is let go at that evidence: most acts need that", description="true or false"),
    ] = False
    at: Annotated[
        _Pattern | None,
        Field(title="evidence from which it differs, and at which the act is put in", description=_PATTERN_IS),
    ] = None
    delay_s: Annotated[_Delay, Field(title="time between that evidence and the act")] = 0.0


class ActForm(_Form):
    """An act that was done before the lesson begins, as `save this moment` writes it."""

    at_us: Annotated[
        int,
        Field(
            title="its time, from the end of `begin`",
            ge=0,
            le=MAX_ACTS_US,
            description="a whole number of microseconds from 0",
        ),
    ]
    view: Annotated[str, Field(title="the view that it was done on", max_length=20, description="the name of a view")]
    name: Annotated[str, Field(title="what was done", max_length=40, description="the name of an act")]
    arguments: Annotated[JsonObject, Field(title="its arguments", description="a mapping")] = {}


class LessonForm(_Form):
    """Keys of a lesson."""

    title: Annotated[
        str,
        Field(
            title="what trainers call it; else it is the scenario's name",
            max_length=MAX_TITLE,
            description=f"a text of at most {MAX_TITLE} characters",
        ),
    ] = ""
    task: Annotated[
        str,
        Field(
            title="what its trainee reads in place of the title, which may tell too much",
            max_length=MAX_TITLE,
            description=f"a text of at most {MAX_TITLE} characters",
        ),
    ] = "A session"
    minutes: Annotated[
        float,
        Field(
            title="time that it takes at 1x",
            gt=0,
            le=MAX_MINUTES,
            description=f"a number of minutes up to {MAX_MINUTES}",
        ),
    ] = 8.0
    objectives: Annotated[
        list[_Sentence],
        Field(title="what a trainee learns", max_length=5, description="a list of at most 5 sentences"),
    ] = []
    prebrief: Annotated[
        str,
        Field(
            title="what the trainee reads before it",
            max_length=MAX_TEXT,
            description=f"a text of at most {MAX_TEXT} characters",
        ),
    ] = ""
    guide: Annotated[
        str,
        Field(
            title="what the instructor does while it runs",
            max_length=MAX_TEXT,
            description=f"a text of at most {MAX_TEXT} characters",
        ),
    ] = ""
    host: Annotated[
        Literal["own", "foreign"],
        Field(
            title="host of its trainee: our controller, or somebody else's program, which opens the session itself",
            description="own or foreign",
        ),
    ] = "own"
    begin: BeginForm = Field(
        title="state in which it begins", default=BeginForm(), description="a mapping of a state and cores"
    )
    script: Annotated[
        list[ItemForm],
        Field(title="what the instructor's side does", max_length=MAX_LIST, description="a list of items"),
    ] = []
    checks: Annotated[
        list[CheckForm], Field(title="what is judged", max_length=MAX_LIST, description="a list of checks")
    ] = []
    questions: Annotated[
        list[_Sentence],
        Field(title="questions of the debrief", max_length=MAX_LIST, description="a list of sentences"),
    ] = []
    what_if: Annotated[
        list[WhatIfForm],
        Field(title="other courses that the debrief shows", max_length=MAX_LIST, description="a list of changes"),
    ] = []
    acts: Annotated[
        list[ActForm],
        Field(title="acts that were done before it begins", max_length=MAX_ACTS, description="a list of acts"),
    ] = []
    acts_us: Annotated[
        int,
        Field(
            title="time from the end of `begin` to the moment at which the lesson begins",
            ge=0,
            le=MAX_ACTS_US,
            description="a whole number of microseconds, at least that of the last act",
        ),
    ] = 0
