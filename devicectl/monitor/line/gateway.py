"""Lines whose device is at the serial port of a gateway, by RFC 2217.

How it works: the connection is made as one to any device at TCP. Then `RemotePort` has the port set, and what the host
says meanwhile is held. From then on data is passed on as on other lines, with Telnet's words put between it and taken
out again: what watches hears the device's bytes and the host's alone.

Law: what is asked of a gateway, and what its answers mean, `protocols.telnet` knows; this is its connection.
"""

import contextlib
import os
from typing import Final

from devicectl.monitor.line.lines import MAX_UNSENT_BYTES, End, Line
from devicectl.monitor.line.observing import Observations
from devicectl.monitor.line.passing import READ_SIZE, Passing
from devicectl.monitor.places import Place
from devicectl.monitor.wire import Kind
from devicectl.transports.rfc2217 import HUNG_UP, MAX_WORDS, remote_port, spoken, unanswered
from devicectl.transports.urls import DeviceUrl, parse_url
from protocols.language.units import SECOND
from protocols.telnet.codec import escape
from protocols.telnet.happenings import Noted
from protocols.text.addresses import format_address

MAX_UNREAD_BYTES: Final = 8 * MAX_UNSENT_BYTES
"""Far more than a host can have waiting: beyond it a gateway asks and asks, and reads no answer."""


class Gateway:
    """A gateway's port: `held` is for it, and waits until it is set and takes data; `words` came before that."""

    def __init__(self, url: DeviceUrl) -> None:
        self.remote = remote_port(url)
        self.is_set = False
        self.held = bytearray()
        self.words = b""

    def keep_words(self, found: list[bytes | Noted]) -> None:
        """Keep what is no word of Telnet, for an error."""
        self.words = b"".join([self.words, *(item for item in found if isinstance(item, bytes))])[:MAX_WORDS]

    @property
    def takes_data(self) -> bool:
        """True while what a host says can go out."""
        return self.is_set and not self.remote.holding


class PassingToGateway(Passing):
    """The lines between hosts and the gateway at `device`: each has the port set for itself."""

    def __init__(self, observations: Observations, control: int, device: Place) -> None:
        super().__init__(observations, control)
        self._url = parse_url(device.text)
        self._gateways: dict[End, Gateway] = {}

    # --- from the call to the port that is set -----------------------------------------------------------------

    def _dial(self) -> tuple[End | None, str]:
        end, refused = super()._dial()
        if end is not None:
            gateway = self._gateways[end] = Gateway(self._url)
            end.unsent += gateway.remote.take()
            if not end.connecting:
                self._await_answers(end)
        return end, refused

    def _await_answers(self, end: End) -> None:
        self._connecting[end] = self.now_us + round(self._url.answer_s * SECOND)

    def _late(self, end: End) -> None:
        gateway = self._gateways.get(end)
        if gateway is None or end.connecting:
            super()._late(end)
        else:
            self._refused(end, unanswered(self._url, gateway.remote, gateway.words))

    def _broken(self, end: End, reason: str) -> None:
        gateway = self._gateways.get(end)
        if gateway is None or end.connecting or gateway.is_set:
            super()._broken(end, reason)
        else:
            self._hung_up(end, gateway)

    def _hung_up(self, end: End, gateway: Gateway) -> None:
        """Close a line whose gateway went before its port was set; its last words may not have been read yet."""
        with contextlib.suppress(OSError):
            gateway.keep_words(gateway.remote.feed(os.read(end.fd, MAX_WORDS)))
        self._refused(end, f"{HUNG_UP}{spoken(gateway.words)}")

    def _refused(self, end: End, reason: str) -> None:
        assert end.line is not None
        where = format_address(self._url.host, self._url.port)
        self._end_line(end.line, f"cannot open the serial port at {where}: {reason}")

    # --- data ----------------------------------------------------------------------------------------------------

    def _read(self, end: End) -> None:
        gateway = self._gateways.get(end)
        if gateway is None:
            super()._read(end)
            return
        try:
            data = os.read(end.fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._broken(end, error.strerror or str(error))
            return
        assert end.line is not None
        if data:
            self._heard(end.line, end, gateway, data)
        elif gateway.is_set:
            self._heard_all(end.line, end)
        else:
            self._hung_up(end, gateway)

    def _heard(self, line: Line, end: End, gateway: Gateway, data: bytes) -> None:
        """Take Telnet's words out, answer them, and pass the rest on."""
        now_us, host = self.now_us, line.host
        assert host is not None, "a gateway is called for a host"
        for item in gateway.remote.feed(data):
            if isinstance(item, Noted):
                self._tell(Kind.NOTE, line.number, item.text)
            elif not gateway.is_set:
                gateway.keep_words([item])
            elif end in self._ends:  # else the host has gone at the piece before
                self._pass(host, end, item)
                self._observations.add(end.sender, line.number, now_us, item)
        if end in self._ends:
            self._answer(end, host, gateway)
        if not gateway.is_set and end in self._ends:
            self._settle(line, end, gateway)
        if gateway.takes_data and end in self._ends:
            self._let_go(line, end, host, gateway)

    def _answer(self, end: End, host: End, gateway: Gateway) -> None:
        """Send words of Telnet, behind all that waits already."""
        answer = gateway.remote.take()
        if answer and not end.said_all:
            super()._pass(end, host, answer)
        if len(end.unsent) > MAX_UNREAD_BYTES:
            super()._broken(end, "it takes no answers")

    def _settle(self, line: Line, end: End, gateway: Gateway) -> None:
        """See whether the port is set, or will not be."""
        if gateway.remote.refusal:
            self._refused(end, gateway.remote.refusal)
        elif gateway.remote.ready:
            gateway.is_set = True
            del self._connecting[end]
            self._tell(Kind.NOTE, line.number, f"the gateway has set its port to {self._url.baud} baud")

    def _pass(self, end: End, source: End, data: bytes) -> None:
        gateway = self._gateways.get(end)
        if gateway is None:
            super()._pass(end, source, data)
        elif gateway.takes_data:
            super()._pass(end, source, escape(data))
        else:
            gateway.held += escape(data)
            self._hold_back(source, gateway)

    def _hold_back(self, source: End, gateway: Gateway) -> None:
        if len(gateway.held) > MAX_UNSENT_BYTES:
            source.paused = True
            self._watch(source)

    def _let_go(self, line: Line, end: End, host: End, gateway: Gateway) -> None:
        """Send what was held, and let its host speak on."""
        if gateway.held:
            held = bytes(gateway.held)
            gateway.held.clear()
            super()._pass(end, host, held)
            if host.paused and len(end.unsent) < MAX_UNSENT_BYTES // 2:
                host.paused = False
                self._watch(host)
        if host.heard_all and not end.unsent and end in self._ends:
            self._said_all(line, end)

    def _write(self, end: End) -> None:
        gateway, connecting = self._gateways.get(end), end.connecting
        super()._write(end)
        if gateway is None or end not in self._ends:
            return
        if connecting:
            self._await_answers(end)
        assert end.line is not None and end.line.host is not None
        self._hold_back(end.line.host, gateway)

    def _said_all(self, line: Line, end: End) -> None:
        gateway = self._gateways.get(end)
        if gateway is None or (gateway.takes_data and not gateway.held):
            super()._said_all(line, end)

    def _close(self, end: End) -> None:
        super()._close(end)
        self._gateways.pop(end, None)
