"""The MQTT wire as an AsyncAPI 3.0 document: for anyone who generates a host or a device, in any language.

An AsyncAPI document is of one application: `send` and `receive` are what that one does, and a will is its own. So there
are two of them, with the same channels and messages: a host's and a device's. The schemas of bodies are in a file
beside them, or for tools that follow no reference into a file, in the document itself.

Law: pure, and it knows no topic, message or QoS of its own: `flows` asks the wires for them.
"""

from collections.abc import Iterator
from typing import Final

from protocols.language import messages as M
from protocols.language.schema import schema_id
from protocols.language.sides import Side
from protocols.language.version import MAJOR, MINOR, PROTOCOL
from protocols.mqtt.broker import KEEPALIVE_S
from protocols.mqtt.broker_url import PORTS
from protocols.mqtt.properties import CONTENT_TYPE, PAYLOAD_IS_TEXT
from protocols.mqtt.status import LOST, Status
from protocols.mqtt.topics import DEFAULT_ROOT, MAX_ID_BYTES, topic_name
from protocols.mqtt.wire import MAX_COMMAND_EXPIRY_S
from protocols.published.flows import BOTH_SAY, TOPICS, Flow, all_flows, first, telemetry
from protocols.published.schemas import CATALOGUE, Schema, definitions, payload_name
from protocols.text.notice import NOTICE

VERSION: Final = "3.0.0"
"""Version of AsyncAPI."""
BINDING_VERSION: Final = "0.2.0"
"""Version of AsyncAPI's bindings for MQTT, the first that knows MQTT 5."""


def document(side: Side, *, bundled: bool = False) -> Schema:
    """The whole document of one side, as plain values in the same order every time; `bundled` has the schemas in it."""
    flows = list(all_flows())
    place = _INSIDE if bundled else _BESIDE
    return {
        "asyncapi": VERSION,
        "info": {
            "title": f"{PROTOCOL} over MQTT 5: a {side}",
            "version": f"{MAJOR}.{MINOR}",
            "description": _description(side),
            "license": {"name": "MIT"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": _servers(side),
        "channels": _channels(flows),
        "operations": {name: made for flow in flows for name, made in _operations(flow, side)},
        "components": {
            **({"schemas": definitions(place)} if bundled else {}),
            "messages": dict(sorted(_messages(flows, place))),
            "parameters": _parameters(),
            "securitySchemes": _SECURITY,
        },
    }


# --- parts of the document -----------------------------------------------------------------------------------------

_BESIDE: Final = "schemas.json#/$defs/"
"""Both documents' bodies are written once, in the file beside them."""
_INSIDE: Final = "#/components/schemas/"
_SCHEMA_NAMES: Final = {"Info": payload_name(M.DeviceInfoDone)} | {
    name: model.__name__ for model, name in BOTH_SAY.items()
}
"""Message -> its schema, where that has another name."""
_SECURITY: Final = {
    "userPassword": {"type": "userPassword", "description": "MQTT's user name and password, over TLS."},
    "certificate": {"type": "X509", "description": "A client's certificate, whose Common Name is its user name."},
}
_IDS: Final[dict[str, Schema]] = {
    "root": {"description": "What all topics begin with.", "default": DEFAULT_ROOT},
    "site": {"description": f"Where the device is; one level, at most {MAX_ID_BYTES} bytes."},
    "device": {"description": f"The device's id at its site; one level, at most {MAX_ID_BYTES} bytes."},
    "client": {"description": "The MQTT client identifier of one host."},
}


def _description(side: Side) -> str:
    return f"""**{NOTICE}**

The Handpiece Link Protocol on the topics of an MQTT 5 broker. This document is of a {side}: it sends what is under
`send`, and a {side.other} is at the other end.

- A body is one JSON object. What it names in `message` has the same fields, with the same meaning, as on a serial line.
- Schemas say what this version sends. A reader passes over keys that it does not know, takes an enumerator that it
  does not know as UNKNOWN, and a number of the header that is missing as 0.
- A command needs a Response Topic `reply/{{client}}`, Correlation Data and a Message Expiry Interval of at most
  {MAX_COMMAND_EXPIRY_S} s, and is never retained; else it is refused; without a Response Topic not even
  answered. `{{client}}` is the host's MQTT client identifier.
- `correlation_id` in the body, which rises, makes a repeated command act once; Correlation Data only comes back.
- Counts are read from the journal, by JournalRead. `state` and `event` are for people.
- The first heartbeat of a link is of QoS 1 at either end and comes at once: the host's after WELCOME, the device's when
  it hears that. A host that hears none does not go on.
- No safety hangs on QoS, keep-alive or will: the device's lease runs by its own clock.
"""


def _servers(side: Side) -> Schema:
    refs = {name: {"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY}
    plain, tls = PORTS["mqtt"], PORTS["mqtts"]
    alone = _server(side, "mqtt", plain, "A broker for the programs of one machine, without encryption.")
    network = _server(side, "secure-mqtt", tls, "A broker for a network: TLS, and an access list.")
    return {"loopback": alone, "network": {**network, "security": list(refs.values())}}


def _server(side: Side, protocol: str, port: int, description: str) -> Schema:
    bindings: Schema = {"cleanSession": True, "keepAlive": KEEPALIVE_S}
    if side is Side.DEVICE:
        bindings["lastWill"] = _will()
    return {
        "host": "{host}:{port}",
        "protocol": protocol,
        "protocolVersion": "5.0",
        "description": description,
        "variables": {
            "host": {"default": "127.0.0.1", "description": "The broker's name or address."},
            "port": {"default": str(port), "description": "Its port."},
        },
        "bindings": {"mqtt": {**bindings, "bindingVersion": BINDING_VERSION}},
    }


def _will() -> Schema:
    """The device's will; its numbers are those of the connection, here of a first one."""
    status = Status(
        notice=NOTICE,
        simulated=True,
        online=False,
        birth_no=1,
        reason=LOST,
        protocol=PROTOCOL,
        minor=MINOR,
        schema_id=schema_id(MINOR),
        boot_count=1,
    )
    return {"topic": TOPICS.of("status"), "qos": 1, "message": status.to_body().decode(), "retain": True}


def _channels(flows: list[Flow]) -> Schema:
    channels: Schema = {}
    for flow in flows:
        if flow.channel in channels:
            channels[flow.channel]["description"] += f" {flow.summary}"
        channel = channels.setdefault(flow.channel, {"address": flow.publication.topic, **_said_of(flow)})
        messages = channel.setdefault("messages", {})
        messages |= {name: {"$ref": f"#/components/messages/{name}"} for name in flow.messages}
    answers = {name: {"$ref": f"#/components/messages/{name}"} for flow in flows for name in flow.answers}
    channels["reply"]["messages"] |= dict(sorted(answers.items()))
    return channels


def _said_of(flow: Flow) -> Schema:
    publication = flow.publication
    summary = "What is said to one host." if flow.channel == "reply" else flow.summary
    parts = [f"From the {flow.sender}, QoS {publication.qos}", "retained" if publication.retain else "never retained"]
    if publication.expiry_s is not None:
        parts.append(f"expires after {publication.expiry_s} s")
    named = [name for name in _parameters() if f"{{{name}}}" in publication.topic]
    parameters = {name: {"$ref": f"#/components/parameters/{name}"} for name in named}
    return {"summary": summary, "description": ", ".join(parts) + ".", "parameters": parameters}


def _parameters() -> dict[str, Schema]:
    """Describe the names in braces in an address."""
    streams = [topic_name(model.__name__.removeprefix("Telemetry")) for model in telemetry()]
    return {**_IDS, "stream": {"description": "The stream, as STREAM_SET names it, in lower case.", "enum": streams}}


def _operations(flow: Flow, side: Side) -> Iterator[tuple[str, Schema]]:
    """The one operation that a flow is for a side, by name."""
    action = "send" if flow.sender is side else "receive"
    publication = flow.publication
    bindings: Schema = {"qos": publication.qos}
    if action == "send":
        bindings["retain"] = publication.retain
        if publication.expiry_s is not None:
            bindings["messageExpiryInterval"] = publication.expiry_s
    operation: Schema = {
        "action": action,
        "channel": {"$ref": f"#/channels/{flow.channel}"},
        "summary": flow.summary,
        "messages": _in_channel(flow.channel, flow.messages),
        "bindings": {"mqtt": {**bindings, "bindingVersion": BINDING_VERSION}},
    }
    if flow.answers:
        operation["reply"] = {
            "channel": {"$ref": "#/channels/reply"},
            "messages": _in_channel("reply", flow.answers),
        }
    yield action + flow.name, operation


def _in_channel(channel: str, names: tuple[str, ...]) -> list[Schema]:
    return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]


def _messages(flows: list[Flow], place: str) -> Iterator[tuple[str, Schema]]:
    """Each message once, by name; its body's schema is at `place`."""
    schemas = definitions(place)
    models = {model.__name__: model for model in CATALOGUE}
    summaries = {name: flow.summary for flow in flows for name in flow.messages}
    response_topics = {name: flow.publication.response_topic for flow in flows for name in flow.messages}
    answers = {name for flow in flows for name in flow.answers}
    for name in summaries.keys() | answers:
        schema_name = _SCHEMA_NAMES.get(name, name)
        model = models.get(schema_name)
        made: Schema = {
            "name": name,
            "title": name,
            "summary": summaries[name] if model is None else first(model),
            "contentType": CONTENT_TYPE,
            "payload": {"$ref": place + schema_name},
            "bindings": {"mqtt": _message_binding(response_topics.get(name), name in answers)},
        }
        if "correlation_id" in schemas[schema_name].get("properties", {}):
            made["correlationId"] = {"location": "$message.payload#/correlation_id"}
        yield name, made


def _message_binding(response_topic: str | None, is_answer: bool) -> Schema:
    """The properties of MQTT 5 that a message has."""
    binding: Schema = {"payloadFormatIndicator": PAYLOAD_IS_TEXT, "contentType": CONTENT_TYPE}
    if response_topic is not None:
        binding["responseTopic"] = response_topic
        binding["correlationData"] = {"type": "string", "description": "Chosen by who asks."}
    elif is_answer:
        binding["correlationData"] = {"type": "string", "description": "As it stood beside what is answered."}
    return {**binding, "bindingVersion": BINDING_VERSION}
