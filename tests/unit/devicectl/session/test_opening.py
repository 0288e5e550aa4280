"""Opening a session: what is asked before it, and how one whose answer was lost is told from another host's."""

from typing import Any

import pytest

from devicectl.errors import CommandRefusedError, HardwareError, SessionFoundError
from devicectl.session.context import OpenedSession
from devicectl.session.entries import SessionStart
from devicectl.session.machine import State
from devicectl.session.plan import PlanError
from protocols.language import messages as M
from protocols.language.enums import Code, DeviceState, Phase
from protocols.language.message import Message
from protocols.language.records import Boot, Record, SessionOpened
from tests.integration.log.log_builders import a_cycle
from tests.unit.devicectl.scripted_device import EPOCH, IDENTITY, LOST, Desk, a_plan, refusal

PLAN = a_plan(coverage_percent=6.5, depth_mm=2.5)


def opened(**changes: Any) -> SessionOpened:
    """The record of session 1 of `PLAN`, whose first cycle is 1."""
    values: dict[str, Any] = {
        "event_no": 1, "uptime_ms": 0, "session_no": 1, "target_cores": 6, "first_cycle_no": 1, "coverage_bp": 650,
        "depth_um": 2_500, "cells": 3, "zones": 2,
    }  # fmt: skip
    return SessionOpened(**(values | changes))


def connected(**shown: Any) -> Desk:
    desk = Desk()
    desk.shown |= shown
    desk.run(desk.engine.connect())
    desk.forget()
    return desk


def lost_after(desk: Desk, *records: Record, **shown: Any) -> None:
    """The answer to SESSION_OPEN is lost; meanwhile the device writes these records, and holds session 1."""

    def lose(_: Message) -> str:
        desk.write(*records)
        desk.shown.update({"session_no": 1} | shown)
        return LOST

    desk.will(M.SessionOpen, lose)


def open_session(desk: Desk) -> OpenedSession:
    desk.run(desk.engine.open_session(PLAN, IDENTITY))
    return desk.engine.session()[0]


def test_a_session_is_asked_for_with_the_plans_numbers_after_the_journal_was_acknowledged() -> None:
    desk = connected()
    desk.write(a_cycle(0, 1), a_cycle(0, 2))
    assert open_session(desk) == OpenedSession(session_no=1, first_cycle_no=1, needles=3, core_diameter_um=400)
    assert desk.asked == [
        M.JournalRead(epoch=EPOCH, first=1, max_records=1),
        M.JournalAck(epoch=EPOCH, upto=3),
        M.SessionOpen(target_cores=6, coverage_bp=650, depth_um=2_500, zones_cm2=(2, 1)),
    ]


def test_its_records_begin_where_the_journal_ended() -> None:
    desk = connected()
    desk.write(a_cycle(0, 1), a_cycle(0, 2))
    open_session(desk)
    [start] = [entry for entry in desk.entries if isinstance(entry, SessionStart)]
    assert start.first_event_no == 3 and desk.engine.session()[1].cursor == 3


@pytest.mark.parametrize("state", [DeviceState.SAFE, DeviceState.FAULT])
def test_a_held_device_is_reset_first(state: DeviceState) -> None:
    desk = connected(state=state)
    open_session(desk)
    assert desk.names()[:2] == ["AlarmList", "FaultReset"]


def test_nothing_is_asked_of_hardware_unless_that_was_allowed() -> None:
    desk = connected(simulated=False)
    with pytest.raises(HardwareError, match="device SIM-0007 is no simulator"):
        open_session(desk)
    assert desk.asked == []
    desk.engine.allow_hardware = True
    assert open_session(desk).session_no == 1


def test_a_value_that_the_device_cannot_do_is_an_error_of_the_plan() -> None:
    desk = connected()
    desk.will(M.SessionOpen, refusal(code=Code.E_RANGE))
    with pytest.raises(PlanError, match="^plan: this device cannot do it: not now$"):
        open_session(desk)


def test_any_other_refusal_is_raised_as_it_is() -> None:
    desk = connected()
    desk.will(M.SessionOpen, refusal(code=Code.E_BUSY))
    with pytest.raises(CommandRefusedError) as caught:
        open_session(desk)
    assert caught.value.code is Code.E_BUSY


# --- its answer was lost


def test_a_session_that_was_not_opened_is_asked_for_again() -> None:
    desk = connected()
    desk.will(M.SessionOpen, LOST)
    open_session(desk)
    assert desk.names().count("SessionOpen") == 2 and State.RECOVERING not in desk.states


@pytest.mark.parametrize("before", [0, 1, 8])
def test_a_session_that_was_opened_is_found_by_its_record_and_not_asked_for_again(before: int) -> None:
    """Also where its record is not the first since it was asked for."""
    desk = connected()
    others = [Boot(event_no=1, uptime_ms=0, boot_count=2, open_cycle_no=0, phase=Phase.NONE)] * before
    lost_after(desk, *others, opened(first_cycle_no=5))
    assert open_session(desk) == OpenedSession(session_no=1, first_cycle_no=5, needles=3, core_diameter_um=400)
    assert desk.names().count("SessionOpen") == 1
    assert State.RECOVERING in desk.states, "what the device did meanwhile is looked at first"


ANOTHER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another number": ({"session_no": 2}, {}),
    "another target": ({"target_cores": 7}, {}),
    "another coverage": ({"coverage_bp": 600}, {}),
    "another depth": ({"depth_um": 3_000}, {}),
    "other cells": ({"cells": 4}, {}),
    "other zones": ({"zones": 3}, {}),
    "a controller": ({}, {"controller_host_id": 7}),
    "a cycle that was done": ({}, {"cycle_no": 1}),
}


@pytest.mark.parametrize(("record", "shown"), ANOTHER.values(), ids=ANOTHER)
def test_a_session_that_differs_is_another_hosts(record: dict[str, Any], shown: dict[str, Any]) -> None:
    desk = connected()
    lost_after(desk, opened(**record), **shown)
    with pytest.raises(SessionFoundError, match="device SIM-0007 holds open session 1: this log does not know it"):
        open_session(desk)
    assert desk.engine.opened is None


def test_a_session_of_before_is_never_taken_for_it() -> None:
    """Nothing was asked for yet, so what is open cannot be the answer: the device refuses, and that is told."""
    desk = connected(session_no=1)
    desk.will(M.SessionOpen, refusal(code=Code.E_STATE))
    with pytest.raises(CommandRefusedError):
        open_session(desk)
    assert "JournalRead" in desk.names()[:1] and desk.names()[-1] == "SessionOpen"


def test_a_journal_without_its_record_is_read_once() -> None:
    desk = connected()
    lost_after(desk)
    with pytest.raises(SessionFoundError):
        open_session(desk)
    assert desk.names().count("JournalRead") == 2, "one to find the head, one to look for it"


def test_a_page_that_brings_nothing_new_ends_the_search() -> None:
    desk = connected()
    lost_after(desk, opened(), opened())
    empty = M.JournalPage(epoch=EPOCH, first=1, tail=1, head=3, records=b"")
    desk.will(M.JournalRead, desk.usual, empty)
    with pytest.raises(SessionFoundError):
        open_session(desk)
    assert desk.names().count("JournalRead") == 2
