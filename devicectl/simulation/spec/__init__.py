"""Files that a host or a device in another language is made from, as `devicectl spec` writes them.

Law: each text is made from the code and depends on nothing else. The vectors alone are not: an encoder of their own
made them.
"""

import json
from collections.abc import Callable
from importlib import resources
from typing import Final

from devicectl.simulation import scenario_form
from devicectl.simulation.spec import c_header, message_tables
from firmware_sim.model.parameters import parameters_table
from firmware_sim.twin import profile
from protocols.language.sides import Side
from protocols.published import asyncapi, kaitai, schemas
from protocols.published.dissector import PARTS, tables


def _as_json(document: schemas.Schema) -> str:
    """One value a line: a change shows in a diff as what it is."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _vectors(name: str) -> str:
    return resources.files("protocols").joinpath("published", "vectors", name).read_text(encoding="utf-8")


def _dissector() -> str:
    parts = resources.files("protocols").joinpath("published", "dissector")
    return tables.text() + "".join(parts.joinpath(name).read_text(encoding="utf-8") for name in PARTS)


FILES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "hlp1.h": ("the serial wire for C and C++: messages, records, numbers", c_header.text),
    "hlp1.lua": ("dissector for Wireshark and tshark", _dissector),
    "hlp1.ksy": ("the serial wire for Kaitai Struct: frames without their byte stuffing", kaitai.text),
    "messages.md": ("every message and record, field by field", message_tables.page),
    "parameters.md": ("the parameters of the simulated device, with range and reason", parameters_table),
    "frames.json": ("golden frames: bytes and what they mean", lambda: _vectors("frames.json")),
    "records.json": ("golden records of the journal", lambda: _vectors("records.json")),
    "scenario.schema.json": (
        "JSON Schema of a scenario's file, for editors and generators",
        lambda: _as_json(scenario_form.schema()),
    ),
    "twin_profile.schema.json": (
        "JSON Schema of a twin's profile, for editors and generators",
        lambda: _as_json(profile.schema()),
    ),
    "schemas.json": ("JSON Schema of every body on MQTT", lambda: _as_json(schemas.document())),
    "asyncapi-device.json": (
        "AsyncAPI of a device; beside schemas.json",
        lambda: _as_json(asyncapi.document(Side.DEVICE)),
    ),
    "asyncapi-device-bundled.json": (
        "the same with the schemas in it",
        lambda: _as_json(asyncapi.document(Side.DEVICE, bundled=True)),
    ),
    "asyncapi-host.json": ("AsyncAPI of a host; beside schemas.json", lambda: _as_json(asyncapi.document(Side.HOST))),
    "asyncapi-host-bundled.json": (
        "the same with the schemas in it",
        lambda: _as_json(asyncapi.document(Side.HOST, bundled=True)),
    ),
}
"""Name -> what it is, and what returns its text."""
