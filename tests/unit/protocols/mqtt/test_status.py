"""Bodies of the retained topics, which anybody at the broker can read."""

import json
from typing import Any

import pytest

from protocols.language.enums import AlarmPriority, AlarmState, DeviceState, ParamScope
from protocols.language.errors import MessageError
from protocols.mqtt.bodies import MAX_BODY_BYTES
from protocols.mqtt.status import Alarms, AlarmShown, ParameterShown, Params, State, Status

BIRTH: dict[str, Any] = {
    "notice": "TRAINING SIMULATOR", "simulated": True, "online": True, "birth_no": 3, "reason": "",
    "protocol": "HLP/1.0", "minor": 0, "schema_id": 99, "boot_count": 2,
}  # fmt: skip


def test_a_status_is_one_object_with_its_fields_in_their_order() -> None:
    body = Status(**BIRTH).to_body()
    assert json.loads(body) == BIRTH and list(json.loads(body)) == list(BIRTH)
    assert Status.from_body(body) == Status(**BIRTH)


def test_what_a_newer_device_says_beside_is_passed_over() -> None:
    body = json.dumps(BIRTH | {"mood": "fine"}).encode()
    assert Status.from_body(body) == Status(**BIRTH)


BAD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"online",
    "a list": b"[]",
    "a field that is missing": json.dumps({name: BIRTH[name] for name in BIRTH if name != "online"}).encode(),
    "a text for a truth": json.dumps(BIRTH | {"online": "yes"}).encode(),
    "no UTF-8": b"\xff\xfe",
    "too long": json.dumps(BIRTH | {"notice": "x" * MAX_BODY_BYTES}).encode(),
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_is_no_status_is_an_error_of_one_line(body: bytes) -> None:
    with pytest.raises(MessageError) as caught:
        Status.from_body(body)
    assert str(caught.value).startswith("Status") and "\n" not in str(caught.value)


def test_an_error_names_the_field() -> None:
    with pytest.raises(MessageError, match="online"):
        Status.from_body(BAD["a text for a truth"])


def test_enumerations_are_shown_by_name() -> None:
    state = State(
        version=4, state=DeviceState.ARMED, highest_alarm=AlarmPriority.LOW, session_no=1, cycle_no=2, cycles=2,
        punctures=6, cores_counted=5, journal_head=9, controller_host_id=7,
    )  # fmt: skip
    shown = json.loads(state.to_body())
    assert (shown["state"], shown["highest_alarm"], shown["cores_counted"]) == ("ARMED", "LOW", 5)


def test_lists_are_lists_of_objects() -> None:
    alarm = AlarmShown(
        code=1203, interlock=12, priority=AlarmPriority.HIGH, state=AlarmState.LATCHED, uptime_ms=5, sentence="a needle"
    )
    shown = json.loads(Alarms(version=1, alarms=(alarm,)).to_body())
    assert shown["alarms"][0]["state"] == "LATCHED" and shown["alarms"][0]["code"] == 1203
    assert json.loads(Alarms(version=2, alarms=()).to_body()) == {"version": 2, "alarms": []}
    scope = next(iter(ParamScope))
    parameter = ParameterShown(name="punch_ms", unit="ms", scope=scope, value=40.0, minimum=1.0, maximum=99.0)
    [listed] = json.loads(Params(version=1, params=(parameter,)).to_body())["params"]
    assert (listed["name"], listed["scope"], listed["value"]) == ("punch_ms", scope.name, 40.0)
