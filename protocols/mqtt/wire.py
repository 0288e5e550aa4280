"""The MQTT wire: what the exchange sends and receives, as publications.

A host's messages go to `command/{name}`, its heartbeat to `heartbeat/{client}`; what a device says to one host goes to
`reply/{client}`, but for its heartbeat and telemetry, which have topics of their own: several links share those, and a
host passes over what is of another link.

The first heartbeat of a link is published at QoS 1 and at once, at either end. Of a publication at QoS 0 a broker never
says that it keeps it back, and a heartbeat that nobody hears costs the link.

Law: it knows topics and bodies, and no broker. Which client a command came from is in its Response Topic: a shell
finds the wire by `DeviceTopics.client_of` and feeds it.
"""

from typing import ClassVar, Final, NamedTuple

from protocols.language.enums import Code, Kind
from protocols.language.message import Message
from protocols.language.messages import Heartbeat, Hello, HostHeartbeat, Nak, Welcome
from protocols.language.sides import Side, only_sender
from protocols.language.version import MAJOR
from protocols.link.line import NO_LINE
from protocols.link.port import BadFrame, Envelope, Problem
from protocols.mqtt.bodies import BY_NAME, MAX_BODY_BYTES, decode_body, encode_body
from protocols.mqtt.topics import DeviceTopics, topic_name

MAX_COMMAND_EXPIRY_S: Final = 2
"""Seconds that a broker may keep a command: by then its host has asked again, or has lost the link."""
HEARTBEAT_EXPIRY_S: Final = 1
"""Seconds. An old heartbeat says nothing about now."""
TELEMETRY_EXPIRY_S: Final = 5
MAX_PACKET_BYTES: Final = 2 * MAX_BODY_BYTES
"""Bytes that a broker has to take: a body, and as much again for topic and properties, which are a few hundred."""
MAX_ASKED: Final = 32
"""Correlation data that a device keeps; a host has at most five commands under way, and retries each."""

COMMANDS: Final = {
    topic_name(name): model
    for name, model in BY_NAME.items()
    if only_sender(model.KIND, model.ID) is not Side.DEVICE and model is not HostHeartbeat
}
"""The last level of `command/{name}` -> what a host says there."""


class Publication(NamedTuple):
    """One MQTT message, as it is sent or was received. `expiry_s` is in seconds; None where a property is not set.

    Of one that was received, `bare` tells that no property at all came with it, as over a bridge of MQTT 3.1.1; and
    `ignored` why it is passed over, for a trace.
    """

    topic: str
    body: bytes
    qos: int = 1
    retain: bool = False
    expiry_s: int | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    bare: bool = False
    ignored: str = ""


def decode_publication(publication: Publication) -> Envelope:
    """Decode a publication that goes by: a command's topic names the message, any other's body does."""
    levels = publication.topic.rsplit("/", 2)[-2:]
    model = COMMANDS.get(levels[-1]) if levels[0] == "command" else None
    return decode_body(publication.body, model, levels[-1])


class HostWire:
    """The host's end: one client of one device."""

    beats_at_once: ClassVar[bool] = True
    heard: Final = None
    line: Final = NO_LINE

    def __init__(self, topics: DeviceTopics, client: str) -> None:
        self.topics = topics
        self.client = client
        self._reply = topics.of("reply", client)
        self._heartbeat = topics.of("heartbeat", client)
        self._link_id = 0
        self._beaten_link_id = 0
        self._nonce: int | None = None

    def feed(self, publication: Publication) -> list[Envelope | BadFrame]:
        """Decode a publication on one of this client's topics; nothing comes of one of another link."""
        if publication.retain:
            return []  # What a device once said to somebody is no answer now; a trace says so as well.
        envelope = decode_body(publication.body, None, "")
        if publication.topic == self._reply:
            # One that answers an earlier HELLO comes late, and its link's heartbeats are not ours.
            if isinstance(envelope.message, Welcome) and envelope.message.nonce == self._nonce:
                self._link_id = envelope.header.link_id
        elif envelope.header.link_id != self._link_id:
            return []
        return [_said_to_a_host(envelope)]

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> Publication:
        """One message to the device."""
        if isinstance(message, Hello):
            self._nonce = message.nonce
        body = encode_body(message, seq, link_id, correlation_id, flags)
        if isinstance(message, HostHeartbeat):
            qos = _beat_qos(link_id, self._beaten_link_id)
            self._beaten_link_id = link_id
            return Publication(self._heartbeat, body, qos=qos, expiry_s=HEARTBEAT_EXPIRY_S)
        return Publication(
            self.topics.of("command", topic_name(message.__class__.__name__)),
            body,
            expiry_s=MAX_COMMAND_EXPIRY_S,
            response_topic=self._reply,
            correlation_data=b"%d" % correlation_id,
        )


def _beat_qos(link_id: int, beaten_link_id: int) -> int:
    """QoS of a heartbeat, where the one before it was of the link `beaten_link_id`."""
    return 0 if link_id == beaten_link_id else 1


def _said_to_a_host(envelope: Envelope) -> Envelope:
    """A message that nobody knows has no kind in JSON; the device has sent it, and so it is no command."""
    header = envelope.header
    if envelope.message is not None or header.kind != Kind.COMMAND:
        return envelope
    return envelope._replace(header=header._replace(major_and_kind=MAJOR << 4 | Kind.REPLY))


class DeviceWire:
    """The device's end towards one client."""

    beats_at_once: ClassVar[bool] = True
    heard: Final = None
    line: Final = NO_LINE

    def __init__(self, topics: DeviceTopics, client: str) -> None:
        self.topics = topics
        self.client = client
        self._reply = topics.of("reply", client)
        self._beaten_link_id = 0
        self._asked: dict[int, bytes | None] = {}

    def feed(self, publication: Publication) -> list[Envelope | BadFrame]:
        """Decode a client's publication; a retained heartbeat says nothing about now, and so nothing comes of it."""
        levels = self.topics.parse(publication.topic) or ("",)
        if levels[0] == "heartbeat":
            if publication.retain:
                return []
            return [decode_body(publication.body, HostHeartbeat, "HostHeartbeat")]
        name = levels[-1]
        model = COMMANDS.get(name)
        envelope = decode_body(publication.body, model, name)
        header = envelope.header
        self._remember(header.correlation_id, publication.correlation_data)
        if model is None:
            return [Envelope(header, None, Problem(Code.E_UNKNOWN_MESSAGE, f"there is no command/{name[:40]}"))]
        if envelope.problem is None and (text := _unlawful(publication)) is not None:
            return [Envelope(header, None, Problem(Code.E_ARGUMENT, text, of_now=not publication.retain))]
        return [envelope]

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> Publication:
        """One message to the client."""
        body = encode_body(message, seq, link_id, correlation_id, flags)
        if isinstance(message, Heartbeat):
            qos = _beat_qos(link_id, self._beaten_link_id)
            self._beaten_link_id = link_id
            return Publication(self.topics.of("heartbeat"), body, qos=qos, expiry_s=HEARTBEAT_EXPIRY_S)
        if message.KIND is Kind.TELEMETRY:
            stream = topic_name(message.__class__.__name__.removeprefix("Telemetry"))
            return Publication(self.topics.of("telemetry", stream), body, qos=0, expiry_s=TELEMETRY_EXPIRY_S)
        # 0 is in what answers nothing, and in the NAK to a body that could not be read.
        asked = correlation_id or isinstance(message, Nak)
        return Publication(self._reply, body, correlation_data=self._asked.get(correlation_id) if asked else None)

    def _remember(self, correlation_id: int, data: bytes | None) -> None:
        """Keep what MQTT's requester wants to see again; the oldest goes first."""
        self._asked.pop(correlation_id, None)
        self._asked[correlation_id] = data
        if len(self._asked) > MAX_ASKED:
            del self._asked[next(iter(self._asked))]


def _unlawful(publication: Publication) -> str | None:
    """Return why a command's properties keep it from being carried out; None where they do not."""
    if publication.retain:
        return "a retained command is never carried out: it would be given again to every device that connects"
    if publication.correlation_data is None:
        return "a command needs MQTT's Correlation Data"
    if publication.expiry_s is None or publication.expiry_s > MAX_COMMAND_EXPIRY_S:
        return f"a command needs a Message Expiry Interval of at most {MAX_COMMAND_EXPIRY_S} s"
    return None
