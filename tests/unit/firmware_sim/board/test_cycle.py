"""The open cycle in working memory: what a new one begins with."""

from firmware_sim.board.cycle import OpenCycle
from protocols.language.messages import PunchDone


def test_a_cycle_begins_without_anything_of_the_one_before() -> None:
    cycle = OpenCycle()
    cycle.tries, cycle.measured_um, cycle.punctured, cycle.phase_done = 3, 2_950, True, True
    cycle.punch_done = PunchDone(cycle_no=1, depth_um=2_950, punctured=7, vacuum_pa=-55_000)
    cycle.begin(3_500)
    assert (cycle.tries, cycle.measured_um, cycle.punctured, cycle.phase_done) == (0, 0, False, False)
    assert cycle.punch_done is None
    assert cycle.depth_um == 3_500
