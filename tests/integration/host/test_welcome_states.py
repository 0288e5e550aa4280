"""The state that a device names in WELCOME: a self-test is waited for, and what nobody knows is not gone on with."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import pytest

from devicectl.errors import SessionError
from devicectl.session.machine import State
from firmware_sim import device as device_module
from firmware_sim.commands.statements import welcome
from protocols.language.enums import DeviceState
from protocols.language.messages import Welcome
from protocols.language.units import SECOND
from tests.native import reaches_inside
from tests.unit.protocols.language.altered import altered
from tests.world import IDENTITY, Lab, assert_counted

pytestmark = reaches_inside
TESTING = DeviceState.SELF_TEST


def name_states(monkeypatch: pytest.MonkeyPatch, states: Iterator[DeviceState | None]) -> None:
    """Have the device name these states, one in each WELCOME; None for the one that it is in."""

    def said(*arguments: Any) -> Welcome:
        state = next(states)
        true = welcome(*arguments)
        return true if state is None else altered(true, state=state)

    monkeypatch.setattr(device_module, "welcome", said)


def test_a_self_test_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    name_states(monkeypatch, chain([TESTING] * 6, repeat(None)))
    lab = Lab()
    lab.run(lab.engine.connect())
    assert 3 * SECOND <= lab.now < 4 * SECOND
    lab.run(lab.engine.open_session(lab.plan, IDENTITY))
    lab.numb()
    assert_counted(lab, lab.finish())


def test_a_self_test_after_a_reboot_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab().begin(2)
    task = lab.start(lab.all_cycles())
    lab.wait(SECOND // 10)
    states = chain([TESTING] * 6, repeat(None))
    name_states(monkeypatch, states)
    lab.reboot_device()
    lab.until(lambda: task.done)
    task.outcome()
    assert next(states) is None, "the session went on in the midst of the self-test"
    assert_counted(lab, lab.close())


def test_a_self_test_that_does_not_end_is_not_waited_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    name_states(monkeypatch, repeat(TESTING))
    lab = Lab()
    with pytest.raises(SessionError, match="^the device has not ended its self-test in 10 s"):
        lab.run(lab.engine.connect(), within=20 * SECOND)
    assert lab.engine.machine.now is State.DISCONNECTED


@pytest.mark.parametrize("state", [DeviceState.UNKNOWN, DeviceState.OFF], ids=lambda state: state.name)
def test_an_unknown_state_is_refused(monkeypatch: pytest.MonkeyPatch, state: DeviceState) -> None:
    name_states(monkeypatch, repeat(state))
    lab = Lab()
    with pytest.raises(SessionError, match="^the device is in a state that this version does not know"):
        lab.run(lab.engine.connect(), within=20 * SECOND)
    assert lab.engine.machine.now is State.DISCONNECTED
    assert lab.device.nvm.session is None
