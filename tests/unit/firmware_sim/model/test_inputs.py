"""The defects that can be put in."""

from firmware_sim.model.inputs import PlantInputs


def test_inputs_are_off_by_default() -> None:
    inputs = PlantInputs()
    assert inputs.frozen_kpa is None and inputs.wear_factor == 1.0
    off = {name: getattr(inputs, name) for name in PlantInputs.__slots__ if name not in ("frozen_kpa", "wear_factor")}
    assert not any(off.values())
