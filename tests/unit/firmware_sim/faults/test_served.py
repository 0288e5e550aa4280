"""Faults of a served device: those that it can have, and those that its transports do."""

from collections.abc import Mapping

import pytest

from firmware_sim.device import Device
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import declare
from firmware_sim.faults.injected import InjectedFaults
from firmware_sim.faults.injector import End, ignore
from firmware_sim.faults.served import fit, let_in, unable
from protocols.language.units import Micros

NOW = Micros(5_000_000)


class Transports:
    """Transports that were cut: which ends know of it."""

    def __init__(self) -> None:
        self.cuts: list[Mapping[str, bool]] = []

    def cut(self, **known: bool) -> End:
        """Break them."""
        self.cuts.append(known)
        return lambda now: self.cuts.clear()


def let(transports: Transports, *, behind_broker: bool = False, in_file: bool = False) -> InjectedFaults:
    device = Device(seed=7, now=NOW)
    injected, _ = let_in(
        device, NOW, (), cut=transports.cut, noted=ignore, behind_broker=behind_broker, in_file=in_file
    )
    return injected


@pytest.mark.parametrize("behind_broker", [False, True])
@pytest.mark.parametrize("in_file", [False, True])
def test_it_has_the_acts_of_what_it_can_have(behind_broker: bool, in_file: bool) -> None:
    acts = let(Transports(), behind_broker=behind_broker, in_file=in_file).injector.acts
    able = {name for name, kind in CATALOGUE.items() if not unable(kind, behind_broker=behind_broker, in_file=in_file)}
    assert set(acts) == able
    assert ("torn_write" in acts) is not in_file
    assert ("flip" in acts) is ("broker_frozen" not in acts) is not behind_broker


@pytest.mark.parametrize(
    ("kind", "values", "known"),
    [
        ("disconnect", {}, {"host_knows": True, "device_knows": True}),
        ("half_open", {"unaware": "host"}, {"host_knows": False, "device_knows": True}),
        ("half_open", {"unaware": "device"}, {"host_knows": True, "device_knows": False}),
    ],
)
def test_a_cut_is_the_transports_and_is_mended(kind: str, values: dict[str, str], known: dict[str, bool]) -> None:
    transports = Transports()
    injected = let(transports)
    injected.add(declare(kind, for_ms=100, **values), NOW)
    injected.device.advance(NOW)
    assert transports.cuts == [known]
    injected.device.advance(Micros(NOW + 100_000))
    assert transports.cuts == []


def test_a_device_is_fitted_with_what_it_begins_with() -> None:
    device = Device(seed=7)
    fit(device, 9_000, 150.0)
    assert (device.plant.cartridge.cycles, device.plant.canister.volume_ul) == (9_000, 150_000)
    fit(device, 0, 0)
    assert device.plant.cartridge.cycles == 9_000
