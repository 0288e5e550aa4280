"""The schema that both ends compare in HELLO: every message with its fields, at a protocol minor."""

import json
from functools import cache
from typing import TypedDict

import protocols.language.messages  # noqa: F401 - fills REGISTRY, so that the schema never depends on who imported what
from protocols.language.checksum import crc32c
from protocols.language.message import REGISTRY


class Row(TypedDict):
    """One message: the keys are in the order in which the canonical JSON has them."""

    id: int
    kind: int
    name: str
    fields: list[list[str]]


def schema(minor: int) -> list[Row]:
    """Return (id, kind, name, fields with wire types) of every message at a protocol minor, in order of (id, kind).

    What a later minor added is left out, messages and fields: so two versions find the schema that they have in common.
    """
    rows: list[Row] = []
    for (kind, message_id), model in sorted(REGISTRY.items(), key=lambda item: (item[0][1], item[0][0])):
        if minor < model.SINCE:
            continue
        fields = [[name, field.wire.name] for name, field in model.FIELDS.items() if field.since <= minor]
        rows.append({"id": message_id, "kind": kind, "name": model.__name__, "fields": fields})
    return rows


@cache
def schema_id(minor: int) -> int:
    """CRC-32C of the canonical JSON of `schema(minor)`: what both ends compare in HELLO. Never 0."""
    return crc32c(json.dumps(schema(minor), separators=(",", ":")).encode()) or 1
