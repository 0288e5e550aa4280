"""One host: no error of its procedures is lost, and none goes on after its end."""

import pytest

from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.station.rooms import CYCLE_S, a_room, at_a_cell, do, life_of, seen, wait, words


def test_a_defect_in_a_procedure_is_raised_and_not_lost_in_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    room = a_room()
    monkeypatch.setattr(life_of(room).manual, "purge", _broken)
    do(room, "purge")
    with pytest.raises(KeyError, match="a defect"):
        room.advance(Micros(room.now + 1))


def _broken() -> object:
    raise KeyError("a defect")
    yield


def test_what_the_session_does_not_allow_is_on_the_screen() -> None:
    room = a_room()
    host = life_of(room).host
    task = host.start(host.manual.resume())
    assert task.done and words(room) == ["the treatment is not paused"]


def test_a_host_is_idle_while_no_act_of_the_person_is_under_way() -> None:
    room = a_room()
    host = life_of(room).host
    assert host.idle(), "what keeps the link is no act"
    do(room, "reposition")
    assert not host.idle()
    wait(room, 5)
    assert host.idle()


def test_nothing_goes_on_after_the_end_of_a_host() -> None:
    room = at_a_cell(1.5 * CYCLE_S)
    host = life_of(room).host
    host.end()
    assert host.idle() and not room.controller.screen.linked
    cycles = room.controller.screen.cycles
    wait(room, 3)
    assert room.controller.screen.cycles == cycles


def test_a_session_is_reached_at_its_target_and_closed_as_completed() -> None:
    room = at_a_cell(20, cores=80)
    host = life_of(room).host
    assert host.reached
    do(room, "trigger_release")
    do(room, "close", after_s=1)
    wait(room, 1)
    assert seen(room, "closed") == ["completed"]
    assert host.wall_seconds == pytest.approx(room.now / SECOND, abs=1.5)
