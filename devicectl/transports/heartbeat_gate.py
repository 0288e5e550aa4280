"""The gate of a link that begins behind a broker: no answer passes until a heartbeat of that link has come.

A broker that withholds heartbeats says so to nobody, and the rest of a link works without them for a while. So WELCOME
is handed on, to which the exchange answers with its own first heartbeat; that brings the device's; and then what has
been answered meanwhile.

Law: pure. How long is waited, and what is said in the end, is the transport's.
"""

from typing import Final

from protocols.language.messages import Welcome
from protocols.mqtt.bodies import decode_body
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import Publication

MAX_HELD: Final = 64
"""Answers kept back; a host asks five things at once. More are dropped, and asked for again."""


class HeartbeatGate:
    """One client's, over one connection: closed at first, and again by each new HELLO."""

    def __init__(self, topics: DeviceTopics, client: str) -> None:
        self.open = False
        self._reply = topics.of("reply", client)
        self._heartbeat = topics.of("heartbeat")
        self._link_id = 0
        self._last = 0
        """The link of the last WELCOME, which comes again where HELLO did; its first heartbeat does not."""
        self._beats = False
        self._held: list[Publication] = []

    @property
    def welcomed(self) -> bool:
        """A WELCOME has come, and no heartbeat of its link yet."""
        return self._link_id != 0 and not self.open

    def close(self) -> None:
        """A new link is asked for."""
        self.open = False
        self._link_id = 0
        self._held.clear()

    def take(self, publication: Publication) -> list[Publication]:
        """Take a publication; return those that the exchange may have now, in order."""
        if self.open:
            return [publication]
        if publication.topic == self._reply:
            return self._take_reply(publication)
        if publication.topic == self._heartbeat and self._last and not publication.retain:
            self._beats |= decode_body(publication.body, None, "").header.link_id == self._last
            self.open = self._beats and self._link_id != 0
            if self.open:
                held, self._held = self._held, []
                return [*held, publication]
        return [publication]

    def _take_reply(self, publication: Publication) -> list[Publication]:
        envelope = decode_body(publication.body, None, "")
        if isinstance(envelope.message, Welcome):
            self._link_id = envelope.header.link_id
            self._beats &= self._link_id == self._last
            self._last, self.open = self._link_id, self._beats
        elif self._link_id:
            if len(self._held) < MAX_HELD:
                self._held.append(publication)
            return []
        return [publication]
