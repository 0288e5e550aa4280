"""Topics of a broker for those of a lesson, and back: a lesson is the same wherever its device is, whatever its host.

Law: of a publication nothing but topics is changed.
"""

from devicectl.campaign.bench import CLIENT, TOPICS
from protocols.mqtt.wire import DeviceWire, Publication


class Names:
    """The names of one host at a broker: its client identifier and its device's topics, which a wire has."""

    def __init__(self, wire: DeviceWire) -> None:
        self._topics = wire.topics
        self._client = wire.client

    def to_lesson(self, publication: Publication) -> Publication:
        """Return a command or a heartbeat of the host as the device of a lesson has it."""
        kind, last = self._topics.parse(publication.topic) or ("", "")
        topic = TOPICS.of(kind, CLIENT if kind == "heartbeat" else last)
        reply = None if publication.response_topic is None else TOPICS.of("reply", CLIENT)
        return publication._replace(topic=topic, response_topic=reply)

    def to_broker(self, publication: Publication) -> Publication:
        """Return what the device of a lesson has said as the host at the broker waits for it."""
        levels = TOPICS.parse(publication.topic) or ()
        return publication._replace(topic=self._topics.of(*("reply", self._client) if levels[0] == "reply" else levels))
