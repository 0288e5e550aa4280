"""The schema and its id, computed once more from the published description of the messages."""

import json
import zlib

import google_crc32c

from protocols.language import messages as M
from protocols.language.message import REGISTRY
from protocols.language.schema import schema, schema_id
from protocols.language.version import MINOR


def test_every_message_is_there_once_sorted_by_id_and_kind() -> None:
    rows = schema(MINOR)
    keys = [(row["id"], row["kind"]) for row in rows]
    assert keys == sorted(set(keys)) and len(keys) == len(REGISTRY)
    assert {row["name"] for row in rows} == set(M.__all__)


def test_a_row_has_the_fields_with_their_wire_types_in_the_order_of_the_payload() -> None:
    [punch] = [row for row in schema(0) if row["name"] == "Punch"]
    assert list(punch) == ["id", "kind", "name", "fields"]
    assert punch == {
        "id": 0x0307,
        "kind": 0,
        "name": "Punch",
        "fields": [["cycle_no", "u32"], ["depth_um", "u16"], ["deadline_ms", "u32"]],
    }


def test_the_id_is_the_checksum_of_the_json_without_spaces() -> None:
    """docs/protocol.md, section 2: id, kind, name, fields with types, in that order."""
    text = json.dumps(schema(MINOR), separators=(",", ":")).encode()
    assert schema_id(MINOR) == google_crc32c.value(text) != zlib.crc32(text)


def test_the_id_of_minor_0_never_changes() -> None:
    """Every device of version 1.0 in the world has it."""
    assert schema_id(0) == 634_348_290


def test_a_minor_that_nobody_has_yet_is_the_newest_one_here() -> None:
    assert schema(255) == schema(MINOR)
