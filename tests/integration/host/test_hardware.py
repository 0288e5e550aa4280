"""A device that is no simulator: it may be looked at, and nothing is begun on it unless that was allowed."""

from typing import Any

import pytest

from devicectl.errors import HardwareError
from devicectl.log.store import SessionLog
from devicectl.session.entries import SessionStart
from firmware_sim.commands import statements
from protocols.language.enums import CloseReason, DeviceState
from tests.native import reaches_inside
from tests.unit.protocols.language.altered import altered
from tests.world import IDENTITY, Lab, Late, assert_counted

pytestmark = reaches_inside
SAYS = [
    pytest.param(False, False, id="both"),
    pytest.param(False, True, id="welcome"),
    pytest.param(True, False, id="identity"),
]
"""Whether WELCOME and DEVICE_INFO say that it is simulated: one that says no is enough."""


@pytest.fixture
def become_hardware(monkeypatch: pytest.MonkeyPatch) -> Any:
    """From now on the device says of itself that it is none."""

    def become(welcome: bool = False, info: bool = False) -> None:
        greet, identify = statements.welcome, statements.identity
        says = {"simulated": welcome}, {"simulated": info}
        monkeypatch.setattr("firmware_sim.device.welcome", lambda *of: altered(greet(*of), **says[0]))
        monkeypatch.setattr("firmware_sim.commands.queries.identity", lambda of: altered(identify(of), **says[1]))

    return become


@pytest.mark.parametrize(("welcome", "info"), SAYS)
def test_no_session_is_opened_on_it(welcome: bool, info: bool, become_hardware: Any) -> None:
    become_hardware(welcome, info)
    lab = Lab()
    lab.run(lab.engine.connect())
    before = lab.device.nvm.head
    with pytest.raises(HardwareError, match="--allow-hardware.*allow_hardware=True") as caught:
        lab.run(lab.engine.open_session(lab.plan, IDENTITY))
    assert caught.value.exit_code == 3 and caught.value.device == lab.device.serial
    assert lab.device.nvm.session is None and lab.device.nvm.head == before
    assert lab.state is DeviceState.IDLE


@pytest.mark.parametrize(("welcome", "info"), SAYS)
@pytest.mark.parametrize("restore", [True, False], ids=["resumed", "abandoned"])
def test_no_session_of_before_is_resumed_or_abandoned_on_it(
    restore: bool, welcome: bool, info: bool, become_hardware: Any
) -> None:
    with SessionLog.open("sqlite://") as log:
        lab = Lab(log=log).begin(2)
        become_hardware(welcome, info)
        lab.replace_host()
        lab.run(lab.engine.connect())
        before = lab.device.nvm.head
        stored = log.find(lab.device.serial, lab.engine.welcome.journal_epoch, lab.device.nvm.session_no)
        assert stored is not None
        with pytest.raises(HardwareError):
            lab.run(lab.engine.adopt(stored, log.records(stored.key), None, restore=restore))
        with pytest.raises(HardwareError):
            lab.run(lab.engine.abandon())
        assert lab.device.nvm.session is not None and lab.device.nvm.head == before


def test_no_anesthesia_is_confirmed_on_one_that_came_in_the_simulators_place(become_hardware: Any) -> None:
    """The link was lost, and whatever is plugged in now says that it holds the very session."""
    lab = Lab(line=Late()).begin(2)
    lab.world.cut()
    become_hardware()
    lab.world.mend()
    with pytest.raises(HardwareError):
        lab.cycle()
    assert not lab.device.board.zones or not any(zone.confirmed for zone in lab.device.board.zones.values())
    assert not lab.device.board.armed


def test_what_was_allowed_is_done(become_hardware: Any) -> None:
    become_hardware()
    lab = Lab(allow_hardware=True).begin(2)
    (start,) = (entry for entry in lab.entries if isinstance(entry, SessionStart))
    assert (start.simulated, start.seed) == (False, None)
    lab.world.cut()
    lab.world.mend()
    lab.cycle()
    assert not lab.engine.simulated
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")


@pytest.mark.parametrize("keeps", [True, False])
def test_only_a_device_that_keeps_a_truth_is_asked_for_it(keeps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    identify = statements.identity
    monkeypatch.setattr("firmware_sim.commands.queries.identity", lambda of: altered(identify(of), has_truth=keeps))
    lab = Lab().begin(1)
    lab.close(CloseReason.ABORTED)
    assert (lab.engine.truth is not None) is keeps
    assert not [note for note in lab.notes if note.kind == "refusal"]
