"""The standing of a device, as it follows from what the device says."""

from devicectl.conformance.device.standing import Standing
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.enums import DeviceState as S
from tests.unit.devicectl.conformance.device.benches import a_welcome


def test_it_follows_a_session() -> None:
    one = Standing()
    one.follow_welcome(a_welcome(state=S.IDLE, cycle_no=7))
    opened = M.SessionOpenDone(
        session_no=3, first_cycle_no=8, needles=3, cells=7, cycles_per_cell=21, punctures_per_cell=63
    )
    one.follow(M.Stop(), opened)
    assert (one.state, one.session_no, one.cycle_no, one.placed) == (S.SESSION_OPEN, 3, 7, False)
    one.follow(M.Stop(), M.RepositionDone(zone=0, cell=0, cell_punctures=0, cycles_left=21))
    assert (one.state, one.placed, one.cycles_left) == (S.ARMED, True, 21)
    punch = M.Punch(cycle_no=8, depth_um=3_000, deadline_ms=0)
    one.follow(punch, M.PunchDone(cycle_no=8, depth_um=3_000, punctured=7, vacuum_pa=0))
    assert (one.state, one.cycle_no) == (S.PUNCHING, 8)
    one.follow(M.Stop(), M.StopDone(state=S.SAFE))
    assert one.state is S.SAFE and one.placed


def test_a_gap_tells_the_last_number() -> None:
    one = Standing()
    no = M.Refused(code=Code.E_CYCLE_GAP, interlock=0, expected=41, actual=99, sentence="")
    one.follow(M.Punch(cycle_no=99, depth_um=3_000, deadline_ms=0), no)
    assert one.cycle_no == 40
    one.follow(M.Suction(cycle_no=99), no._replace(expected=5) if hasattr(no, "_replace") else no)
    assert one.cycle_no == 40


def test_a_closed_session_is_none() -> None:
    one = Standing()
    one.state, one.session_no, one.placed = S.ANESTHESIA_WAIT, 4, True
    counts = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    one.follow(M.Stop(), M.SessionCloseDone(session_no=4, **counts))
    assert (one.state, one.session_no, one.placed) == (S.IDLE, 0, False)
    one.state = S.SAFE
    one.follow(M.Stop(), M.SessionCloseDone(session_no=4, **counts))
    assert one.state is S.SAFE
