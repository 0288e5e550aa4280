#!/usr/bin/env bash
# what: `publish` of aiomqtt at QoS 1 raises that the client is not connected, and the message is kept all the same:
#   paho, below, has queued it before it reports the error. When the same client is entered again (aiomqtt allows that,
#   for reconnecting), the message is sent without a sign to the caller. Anyone who publishes again after the error has
#   it delivered twice.
# expected: A publication that raised because there is no connection is not sent later.
# versions: aiomqtt 2.5.1, paho-mqtt 2.2.0, Mosquitto 2.0.11, Python 3.11
# packages: aiomqtt==2.5.1 paho-mqtt==2.2.0
# reported: not found
# seen:
#   publish: MqttCodeError: [code:4] The client is not currently connected.
#   the same client, entered again, publishes 'start, second try'
#   delivered: start, first try; start, second try
. "$(dirname "$0")/finding.bash"
broker
observe <<'PYTHON'
import asyncio
import os

import aiomqtt

PORT = int(os.environ["BROKER_PORT"])


def client(**options):
    return aiomqtt.Client("127.0.0.1", PORT, protocol=aiomqtt.ProtocolVersion.V5, **options)


async def lose_connection(lost):
    """Have the broker end it: another connection of the same identifier comes, and goes."""
    async with client(identifier="host"):
        try:
            async for _ in lost.messages:
                pass
        except aiomqtt.MqttError:
            return


async def main():
    async with client() as watcher:
        await watcher.subscribe("pump/command", qos=1)
        host = client(identifier="host")
        try:
            async with host:
                await lose_connection(host)
                await host.publish("pump/command", "start, first try", qos=1)
        except aiomqtt.MqttError as error:
            print(f"publish: {type(error).__name__}: {error}")
        delivered = []
        async with host:
            await host.publish("pump/command", "start, second try", qos=1)
            print("the same client, entered again, publishes 'start, second try'")
            try:
                async with asyncio.timeout(10):
                    while len(delivered) < 2:
                        delivered.append((await anext(watcher.messages)).payload.decode())
            except TimeoutError:
                pass  # then the first try was not sent: shown below
        print("delivered:", "; ".join(sorted(delivered)))  # they come in either order


asyncio.run(asyncio.wait_for(main(), 30))
PYTHON
