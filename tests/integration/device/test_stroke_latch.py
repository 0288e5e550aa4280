"""The stroke latch, by which a boot tells whether an open cycle has punctured: set before the needles move."""

import pytest

from protocols.language.enums import DeviceState
from tests.world import Lab


@pytest.mark.parametrize(("stall", "latch"), [(False, True), (True, False)])
def test_the_latch_says_if_the_needles_have_left_home(stall: bool, latch: bool) -> None:
    lab = Lab().begin(1)
    lab.inject(stall=stall)  # at home, where the needle stays
    lab.start(lab.engine.next_cycle())
    lab.until_state(DeviceState.PUNCHING)
    assert lab.device.nvm.register is not None
    assert lab.device.nvm.stroke_latch is latch
