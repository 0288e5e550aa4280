"""Profiles: errors with their place and the nearest name, one laid over another, and the schema of the file."""

from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from firmware_sim.twin.profile import COMMANDS, FIELDS, FORM, Profile, make_profile, schema
from firmware_sim.twin.reactions import Limit
from protocols.text.values import ValuesError, decode_values

DEFAULT = files("firmware_sim.twin") / "default.yaml"


def read(text: str) -> Profile:
    return make_profile(decode_values(text.encode(), "p.yaml", FORM, is_json=False), "p.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("feilds: {}", "line 1, column 1: feilds = {}: is no key of a profile of a twin here: those are name, device"),
        ("fields:\n  PunchDone.depth: 7", "line 2, column 3: fields.PunchDone.depth: is no field of a message or rec"),
        ("fields:\n  PunchDone.depth: 7", "did you mean PunchDone.depth_um?"),
        ("fields:\n  '*.uptime_ms': -7", "line 2, column 18: fields.*.uptime_ms = -7: must be a rule for each field"),
        ("fields: {Event.record: inf}", "fields.Event.record = 'inf': must be"),
        ("fields: {Event.record: true}", "fields.Event.record = True: must be"),
        ("times: {comands: {}}", "did you mean commands?"),
        ("times: {commands: {Arn: {}}}", "line 1, column 20: times.commands.Arn: is no command; did you mean Arm?"),
        ("times: {commands: {Arm: 3}}", "times.commands.Arm = 3: must be a mapping with the keys within_ms"),
        ("times: {commands: {Arm: {within_ms: -1}}}", "times.commands.Arm.within_ms = -1: must be a number from 0"),
        ("times: {not_judged: [Arm, Punhc]}", "line 1, column 27: times.not_judged[1] = 'Punhc': is no command; did"),
        ("device: {seed: -1}", "line 1, column 16: device.seed = -1: must be a whole number from 0"),
        ("device: {parameters: {needels: 2}}", "device.parameters.needels: no such parameter; did you mean needles?"),
        ("device: {parameters: {needles: 99}}", "line 1, column 32: device.parameters.needles: 99 is not in 1 to 8"),
        ("device: {parameters: {needles: x}}", "device.parameters.needles = 'x': must be a number for each parameter"),
        ("name: ''", "name = '': must be a text of 1 to 100 characters"),
        ("[]", "must be a mapping"),
    ],
)
def test_an_error_is_one_line_with_file_place_key_and_what_is_right(text: str, says: str) -> None:
    with pytest.raises(ValuesError) as caught:
        read(text)
    assert str(caught.value).startswith("p.yaml") and says in str(caught.value) and "\n" not in str(caught.value)


def test_a_profile_is_laid_over_another_key_by_key() -> None:
    below = read("name: below\nfields: {Event.record: 1, Alarm.code: 2}\ntimes: {within_ms: 5, commands: {Arm: {}}}")
    above = read("fields: {Alarm.code: exact}\ntimes: {within_percent: 7, not_judged: [Stop]}\ndevice: {seed: 4}")
    found = above.over(below)
    assert found.name == "below" and found.device.seed == 4
    assert found.masks().rules == {"Event.record": 1, "Alarm.code": "exact"}
    assert found.times.limit() == Limit(5, 7)
    assert found.times.limits() == {"Arm": Limit(0, 0), "Stop": None}
    assert read("name: own").over(below).name == "own"


def test_the_default_profile_is_one_and_each_of_its_rules_is_named_once() -> None:
    default = read(DEFAULT.read_text(encoding="utf-8"))
    assert default.name == "default" and len(default.fields) > 10
    assert set(default.fields) <= set(FIELDS)


@pytest.mark.parametrize(
    ("document", "right"),
    [
        ({}, True),
        ({"fields": {"PunchDone.depth_um": 3}}, True),
        ({"fields": {"*.sentence": "ignore"}}, True),
        ({"fields": {"PunchDone.depth": 3}}, False),
        ({"fields": {"PunchDone.depth_um": "ignor"}}, False),
        ({"times": {"commands": {"Arm": {"within_ms": 1}}}}, True),
        ({"times": {"commands": {"Arn": {"within_ms": 1}}}}, False),
        ({"times": {"not_judged": ["Arm"]}}, True),
        ({"times": {"not_judged": ["Arn"]}}, False),
        ({"device": {"parameters": {"needles": 2}}}, True),
        ({"device": {"needles": 2}}, False),
    ],
)
def test_the_schema_and_the_reader_agree(document: dict[str, Any], right: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert jsonschema.Draft202012Validator(schema()).is_valid(document) is right
    try:
        read(yaml.safe_dump(document) if document else "{}")
    except ValuesError:
        assert not right
    else:
        assert right


def test_a_command_is_what_a_host_says() -> None:
    assert {"Punch", "Hello", "Stop", "ParamSet"} <= set(COMMANDS) and "PunchDone" not in COMMANDS
