"""Cases of a device behind a broker: topics, bodies, and the properties of what is published."""

import json
from collections.abc import Callable
from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import QUIET_MS, as_answer, case, echoes
from devicectl.conformance.device.checks import done, equal, nak, refused, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS
from devicectl.conformance.device.probe import Heard, Steps, is_reply
from devicectl.conformance.device.wires import TopicsWire
from protocols.language import messages as M
from protocols.language.enums import Code, Role, Stream
from protocols.language.message import Message
from protocols.mqtt.wire import Publication

_STREAM: Final = M.StreamSet(stream=Stream.STATE, interval_ms=0)
Body = dict[str, object]


def _wire(ground: Ground) -> TopicsWire:
    wire = ground.probe.channels[0].wire
    assert isinstance(wire, TopicsWire), "a case that needs a broker has one"
    return wire


def _publication(ground: Ground, message: Message) -> tuple[Publication, int]:
    """Make the publication of a command, and its correlation id."""
    link = ground.link
    used = link.next_correlation()
    link.seq = link.seq + 1 & 0xFFFF
    return _wire(ground).encode(message, link.seq, link.link_id, used, 2), used


def _answer(ground: Ground, publication: Publication, used: int) -> Steps[Heard]:
    """Publish and wait for what answers."""
    yield from ground.nak_room()
    ground.probe.send(0, publication)
    return (
        yield from ground.probe.wait(
            "an answer", lambda one: is_reply(one) and one.header.correlation_id == used, ANSWER_MS
        )
    )


def _changed(publication: Publication, change: Callable[[Body], None]) -> Publication:
    """Return a publication whose body is another one."""
    body = json.loads(publication.body)
    change(body)
    return publication._replace(body=json.dumps(body).encode())


def _published(ground: Ground) -> list[Publication]:
    """Return what the device has published on the first link, as it came."""
    pieces = [sent.piece for sent in ground.probe.pieces if not sent.by_host and sent.channel == 0]
    return [piece for piece in pieces if isinstance(piece, Publication)]


def _reply_topic(ground: Ground) -> Steps[None]:
    yield from echoes(ground)
    wire = _wire(ground)
    reply = wire.topics.of("reply", wire.client)
    found = {(one.topic, one.qos, one.retain) for one in _published(ground) if "reply" in one.topic.split("/")}
    equal("topic, QoS and retain of replies", {(reply, 1, False)}, found)


def _without_number(body: Body) -> None:
    del body["seq"]


def _with_null(body: Body) -> None:
    body["seq"] = None


def _with_more(body: Body) -> None:
    payload = body["payload"]
    assert isinstance(payload, dict)
    payload["of_a_later_minor"] = [1, {"x": 2}]
    body["later"] = "y"


def _read_as_zero(ground: Ground, change: Callable[[Body], None]) -> Steps[None]:
    publication, used = _publication(ground, _STREAM)
    heard = yield from _answer(ground, _changed(publication, change), used)
    equal("the interval that was granted", 0, done(as_answer(heard), M.StreamSetDone).interval_ms)


def _wide_numbers(ground: Ground) -> Steps[None]:
    yield from ground.ask(M.DeviceInfo())
    bodies = [json.loads(one.body) for one in _published(ground) if b'"DeviceInfoDone"' in one.body]
    true("DEVICE_INFO's answers", bool(bodies), "one", bodies)
    seed = bodies[-1]["payload"]["seed"]
    true("the seed in the body", isinstance(seed, str) and seed.isdigit(), "a text of digits", seed)


def _no_message(ground: Ground, body: bytes) -> Steps[None]:
    publication, _ = _publication(ground, _STREAM)
    yield from ground.nak_room()
    ground.probe.send(0, publication._replace(body=body))
    heard = yield from ground.probe.wait(
        "NAK or REFUSED", lambda one: isinstance(one.message, M.Nak | M.Refused), ANSWER_MS
    )
    if isinstance(heard.message, M.Nak):
        nak(heard, Code.E_ARGUMENT, Code.E_LINK, Code.E_UNKNOWN_MESSAGE)
    else:
        refused(as_answer(heard), Code.E_ARGUMENT)
    yield from echoes(ground)


def _birth(ground: Ground) -> Steps[None]:
    """Come to the broker after the device: its birth is there, or no transport would open."""
    link = yield from ground.open_link(1, host_id=ground.host_id + 1, role=Role.VIEWER)
    true("the link of a host that came later", link.link_id != 0, "one", link.link_id)


def _born_again(ground: Ground) -> Steps[None]:
    """Take the power away: the device comes back with another birth."""
    before = ground.probe.channels[0].birth_no
    yield from ground.power_cycle()
    yield from ground.reach(Stage.LINKED)
    after = ground.probe.channels[0].birth_no
    true("birth_no after a loss of power", after != before, f"another one than {before}", after)


def _first_heartbeat(ground: Ground) -> Steps[None]:
    yield from ground.open_link()
    yield from echoes(ground)
    heartbeat = _wire(ground).topics.of("heartbeat")
    mine = f'"link_id":{ground.link.link_id},'.encode()
    beats = [one.qos for one in _published(ground) if one.topic == heartbeat and mine in one.body]
    true("heartbeats of the device after WELCOME", bool(beats), "at least one", beats)
    equal("QoS of the first one", 1, beats[0])


def _lacks(ground: Ground, without: Callable[[Publication], Publication]) -> Steps[None]:
    publication, used = _publication(ground, M.Echo(data=b"x"))
    heard = yield from _answer(ground, without(publication), used)
    refused(as_answer(heard), Code.E_ARGUMENT)


def _data_comes_back(ground: Ground) -> Steps[None]:
    data = b"\x00\xffany bytes"
    publication, used = _publication(ground, M.Echo(data=b"x"))
    done(as_answer((yield from _answer(ground, publication._replace(correlation_data=data), used))), M.EchoDone)
    found = [one.correlation_data for one in _published(ground) if b'"EchoDone"' in one.body]
    equal("MQTT's Correlation Data of the answer", data, found[-1] if found else None)


def _retained(ground: Ground) -> Steps[None]:
    command = M.StreamSet(stream=Stream.STATE, interval_ms=50)
    publication, used = _publication(ground, command)
    try:
        heard = yield from _answer(ground, publication._replace(retain=True), used)
        refused(as_answer(heard), Code.E_ARGUMENT)
        came = yield from ground.probe.pause(QUIET_MS)
        telemetry = [one for one in came if isinstance(one.message, M.TelemetryState)]
        equal("telemetry that was asked for by a retained command", 0, len(telemetry))
    finally:
        ground.probe.send(0, Publication(publication.topic, b"", retain=True))
    yield from ground.probe.pause(QUIET_MS)


def _cases() -> list[Case]:
    broker, linked = Need.BROKER, Stage.LINKED
    bodies = {"text": b"no JSON at all", "list": b"[1, 2]", "other": b'{"message": "NoSuchMessage"}'}
    lacking: dict[str, tuple[str, Callable[[Publication], Publication]]] = {
        "data": ("MQT-11", lambda one: one._replace(correlation_data=None)),
        "expiry": ("MQT-12", lambda one: one._replace(expiry_s=None)),
        "short-expiry": ("MQT-12", lambda one: one._replace(expiry_s=3)),
    }
    made = [
        case("mqt.reply", "replies go to the host's own topic", "MQT-1", _reply_topic, broker, stage=linked),
        case(
            "mqt.missing", "a number that is missing", "MQT-2", partial(_read_as_zero, change=_without_number), broker
        ),
        case("mqt.null", "a number that is null", "MQT-2", partial(_read_as_zero, change=_with_null), broker),
        case("mqt.more", "keys that nobody knows", "MQT-3", partial(_read_as_zero, change=_with_more), broker),
        case("mqt.wide", "a u64 is a text", "MQT-4", _wide_numbers, broker),
        case("mqt.birth", "the birth is retained", "MQT-7", _birth, broker, Need.SECOND),
        case(
            "mqt.born-again",
            "each birth has another number",
            "MQT-7",
            _born_again,
            broker,
            Need.HOOK,
            stage=Stage.IDLE,
        ),
        case("mqt.first-heartbeat", "the device's first heartbeat", "MQT-9", _first_heartbeat, broker),
        case("mqt.data-back", "Correlation Data comes back", "MQT-13", _data_comes_back, broker),
        case("mqt.retained", "a retained command", "MQT-14", _retained, broker),
    ]
    for name, body in bodies.items():
        made.append(
            case(f"mqt.body-{name}", "a body that is no message", "MQT-5", partial(_no_message, body=body), broker)
        )
    for name, (rule, without) in lacking.items():
        made.append(
            case(
                f"mqt.lacks-{name}",
                f"a command without right {name}",
                rule,
                partial(_lacks, without=without),
                broker,
            )
        )
    return made


CASES: Final = tuple(_cases())
