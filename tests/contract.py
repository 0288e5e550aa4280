"""The AsyncAPI documents, by default the committed ones, as a judge of what passes a broker.

Law: it reads them and imports nothing of the product: what a mistake there does to the documents and to
the wires alike is not its to find, every difference between the two is.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jsonschema
from referencing import Registry, Resource

FOLDER: Final = Path(__file__).parents[1] / "docs" / "generated"
SIDES: Final = ("host", "device")
_PARAMETER: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Seen:
    """One publication as a broker gave it to a subscriber; None where a property was not there."""

    topic: str
    body: bytes
    qos: int
    retain: bool
    content_type: str | None = None
    payload_format: int | None = None
    expiry_s: int | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, who sends on it and how, by the sender's own document: one for each way to send there."""

    name: str
    address: re.Pattern[str]
    sender: str
    operation: dict[str, Any]
    messages: dict[str, dict[str, Any]]

    @property
    def answers(self) -> set[str]:
        """The messages that may answer what is said here."""
        return {one["$ref"].rpartition("/")[2] for one in self.operation.get("reply", {}).get("messages", [])}


@dataclass(slots=True)
class Contract:
    """Judges publications one after another: it remembers what was asked, since an answer brings that back."""

    documents: dict[str, dict[str, Any]]
    schemas: Registry[Any]
    channels: list[Channel] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    """(channel, message) of all that was judged."""
    _asked: dict[tuple[str, int], tuple[bytes | None, Channel]] = field(default_factory=dict)
    """(response topic, correlation id) -> correlation data of the last command that had them, and where it was said."""

    @classmethod
    def committed(cls) -> "Contract":
        """The documents as they stand in the tree."""
        asyncapi = {side: json.loads((FOLDER / f"asyncapi-{side}.json").read_text("utf-8")) for side in SIDES}
        return cls.of(asyncapi, json.loads((FOLDER / "schemas.json").read_text("utf-8")))

    @classmethod
    def of(cls, documents: dict[str, dict[str, Any]], schemas: dict[str, Any]) -> "Contract":
        """A document of each side, and the file of schemas that they refer to."""
        made = cls(documents, Registry().with_resource("schemas.json", Resource.from_contents(schemas)))
        made.channels = [made._channel(side, one) for side in SIDES for one in made._sent_by(side)]
        return made

    def differences(self, one: Seen) -> Iterator[str]:
        """What a publication is that the documents do not say, in words."""
        fitting = [channel for channel in self.channels if channel.address.fullmatch(one.topic)]
        if len({channel.name for channel in fitting}) != 1:
            yield f"{one.topic} is on {len(fitting)} channels"
            return
        ways = [list(self._published(channel.operation["bindings"]["mqtt"], one)) for channel in fitting]
        yield from min(ways, key=len)  # in one of them it has to be published
        channel = fitting[0]
        body = _object(one.body)
        if body is None:
            yield f"{one.topic}: the body is not a JSON object"
            return
        name = self._message_of(channel, body)
        if name is None:
            yield f"{one.topic}: {body.get('message')!r} is no message of {channel.name}"
            return
        self.seen.add((channel.name, name))
        message = channel.messages[name]
        yield from (f"{one.topic}: {error.message}" for error in self._judge(message).iter_errors(body))
        yield from self._beside(message, one)
        yield from self._correlated(channel, name, body.get("correlation_id", 0), one)

    # --- reading -----------------------------------------------------------------------------------------------

    def _sent_by(self, side: str) -> list[dict[str, Any]]:
        return [one for one in self.documents[side]["operations"].values() if one["action"] == "send"]

    def _channel(self, side: str, operation: dict[str, Any]) -> Channel:
        document = self.documents[side]
        name = operation["channel"]["$ref"].removeprefix("#/channels/")
        channel = document["channels"][name]
        components = document["components"]["messages"]
        messages = {
            key: components[message["$ref"].removeprefix("#/components/messages/")]
            for key, message in channel["messages"].items()
        }
        return Channel(name, self._pattern(side, channel["address"]), side, operation, messages)

    def _pattern(self, side: str, template: str) -> re.Pattern[str]:
        """What a topic looks like; a parameter is one level, of those that it lists where it does."""
        parameters = self.documents[side]["components"]["parameters"]
        parts = _PARAMETER.split(template)
        found = ""
        for text, name in zip(parts[::2], [*parts[1::2], None], strict=True):
            found += re.escape(text)
            if name is not None:
                listed = parameters[name].get("enum")
                found += f"(?P<{name}>{'|'.join(map(re.escape, listed)) if listed else '[^/]+'})"
        return re.compile(found)

    def _judge(self, message: dict[str, Any]) -> jsonschema.Draft202012Validator:
        return jsonschema.Draft202012Validator(message["payload"], registry=self.schemas)

    def _message_of(self, channel: Channel, body: dict[str, Any]) -> str | None:
        """The one message of a channel, or that which has the name in the body's `message`."""
        if len(channel.messages) == 1:
            return next(iter(channel.messages))
        said = str(body.get("message"))
        return said if said in channel.messages else None

    # --- judging -----------------------------------------------------------------------------------------------

    def _published(self, binding: dict[str, Any], one: Seen) -> Iterator[str]:
        if one.qos != binding["qos"]:
            yield f"{one.topic}: QoS {one.qos}, not {binding['qos']}"
        if one.retain != binding["retain"]:
            yield f"{one.topic}: retain {one.retain}, not {binding['retain']}"
        most_s = binding.get("messageExpiryInterval")  # a broker counts it down
        lawful = one.expiry_s is None if most_s is None else one.expiry_s in range(most_s + 1)
        if not lawful:
            yield f"{one.topic}: expires after {one.expiry_s} s, not {most_s} s"

    def _beside(self, message: dict[str, Any], one: Seen) -> Iterator[str]:
        binding = message["bindings"]["mqtt"]
        if not one.content_type == binding["contentType"] == message["contentType"]:
            yield f"{one.topic}: content type {one.content_type}, not {binding['contentType']}"
        if one.payload_format != binding["payloadFormatIndicator"]:
            yield f"{one.topic}: payload format {one.payload_format}, not {binding['payloadFormatIndicator']}"
        template = binding.get("responseTopic")
        if (template is None) != (one.response_topic is None):
            yield f"{one.topic}: response topic {one.response_topic}, not {template}"
        elif template is not None and not self._pattern("host", template).fullmatch(one.response_topic or ""):
            yield f"{one.topic}: response topic {one.response_topic} is not like {template}"
        elif one.response_topic is not None and not _of_one_device(one.topic, one.response_topic):
            yield f"{one.topic}: response topic {one.response_topic} is another device's"

    def _correlated(self, channel: Channel, name: str, number: int, one: Seen) -> Iterator[str]:
        """A command is remembered; an answer brings back its data, and is one of those that it may have."""
        declared = "correlationData" in channel.messages[name]["bindings"]["mqtt"]
        if one.response_topic is not None:
            self._asked[one.response_topic, number] = one.correlation_data, channel
            if declared and one.correlation_data is None:
                yield f"{one.topic}: no correlation data"
        elif not declared and one.correlation_data is not None:
            yield f"{one.topic}: correlation data {one.correlation_data!r}, where none is declared"
        elif declared and number:
            data, asked = self._asked.get((one.topic, number), (None, None))
            if asked is None or one.correlation_data != data:
                yield f"{one.topic}: correlation data {one.correlation_data!r} is not that of command {number}"
            elif name not in asked.answers:
                yield f"{one.topic}: {name} is no answer to {asked.name}"


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _of_one_device(topic: str, other: str) -> bool:
    """Both begin with the same `{root}/v1/{site}/{device}/`."""
    return topic.split("/")[:4] == other.split("/")[:4]
