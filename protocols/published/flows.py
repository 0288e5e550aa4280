"""Flows behind a broker: what each end says on which channel, how it is published, and what may answer it.

Law: pure, and it knows no topic, QoS or property of its own. Those of messages come from the wires themselves, which
are asked what they would publish; those of snapshots from the table below.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from protocols.language import messages as M
from protocols.language.enums import Kind, Lane, WireEnum
from protocols.language.message import REGISTRY, Message
from protocols.language.sides import Side
from protocols.mqtt.status import Alarms, Params, State, Status
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import COMMANDS, DeviceWire, HostWire, Publication
from protocols.published.schemas import ANY_RECORD, CATALOGUE, described

TOPICS: Final = DeviceTopics("{site}", "{device}", "{root}")
"""Topics whose ids are parameters: what makes them makes the addresses of channels."""
_STREAM: Final = "{stream}"
_COMMON_ANSWERS: Final = (M.Received, M.Progress, M.Failed, M.Aborted)
"""Messages that may come before a motion's own answer, or in its place."""
_UNSOLICITED: Final = (M.Alarm, M.Event, M.Bye, M.Nak)
"""Messages of a device on `reply/{client}` that answer no command; NAK also answers what could not be read."""
BOTH_SAY: Final = {M.Bye: "HostBye", M.Nak: "HostNak"}
"""Message that either end sends -> its name where a host says it, with the properties of a command."""


_FIRST_BEAT: Final = {
    Side.HOST: "The first one of a link follows WELCOME at once, QoS 1: a broker has to say whether it may pass.",
    Side.DEVICE: "The first one of a link answers the host's first, QoS 1: a broker has to say whether it may pass.",
}
"""A broker that keeps any other back says nothing."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Message of one side on one channel. The body in `publication` means nothing.

    `messages` and `answers` are names: those of models, but for those of `BOTH_SAY` and of snapshots.
    """

    name: str
    channel: str
    sender: Side
    messages: tuple[str, ...]
    publication: Publication
    summary: str
    answers: tuple[str, ...] = ()


def all_flows() -> Iterator[Flow]:
    """All that is said."""
    yield from _shown_flows()
    device, host = DeviceWire(TOPICS, "{client}"), HostWire(TOPICS, "{client}")
    yield from _heartbeats("heartbeat", Side.DEVICE, device, M.Heartbeat)
    yield from _heartbeats("hostHeartbeat", Side.HOST, host, M.HostHeartbeat)
    streams = telemetry()
    sent = _as_sent(device, streams[0])._replace(topic=TOPICS.of("telemetry", _STREAM))
    yield _flow("Telemetry", "telemetry", Side.DEVICE, sent, *streams, summary="Measurements, once STREAM_SET asked.")
    reply = _as_sent(device, M.Alarm)
    told = "What answers no command: alarms, and what could not be taken."
    yield _flow("Unsolicited", "reply", Side.DEVICE, reply, *_UNSOLICITED, summary=told)
    for model in COMMANDS.values():
        yield _flow(model.__name__, f"command{model.__name__}", Side.HOST, _as_sent(host, model), model)


def _shown_flows() -> Iterator[Flow]:
    """List what anybody may watch: topics that are no message's."""
    status = f"{first(Status)} A client that subscribes is given the last one at once."
    shown = {
        "status": ("Status", status),
        "info": ("Info", "Who the device is: what DEVICE_INFO answers."),
        "state": ("State", first(State)),
        "alarms": ("Alarms", first(Alarms)),
        "params": ("Params", first(Params)),
    }
    for topic, (name, summary) in shown.items():
        publication = Publication(TOPICS.of(topic), b"", retain=True)
        yield Flow(name, topic, Side.DEVICE, (name,), publication, summary)
    event = Publication(TOPICS.of("event"), b"")
    yield Flow(ANY_RECORD, "event", Side.DEVICE, (ANY_RECORD,), event, "Each journal record as it is written.")


def _heartbeats(channel: str, sender: Side, wire: DeviceWire | HostWire, model: type[Message]) -> Iterator[Flow]:
    yield _flow(model.__name__, channel, sender, _as_sent(wire, model), model)
    sent = _as_sent(wire, model, link_id=1)
    yield _flow(f"First{model.__name__}", channel, sender, sent, model, summary=_FIRST_BEAT[sender])


def _as_sent(wire: DeviceWire | HostWire, model: type[Message], link_id: int = 0) -> Publication:
    """Publish a message of zeros: topic and properties are those of any such message, the body means nothing."""
    empty = model.unchecked(**{name: _zero(field.kind) for name, field in model.FIELDS.items()})
    return wire.encode(empty, 0, link_id, 0, 0)


def _zero(kind: type) -> object:
    return next(iter(kind)) if issubclass(kind, WireEnum) else kind()


def _flow(name: str, channel: str, sender: Side, sent: Publication, *models: type[Message], summary: str = "") -> Flow:
    names = tuple(BOTH_SAY.get(model, model.__name__) if sender is Side.HOST else model.__name__ for model in models)
    answers = () if sender is Side.DEVICE else _answers(models[0])
    return Flow(name, channel, sender, names, sent, summary or first(models[0]), answers)


def _answers(model: type[Message]) -> tuple[str, ...]:
    """Return the messages that may answer a host's message."""
    if model is M.Hello:
        return M.Welcome.__name__, M.Nak.__name__
    if model.KIND is not Kind.COMMAND:
        return ()
    common = _COMMON_ANSWERS if model.LANE is Lane.MOTION else ()
    return tuple(one.__name__ for one in (REGISTRY[Kind.REPLY, model.ID], M.Refused, *common, M.Nak))


def telemetry() -> list[type[Message]]:
    """Return what is sent on `telemetry/{stream}`."""
    return [model for model in CATALOGUE if model.KIND is Kind.TELEMETRY]


def first(model: type) -> str:
    """A docstring's first paragraph, as one line."""
    return " ".join(described(model).partition("\n\n")[0].split())
