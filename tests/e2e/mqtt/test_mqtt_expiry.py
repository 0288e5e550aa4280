"""Commands that are too late at the broker: a device that was away is not given them, whatever it missed."""

import asyncio
import re
import signal
from pathlib import Path
from typing import Final

import aiomqtt
import pytest

from protocols.language.messages import Echo
from protocols.mqtt.properties import to_properties
from protocols.mqtt.wire import HostWire, Publication
from tests.brokers import TOPICS, Mosquitto
from tests.e2e.processes import wait_until
from tests.patience import patience
from tests.programs import serve

COUNT: Final = 60
"""Three times what Mosquitto sends to a client that does not acknowledge; the rest waits at the broker."""
CLOCK, END = "test/clock", "test/end"
HOST: Final = HostWire(TOPICS, "host-9")


async def publish(client: aiomqtt.Client, one: Publication) -> None:
    await client.publish(one.topic, one.body, one.qos, one.retain, to_properties(one))


async def has_retained(client: aiomqtt.Client, topic: str) -> bool:
    """Whether the broker still gives a retained message to who subscribes."""
    await client.subscribe(topic, qos=1)
    await client.unsubscribe(topic)
    await client.publish(END, qos=1)
    found = False
    async for message in client.messages:
        if message.topic.value == END:
            break
        found = True
    return found


@pytest.mark.asyncio
async def test_what_has_expired_at_the_broker_is_not_delivered(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """The broker sends a client some publications on trust: those it has, and they are nobody's to take back."""
    trace = tmp_path / "trace"

    def heard() -> list[int]:
        return [int(seq) for seq in re.findall(r"host>device .* Echo  seq=(\d+)", trace.read_text("utf-8"))]

    with serve("--mqtt", mosquitto.url(), "--trace", str(trace)) as served:
        version = aiomqtt.ProtocolVersion.V5
        async with asyncio.timeout(patience()), aiomqtt.Client("127.0.0.1", mosquitto.port, protocol=version) as client:
            await client.subscribe(END, qos=1)
            served.process.send_signal(signal.SIGSTOP)
            for seq in range(1, COUNT + 1):
                await publish(client, HOST.encode(Echo(data=b""), seq, 0, seq, 0)._replace(expiry_s=1))
            # What expires a second later than they do says when their time is over, by the broker's own clock.
            await publish(client, Publication(CLOCK, b"{}", retain=True, expiry_s=2))
            assert await has_retained(client, CLOCK)
            while await has_retained(client, CLOCK):
                pass
            served.process.send_signal(signal.SIGCONT)
            await publish(client, HOST.encode(Echo(data=b""), COUNT + 1, 0, COUNT + 1, 0))
        wait_until(lambda: COUNT + 1 in heard(), "a command that is in time")
        assert served.stop() == 0
    *missed, last = heard()
    assert last == COUNT + 1
    assert missed == list(range(1, len(missed) + 1)) and len(missed) < COUNT // 2
