"""RFC 2217: a device at the serial port of a gateway, over Telnet.

    open --> options and settings, each answered --> wait --> data, with each 0xFF doubled

Law: what is asked for, and what is answered, `protocols.telnet` judges; a refusal is a `LinkError` that names it.
"""

import asyncio
import re
from typing import Final

from devicectl import clock
from devicectl.errors import LinkError, UrlError
from devicectl.transports.line_options import BOOT_US, LINE_OPTIONS, parse_line
from devicectl.transports.port import MAX_UNSENT_BYTES, Receiver, Transport
from devicectl.transports.tcp import TcpTransport, connect, parse_address
from devicectl.transports.urls import DEFAULT_BAUD, DeviceUrl, Scheme, none_left, number, parse_baud, split
from protocols.language.units import Micros
from protocols.link.port import AnyWire
from protocols.serial.diagnosis import as_text
from protocols.serial.wire import SerialWire
from protocols.telnet.codec import escape
from protocols.telnet.com_port import Control, LineSettings
from protocols.telnet.happenings import Noted
from protocols.telnet.remote import RemotePort
from protocols.text.addresses import format_address

ANSWER_TIMEOUT_S: Final = 3.0
"""Time for the gateway to answer all that it is asked at opening: pyserial's, where a URL has no `timeout`."""
MAX_ANSWER_TIMEOUT_S: Final = 8.0
"""A port that is opened again in a session has ten seconds in all to be there."""
MAX_WORDS: Final = 200
"""Bytes that are kept of what comes before the port is open, for an error."""
HUNG_UP: Final = "the gateway closed the connection"
_BARE: Final = re.compile(r"(?<=[?&])(ign_set_control|poll_modem)(?=&|\Z)")
"""Options that pyserial's URLs have without a value."""
_NOT_NEEDED: Final = {
    "logging": "it is not needed: --trace FILE shows what goes over the line",
    "poll_modem": "it is not needed: nothing here waits for modem lines",
}


def parse(text: str, row: Scheme) -> DeviceUrl:
    """Check a URL of HOST:PORT with the options of a serial line, and pyserial's own.

    Raises:
        UrlError: it is none.
    """
    address, path, options = split(_BARE.sub(r"\1=1", text), row)
    example = row.example
    host, port = parse_address(text, address, path, example)
    for name in options.keys() & _NOT_NEEDED.keys():
        raise UrlError(text, name, _NOT_NEEDED[name], example)
    timeout_s = number(text, "timeout", options.pop("timeout", f"{ANSWER_TIMEOUT_S:g}"), example)
    if not 0 < timeout_s <= MAX_ANSWER_TIMEOUT_S:
        raise UrlError(text, "timeout", f"{timeout_s:g} is not a time up to {MAX_ANSWER_TIMEOUT_S:g} s", example)
    ignored = options.pop("ign_set_control", "0")
    if ignored not in ("0", "1"):
        raise UrlError(text, "ign_set_control", "its value is neither 0 nor 1", example)
    baud = parse_baud(text, options.pop("baud", str(DEFAULT_BAUD)), example)
    line = parse_line(text, options, f"{example}&dtr=0")
    none_left(text, options, f"{LINE_OPTIONS}, ign_set_control or timeout", example)
    return DeviceUrl(
        text,
        row.scheme,
        host=host,
        port=port,
        baud=baud,
        line=line,
        answer_s=timeout_s,
        ignore_control=ignored == "1",
    )


def make_wire(url: DeviceUrl, client: str) -> AnyWire:
    """Make the wire of frames on a line of this speed, which is behind the gateway."""
    return SerialWire(url.baud)


def remote_port(url: DeviceUrl) -> RemotePort:
    """Make the gateway's port as a URL wants it: 8 data bits, no parity, one stop bit."""
    line = url.line
    controls = [Control.FLOW_HARDWARE] if line.rtscts else []
    if line.dtr is not None:
        controls.append(Control.DTR_ON if line.dtr else Control.DTR_OFF)
    if line.rts is not None:
        controls.append(Control.RTS_ON if line.rts else Control.RTS_OFF)
    return RemotePort(LineSettings(url.baud), tuple(controls), ignore_control=url.ignore_control)


def spoken(words: bytes) -> str:
    """Return what came in place of an answer as the end of a sentence, where it is a text."""
    text = as_text(words)
    return f": {text}" if text else ""


def unanswered(url: DeviceUrl, remote: RemotePort, words: bytes) -> str:
    """Return which request a gateway has not answered in time, and what was said instead."""
    hint = "; with ign_set_control it is not waited for" if "SET-CONTROL" in remote.missing() else ""
    return f"no answer to {remote.missing()} within {url.answer_s:g} s{hint}{spoken(words)}"


class Rfc2217Transport(TcpTransport):
    """A connection to a gateway. `ready` is done with its port as it is wanted, or with why it cannot be."""

    boot_us: Micros = BOOT_US

    def __init__(self, receiver: Receiver, remote: RemotePort) -> None:
        super().__init__(receiver, self._take)
        self.listening = False
        """False while what the device says is dropped."""
        self.gone = ""
        """Reason for which the connection has ended before that."""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._remote = remote
        self._held = bytearray()
        self.words = b""
        """Text in place of an answer: that the port is in use, or a login."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection is made."""
        super().connection_made(transport)
        super().write(self._remote.take())

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection is gone."""
        if not self.listening:
            self._open = False
            self.gone = f"{HUNG_UP}{spoken(self.words)}"
            self._refuse(self.gone)
        super().connection_lost(exc)

    def write(self, data: bytes) -> None:
        """Send bytes, or hold them while the gateway takes none."""
        if not self._remote.holding:
            super().write(escape(data))
        elif len(self._held) + len(data) > MAX_UNSENT_BYTES:
            self._overflow()
        else:
            self._held += data

    def _take(self, data: bytes) -> None:
        remote = self._remote
        found = remote.feed(data)
        if answer := remote.take():
            super().write(answer)
        if not self.ready.done():
            if remote.refusal:
                self._refuse(remote.refusal)
            elif remote.ready:
                self.ready.set_result(None)
        if self._held and not remote.holding:
            held, self._held = bytes(self._held), bytearray()
            super().write(escape(held))
        for item in found:
            if isinstance(item, Noted):
                self._receiver.noticed(item.text)
            elif self.listening:
                self._receiver.received(item)
            else:
                self.words = (self.words + item)[:MAX_WORDS]

    def _refuse(self, reason: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(LinkError(reason))


async def open_transport(url: DeviceUrl, client: str, receiver: Receiver) -> Transport:
    """Connect, have the port set, and leave the device in peace for `wait` seconds.

    Raises:
        LinkError: nobody listens there, it is no gateway, or it refuses a setting.
    """
    where, remote = format_address(url.host, url.port), remote_port(url)
    transport = await connect(url, lambda: Rfc2217Transport(receiver, remote))
    try:
        async with asyncio.timeout(url.answer_s):
            await transport.ready
        await clock.pause(url.line.wait_s)
        if transport.gone:
            raise LinkError(transport.gone)
    except TimeoutError as error:
        transport.close()
        reason = unanswered(url, remote, transport.words)
        raise LinkError(f"cannot open the serial port at {where}: {reason}") from error
    except LinkError as error:
        transport.close()
        raise LinkError(f"cannot open the serial port at {where}: {error}") from error
    except BaseException:
        transport.close()
        raise
    transport.listening = True
    return transport
