"""Cases of what a broker adds: births, properties of MQTT 5, and bodies of a later device or another language."""

import json
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.controller import broker_checks, reactions
from devicectl.conformance.controller.cases.declare import case
from devicectl.conformance.controller.cases.plain import PLAIN
from devicectl.conformance.controller.checks import Judge
from devicectl.conformance.controller.publications import edited
from devicectl.conformance.controller.scene import Scene
from protocols.mqtt.status import LOST
from protocols.mqtt.wire import Publication

MAX_EXACT: Final = 2**53
"""Numbers up to here are the same in every reader of JSON."""
_LATER: Final = {"level": 3, "names": ["a", None], "of": {"payload": 1}}
_TO_HOSTS: Final = ("reply", "heartbeat", "telemetry")


def _without_birth(topic: str, publication: Publication) -> Publication | None:
    return None if topic == "status" else publication


def _offline(topic: str, publication: Publication) -> Publication | None:
    if topic != "status" or not publication.body:
        return publication
    return edited(publication, online=False, reason=LOST)


def _further_keys(topic: str, publication: Publication) -> Publication | None:
    """Put a key that nobody knows into each body, and into its payload."""
    if topic not in _TO_HOSTS:
        return publication
    payload = json.loads(publication.body).get("payload", {})
    return edited(publication, later=_LATER, payload={**payload, "later": _LATER})


def _missing_numbers(topic: str, publication: Publication) -> Publication | None:
    """Leave `seq` out, and write null for every number of the header that is 0, as generated code does."""
    if topic not in _TO_HOSTS:
        return publication
    body = json.loads(publication.body)
    body.pop("seq", None)
    body = {"link_id": None, "correlation_id": None, "flags": None, **body}
    return publication._replace(body=json.dumps(body).encode())


def _whole_numbers(topic: str, publication: Publication) -> Publication | None:
    """Write the u64 of WELCOME as a number."""
    body = json.loads(publication.body) if topic == "reply" else {}
    if body.get("message") != "Welcome":
        return publication
    features = int(body["payload"]["features"])
    assert features < MAX_EXACT, "a larger one would not be the same everywhere"
    return edited(publication, payload={**body["payload"], "features": features})


NO_BIRTH: Final = Scene("no-birth", edit=_without_birth, greets=False)
OFFLINE: Final = Scene("offline", edit=_offline, greets=False)
FURTHER: Final = Scene("further-keys", edit=_further_keys)
MISSING: Final = Scene("missing-numbers", edit=_missing_numbers)
WHOLE: Final = Scene("whole-numbers", edit=_whole_numbers)


def _case(name: str, title: str, rule: str, scene: Scene, judge: Judge) -> Case:
    return case(f"mqtt.{name}", title, rule, scene, judge, Need.BROKER)


CASES: Final[tuple[Case, ...]] = (
    _case(
        "properties",
        "a command has Response Topic, Correlation Data and an expiry",
        "MQT-10",
        PLAIN,
        broker_checks.commands_have_properties,
    ),
    _case("first-heartbeat", "a link begins with a heartbeat at QoS 1", "MQT-8", PLAIN, broker_checks.beats_at_once),
    _case("wide-numbers", "a u64 is sent as a text", "MQT-4", PLAIN, broker_checks.wide_numbers_are_texts),
    _case("whole-numbers", "a u64 that is a number is read", "MQT-4", WHOLE, reactions.closed_well),
    _case("no-birth", "without a birth nobody is greeted", "MQT-6", NO_BIRTH, broker_checks.greets_nobody),
    _case("offline", "a device that is offline is not greeted", "MQT-6", OFFLINE, broker_checks.greets_nobody),
    _case("further-keys", "keys that nobody knows are passed over", "MQT-3", FURTHER, broker_checks.taken_as_usual),
    _case(
        "missing-numbers",
        "a number of the header that is missing or null is 0",
        "MQT-2",
        MISSING,
        broker_checks.taken_as_usual,
    ),
)
