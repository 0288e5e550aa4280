"""JSON Schemas of the bodies: each value's range by the tables of docs/protocol.md, and names that are there once."""

import json
from typing import Annotated, Any, Final

import jsonschema
import pytest

from protocols.language import messages as M
from protocols.language.fields import F64, Range, read_field
from protocols.mqtt.status import Snapshot
from protocols.published import schemas
from protocols.published.schemas import CATALOGUE, described, document, payload_name

DOCUMENT: Final = document()
DEFS: Final[dict[str, Any]] = DOCUMENT["$defs"]


def payload(model: type[Any]) -> dict[str, Any]:
    properties: dict[str, Any] = DEFS[f"{model.__name__}Payload"]["properties"]
    return properties


def valid(name: str, value: object) -> bool:
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": DEFS}).is_valid(value)


def test_the_catalogue_is_every_message_by_id_and_kind() -> None:
    assert {model.__name__ for model in CATALOGUE} == set(M.__all__)
    assert [(model.ID, model.KIND) for model in CATALOGUE] == sorted((model.ID, model.KIND) for model in CATALOGUE)


def test_the_document_is_one_of_all_bodies_and_made_alike_each_time() -> None:
    names = [reference["$ref"].removeprefix("#/$defs/") for reference in DOCUMENT["oneOf"]]
    assert set(names) >= set(M.__all__) | {"Status", "State", "Alarms", "Params", "JournalRecord"}
    assert json.dumps(document()) == json.dumps(DOCUMENT)
    assert document() is not DOCUMENT and list(DEFS) == sorted(DEFS)


RANGES: Final[dict[str, tuple[type[Any], str, dict[str, Any]]]] = {
    "u8": (M.JournalRead, "max_records", {"minimum": 1, "maximum": 255}),
    "u16": (M.Punch, "depth_um", {"minimum": 0, "maximum": 65_535}),
    "u32": (M.Punch, "cycle_no", {"minimum": 0, "maximum": 4_294_967_295}),
    "i32": (M.PunchDone, "vacuum_pa", {"minimum": -2_147_483_648, "maximum": 2_147_483_647}),
    "a narrower range": (M.SessionOpen, "coverage_bp", {"minimum": 400, "maximum": 800}),
    "only below": (M.AnesthesiaStart, "age_s", {"minimum": 0, "maximum": 86_400}),
    "s16": (M.ParamListDone, "unit", {"type": "string", "maxLength": 16}),
    "s32": (M.ParamGet, "name", {"type": "string", "maxLength": 32}),
    "s120": (M.Nak, "sentence", {"type": "string", "maxLength": 120}),
    "bool": (M.Welcome, "simulated", {"type": "boolean"}),
    "f64": (M.ParamSet, "value", {"type": "number"}),
    "u64": (M.Hello, "features", {"type": "string", "pattern": "^[0-9]{1,20}$"}),
    "u8[]": (M.Echo, "data", {"type": "string", "maxLength": 448, "pattern": "^([0-9a-f]{2})*$"}),
    "u16[]": (M.SessionOpen, "zones_cm2", {"type": "array", "maxItems": 108}),
}


@pytest.mark.parametrize(("model", "name", "expected"), RANGES.values(), ids=RANGES)
def test_each_wire_type_has_its_schema(model: type[Any], name: str, expected: dict[str, Any]) -> None:
    schema = payload(model)[name]
    assert {key: schema.get(key) for key in expected} == expected


def test_a_number_with_a_fraction_has_its_range_too() -> None:
    narrow = schemas._fixed(read_field(Annotated[F64, Range(0.5, 1.0)]))
    assert narrow == {"type": "number", "minimum": 0.5, "maximum": 1.0}


def test_an_integer_is_no_number_with_a_fraction() -> None:
    for name in ("cycle_no", "depth_um"):
        assert payload(M.Punch)[name]["type"] == "integer"


def test_a_unit_is_told_with_the_field() -> None:
    assert payload(M.Punch)["depth_um"]["description"] == "Unit: um."
    assert "description" not in payload(M.Punch)["cycle_no"]


def test_an_enumeration_is_a_schema_by_itself_with_its_names() -> None:
    assert payload(M.Bye)["reason"] == {"$ref": "#/$defs/ByeReason"}
    assert DEFS["ByeReason"]["enum"] == ["CLOSING", "REPLACED", "LEASE_EXPIRED", "REBOOT", "UNKNOWN"]


def test_records_are_objects_and_a_page_holds_as_many_as_fit_a_frame() -> None:
    assert payload(M.JournalPage)["records"]["maxItems"] == 6
    event = payload(M.Event)["record"]
    assert (event["minItems"], event["maxItems"], event["items"]) == (1, 1, {"$ref": "#/$defs/JournalRecord"})
    assert valid("JournalRecord", {"raw": "00" * 32}) and not valid("JournalRecord", {"raw": "00" * 31})


# --- envelopes


def body(name: str, **changes: object) -> dict[str, object]:
    return {"message": name, "seq": 1, "link_id": 7, "correlation_id": 3, "payload": {}} | changes


def without(name: str, key: str) -> dict[str, object]:
    return {one: value for one, value in body(name).items() if one != key}


def test_a_command_has_all_numbers_of_its_header() -> None:
    assert valid("Arm", body("Arm"))
    for key in ("message", "seq", "link_id", "correlation_id", "payload"):
        assert not valid("Arm", without("Arm", key)), key
    for key, value in (("link_id", 0), ("correlation_id", 0), ("seq", 65_536), ("message", "Stop"), ("more", 1)):
        assert not valid("Arm", body("Arm", **{key: value})), key


def test_a_hello_has_no_link_and_a_heartbeat_asks_nothing() -> None:
    assert "link_id" not in DEFS["Hello"]["properties"]
    assert "correlation_id" not in DEFS["HostHeartbeat"]["properties"]
    assert valid("HostHeartbeat", without("HostHeartbeat", "correlation_id"))


@pytest.mark.parametrize(
    ("name", "flag"), [("Arm", "RETRANSMIT"), ("Hello", "RETRANSMIT"), ("ArmDone", "REPLAYED"), ("Welcome", "REPLAYED")]
)
def test_a_repetition_says_so_and_nothing_else_has_flags(name: str, flag: str) -> None:
    flags = DEFS[name]["properties"]["flags"]
    assert flags["items"]["const"] == flag and "flags" not in DEFS[name]["required"]
    assert "flags" not in DEFS["Alarm"]["properties"]


def test_the_answer_to_what_could_not_be_read_may_lack_its_numbers() -> None:
    assert set(DEFS["Nak"]["required"]) == {"message", "seq", "payload"}
    assert "correlation_id" not in DEFS["Refused"]["required"] and "link_id" in DEFS["Refused"]["required"]


# --- names and texts


def test_a_layout_in_bytes_is_no_part_of_a_description() -> None:
    assert described(M.Punch).startswith("Begin cycle `cycle_no`") and "u32" not in described(M.Punch)
    assert described(M.Arm) == "Start the pump. DONE when the vacuum stands below the limit for a new cycle."
    assert "No payload" not in DEFS["ArmPayload"]["description"]


def test_each_schema_has_its_name_as_its_title() -> None:
    assert all(schema["title"] == name for name, schema in DEFS.items())
    assert payload_name(M.Arm) == "ArmPayload"


def test_two_schemas_of_one_name_are_refused() -> None:
    class Twice(Snapshot):
        a: int

    maker = schemas._Maker("#/$defs/")
    maker.add_snapshot(Twice)
    maker.add_snapshot(Twice)
    with pytest.raises(TypeError, match="two schemas are called Twice"):
        maker.add_snapshot(type("Twice", (Snapshot,), {"__annotations__": {"b": str}}))


def test_a_type_that_has_no_schema_is_refused() -> None:
    class Odd(Snapshot):
        a: bytes

    with pytest.raises(TypeError, match="has no schema"):
        schemas._Maker("#/$defs/").add_snapshot(Odd)
