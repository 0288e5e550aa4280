"""Brokers between the kit and an end that it tries: a broker that goes says nothing about that end.

Law: it connects and leaves. Who asks, and what comes of it, is for the benches of both ends.
"""

import asyncio

from devicectl.errors import LinkError
from handpiece_shell.broker_client import BrokerClient, connection_options, stay_connected
from protocols.mqtt.broker import TIMEOUT_S, explain
from protocols.mqtt.broker_url import BrokerUrl


class BrokerGoneError(LinkError):
    """The broker is not there, does not let the kit in, or has gone in the midst of a run."""


async def why_shut_out(place: BrokerUrl, identifier: str) -> str:
    """Connect to a broker and leave it; returns why it does not let a client in, "" where it does.

    Raises:
        BrokerUrlError: a file of the URL cannot be used.
    """

    async def nothing(client: BrokerClient) -> None:
        client.end_entry()

    options = connection_options(place, identifier)
    ended_by = await stay_connected(options, asyncio.get_running_loop().time() + TIMEOUT_S, nothing)
    return "" if ended_by is None else explain(ended_by, place)
