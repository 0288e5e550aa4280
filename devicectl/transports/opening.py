"""How a transport is opened from a URL. All but TCP are imported where they are asked for."""

from typing import Any

from devicectl.transports.port import Receiver, Transport, open_tcp
from devicectl.transports.urls import DeviceUrl
from protocols.link.port import Wire
from protocols.serial.wire import SerialWire


async def open_transport(url: DeviceUrl, client: str, receiver: Receiver) -> Transport:
    """Open what `url` names: TCP, a serial port, or a broker, where this host is `client`.

    Raises:
        UrlError: a file that it names cannot be used.
        LinkError: it cannot be opened.
    """
    if url.scheme == "tcp":
        return await open_tcp(url.host, url.port, receiver)
    if url.broker is not None:
        from devicectl.transports.mqtt import open_mqtt

        return await open_mqtt(url.broker, client, receiver)
    from devicectl.transports.serial_port import open_serial

    return await open_serial(url.path, url.baud, receiver, url.line)


def make_wire(url: DeviceUrl, client: str) -> Wire[Any]:
    """Make the wire of what `url` names, for this host as `client`."""
    if url.broker is None:
        return SerialWire(url.baud)
    from protocols.mqtt.wire import HostWire

    return HostWire(url.broker.topics, client)
