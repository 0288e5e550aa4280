"""The ready lessons with many seeds: a good trainee is never failed by chance."""

import pytest

from devicectl.station.ready import READY
from tests.integration.station.test_ready_lessons import WELL, failed
from tests.integration.station.trainee import Trainee


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", READY)
def test_played_well_no_check_fails_whatever_the_seed(name: str, seed: int) -> None:
    one = Trainee(name, seed)
    WELL[name](one)
    one.close()
    assert not failed(one.room)
    assert one.room.controller.screen.ending == "completed"
