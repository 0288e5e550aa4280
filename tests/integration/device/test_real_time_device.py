"""The device in real time: what is sent to whom, and that a timer is set seldom."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from firmware_sim.clock import monotonic
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.nvm import Nvm
from firmware_sim.serve.real_time import RealTimeDevice
from protocols.language import messages as M
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.enums import Code, Role
from protocols.language.message import Message
from protocols.language.schema import schema_id
from protocols.language.units import SECOND, Micros
from protocols.serial.framing import FrameDecoder
from protocols.serial.payload import decode_message, encode_message
from tests.native import reaches_inside
from tests.patience import patience
from tests.power import Medium

pytestmark = pytest.mark.asyncio


def hello(host_id: int) -> bytes:
    message = M.Hello(
        majors=2,
        minor=0,
        role=Role.CONTROLLER,
        features=0,
        schema_id=schema_id(0),
        host_id=host_id,
        max_payload_size=224,
        nonce=host_id,
    )
    return encode_message(message, seq=1, correlation_id=1, flags=2)


class Line:
    """A port with what was written to it."""

    def __init__(self, device: RealTimeDevice, name: str) -> None:
        self.written = b""
        self.device = device
        self.port = device.attach(name, self._write)

    def _write(self, data: bytes) -> None:
        self.written += data

    def link(self, host_id: int) -> int:
        self.device.receive(self.port, hello(host_id))
        (welcome,) = self.take()
        assert isinstance(welcome, M.Welcome)
        return welcome.link_id

    def take(self) -> list[Message | None]:
        data, self.written = self.written, b""
        frames = FrameDecoder().feed(data)
        return [decode_message(frame) for frame in frames]  # type: ignore[arg-type]


@pytest.fixture
def make() -> Callable[[], RealTimeDevice]:
    return lambda: RealTimeDevice(Device(seed=7, now=monotonic()))


async def test_frames_back_to_back_set_no_timer(
    make: Callable[[], RealTimeDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    device = make()
    line = Line(device, "one")
    link_id = line.link(1)
    loop = asyncio.get_running_loop()
    set_at: list[float] = []
    call_at = loop.call_at

    def counted(when: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        set_at.append(when)
        return call_at(when, *arguments, **options)

    monkeypatch.setattr(loop, "call_at", counted)
    for number in range(2, 102):
        echo = M.Echo(data=b"x")
        device.receive(line.port, encode_message(echo, seq=number, link_id=link_id, correlation_id=number, flags=2))
    assert len(line.take()) == 100
    assert set_at == []
    device.close()


async def test_several_frames_in_one_piece_are_answered_in_one_write(make: Callable[[], RealTimeDevice]) -> None:
    device = make()
    line = Line(device, "one")
    link_id = line.link(1)
    echoes = [
        encode_message(M.Echo(data=bytes((number,))), seq=number, link_id=link_id, correlation_id=number, flags=2)
        for number in range(2, 10)
    ]
    device.receive(line.port, b"".join(echoes))
    assert line.take() == [M.EchoDone(data=bytes((number,))) for number in range(2, 10)]
    device.close()


async def test_after_close_nothing_is_taken_and_nothing_is_due(make: Callable[[], RealTimeDevice]) -> None:
    device = make()
    one, two = Line(device, "one"), Line(device, "two")
    one.link(1)
    device.close()
    assert [type(message) for message in one.take()] == [M.Bye]
    assert two.take() == []
    device.receive(two.port, hello(2))
    device.detach(one.port)
    device.detach(two.port)
    assert two.written == b""


async def test_a_host_replaced_on_another_port_hears_of_it(make: Callable[[], RealTimeDevice]) -> None:
    device = make()
    one, two = Line(device, "one"), Line(device, "two")
    one.link(1)
    two.link(1)
    assert [type(message) for message in one.take()] == [M.Bye]
    device.close()


async def test_the_heartbeat_comes_by_the_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    from firmware_sim.model.parameters import Parameters

    parameters = Parameters({"heartbeat_idle_ms": 500, "lease_idle_ms": 1500})
    device = RealTimeDevice(Device(seed=7, now=monotonic(), parameters=parameters))
    heard = asyncio.Event()
    port = device.attach("one", lambda data: heard.set() if len(data) > 0 and linked else None)
    linked = False
    device.receive(port, hello(1))
    linked = True
    await asyncio.wait_for(heard.wait(), patience(10))
    device.close()


@reaches_inside
async def test_the_timer_does_nothing_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It rings early, since the loop would ring late, and waits for the moment."""
    from firmware_sim.model.parameters import Parameters

    parameters = Parameters({"heartbeat_idle_ms": 500, "lease_idle_ms": 1500})
    inner = Device(seed=7, now=monotonic(), parameters=parameters)
    early: list[int] = []
    done = asyncio.Event()
    advance = inner.advance

    def watched(now: Micros) -> None:
        due = inner.next_deadline()
        assert due is not None
        early.append(due - now)
        advance(now)
        if len(early) == 2:
            done.set()

    monkeypatch.setattr(inner, "advance", watched)
    device = RealTimeDevice(inner)
    device.receive(device.attach("one", lambda data: None), hello(1))
    await asyncio.wait_for(done.wait(), patience(10))
    device.close()
    assert max(early) <= 0


@reaches_inside
async def test_after_a_stall_the_lease_is_judged_before_what_came_meanwhile(
    make: Callable[[], RealTimeDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    device = make()
    line = Line(device, "one")
    link_id = line.link(1)
    later = monotonic() + 16 * SECOND  # the idle lease is 15 s
    monkeypatch.setattr("firmware_sim.serve.real_time.monotonic", lambda: later)
    device.receive(line.port, encode_message(M.HostHeartbeat(), seq=2, link_id=link_id))
    assert not line.port.exchange.linked
    (nak,) = line.take()
    assert isinstance(nak, M.Nak) and nak.code is Code.E_LINK
    device.close()


async def test_what_could_not_be_synced_is_not_sent_in_leaving_either() -> None:
    medium = Medium()
    device = RealTimeDevice(Device(seed=7, now=monotonic(), nvm=Nvm(medium, epoch=3)))
    lines = [Line(device, "one"), Line(device, "other")]
    for host_id, line in enumerate(lines, 1):
        line.link(host_id)
    medium.fails = True
    with pytest.raises(NvmFileError, match="could not be synced"):
        device.set_alarm(RETAINED_COMMAND, present=True)
    with pytest.raises(NvmFileError, match="could not be synced"):
        device.close()
    assert [[type(message) for message in line.take()] for line in lines] == [[M.Bye], [M.Bye]]
