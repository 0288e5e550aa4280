"""The JSON Schema of a scenario's file: it takes what the reader takes, and knows every fault."""

from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from devicectl.simulation.scenario_form import ScenarioForm, schema
from firmware_sim.faults.catalogue import CATALOGUE
from tests.unit.devicectl.campaign.test_scenario_file import WHOLE

VALIDATOR: Final = Draft202012Validator(schema())


def test_the_schema_is_one_and_takes_a_scenario_with_every_key() -> None:
    Draft202012Validator.check_schema(schema())
    whole = yaml.safe_load(WHOLE)
    assert set(whole) == set(ScenarioForm.model_fields) - {"baud", "lesson"}
    assert list(VALIDATOR.iter_errors(whole)) == [] and VALIDATOR.is_valid({"baud": 9600})


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_fault_is_taken_as_usual_and_with_each_of_its_quantities(name: str) -> None:
    kind = CATALOGUE[name]
    usual = {quantity.name: quantity.usual for quantity in kind.quantities}
    assert VALIDATOR.is_valid({"faults": [{"fault": name}, {"fault": name, "when": "cycle == 2", **usual}]})
    assert not VALIDATOR.is_valid({"faults": [{"fault": name, "tsunami": 1}]})


WRONG: Final[list[dict[str, Any]]] = [
    {"sede": 1},
    {"seed": -1},
    {"wire": "radio"},
    {"start": {"parameters": {"needle": 3}}},
    {"plan": {"zone": []}},
    {"faults": [{"fault": "dorp"}]},
    {"faults": [{"when": "cycle == 2"}]},
    {"faults": [{"fault": "drop", "share": 2}]},
    {"faults": [{"fault": "drop", "pieces": 1.5}]},
    {"expect": {"alarms": ["MC-0402"]}},
    {"expect": {"refusals": ["E_NO"]}},
    {"expect": {"interlocks": [99]}},
    {"expect": {"cores_counted": [1]}},
]


@pytest.mark.parametrize("values", WRONG)
def test_what_the_reader_refuses_the_schema_refuses(values: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(values)


def test_every_key_says_what_it_is_and_what_is_right() -> None:
    for name, field in ScenarioForm.model_fields.items():
        assert field.title and field.description, name
