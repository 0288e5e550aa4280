"""What a host makes of the births and wills that come while it is linked: which of them cost it the link, and why."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import pytest

from devicectl.errors import LinkError
from devicectl.transports import mqtt
from devicectl.transports.urls import DeviceUrl
from protocols.mqtt.status import LOST, Status
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import HostWire
from protocols.text.notice import NOTICE
from tests.patience import patience
from tests.scripted_broker import PUBLISH, SUBSCRIBE, LastWords, given, obliging, scripted
from tests.unit.protocols.link.exchange_pair import hello

TOPICS: Final = DeviceTopics("bench", "sim-7")
STATUS: Final = TOPICS.of("status")
BIRTH_NO: Final = 7


def status(online: bool, birth_no: int = BIRTH_NO) -> bytes:
    return Status(
        notice=NOTICE, simulated=True, online=online, birth_no=birth_no, reason="" if online else LOST,
        protocol="HLP/1", minor=0, schema_id=1, boot_count=1,
    ).to_body()  # fmt: skip


class Life:
    """Runs a transport as the host's driver does, and keeps why it ended."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work)

    def received(self, data: object) -> None:
        raise AssertionError(f"{data} was received")

    def noticed(self, text: str) -> None:
        raise AssertionError(f"{text} was noticed")

    def closed(self, reason: str, *, final: bool = False) -> None:
        self.ended.set_result(reason)


def telling(first: bytes, then: bytes) -> Callable[[int, bytes], bytes]:
    """A broker with the status `first`, and `then` after the first publication; it closes after the second one."""
    published = 0

    def answer(kind: int, rest: bytes) -> bytes:
        nonlocal published
        said = obliging(kind, rest)
        if kind == SUBSCRIBE and STATUS.encode() in rest:
            return said + given(STATUS, first)
        if kind == PUBLISH:
            published += 1
            return said + given(STATUS, then) if published == 1 else LastWords(said)
        return said

    return answer


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (status(True, BIRTH_NO + 1), "the device has connected to its broker again"),
        (status(True, BIRTH_NO - 1), "the device has connected to its broker again"),
        (status(False), "the device has gone from its broker (lost)"),
        (status(True), "the connection was lost"),
        (status(False, BIRTH_NO - 1), "the connection was lost"),
        (b"", "the connection was lost"),
        (b'{"online":false}', "the connection was lost"),
    ],
    ids=["another birth", "an older birth", "its will", "the same birth", "an older will", "cleared", "half a status"],
)
@pytest.mark.asyncio
async def test_what_ends_a_link(then: bytes, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not is followed by the broker's own end, so that something comes in any case."""
    for name in ("TIMEOUT_S", "BIRTH_TIMEOUT_S", "HELLO_TIMEOUT_S"):
        monkeypatch.setattr(mqtt, name, patience())
    async with scripted(telling(status(True), then)) as url, asyncio.timeout(patience()), asyncio.TaskGroup() as group:
        life = Life(group)
        transport = await mqtt.open_transport(DeviceUrl(str(url), "mqtt", broker=url), "host-1", life)
        for number in (1, 2):
            transport.write(HostWire(TOPICS, "host-1").encode(hello(), number, 0, number, 0))
        assert reason in await life.ended


@pytest.mark.parametrize(
    ("first", "then", "reason"),
    [
        (status(False), b"", "it went offline (lost)"),
        (b"", b"", "nothing on handpiece/v1/bench/sim-7/status"),
        (b"\xff", b"", "nothing on handpiece/v1/bench/sim-7/status"),
    ],
)
@pytest.mark.asyncio
async def test_what_is_no_birth(first: bytes, then: bytes, reason: str) -> None:
    async with scripted(telling(first, then)) as url, asyncio.TaskGroup() as group:
        with pytest.raises(LinkError) as raised:
            await mqtt.open_transport(DeviceUrl(str(url), "mqtt", broker=url), "host-1", Life(group))
    assert "no device bench/sim-7" in str(raised.value) and reason in str(raised.value)
