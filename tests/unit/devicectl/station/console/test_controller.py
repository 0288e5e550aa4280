"""The trainee's controller over the lives of its hosts: each goes on from what the one before has committed."""

import pytest

from devicectl.station.acts import ActError
from devicectl.station.console.controller import RESTART_US
from devicectl.station.room import Room
from firmware_sim.faults.fault import declare
from protocols.language.units import SECOND
from tests.unit.devicectl.station.rooms import a_room, do, seen, wait, words

AGAIN = "the controller has ended, and is started again"


def crashed(fault: str = "host_crash", **values: object) -> Room:
    """A room in whose fifth cycle a fault of the host strikes, and two seconds."""
    room = a_room()
    do(room, "reposition")
    do(room, "trigger_press", after_s=5)
    do(room, "inject", after_s=1.1, fault={"fault": fault, **values})
    wait(room, 2)
    return room


def counted(room: Room) -> tuple[int, int]:
    """Cores that the screen shows, and that the device has counted."""
    return room.controller.screen.cores, room.bench.device.nvm.totals.cores_counted


def test_a_host_that_was_killed_starts_again_and_resumes_its_session() -> None:
    room = crashed()
    controller = room.controller
    assert not controller.alive and not controller.screen.linked and words(room)[-1] == AGAIN
    assert controller.why_not("stop") == "wait: the controller is starting"
    do(room, "stop")
    do(room, "silence")
    do(room, "trigger_release")
    assert words(room)[-1] == "wait: the controller is starting"
    with pytest.raises(ActError, match="automatic: wait: the controller is starting"):
        do(room, "automatic", view="presenter", on=True)
    assert not any(act.name == "automatic" for act in room.acts)
    wait(room, RESTART_US / SECOND + 1)
    assert controller.alive and controller.screen.state == "recovering" and room.commits.life == 2
    assert controller.screen.cycles == 5 and counted(room)[0] == counted(room)[1]
    do(room, "reset")
    do(room, "close", after_s=1)
    wait(room, 2)
    assert room.ended and room.commits.finish is not None and room.commits.finish.reconciled


@pytest.mark.parametrize("fault", ["crash_before_commit", "crash_after_commit"])
def test_a_host_that_dies_around_a_commit_loses_and_doubles_nothing(fault: str) -> None:
    room = crashed(fault)
    do(room, "trigger_release")
    do(room, "pause", after_s=1)  # the note of it is the commit at which the host dies
    wait(room, 30)
    do(room, "reset")
    do(room, "close", after_s=1)
    wait(room, 2)
    assert room.ended and room.commits.finish is not None and room.commits.finish.reconciled


def test_a_host_whose_log_is_full_stops_the_handpiece_and_starts_again() -> None:
    room = crashed("log_full", commits=1)
    do(room, "trigger_release")
    do(room, "stop", after_s=0.1)  # its note is what the log has no room for
    wait(room, 0.5)
    assert room.bench.device.board.state.name == "SAFE"
    assert "the disk is full" in " ".join(words(room)) and words(room)[-1] == AGAIN
    wait(room, 7)
    assert room.controller.alive and room.controller.screen.state == "recovering"
    assert counted(room)[0] == counted(room)[1] > 0


def test_a_host_that_is_interrupted_stops_the_handpiece_and_closes_its_session() -> None:
    room = crashed("interrupt")
    assert room.ended and seen(room, "closed") == ["aborted"]
    assert room.commits.finish is not None and room.commits.finish.reconciled


def test_an_interrupted_host_that_cannot_close_its_session_is_started_again() -> None:
    room = a_room()
    do(room, "inject", fault={"fault": "disconnect", "for_ms": 20_000})
    do(room, "inject", fault={"fault": "interrupt"}, after_s=1)
    wait(room, 1)
    assert not room.controller.alive and words(room)[-1] == AGAIN
    wait(room, 30)
    assert room.controller.alive and room.controller.screen.linked and not room.ended


def test_a_session_that_was_opened_and_not_committed_is_closed_before_another_is_opened() -> None:
    room = a_room(scenario={"faults": (declare("crash_before_commit", "commit(1)"),)})
    assert room.controller.screen.state == "armed" and room.commits.life == 3
    assert "a session that was not in the log is closed" in words(room)
    assert room.commits.start is not None and room.commits.start.session_no == 2


def test_a_host_that_dies_while_it_closes_leaves_its_end_to_the_next() -> None:
    room = a_room()
    do(room, "inject", fault={"fault": "host_crash", "when": 'frame("SESSION_CLOSE_DONE", 1)'})
    do(room, "close", after_s=1)
    wait(room, 20)
    assert room.ended and room.commits.finish is not None and room.commits.life == 2


def test_a_beginning_survives_the_death_of_its_host() -> None:
    room = a_room(cores=20, scenario={"faults": (declare("host_crash", "cycle == 3"),)})
    assert room.controller.screen.state == "armed" and room.controller.screen.cores >= 20
    assert room.commits.life == 2 and counted(room)[0] == counted(room)[1]


def test_another_host_cannot_disturb_the_session_and_a_viewer_may_stop_it() -> None:
    room = crashed("other_host", who="rival")
    assert room.controller.screen.state == "punching" or room.controller.screen.cycles > 5
    do(room, "inject", fault={"fault": "stopped_by_viewer"})
    wait(room, 2)
    assert room.controller.screen.state == "recovering"
