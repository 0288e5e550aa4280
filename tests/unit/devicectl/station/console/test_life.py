"""One host of the controller: its link comes back by itself, and it shows what a link brings."""

from firmware_sim.faults.fault import declare
from protocols.language.units import SECOND
from tests.unit.devicectl.station.rooms import CYCLE_S, a_room, at_a_cell, do, seen, wait, words


def test_the_device_is_asked_for_its_measurements() -> None:
    room = a_room()
    wait(room, 1)
    first = room.controller.screen.telemetry
    wait(room, 0.21)
    second = room.controller.screen.telemetry
    assert first is not None and second is not None and second.uptime_ms - first.uptime_ms in (200, 201)
    assert second.vacuum_pa == round(room.bench.device.plant.vacuum.sensed_kpa(room.now) * 1000) or second.vacuum_pa < 0


def test_a_lost_link_comes_back_by_itself_and_the_rest_is_for_the_person() -> None:
    room = at_a_cell(1.2 * CYCLE_S)
    do(room, "inject", fault={"fault": "disconnect", "for_ms": 3000})
    wait(room, 1)
    screen = room.controller.screen
    assert not screen.linked and screen.telemetry is None
    assert room.controller.why_not("reset") == "the link is lost: wait until it is back"
    wait(room, 3)
    assert screen.linked and screen.state == "recovering" and seen(room, "link_back")
    assert screen.telemetry is not None, "the new link has its measurements too"
    assert screen.alarms, "and its alarms"
    do(room, "trigger_release")
    do(room, "acknowledge")
    do(room, "reset", after_s=1)
    wait(room, 1)
    assert screen.state == "session_open" and screen.cycles == 2


def test_the_automatic_operator_makes_a_lost_link_again_and_the_measurements_come_again() -> None:
    room = a_room()
    do(room, "automatic", view="presenter", on=True)
    do(room, "inject", fault={"fault": "disconnect", "for_ms": 1000}, after_s=6)
    wait(room, 20)
    assert room.controller.screen.linked and room.controller.screen.telemetry is not None
    wait(room, 100)
    assert room.ended and seen(room, "closed") == ["completed"]


def test_a_link_that_is_lost_for_long_at_the_beginning_is_waited_for() -> None:
    room = a_room(scenario={"faults": (declare("disconnect", for_ms=100_000),)})
    assert room.controller.screen.state == "armed" and room.began > 100 * SECOND
    assert "no connection within 10 s: the cable was pulled" in words(room)
