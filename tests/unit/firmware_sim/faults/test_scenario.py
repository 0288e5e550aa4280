"""The device's part of a scenario: what is right becomes values, and what is wrong names the steps to it."""

from collections.abc import Callable
from typing import Any

import pytest

from devicectl.simulation.scenario_form import ScenarioForm
from firmware_sim.faults.fault import declare
from firmware_sim.faults.scenario import KEYS, MAX_FAULTS, ScenarioError, Start, read_start


def test_a_scenario_of_all_that_is_the_device_s() -> None:
    start = read_start(
        {
            "name": "passed over",
            "seed": 7,
            "start": {"parameters": {"anesthesia_wait_s": 1}, "cartridge_cycles": 9_000, "canister_ml": 150},
            "faults": [{"fault": "mute", "when": 'frame("COUNT", 3)', "direction": "host"}, {"fault": "reboot"}],
            "expect": {"state": "completed"},
        }
    )
    assert start.seed == 7 and start.parameters == {"anesthesia_wait_s": 1}
    assert (start.cartridge_cycles, start.canister_ml) == (9_000, 150.0)
    assert start.faults == (declare("mute", 'frame("COUNT", 3)', direction="host"), declare("reboot"))


def test_what_is_left_out_is_as_usual() -> None:
    assert read_start({}) == Start(None, {}, 0, 0.0, (), {})


WRONG: dict[str, tuple[dict[str, Any], tuple[Any, ...], str]] = {
    "seed": ({"seed": -1}, ("seed",), "must be a whole number from 0 to"),
    "seed of a flag": ({"seed": True}, ("seed",), "must be a whole number from 0 to"),
    "seed of nothing": ({"seed": None}, ("seed",), "must be a whole number from 0 to"),
    "a key": ({"fault": []}, ("fault",), "is no key here; did you mean faults?"),
    "start": ({"start": []}, ("start",), "must be a mapping"),
    "start's key": ({"start": {"parameter": {}}}, ("start", "parameter"), "did you mean parameters?"),
    "a far key": ({"start": {"x": 1}}, ("start", "x"), "those are parameters, cartridge_cycles, canister_ml"),
    "volume": ({"start": {"canister_ml": "full"}}, ("start", "canister_ml"), "must be a number from 0 to 1000"),
    "parameter": ({"start": {"parameters": {"needle": 4}}}, ("start", "parameters", "needle"), "did you mean needles?"),
    "value": ({"start": {"parameters": {"needles": "x"}}}, ("start", "parameters", "needles"), "must be a number"),
    "faults": ({"faults": {}}, ("faults",), "must be a list"),
    "too many": ({"faults": [{}] * (MAX_FAULTS + 1)}, ("faults",), f"a list of at most {MAX_FAULTS}"),
    "no mapping": ({"faults": [1]}, ("faults", 0), "must be a mapping"),
    "no kind": ({"faults": [{"when": "write(1)"}]}, ("faults", 0), "must have `fault`"),
    "kind": ({"faults": [{"fault": "dorp"}]}, ("faults", 0, "fault"), "did you mean drop?"),
    "quantity": ({"faults": [{"fault": "drop", "bits": 1}]}, ("faults", 0, "bits"), "a drop has direction"),
    "range": ({"faults": [{"fault": "drop", "share": 2}]}, ("faults", 0, "share"), "from 0 to 1"),
    "when": ({"faults": [{"fault": "drop", "whn": "write(1)"}]}, ("faults", 0, "whn"), "did you mean when?"),
    "no text": ({"faults": [{"fault": "drop", "when": 3}]}, ("faults", 0, "when"), "must be a text"),
    "trigger": ({"faults": [{"fault": "drop", "when": "cycle = 3"}]}, ("faults", 0, "when"), ""),
}


@pytest.mark.parametrize(("values", "steps", "reason"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused_with_the_steps_to_it(
    values: dict[str, Any], steps: tuple[Any, ...], reason: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_start(values)
    assert caught.value.steps == steps and reason in caught.value.reason


@pytest.mark.parametrize("value", ["x" * 2_000, [1] * 2_000], ids=["text", "list"])
@pytest.mark.parametrize(
    "values",
    [
        lambda value: {"seed": value},
        lambda value: {"start": {"canister_ml": value}},
        lambda value: {"start": {"parameters": {"needles": value}}},
        lambda value: {"faults": [{"fault": "drop", "share": value}]},
        lambda value: {"faults": [{"fault": "drop", "direction": value}]},
        lambda value: {"faults": [{"fault": str(value)}]},
    ],
)
def test_a_long_value_is_shown_short(values: Callable[[object], dict[str, Any]], value: object) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_start(values(value))
    assert len(caught.value.reason) < 200


def test_every_key_of_a_scenario_is_known_to_the_device() -> None:
    assert set(KEYS) == set(ScenarioForm.model_fields)


def test_an_error_in_a_trigger_has_its_column() -> None:
    with pytest.raises(ScenarioError) as caught:
        read_start({"faults": [{"fault": "drop", "when": "cycle = 3"}]})
    assert caught.value.column == 7
