"""The AsyncAPI documents against AsyncAPI's own schema, and against the protocol that they describe."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from protocols.language.enums import Kind
from protocols.language.sides import Side
from protocols.mqtt.broker_url import PORTS
from protocols.mqtt.status import Status
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import COMMANDS, MAX_COMMAND_EXPIRY_S
from protocols.published import schemas
from protocols.published.asyncapi import document
from protocols.published.schemas import CATALOGUE

OFFICIAL: Final = json.loads((Path(__file__).parents[3] / "vectors" / "asyncapi" / "3.0.0.json").read_text("utf-8"))
IDS: Final = {"root": "handpiece", "site": "bench", "device": "sim-7", "client": "host-1", "stream": "state"}
DOCUMENTS: Final = {side: document(side) for side in Side}
BUNDLED: Final = {side: document(side, bundled=True) for side in Side}
FILES: Final = {"schemas.json": schemas.document()}

Change = Callable[[dict[str, Any]], Any]


def problems(of: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft7Validator(OFFICIAL).iter_errors(of)]


def resolve(reference: str, whole: dict[str, Any]) -> Any:
    file, _, pointer = reference.partition("#/")
    found: Any = FILES[file] if file else whole
    for step in pointer.split("/"):
        found = found[step]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("documents", [DOCUMENTS, BUNDLED], ids=["split", "bundled"])
@pytest.mark.parametrize("side", Side)
def test_each_document_is_lawful_asyncapi(documents: dict[Side, Any], side: Side) -> None:
    assert not problems(documents[side])


BROKEN: Final[dict[str, Change]] = {
    "no action": lambda of: of["operations"]["sendPunch"].pop("action"),
    "an action that there is not": lambda of: of["operations"]["sendPunch"].update(action="publish"),
    "QoS 3": lambda of: of["operations"]["sendPunch"]["bindings"]["mqtt"].update(qos=3),
    "a key that there is not": lambda of: of["channels"]["commandPunch"].update(topic="x"),
    "an address that is no text": lambda of: of["channels"]["commandPunch"].update(address=7),
    "no version": lambda of: of.pop("asyncapi"),
    "a server without a protocol": lambda of: of["servers"]["loopback"].pop("protocol"),
    "an expiry that is no number": lambda of: of["operations"]["sendPunch"]["bindings"]["mqtt"].update(
        messageExpiryInterval="2 s"
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_seen(name: str) -> None:
    broken = copy.deepcopy(DOCUMENTS[Side.HOST])
    BROKEN[name](broken)
    assert problems(broken)


@pytest.mark.parametrize("side", Side)
def test_every_reference_leads_somewhere(side: Side) -> None:
    found = set(references(DOCUMENTS[side]))
    for reference in found:
        assert isinstance(resolve(reference, DOCUMENTS[side]), dict), reference
    assert {reference.partition("#")[0] for reference in found} == {"", "schemas.json"}


@pytest.mark.parametrize("side", Side)
def test_the_bundled_one_says_the_same_and_needs_no_file(side: Side) -> None:
    bundled = copy.deepcopy(BUNDLED[side])
    for reference in set(references(bundled)):
        assert reference.startswith("#/") and isinstance(resolve(reference, bundled), dict), reference
    inside = bundled["components"].pop("schemas")
    split = json.dumps(DOCUMENTS[side]).replace("schemas.json#/$defs/", "#/components/schemas/")
    assert bundled == json.loads(split)
    assert inside == json.loads(json.dumps(FILES["schemas.json"]["$defs"]).replace("#/$defs/", "#/components/schemas/"))


def test_every_schema_is_called_as_it_is_named() -> None:
    """A generator that follows a reference names what it makes by the title, and else by a number."""
    assert {name: one.get("title") for name, one in FILES["schemas.json"]["$defs"].items()} == {
        name: name for name in FILES["schemas.json"]["$defs"]
    }


@pytest.mark.parametrize("place", ["#/channels/commandPunch/messages/Nobody", "schemas.json#/$defs/Nobody"])
def test_a_reference_to_nowhere_is_seen(place: str) -> None:
    with pytest.raises(KeyError):
        resolve(place, DOCUMENTS[Side.HOST])


@pytest.mark.parametrize("side", Side)
def test_messages_of_an_operation_are_of_its_channel(side: Side) -> None:
    for operation in DOCUMENTS[side]["operations"].values():
        for part in filter(None, (operation, operation.get("reply"))):
            place = part["channel"]["$ref"]
            assert part["messages"]
            for message in part["messages"]:
                assert message["$ref"].startswith(f"{place}/messages/")


def test_what_one_side_sends_the_other_receives() -> None:
    flows = {}
    for side, other in ((Side.HOST, "receive"), (Side.DEVICE, "send")):
        operations = DOCUMENTS[side]["operations"]
        flows[side] = {
            (name.removeprefix(operation["action"]), operation["action"] == other, operation["channel"]["$ref"])
            for name, operation in operations.items()
        }
        assert all(name.startswith(operation["action"]) for name, operation in operations.items())
    assert flows[Side.HOST] == flows[Side.DEVICE]
    host, device = DOCUMENTS[Side.HOST], DOCUMENTS[Side.DEVICE]
    assert host["channels"] == device["channels"] and host["components"] == device["components"]


def test_addresses_are_topics_of_a_device() -> None:
    topics = DeviceTopics(IDS["site"], IDS["device"], IDS["root"])
    addresses = {channel["address"].format(**IDS) for channel in DOCUMENTS[Side.HOST]["channels"].values()}
    assert len(addresses) == len(DOCUMENTS[Side.HOST]["channels"])
    shown = {"status", "info", "state", "alarms", "params", "event", "heartbeat", "telemetry/state"}
    commands = {f"command/{name}" for name in COMMANDS}
    assert addresses == {topics.of(name) for name in shown | commands | {"heartbeat/host-1", "reply/host-1"}}


def test_every_message_is_on_a_channel_and_said_by_somebody() -> None:
    whole = DOCUMENTS[Side.HOST]
    places = {place for operation in whole["operations"].values() for place in references(operation["messages"])}
    places |= {place for one in whole["operations"].values() for place in references(one.get("reply", {}))}
    said = [resolve(resolve(place, whole)["$ref"], whole) for place in places if "/messages/" in place]
    payloads = {message["payload"]["$ref"] for message in said}
    assert {f"schemas.json#/$defs/{model.__name__}" for model in CATALOGUE} <= payloads
    assert len(places) - 1 == sum(len(channel["messages"]) for channel in whole["channels"].values())


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_say_what_a_device_asks_of_them(name: str) -> None:
    model = COMMANDS[name]
    operation = DOCUMENTS[Side.HOST]["operations"][f"send{model.__name__}"]
    binding = operation["bindings"]["mqtt"]
    assert (binding["qos"], binding["retain"], binding["messageExpiryInterval"]) == (1, False, MAX_COMMAND_EXPIRY_S)
    (message,) = (
        resolve(resolve(one["$ref"], DOCUMENTS[Side.HOST])["$ref"], DOCUMENTS[Side.HOST])
        for one in operation["messages"]
    )
    properties = message["bindings"]["mqtt"]
    assert properties["responseTopic"].endswith("/reply/{client}") and "correlationData" in properties
    assert ("reply" in operation) == (model.KIND is Kind.COMMAND or model.__name__ == "Hello")


def test_the_will_is_a_status_that_says_lost() -> None:
    servers = DOCUMENTS[Side.DEVICE]["servers"]
    assert {server["variables"]["port"]["default"] for server in servers.values()} == {
        str(PORTS[scheme]) for scheme in ("mqtt", "mqtts")
    }
    for server in servers.values():
        will = server["bindings"]["mqtt"]["lastWill"]
        status = Status.from_body(will["message"].encode())
        assert will["retain"] and will["qos"] == 1 and not status.online and status.reason == "lost"
    assert all("lastWill" not in one["bindings"]["mqtt"] for one in DOCUMENTS[Side.HOST]["servers"].values())


@pytest.mark.parametrize("dialect", [jsonschema.Draft7Validator, jsonschema.Draft202012Validator])
def test_the_schemas_are_schemas(dialect: type[jsonschema.Draft7Validator]) -> None:
    dialect.check_schema(schemas.document())
    for reference in set(references(schemas.document())):
        assert resolve("schemas.json" + reference, {}), reference
