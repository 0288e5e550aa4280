"""Somebody else's host in a lesson: its bytes are acts, and executed again they are the same lesson."""

import pytest

from devicectl.station.acts import HOST, ActError, act_of
from devicectl.station.console.foreign import FAREWELL_US, WORKS_HERE
from devicectl.station.room import Room
from firmware_sim.faults.fault import declare
from protocols.language.enums import CloseReason
from tests.unit.devicectl.station.elsewhere import (
    Elsewhere,
    a_foreign_lesson,
    behind_a_broker,
    in_a_session,
    in_a_session_of,
)
from tests.unit.devicectl.station.rooms import a_room, do, seen, wait


def connected() -> Elsewhere:
    """Somebody else's host at the far end, which has said nothing yet."""
    host = Elsewhere(Room(a_foreign_lesson(), 7))
    host.connect()
    return host


def assert_the_same_again(room: Room) -> None:
    """Execute a lesson again, with no host there, and see that nothing of it is different."""
    room.advance(room.now)  # what the last act has begun at this very instant
    again = Room.execute(room.lesson, room.seed, room.acts, room.now)
    assert list(again.bench.recording) == list(room.bench.recording)
    assert again.evidence == room.evidence and again.commits.commits == room.commits.commits


def test_a_session_is_executed_again_to_the_byte_with_no_host_there() -> None:
    host = in_a_session(cycles=4)
    host.close()
    assert host.room.ended and len(host.room.bench.recording) > 200
    assert_the_same_again(host.room)


def assert_the_same_again_under_a_fault(host: Elsewhere) -> None:
    """The next cycle meets the fault of the lesson; a host whose link that cost connects again."""
    task = host.engine.link.start(host.engine.next_cycle(), host.room.now)
    for _ in range(250):
        host.tick()
        if not host.console.connected and host.console.reachable and not task.done:
            host.connect()
    assert host.room.faults and host.room.faults[0].event == "fired"
    assert_the_same_again(host.room)


@pytest.mark.parametrize("kind", ["duplicate", "drop", "disconnect", "reboot"])
def test_a_host_meets_faults_and_the_lesson_is_executed_again_to_the_byte(kind: str) -> None:
    given = {"for_ms": 500} if kind == "disconnect" else {}
    host = in_a_session(cycles=1, scenario={"faults": (declare(kind, "cycle == 2", **given),)})
    assert_the_same_again_under_a_fault(host)


def test_a_session_behind_a_broker_is_executed_again_to_the_byte_with_no_host_there() -> None:
    host = in_a_session_of(behind_a_broker(), cycles=4)
    assert seen(host.room, "cores") and host.console.screen.linked
    host.close()
    assert host.room.ended and len(host.room.bench.recording) > 200
    assert any(act.name == "host_sent" for act in host.room.acts)
    assert_the_same_again(host.room)


@pytest.mark.parametrize("kind", ["duplicate", "publish_lost", "broker_restarted", "reboot"])
def test_a_host_behind_a_broker_meets_faults_and_the_lesson_is_executed_again(kind: str) -> None:
    given = {"for_ms": 500} if kind == "broker_restarted" else {}
    host = in_a_session_of(behind_a_broker(faults=(declare(kind, "cycle == 2", **given),)), cycles=1)
    assert_the_same_again_under_a_fault(host)


def test_a_command_that_the_device_does_not_take_for_its_properties_is_no_act_of_a_trainee() -> None:
    host = in_a_session_of(behind_a_broker())
    task = host.engine.link.start(host.engine.next_cycle(), host.room.now)
    host.engine.link.advance(host.room.now)
    (command,) = host.engine.link.exchange.take()
    before = len(seen(host.room, "act"))
    host.send([command._replace(retain=True)])
    assert not task.done and len(seen(host.room, "act")) == before
    host.send([command])
    assert len(seen(host.room, "act")) == before + 1


def test_what_is_no_publication_is_no_act_behind_a_broker() -> None:
    host = Elsewhere(Room(behind_a_broker(), 7))
    host.connect()
    with pytest.raises(ActError, match="must be a publication as a recording has it"):
        host.do("host_sent", data="AAE=")


def test_bytes_that_come_in_pieces_are_one_frame() -> None:
    host = connected()
    host.engine.link.start(host.engine.connect(), host.room.now)
    host.engine.link.advance(host.room.now)
    (hello,) = host.engine.link.exchange.take()
    for byte in hello:
        host.send([bytes([byte])])
    host.wait(lambda: host.room.controller.screen.linked)


def test_a_fault_that_breaks_the_transport_has_the_host_connect_again() -> None:
    host = connected()
    do(host.room, "inject", fault={"fault": "disconnect", "for_ms": 500})
    wait(host.room, 0.1)
    assert not host.console.connected and not host.console.reachable
    with pytest.raises(ActError, match="the transport is broken"):
        host.do("host_connected")
    wait(host.room, 0.5)
    assert host.console.reachable and not host.console.connected
    host.do("host_connected")
    assert host.console.connected


def test_there_is_one_host_at_a_time() -> None:
    host = connected()
    with pytest.raises(ActError, match="connected already"):
        host.do("host_connected")
    host.leave()
    for name, arguments in {"host_sent": {"data": "AA=="}, "host_gone": {}}.items():
        with pytest.raises(ActError, match="no host is connected"):
            host.do(name, **arguments)


def test_what_is_no_base64_is_no_act() -> None:
    host = connected()
    with pytest.raises(ActError, match="base64"):
        host.do("host_sent", data="not base64!")


@pytest.mark.parametrize("view", ["trainee", "instructor"])
def test_no_hand_of_ours_works_where_somebody_elses_host_does(view: str) -> None:
    room = connected().room
    assert room.controller.why_not("arm") == WORKS_HERE
    with pytest.raises(ActError, match=WORKS_HERE):
        do(room, "stop", view=view)
    with pytest.raises(ActError, match=WORKS_HERE):
        do(room, "automatic", on=True)
    assert not seen(room, "act")


def test_somebody_elses_host_does_not_work_where_ours_does() -> None:
    room = a_room()
    with pytest.raises(ActError, match="the host of this station is our own"):
        room.do(act_of({"at_us": room.now, "name": "host_connected", "arguments": {}}, HOST))


def test_a_fault_of_a_host_of_ours_cannot_be_injected() -> None:
    room = connected().room
    with pytest.raises(ActError, match="host_crash happens in a host of ours"):
        do(room, "inject", fault={"fault": "host_crash"})


def test_a_closed_session_leaves_its_host_the_time_to_take_leave() -> None:
    host = in_a_session(cycles=1)
    host.run(host.engine.close(CloseReason.ABORTED, 0.0))
    assert seen(host.room, "closed") == ["aborted"] and not host.room.ended
    wait(host.room, FAREWELL_US / 1e6)
    assert host.room.ended and not host.console.reachable
