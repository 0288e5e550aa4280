"""The ground: the steps from one stage to another, and where it gives up."""

import contextlib

import pytest

from devicectl.conformance.case import Need
from devicectl.conformance.device.ground import BACK_LOOK_MS, BACK_MS, Ground, Stage
from devicectl.conformance.device.probe import BrokenRule, GoneError, Open, Steps, Until
from devicectl.conformance.device.virtual import run_steps
from devicectl.conformance.device.wires import BytesWire
from devicectl.simulation.bench import VirtualBench
from firmware_sim.device import Device
from protocols.language import messages as M
from protocols.language.enums import DeviceState as S
from protocols.language.message import Message
from protocols.language.units import Micros
from protocols.serial.payload import encode_message
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


def away(ground: Ground, steps: Steps[None], opens: list[int], *, back: int) -> None:
    """Run steps on a device whose port is away, until it has been opened so often; each opening is noted."""
    effect = next(steps)
    with contextlib.suppress(StopIteration):
        while True:
            if isinstance(effect, Open):
                opens.append(ground.probe.now // 1000)
                if len(opens) < back:
                    effect = steps.throw(GoneError("no such port"))
                    continue
                ground.probe.opened(effect.channel)
            elif isinstance(effect, Until):
                sent, ground.probe.outbox[:] = list(ground.probe.outbox), []
                for item in (item for _, piece in sent for item in BytesWire().feed(piece)):
                    assert isinstance(item.message, M.Hello)
                    ground.probe.heard(0, encode_message(a_welcome(nonce=item.message.nonce), 1, 9, 1))
                if not sent:
                    ground.probe.now = Micros(max(ground.probe.now, effect.due))
            effect = steps.send(None)


def test_a_port_that_goes_with_the_power_is_waited_for() -> None:
    """As an adapter's is: it is opened again until it is there, and only behind a power switch."""
    ground, opens = a_ground(), list[int]()
    ground.has_power_switch = True
    away(ground, ground.power_cycle(), opens, back=0)
    away(ground, ground.reach(Stage.LINKED), opens, back=20)
    assert opens == [number * BACK_LOOK_MS for number in range(20)] and ground.has_link


@pytest.mark.parametrize(("switched", "tries"), [(True, BACK_MS // BACK_LOOK_MS + 1), (False, 1)])
def test_a_port_that_does_not_come_back_is_given_up(switched: bool, tries: int) -> None:
    ground, opens = a_ground(), list[int]()
    ground.has_power_switch = True
    away(ground, ground.power_cycle() if switched else ground.close_channel(0), opens, back=0)
    with pytest.raises(GoneError, match="no such port"):
        away(ground, ground.reach(Stage.LINKED), opens, back=10_000)
    assert len(opens) == tries


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
