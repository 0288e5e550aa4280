"""A device that takes a command and never ends it: the host's wait has a bound, and its error names the command."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from devicectl import Handpiece, connect
from devicectl.errors import LinkError, UnendedError
from devicectl.simulation import virtual_time
from protocols.language import messages as M
from protocols.language.enums import CloseReason, DeviceState
from protocols.language.message import Message
from protocols.language.units import SECOND, Micros
from protocols.link.happenings import Commanded
from tests.native import reaches_inside
from tests.world import IDENTITY, Lab

LEASE_US = 15 * SECOND
"""At rest, as the device has it by default."""
EXPECTED_MS = 100


def never_end(lab: Any, model: type[Message]) -> None:
    """From now on the device says RECEIVED to each command of that kind, does it, and never says so."""
    carry_out, exchange = lab.device._command, lab.world.port.exchange
    reply = exchange.reply
    taken: set[int] = set()

    def command(port: Any, commanded: Commanded, now: Micros) -> None:
        if isinstance(commanded.command, model):
            taken.add(commanded.correlation_id)
            reply(commanded.correlation_id, M.Received(expected_ms=EXPECTED_MS), now)
        carry_out(port, commanded, now)

    def say(correlation_id: int, message: Message, now: Micros, *, replayed: bool = False) -> None:
        if correlation_id not in taken:
            reply(correlation_id, message, now, replayed=replayed)

    lab.device._command = command
    exchange.reply = say


@reaches_inside
def test_a_session_that_is_never_opened_is_given_up() -> None:
    lab = Lab()
    lab.run(lab.engine.connect())
    never_end(lab, M.SessionOpen)
    began = lab.now
    with pytest.raises(UnendedError, match="^the device took SessionOpen and never ended it") as caught:
        lab.run(lab.engine.open_session(lab.plan, IDENTITY), within=60 * SECOND)
    assert isinstance(caught.value, LinkError) and caught.value.exit_code == 3
    assert isinstance(caught.value.command, M.SessionOpen)
    assert lab.now - began <= LEASE_US + SECOND
    assert not lab.engine.link.exchange.linked and not lab.world.port.exchange.linked, "it was left by BYE"


@reaches_inside
@pytest.mark.parametrize("model", [M.Arm, M.Punch, M.Suction, M.Reposition], ids=lambda model: model.__name__)
def test_an_armed_device_is_left_safe_and_its_session_can_be_closed(model: type[Message]) -> None:
    lab = Lab().begin(0 if model is M.Arm else 2)
    never_end(lab, model)
    began = lab.now
    with pytest.raises(UnendedError, match=f"took {model.__name__} and never ended it"):
        lab.run(lab.all_cycles(), within=120 * SECOND)
    assert lab.now - began <= LEASE_US + 60 * SECOND
    assert lab.state in (DeviceState.SAFE, DeviceState.ANESTHESIA_CONFIRMED)
    finish = lab.close(CloseReason.ABORTED)
    assert finish.reconciled


@reaches_inside
def test_a_query_that_is_only_received_is_told_as_unlawful() -> None:
    lab = Lab()
    never_end(lab, M.DeviceInfo)
    with pytest.raises(UnendedError, match="no answer to DeviceInfo after 5 tries: DeviceInfo is a query: .* Received"):
        lab.run(lab.engine.connect(), within=20 * SECOND)


# --- when somebody wants the program to end --------------------------------------------------------------------------

OBEYED_US = 2 * SECOND


def cancel_at(lab: Any, model: type[Message]) -> list[Micros]:
    """Cancel the task that runs when the device is given such a command; when that was."""
    carry_out, task = lab.device._command, asyncio.current_task()
    at: list[Micros] = []
    assert task is not None

    def command(port: Any, commanded: Commanded, now: Micros) -> None:
        if isinstance(commanded.command, model) and not at:
            at.append(now)
            task.cancel()
        carry_out(port, commanded, now)

    lab.device._command = command
    return at


async def interrupted(handpiece: Handpiece, at: type[Message], never: type[Message]) -> tuple[list[str], Micros]:
    """A session that is cancelled at one command, with a device that never ends another: notes and duration."""
    world = handpiece.driver.world  # type: ignore[attr-defined]
    handpiece.driver._events = 1  # type: ignore[attr-defined]  # before the first, others are not let run
    lab = SimpleNamespace(device=world.device, world=world)
    never_end(lab, never)
    cancelled_at = cancel_at(lab, at)
    with pytest.raises(asyncio.CancelledError) as caught:
        async with handpiece.open_session() as session:
            await session.confirm_anesthesia()
            async for _ in session.run():
                pass
    task = asyncio.current_task()
    assert task is not None and task.uncancel() == 0
    return getattr(caught.value, "__notes__", []), Micros(world.now - cancelled_at[0])


URL = "sim://?seed=7&anesthesia_wait_s=0&reposition_mean_s=0.01"
LEFT = "the device did not end {} for too long and was left by BYE"


@pytest.fixture
def felt_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let others run between any two events, so that a cancellation takes no virtual time."""
    monkeypatch.setattr(virtual_time, "EVENTS_BETWEEN_YIELDS", 1)


@reaches_inside
@pytest.mark.asyncio
@pytest.mark.usefixtures("felt_at_once")
async def test_a_cancellation_is_obeyed_while_a_session_is_never_opened() -> None:
    async with connect(URL) as handpiece:
        notes, took = await interrupted(handpiece, M.SessionOpen, M.SessionOpen)
    assert notes == [LEFT.format("SessionOpen"), "it may hold a session open now, which --abandon closes"]
    assert took <= OBEYED_US


@reaches_inside
@pytest.mark.asyncio
@pytest.mark.usefixtures("felt_at_once")
@pytest.mark.parametrize("never", [M.Stop, M.SessionClose], ids=lambda model: model.__name__)
async def test_a_cancellation_is_obeyed_while_a_session_is_never_closed(never: type[Message]) -> None:
    async with connect(URL) as handpiece:
        notes, took = await interrupted(handpiece, M.Suction, never)
    assert notes[0] == f"while closing: {LEFT.format(never.__name__)}"
    assert notes[1] == "session 1 stays open: --resume continues it, --abandon closes it"
    assert took <= OBEYED_US + SECOND // 2, "what it ended before that is headway"


def test_patience_follows_headway_and_has_an_end() -> None:
    link = Lab().engine.link
    since = Micros(50 * SECOND)
    for headway_at, ends in ((0, 51.5), (49, 51.5), (51, 52.5), (57, 58.5), (59, 60), (3_000, 60)):
        link.headway_at = Micros(headway_at * SECOND)
        assert link.patience_ends(since) == ends * SECOND
