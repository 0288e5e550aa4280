"""The MQTT wire as an AsyncAPI 3.0 document: for whoever generates a host or a device, in any language.

An AsyncAPI document is of one application: `send` and `receive` are what that one does, and a will is its own. So there
are two of them, with the same channels and messages: a host's and a device's. The schemas of bodies stand beside them.

Law: pure, and it knows no topic, QoS or property of its own. Those of messages come from the wires themselves, which
are asked what they would publish; those of snapshots from the table below.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, get_origin

from protocols import messages as M
from protocols.broker_url import PORTS
from protocols.enums import Kind, Lane, WireEnum
from protocols.exchange import MINOR
from protocols.framing import MAJOR
from protocols.message import REGISTRY, Message
from protocols.mqtt import COMMANDS, MOST_COMMAND_EXPIRY_S, DeviceWire, HostWire, Publication
from protocols.mqtt_calls import KEEPALIVE_S
from protocols.mqtt_properties import CONTENT_TYPE, PAYLOAD_IS_TEXT
from protocols.notice import NOTICE
from protocols.schemas import ANY_RECORD, CATALOGUE, Schema, definitions, described, payload_name
from protocols.status import LOST, Alarms, Params, State, Status
from protocols.topics import DEFAULT_ROOT, DeviceTopics, topic_name
from protocols.wire import schema_id

VERSION: Final = "3.0.0"
"""Of AsyncAPI."""
BINDING_VERSION: Final = "0.2.0"
"""Of AsyncAPI's bindings for MQTT, the first that know MQTT 5."""
TOPICS: Final = DeviceTopics("{site}", "{device}", "{root}")
"""Topics whose ids are parameters: what makes them makes the addresses of channels."""
_STREAM: Final = "{stream}"
_COMMON_ANSWERS: Final = (M.Received, M.Progress, M.Failed, M.Aborted)
"""What may come before a motion's own answer, or in its place."""
_UNSOLICITED: Final = (M.Alarm, M.Event, M.Bye, M.Nak)
"""What a device says on `reply/{client}` that answers no command; NAK also answers what could not be read."""


class Side(StrEnum):
    """The application that a document is of."""

    HOST = "host"
    DEVICE = "device"

    @property
    def other(self) -> "Side":
        """Who is at the other end."""
        return Side.DEVICE if self is Side.HOST else Side.HOST


@dataclass(frozen=True, slots=True)
class _Flow:
    """What one side says on one channel. `messages` are names in `components/messages`; `publication` is how."""

    name: str
    channel: str
    sender: Side
    messages: tuple[str, ...]
    publication: Publication
    summary: str
    answers: tuple[str, ...] = ()


def document(side: Side) -> Schema:
    """The whole document of one side, as plain values in the same order every time."""
    flows = list(_flows())
    return {
        "asyncapi": VERSION,
        "info": {
            "title": f"HLP/{MAJOR} over MQTT 5: a {side}",
            "version": f"{MAJOR}.{MINOR}",
            "description": _description(side),
            "license": {"name": "MIT"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": _servers(side),
        "channels": _channels(flows),
        "operations": {name: made for flow in flows for name, made in _operations(flow, side)},
        "components": {
            "messages": dict(sorted(_messages(flows))),
            "parameters": _parameters(),
            "securitySchemes": _SECURITY,
        },
    }


# --- what is said --------------------------------------------------------------------------------------------------


def _flows() -> Iterator[_Flow]:
    yield from _shown_flows()
    device, host = DeviceWire(TOPICS, "{client}"), HostWire(TOPICS, "{client}")
    yield _flow("Heartbeat", "heartbeat", Side.DEVICE, _as_sent(device, M.Heartbeat), M.Heartbeat)
    yield _flow("HostHeartbeat", "hostHeartbeat", Side.HOST, _as_sent(host, M.HostHeartbeat), M.HostHeartbeat)
    streams = _telemetry()
    sent = _as_sent(device, streams[0])._replace(topic=TOPICS.of("telemetry", _STREAM))
    yield _flow("Telemetry", "telemetry", Side.DEVICE, sent, *streams, summary="Measurements, once STREAM_SET asked.")
    reply = _as_sent(device, M.Alarm)
    told = "What answers no command: alarms, and what could not be taken."
    yield _flow("Unsolicited", "reply", Side.DEVICE, reply, *_UNSOLICITED, summary=told)
    for model in COMMANDS.values():
        yield _flow(model.__name__, f"command{model.__name__}", Side.HOST, _as_sent(host, model), model)


def _shown_flows() -> Iterator[_Flow]:
    """What anybody may watch: topics that are no message's."""
    status = f"{_first(Status)} A client that subscribes is given the last one at once."
    shown = {
        "status": ("Status", status),
        "info": ("Info", "Who the device is: what DEVICE_INFO answers."),
        "state": ("State", _first(State)),
        "alarms": ("Alarms", _first(Alarms)),
        "params": ("Params", _first(Params)),
    }
    for topic, (name, summary) in shown.items():
        publication = Publication(TOPICS.of(topic), b"", retain=True)
        yield _Flow(name, topic, Side.DEVICE, (name,), publication, summary)
    event = Publication(TOPICS.of("event"), b"")
    yield _Flow(ANY_RECORD, "event", Side.DEVICE, (ANY_RECORD,), event, "Each journal record as it is written.")


def _as_sent(wire: DeviceWire | HostWire, model: type[Message]) -> Publication:
    """How a wire publishes a message, whatever is in it: of its body nothing is told."""
    empty = model.unchecked(**{name: _zero(field.annotation) for name, field in model.model_fields.items()})
    return wire.encode(empty, 0, 0, 0, 0)


def _zero(annotation: Any) -> Any:
    kind = get_origin(annotation) or annotation
    return next(iter(kind)) if issubclass(kind, WireEnum) else kind()


def _flow(name: str, channel: str, sender: Side, sent: Publication, *models: type[Message], summary: str = "") -> _Flow:
    names = tuple(_BOTH_SAY.get(model, model.__name__) if sender is Side.HOST else model.__name__ for model in models)
    answers = () if sender is Side.DEVICE else _answers(models[0])
    return _Flow(name, channel, sender, names, sent, summary or _first(models[0]), answers)


def _answers(model: type[Message]) -> tuple[str, ...]:
    """What may answer a host's message."""
    if model is M.Hello:
        return M.Welcome.__name__, M.Nak.__name__
    if model.KIND is not Kind.COMMAND:
        return ()
    common = _COMMON_ANSWERS if model.LANE is Lane.MOTION else ()
    return tuple(one.__name__ for one in (REGISTRY[Kind.REPLY, model.ID], M.Refused, *common, M.Nak))


def _telemetry() -> list[type[Message]]:
    return [model for model in CATALOGUE if model.KIND is Kind.TELEMETRY]


def _first(model: type) -> str:
    """A docstring's first paragraph, as one line."""
    return " ".join(described(model).partition("\n\n")[0].split())


# --- parts of the document -----------------------------------------------------------------------------------------

_SCHEMAS: Final = "schemas.json#/$defs/"
"""Both documents' bodies stand once, in the file beside them."""
_BOTH_SAY: Final = {M.Bye: "HostBye", M.Nak: "HostNak"}
"""What either end says -> what it is called where a host says it, with the properties of a command."""
_SCHEMA_NAMES: Final = {"Info": payload_name(M.DeviceInfoDone)} | {
    name: model.__name__ for model, name in _BOTH_SAY.items()
}
"""Message -> its schema, where that has another name."""
_SECURITY: Final = {
    "userPassword": {"type": "userPassword", "description": "MQTT's user name and password, over TLS."},
    "certificate": {"type": "X509", "description": "A client's certificate, whose Common Name is its user name."},
}
_IDS: Final[dict[str, Schema]] = {
    "root": {"description": "What all topics begin with.", "default": DEFAULT_ROOT},
    "site": {"description": "Where the device is; one level, at most 64 bytes."},
    "device": {"description": "The device's id at its site; one level, at most 64 bytes."},
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
  {MOST_COMMAND_EXPIRY_S} s, and is never retained; else it is refused; without a Response Topic not even
  answered. `{{client}}` is the host's MQTT client identifier.
- `correlation_id` in the body, which rises, makes a repeated command act once; Correlation Data only comes back.
- Counts are read from the journal, by JournalRead. `state` and `event` are for people.
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
        protocol=f"HLP/{MAJOR}",
        minor=MINOR,
        schema_id=schema_id(MINOR),
        boot_count=1,
    )
    return {"topic": TOPICS.of("status"), "qos": 1, "message": status.to_body().decode(), "retain": True}


def _channels(flows: list[_Flow]) -> Schema:
    channels: Schema = {}
    for flow in flows:
        channel = channels.setdefault(flow.channel, {"address": flow.publication.topic, **_said_of(flow)})
        messages = channel.setdefault("messages", {})
        messages |= {name: {"$ref": f"#/components/messages/{name}"} for name in flow.messages}
    answers = {name: {"$ref": f"#/components/messages/{name}"} for flow in flows for name in flow.answers}
    channels["reply"]["messages"] |= dict(sorted(answers.items()))
    return channels


def _said_of(flow: _Flow) -> Schema:
    publication = flow.publication
    summary = "What is said to one host." if flow.channel == "reply" else flow.summary
    parts = [f"From the {flow.sender}, QoS {publication.qos}", "retained" if publication.retain else "never retained"]
    if publication.expiry_s is not None:
        parts.append(f"expires after {publication.expiry_s} s")
    named = [name for name in _parameters() if f"{{{name}}}" in publication.topic]
    parameters = {name: {"$ref": f"#/components/parameters/{name}"} for name in named}
    return {"summary": summary, "description": ", ".join(parts) + ".", "parameters": parameters}


def _parameters() -> dict[str, Schema]:
    """What stands in braces in an address."""
    streams = [topic_name(model.__name__.removeprefix("Telemetry")) for model in _telemetry()]
    return {**_IDS, "stream": {"description": "The stream, as STREAM_SET names it, in lower case.", "enum": streams}}


def _operations(flow: _Flow, side: Side) -> Iterator[tuple[str, Schema]]:
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


def _messages(flows: list[_Flow]) -> Iterator[tuple[str, Schema]]:
    """Each message once, by name."""
    schemas = definitions(_SCHEMAS)
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
            "summary": summaries[name] if model is None else _first(model),
            "contentType": CONTENT_TYPE,
            "payload": {"$ref": _SCHEMAS + schema_name},
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
