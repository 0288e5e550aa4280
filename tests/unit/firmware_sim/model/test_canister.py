"""The canister, filled core by core."""

import math

import pytest

from tests.unit.firmware_sim.model.plants import plant


def test_cores_bring_their_tissue_and_their_fluid() -> None:
    p = plant()
    p.canister.take_cores(3, 0, 3000)
    assert p.canister.volume_ul == pytest.approx(3 * (math.pi / 4 * 0.16 * 3.0 + 1.5))
    p.canister.take_cores(1, 1, 2000)
    assert p.canister.volume_ul == pytest.approx(3 * (math.pi / 4 * 0.16 * 3.0 + 1.5) + math.pi / 4 * 0.16 + 1.5)


def test_fill_is_the_share_of_its_volume_with_what_was_put_in() -> None:
    p = plant(canister_ml=50)
    p.canister.volume_ul = 10_000
    assert p.canister.fill == pytest.approx(0.2)
    p.inputs.canister_ul_added = 45_000
    assert p.canister.fill == pytest.approx(1.1)
    p.canister.empty()
    assert (p.canister.fill, p.canister.volume_ul, p.inputs.canister_ul_added) == (0, 0, 0)
