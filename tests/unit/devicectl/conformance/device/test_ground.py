"""The ground: the steps from one stage to another, and where it gives up."""

import pytest

from devicectl.conformance.case import Need
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.probe import BrokenRule
from devicectl.conformance.device.virtual import run_steps
from devicectl.conformance.device.wires import BytesWire
from devicectl.simulation.bench import VirtualBench
from firmware_sim.device import Device
from protocols.language import messages as M
from protocols.language.enums import DeviceState as S
from protocols.language.message import Message
from tests.unit.devicectl.conformance.device.benches import Scripted, a_ground, a_welcome


def on_a_device(seed: int = 1) -> tuple[Ground, VirtualBench, Device]:
    """A ground over a simulated device."""
    ground = Ground(lambda channel: BytesWire(), seed=1, slack_ms=1, boot_ms=1_000)
    device = Device(seed=seed)
    return ground, VirtualBench(device, ground.probe), device


@pytest.mark.parametrize("first", list(Stage))
@pytest.mark.parametrize("second", list(Stage))
def test_each_stage_is_reached_from_each(first: Stage, second: Stage) -> None:
    ground, bench, device = on_a_device()
    run_steps(bench, ground.reach(first))
    run_steps(bench, ground.reach(second))
    states = {
        Stage.IDLE: S.IDLE,
        Stage.OPEN: S.SESSION_OPEN,
        Stage.NUMB: S.ANESTHESIA_CONFIRMED,
        Stage.ARMED: S.ARMED,
        Stage.PLACED: S.ARMED,
    }
    if second is not Stage.LINKED:
        assert device.board.state is ground.state is states[second]
    if second is Stage.PLACED:
        assert device.board.cell != 0xFFFF


def test_a_cycle_that_a_case_left_open_is_ended() -> None:
    ground, bench, device = on_a_device()
    run_steps(bench, ground.reach(Stage.PLACED))
    run_steps(bench, ground.begin_cycle())
    assert device.nvm.register is not None
    run_steps(bench, ground.reach(Stage.ARMED))
    assert device.nvm.register is None and ground.cycle_no == 1


def test_a_device_that_is_locked_is_said_to_be() -> None:
    ground = a_ground()

    def locked(message: Message, correlation: int) -> list[Message]:
        return [a_welcome(nonce=message.nonce, state=S.LOCKED)] if isinstance(message, M.Hello) else []

    with pytest.raises(BrokenRule, match="LOCKED: only a restart leads out"):
        Scripted(ground, locked).drive(ground.reach(Stage.IDLE))


def test_a_device_that_is_locked_is_restarted_where_its_power_can_be_cut() -> None:
    ground = a_ground()
    ground.met = frozenset({Need.POWER})
    states = [S.LOCKED, S.IDLE]

    def locked(message: Message, correlation: int) -> list[Message]:
        if isinstance(message, M.PowerCut):
            return [M.PowerCutDone(for_ms=message.for_ms)]
        return [a_welcome(nonce=message.nonce, state=states.pop(0))] if isinstance(message, M.Hello) else []

    Scripted(ground, locked).drive(ground.reach(Stage.IDLE))
    assert ground.state is S.IDLE and not states


def test_a_deadline_is_in_the_time_of_the_device_and_wraps() -> None:
    ground = a_ground()

    def late(message: Message, correlation: int) -> list[Message]:
        return [a_welcome(nonce=message.nonce, uptime_ms=0xFFFF_FF00)] if isinstance(message, M.Hello) else []

    Scripted(ground, late).drive(ground.reach(Stage.LINKED))
    assert ground.deadline(0x200) == 0x100


@pytest.mark.parametrize(("met", "opened"), [({Need.BYTES, Need.SECOND}, 2), ({Need.BYTES}, 1), ({Need.SECOND}, 1)])
def test_a_port_whose_share_is_spent_gives_way_to_a_new_one_where_there_are_several(
    monkeypatch: pytest.MonkeyPatch, met: set[Need], opened: int
) -> None:
    """A serial port stays the same port, and so does a broker's client: there a second has to pass."""
    ground, bench, _ = on_a_device()
    ground.met = frozenset(met)
    opens: list[int] = []
    plain = bench.open

    def opened_again(channel: int) -> None:
        opens.append(channel)
        plain(channel)

    monkeypatch.setattr(bench, "open", opened_again)
    for _ in range(8):
        run_steps(bench, ground.reach(Stage.LINKED))
        ground.drop_link()
    assert len(opens) == opened and ground.probe.now == 0
