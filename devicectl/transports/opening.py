"""How a transport is opened from a URL. The serial one is imported where one is asked for, and pyserial with it."""

from devicectl.transports.port import Receiver, Transport, open_tcp
from devicectl.transports.urls import DeviceUrl


async def open_transport(url: DeviceUrl, receiver: Receiver) -> Transport:
    """Open what `url` names: `tcp` or `serial`.

    Raises:
        LinkError: it cannot be opened.
    """
    if url.scheme == "tcp":
        return await open_tcp(url.host, url.port, receiver)
    from devicectl.transports.serial_port import open_serial

    return await open_serial(url.path, url.baud, receiver)
