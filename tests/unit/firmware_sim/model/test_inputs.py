"""The defects that can be put in."""

from dataclasses import fields

from firmware_sim.model.inputs import PlantInputs


def test_inputs_are_off_by_default() -> None:
    inputs = PlantInputs()
    assert inputs.frozen_kpa is None and inputs.wear_factor == inputs.motor_slow == 1.0
    names = {field.name for field in fields(inputs)} - {"frozen_kpa", "wear_factor", "motor_slow"}
    off = {name: getattr(inputs, name) for name in names}
    assert len(off) > 10 and not any(off.values())
