"""A device that takes a command and never ends it: the host's wait has a bound, and its error names the command."""

from typing import Any

import pytest

from devicectl.errors import LinkError, UnendedError
from protocols import messages as M
from protocols.enums import CloseReason, DeviceState
from protocols.exchange import Commanded
from protocols.message import Message
from protocols.units import SECOND, Micros
from tests.world import IDENTITY, Lab

LEASE_US = 15 * SECOND
"""At rest, as the device has it by default."""
EXPECTED_MS = 100


def never_end(lab: Lab, model: type[Message]) -> None:
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

    lab.device._command = command  # type: ignore[method-assign]
    exchange.reply = say  # type: ignore[method-assign]


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


def test_a_query_that_is_only_received_is_told_as_unlawful() -> None:
    lab = Lab()
    never_end(lab, M.DeviceInfo)
    with pytest.raises(UnendedError, match="no answer to DeviceInfo after 5 tries: DeviceInfo is a query: .* Received"):
        lab.run(lab.engine.connect(), within=20 * SECOND)
