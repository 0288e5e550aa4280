"""The catalogue: each row can be declared, done and read, and no defect of the plant is without one."""

import re
from dataclasses import fields
from typing import Final

import pytest

from firmware_sim.device import Device
from firmware_sim.faults.acts import DeviceFaults, DeviceView
from firmware_sim.faults.catalogue import CATALOGUE, nearest
from firmware_sim.faults.injector import Injector
from firmware_sim.faults.kind import FOREVER_MS, Kind, Quantity, Target
from firmware_sim.faults.power import Power
from firmware_sim.faults.store import FaultyStore
from firmware_sim.faults.trigger import NAMES
from firmware_sim.faults.wire import WireFaults
from firmware_sim.model.inputs import PlantInputs

KINDS: Final = list(CATALOGUE.values())
QUANTITIES: Final = [(kind, quantity) for kind in KINDS for quantity in kind.quantities]
BY_HAND: Final = {
    "clog_now": "clog",
    "canister_ul_added": "canister_jump",
    "self_test_failure": "self_test_fails",
    "latch_unreadable": "latch_unreadable",
}
"""Input of the plant that an act changes in a way of its own -> the kind that does."""


def ids(pair: object) -> str:
    return pair.name if isinstance(pair, Kind | Quantity) else ""


def acts_of_the_device_end() -> set[str]:
    device = Device(seed=1)
    injector = Injector((), 1, DeviceView(device))
    WireFaults(injector)
    FaultyStore(injector, 1)
    DeviceFaults(device, injector, power=Power(off=print, lose=print, boot=print), changed=print)
    return set(injector.acts)


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_a_row_has_a_name_that_is_one_word_and_a_sentence_of_one_line(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.name) and kind.name not in NAMES
    assert kind.sentence and "\n" not in kind.sentence and not kind.sentence.endswith(".")
    names = [quantity.name for quantity in kind.quantities]
    assert len(set(names)) == len(names) and not {"fault", "when"} & set(names)


@pytest.mark.parametrize(("kind", "quantity"), QUANTITIES, ids=ids)
def test_a_quantity_is_usually_within_its_range(kind: Kind, quantity: Quantity) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", quantity.name) and quantity.help
    if quantity.words:
        assert quantity.usual in quantity.words
    else:
        assert not isinstance(quantity.usual, str)
        assert quantity.least <= quantity.usual <= quantity.most
        assert quantity.usual == int(quantity.usual) or not quantity.whole


def test_a_duration_may_be_endless_only_where_zero_says_so() -> None:
    for kind, quantity in QUANTITIES:
        if quantity.name == "for_ms":
            assert quantity.unit == "ms" and ("0: to the end" in quantity.help) is (quantity.least == FOREVER_MS), kind


def test_every_input_of_the_plant_is_changed_by_some_fault() -> None:
    changed = {name for kind in KINDS for name in kind.inputs}
    inputs = {field.name for field in fields(PlantInputs)}
    assert inputs == changed | set(BY_HAND) and not changed & set(BY_HAND)
    assert set(BY_HAND.values()) <= set(CATALOGUE)


def test_an_input_has_the_type_of_what_a_fault_gives_it() -> None:
    """The compiled device takes no number with a fraction for a whole one, and no whole one for the other."""
    types = {field.name: str(field.type) for field in fields(PlantInputs)}
    for kind in KINDS:
        for name, value in kind.inputs.items():
            if isinstance(value, str):
                quantity = kind.quantity(value)
                assert quantity is not None, f"{kind.name} has no {value}"
                assert ("int" in types[name]) is quantity.whole, kind.name
            else:
                assert type(value).__name__ in types[name], kind.name


def test_every_row_of_the_device_and_its_wire_has_an_act() -> None:
    at_the_device = {kind.name for kind in KINDS if kind.target in (Target.WIRE, Target.DEVICE, Target.MEMORY)}
    connection = {"disconnect", "half_open"}
    """They need whoever plugs the transport."""
    assert at_the_device - acts_of_the_device_end() == connection


def test_the_nearest_kind_is_named_for_a_slip() -> None:
    assert nearest("pump_staled") == "pump_stalled"
    assert nearest("tsunami") == ""
