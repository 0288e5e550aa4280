"""Reading a scenario from a file: YAML or JSON, and nothing begins unless all of it can happen.

Law: each error is one line with file, line, column and key, says what would be right, and ends a program with 2.
"""

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from devicectl.campaign.possible import find_misfit
from devicectl.campaign.scenario import Expectations, Person, Scenario
from devicectl.errors import DevicectlError
from devicectl.session.plan import Plan, PlanError, make_plan
from devicectl.simulation.scenario_form import LABELS, ExpectForm, ScenarioForm
from firmware_sim.faults.scenario import ScenarioError, Start, read_start
from handpiece_shell.values_file import read_values
from protocols.capture.packet import JsonObject
from protocols.text.findings import first_finding
from protocols.text.values import Form, Steps, Values, ValuesError

FORM: Final = Form("a scenario", "seed: 7")


class ScenarioFileError(DevicectlError, ValuesError):
    """A scenario cannot be taken; its text is one line."""

    exit_code = 2


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario from a YAML or, by its suffix `.json`, JSON file of at most 64 KiB.

    Raises:
        ScenarioFileError: the file cannot be read, is no scenario, or is one that cannot happen.
    """
    source = str(path)
    return scenario_of(read_scenario_values(path, source), source)


def read_scenario_values(path: str | Path, source: str) -> Values:
    """Read the values of a scenario's file; `source` names it in an error.

    Raises:
        ScenarioFileError: the file cannot be read, or has no values.
    """
    try:
        return read_values(Path(path), source, FORM)
    except ValuesError as error:
        raise ScenarioFileError(error.source, error.key, error.value, error.right) from error


def scenario_of(values: Values, source: str) -> Scenario:
    """Return the scenario of a file's values.

    Raises:
        ScenarioFileError: they are no scenario, or one that cannot happen.
    """
    return _Reader(source, values).scenario()


class _Reader:
    """Reads one file's values."""

    def __init__(self, source: str, values: Values) -> None:
        self._source = source
        self._values = values

    def scenario(self) -> Scenario:
        form = self._form()
        start = self._start()
        scenario = Scenario(
            name=form.name,
            seed=form.seed if start.seed is None else start.seed,
            plan=self._plan(form.plan),
            parameters=start.parameters,
            wire=form.wire,
            baud=form.baud,
            cartridge_cycles=start.cartridge_cycles,
            canister_ml=start.canister_ml,
            faults=start.faults,
            person=Person(**{**form.person.model_dump(), "waits_ms": tuple(form.person.waits_ms)}),
            expect=_expectations(form.expect),
        )
        misfit = find_misfit(scenario)
        if misfit is not None:
            raise self._error(misfit.steps, misfit.value, misfit.reason)
        return scenario

    def _form(self) -> ScenarioForm:
        try:
            return ScenarioForm.model_validate(self._values.values)
        except ValidationError as error:
            found = first_finding(error, ScenarioForm, "a scenario")
            raise self._error(found.steps, found.value, found.right, of_key=found.of_key) from error

    def _start(self) -> Start:
        try:
            return read_start(self._values.values)
        except ScenarioError as error:
            raise self._error(error.steps, None, error.reason, of_key=error.of_key, column=error.column) from error

    def _plan(self, given: JsonObject) -> Plan:
        try:
            return make_plan(given)
        except PlanError as error:
            steps = [] if error.key is None else error.key.split(".")
            found: Steps = ("plan", *(int(step) if step.isdigit() else step for step in steps))
            raise self._error(found, error.value, error.right, of_key="is no key" in error.right) from error

    def _error(
        self, steps: Steps, value: object, right: str, *, of_key: bool = False, column: int = 0
    ) -> ScenarioFileError:
        where = self._values.where(steps, of_key=of_key, column=column)
        return ScenarioFileError(self._source, where, value, right)


def _expectations(form: ExpectForm) -> Expectations:
    bounds = form.cores_counted
    return Expectations(
        state=form.state,
        reconciled=form.reconciled,
        alarms=tuple(LABELS[label] for label in form.alarms),
        no_alarms=tuple(LABELS[label] for label in form.no_alarms),
        refusals=tuple(form.refusals),
        interlocks=tuple(form.interlocks),
        cores_counted=None if bounds is None else (bounds[0], bounds[1]),
        at_most_s=form.at_most_s,
    )
