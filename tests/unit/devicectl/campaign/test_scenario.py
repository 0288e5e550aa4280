import json

import pytest

from devicectl.campaign.scenario import Expectations, Person, Scenario
from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import a_scenario


def whole() -> Scenario:
    return a_scenario(
        declare("drop", 'frame("COUNT", 2)', pieces=2),
        declare("pump_stalled", "cycle == 3", for_ms=500),
        name="lost count",
        seed=9,
        wire="mqtt",
        cartridge_cycles=4_000,
        canister_ml=70.5,
        person=Person(waits_ms=(10, 20), abandons=0.5, heard=0.25),
        expect=Expectations(state="aborted", alarms=(401,), refusals=("E_STATE",), cores_counted=(1, 30)),
    )


def test_a_scenario_comes_back_from_json() -> None:
    scenario = whole()
    assert Scenario.of_data(json.loads(json.dumps(scenario.as_data()))) == scenario


@pytest.mark.parametrize("key", list(whole().as_data()))
def test_a_scenario_without_a_key_is_none(key: str) -> None:
    data = whole().as_data()
    del data[key]
    with pytest.raises(ValueError, match="scenario"):
        Scenario.of_data(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("plan", {"target_cores": 0}),
        ("faults", [{"fault": "dropp"}]),
        ("faults", [{"fault": "drop", "when": "cycle = 3"}]),
        ("faults", [{"fault": "drop", "pieces": -1}]),
        ("faults", 3),
        ("person", {"waits_ms": [1], "patience": 1}),
        ("expect", []),
        ("more", 1),
    ],
)
def test_data_that_was_edited_is_one_error(key: str, value: object) -> None:
    with pytest.raises(ValueError):
        Scenario.of_data({**whole().as_data(), key: value})
