"""Reading a lesson: a scenario's file with the key `lesson`, and nothing begins unless all of it can happen.

Law: each error is one line with file, line, column and key, says what would be right, and ends a program with 2. A
scenario without that key is a lesson too, with usual values.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from devicectl.campaign.scenario_file import FORM, ScenarioFileError, read_scenario_values, scenario_of
from devicectl.simulation.lesson_form import FOREIGN, ActForm, CheckForm, ItemForm, LessonForm, WhatIfForm
from devicectl.station.acts import TRAINEE, Act, ActError, act_of
from devicectl.station.evidence import Pattern, PatternError, parse_pattern
from devicectl.station.lesson import Begin, Check, Item, Lesson, WhatIf
from devicectl.station.possible import find_misfit
from firmware_sim.faults.fault import Fault
from firmware_sim.faults.scenario import ScenarioError, read_fault
from protocols.language.units import SECOND, Micros
from protocols.text.findings import first_finding
from protocols.text.values import Steps, Values, ValuesError, decode_values

LESSON: Final = "lesson"


def read_lesson(path: str | Path) -> Lesson:
    """Read a lesson from a YAML or, by its suffix `.json`, JSON file of at most 64 KiB.

    Raises:
        ScenarioFileError: the file cannot be read, is no lesson, or is one that cannot happen.
    """
    source = str(path)
    return _Reader(source, read_scenario_values(path, source)).lesson(Path(path).stem)


def parse_lesson(text: str, source: str) -> Lesson:
    """Return the lesson of a YAML text; `source` names it in an error, and is its title where it has no other.

    Raises:
        ScenarioFileError: it is no lesson, or one that cannot happen.
    """
    try:
        values = decode_values(text.encode(errors="surrogatepass"), source, FORM, is_json=False)
    except ValuesError as error:
        raise ScenarioFileError(error.source, error.key, error.value, error.right) from error
    return _Reader(source, values).lesson(source)


def lesson_of(values: Mapping[str, object], title: str) -> Lesson:
    """Return the lesson of values that `Lesson.values` has had; `title` is for one that has no other.

    Raises:
        ScenarioFileError: they are no lesson, or one that cannot happen.
    """
    return _Reader(title, Values(dict(values), {})).lesson(title)


class _Reader:
    """Reads one file's values."""

    def __init__(self, source: str, values: Values) -> None:
        self._source = source
        self._values = values

    def lesson(self, title: str) -> Lesson:
        """Return the lesson; `title` is for one that has no other."""
        scenario = scenario_of(self._values, self._source)
        form = self._form()
        lesson = Lesson(
            scenario=scenario,
            title=form.title or scenario.name or title,
            task=form.task,
            minutes=form.minutes,
            objectives=tuple(form.objectives),
            prebrief=form.prebrief,
            guide=form.guide,
            begin=Begin(form.begin.state, form.begin.cores),
            script=tuple(self._item(one, (LESSON, "script", index)) for index, one in enumerate(form.script)),
            checks=tuple(self._check(one, (LESSON, "checks", index)) for index, one in enumerate(form.checks)),
            questions=tuple(form.questions),
            what_if=tuple(self._what_if(one, (LESSON, "what_if", index)) for index, one in enumerate(form.what_if)),
            acts=tuple(self._act(one, (LESSON, "acts", index)) for index, one in enumerate(form.acts)),
            acts_us=Micros(form.acts_us),
            values=self._values.values,
            foreign=form.host == FOREIGN,
        )
        misfit = find_misfit(lesson)
        if misfit is not None:
            raise self._error(misfit.steps, misfit.value, misfit.reason)
        return lesson

    def _form(self) -> LessonForm:
        try:
            return LessonForm.model_validate(self._values.values.get(LESSON, {}))
        except ValidationError as error:
            found = first_finding(error, LessonForm, "a lesson")
            raise self._error((LESSON, *found.steps), found.value, found.right, of_key=found.of_key) from error

    def _item(self, form: ItemForm, steps: Steps) -> Item:
        return Item(
            item=form.item,
            words=form.words,
            after=self._pattern(form.after, (*steps, "after")),
            delay_us=_micros(form.delay_s),
            fault=None if form.fault is None else self._fault(form.fault, (*steps, "fault")),
            ends=form.ends or "",
        )

    def _check(self, form: CheckForm, steps: Steps) -> Check:
        return Check(
            check=form.check,
            words=form.words,
            after=self._pattern(form.after, (*steps, "after")),
            do=self._optional(form.do, (*steps, "do")),
            never=self._optional(form.never, (*steps, "never")),
            until=self._optional(form.until, (*steps, "until")),
            within_us=None if form.within_s is None else _micros(form.within_s),
            critical=form.critical,
        )

    def _what_if(self, form: WhatIfForm, steps: Steps) -> WhatIf:
        return WhatIf(
            words=form.words,
            instead_of=self._optional(form.instead_of, (*steps, "instead_of")),
            act=None if form.act is None else self._act_of(form.act, form.arguments, TRAINEE, steps),
            at=self._optional(form.at, (*steps, "at")),
            delay_us=_micros(form.delay_s),
            lets_go=form.lets_go,
        )

    def _act(self, form: ActForm, steps: Steps) -> Act:
        return self._act_of(form.name, form.arguments, form.view, steps)._replace(at_us=Micros(form.at_us))

    def _act_of(self, name: str, arguments: Mapping[str, object], view: str, steps: Steps) -> Act:
        try:
            return act_of({"name": name, "arguments": arguments}, view)
        except ActError as error:
            raise self._error(steps, None, str(error)) from error

    def _optional(self, text: str | None, steps: Steps) -> Pattern | None:
        return None if text is None else self._pattern(text, steps)

    def _pattern(self, text: str, steps: Steps) -> Pattern:
        try:
            return parse_pattern(text)
        except PatternError as error:
            raise self._error(steps, None, error.reason, column=error.column) from error

    def _fault(self, given: object, steps: Steps) -> Fault:
        try:
            return read_fault(given, steps)
        except ScenarioError as error:
            raise self._error(error.steps, None, error.reason, of_key=error.of_key, column=error.column) from error

    def _error(
        self, steps: Steps, value: object, right: str, *, of_key: bool = False, column: int = 0
    ) -> ScenarioFileError:
        where = self._values.where(steps, of_key=of_key, column=column)
        return ScenarioFileError(self._source, where, value, right)


def _micros(seconds: float) -> int:
    return round(seconds * SECOND)
