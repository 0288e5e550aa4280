"""A motion under way: when it first reports how it goes, and who need not be answered."""

from firmware_sim.board.motion import Motion, Nobody
from protocols.language.messages import PauseDone
from protocols.language.units import SECOND, Micros


def test_a_motion_reports_for_the_first_time_a_second_after_its_begin() -> None:
    motion = Motion(Nobody(), Micros(300), Micros(9 * SECOND), 8 * SECOND, lambda now: None)
    assert motion.next_progress == 300 + SECOND


def test_nobody_has_no_command_and_may_be_answered() -> None:
    Nobody().reply(PauseDone(), Micros(0), replayed=True)
    assert Nobody().correlation_id == 0, "as a heartbeat says of a device that does nothing"
