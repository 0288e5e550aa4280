"""The hosts behind a broker: a port for each client that gives commands, and what becomes of everything else.

Law: what clients can make this end keep or say is bounded, and no command acts for its being retained.
"""

from collections.abc import Callable
from typing import Final

from firmware_sim.clock import monotonic
from firmware_sim.control import MAX_VIEWERS
from firmware_sim.ports import Port
from firmware_sim.serve.real_time import MAX_PLACES, Tap
from firmware_sim.serve.transports.table import Served
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.enums import Code
from protocols.language.messages import Nak
from protocols.language.units import Micros
from protocols.link.budget import MAX_NAKS_PER_SECOND, Budget
from protocols.link.port import Envelope
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, Publication

MAX_PORTS: Final = MAX_PLACES
assert MAX_PORTS > MAX_VIEWERS, "a place is kept for a controller"
MAX_SHOWN: Final = 80
"""Characters of a foreign topic in a trace."""
_BARE: Final = (
    ", nor has it any other property of MQTT 5: does it come over a bridge or from a client of MQTT 3.1.1? "
    "(Mosquitto: bridge_protocol_version mqttv50)"
)


class Clients:
    """Clients of one broker that have a port here. `put` sends a publication, `warn` tells a person."""

    def __init__(
        self,
        device: Served,
        topics: DeviceTopics,
        put: Callable[[Publication], None],
        warn: Callable[[str], None],
        clock: Callable[[], Micros] = monotonic,
    ) -> None:
        self.ports: dict[str, Port] = {}
        self._device = device
        self._topics = topics
        self._put = put
        self._warn = warn
        self._clock = clock
        self._ignored: Tap | None = None
        self._naks = Budget(MAX_NAKS_PER_SECOND)

    def take(self, publication: Publication) -> None:
        """Take a publication on `command/{name}` or `heartbeat/{client}`."""
        levels = self._topics.parse(publication.topic)
        if levels is None or len(levels) != 2 or levels[0] not in ("command", "heartbeat"):
            return
        kind, last = levels
        if kind == "command":
            self._take_command(publication)
        elif publication.retain:
            self._ignore(publication, "a retained heartbeat says nothing about now")
        elif last in self.ports:
            self._device.receive(self.ports[last], publication)
        else:  # a heartbeat alone is worth no port
            self._ignore(publication, "nothing but heartbeats has come from this client: it has no link")

    def _take_command(self, publication: Publication) -> None:
        if publication.retain and publication.body:
            self._device.set_alarm(RETAINED_COMMAND, present=True)
        name = self._topics.client_of(publication.response_topic)
        if name is None:
            why = _nobody(publication.response_topic)
            self._ignore(publication, why)
            self._warn(f"{publication.topic} is ignored: {why}{_BARE if publication.bare else ''}")
            return
        port = self.ports.get(name) or self._attach(name)
        if port is not None:
            self._device.receive(port, publication)
        else:
            self._turn_away(name, publication)

    def drop(self) -> None:
        """Detach all ports: the connection is gone."""
        ports, self.ports = self.ports, {}
        for port in ports.values():
            self._device.detach(port)

    def close(self) -> None:
        """Detach all ports and end the trace: nothing more will come."""
        self.drop()
        if self._ignored is not None:
            self._ignored.closed(self._clock())

    def _attach(self, name: str) -> Port | None:
        if not self._make_room():
            return None
        port = self._device.attach(f"mqtt:{name}", self._put, lambda: DeviceWire(self._topics, name))
        self.ports[name] = port
        return port

    def _make_room(self) -> bool:
        """See that there is room for one more port, if need be by having one give way."""
        if len(self.ports) < self._device.places:
            return True
        port = self._device.device.control.expendable(self.ports.values())
        if port is None:
            return False
        self.ports = {name: one for name, one in self.ports.items() if one is not port}
        self._device.detach(port)
        return True

    def _ignore(self, publication: Publication, why: str) -> None:
        """Note in the trace a publication that has no effect; its sender cannot be told."""
        if self._ignored is None:
            self._ignored = self._device.open_tap("mqtt:ignored")
        if self._ignored is not None:
            self._ignored.heard("host", publication._replace(ignored=why), self._clock())

    def _turn_away(self, name: str, publication: Publication) -> None:
        """Say why there is no port: not more often than any end says NAK, and never in answer to a NAK."""
        places = self._device.places
        text = f"the places for hosts are taken, {places} in all: one has to leave first"
        self._ignore(publication, text)
        if publication.topic == self._topics.of("command", "nak") or not self._naks.spend(self._clock()):
            return
        wire = DeviceWire(self._topics, name)
        for envelope in wire.feed(publication):
            assert isinstance(envelope, Envelope)
            header = envelope.header
            nak = Nak(code=Code.E_BUSY, seq=header.seq, expected=places, actual=places, sentence=text)
            self._put(wire.encode(nak, 0, header.link_id, header.correlation_id, 0))


def _nobody(response_topic: str | None) -> str:
    """Reason why a command with this Response Topic cannot be answered."""
    if response_topic is None:
        return "it has no Response Topic, and so nobody can be answered"
    return f"its Response Topic {response_topic[:MAX_SHOWN]!r} is not reply/{{client}} of this device"
