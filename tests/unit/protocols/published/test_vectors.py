"""Every golden vector through the product's own codec, and the product's messages back to the same bytes."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest

from devicectl.simulation.spec import FILES
from protocols.language.enums import Kind
from protocols.language.errors import MessageError
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY
from protocols.language.records import RECORDS, decode_record, encode_record
from protocols.language.structs import Struct
from protocols.link.port import BadFrame
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, decode_payload, encode_message
from tests import vectors
from tests.vectors import make_vectors

FRAMES = vectors.load("frames.json")
RECORD_VECTORS = vectors.load("records.json")["records"]


def named(vectors: list[dict[str, Any]], *outcomes: str) -> list[Any]:
    """The vectors with one of these outcomes (all without), as parameters of a test, each under its name."""
    return [pytest.param(v, id=v["name"]) for v in vectors if not outcomes or v["outcome"] in outcomes]


def only(found: list[Frame | BadFrame]) -> Frame:
    (frame,) = found
    assert isinstance(frame, Frame)
    return frame


def as_json(model: Struct) -> dict[str, Any]:
    """A message's fields as the vectors have them: enumerations as numbers, byte arrays as hex, a u64 as text."""
    values: dict[str, Any] = {}
    wide = {name for name, wire in layout(type(model)).fields if wire.code == "Q"}
    for name, value in model.as_dict().items():
        if name in wide:
            values[name] = str(value)
        else:
            values[name] = (
                value.hex() if isinstance(value, bytes) else list(value) if isinstance(value, tuple) else value
            )
    return values


@pytest.mark.parametrize("vectors", [FRAMES, RECORD_VECTORS], ids=["frames", "records"])
def test_no_number_is_beyond_what_a_double_holds(vectors: Any) -> None:
    """Else JavaScript, jq and others read another one, and say nothing."""

    def numbers(value: Any) -> Iterator[float]:
        if isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from numbers(one)
        elif isinstance(value, int | float):
            yield value

    assert max(abs(number) for number in numbers(vectors) if number == int(number)) <= 2**53


@pytest.mark.parametrize("vector", named(FRAMES["frames"]))
def test_outcome_is_the_same_whole_byte_by_byte_and_at_every_split(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    whole = FrameDecoder().feed(data)
    assert len(whole) == 1
    decoder = FrameDecoder()
    assert [item for at in range(len(data)) for item in decoder.feed(data[at : at + 1])] == whole
    for split in range(len(data) + 1):
        decoder = FrameDecoder()
        assert decoder.feed(data[:split]) + decoder.feed(data[split:]) == whole, f"split at {split}"


@pytest.mark.parametrize("vector", named(FRAMES["frames"], "bad frame"))
def test_bad_frame_is_a_value_with_its_reason(vector: dict[str, Any]) -> None:
    (bad,) = FrameDecoder().feed(bytes.fromhex(vector["hex"]))
    assert isinstance(bad, BadFrame)
    assert bad.reason == vector["reason"]
    assert bad.crc_expected == vector.get("crc_expected")
    assert bad.crc_received == vector.get("crc_received")
    assert bytes.fromhex(vector["hex"])[1:-1].startswith(bad.raw)


@pytest.mark.parametrize("vector", named(FRAMES["frames"], "message", "bad payload", "unknown message", "good frame"))
def test_header(vector: dict[str, Any]) -> None:
    frame = only(FrameDecoder().feed(bytes.fromhex(vector["hex"])))
    assert {name: getattr(frame.header, name) for name in vector["header"]} == vector["header"]


@pytest.mark.parametrize("vector", named(FRAMES["frames"], "message"))
def test_message(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    frame = only(FrameDecoder().feed(data))
    message = decode_message(frame)
    assert message is not None
    assert type(message).__name__ == vector["message"]
    assert as_json(message) == vector["fields"]
    header = frame.header
    again = encode_message(
        message,
        seq=header.seq,
        link_id=header.link_id,
        correlation_id=header.correlation_id,
        flags=header.flags,
    )
    assert (again == data) is vector["canonical"]


@pytest.mark.parametrize("vector", named(FRAMES["frames"], "bad payload"))
def test_bad_payload_names_message_and_field(vector: dict[str, Any]) -> None:
    frame = only(FrameDecoder().feed(bytes.fromhex(vector["hex"])))
    with pytest.raises(MessageError) as caught:
        decode_message(frame)
    assert (caught.value.message, caught.value.field) == (vector["message"], vector["field"])
    assert vectors.PHRASES[vector["reason"]] in caught.value.reason
    model = REGISTRY[frame.header.kind, frame.header.message_id]
    with pytest.raises(MessageError):
        decode_payload(model, frame.payload)


@pytest.mark.parametrize("vector", named(FRAMES["frames"], "unknown message"))
def test_unknown_message_is_none(vector: dict[str, Any]) -> None:
    frame = only(FrameDecoder().feed(bytes.fromhex(vector["hex"])))
    assert decode_message(frame) is None
    assert frame.payload.hex() == vector["payload"]


@pytest.mark.parametrize("vector", named(FRAMES["streams"]))
def test_stream(vector: dict[str, Any]) -> None:
    by_name = {frame["name"]: only(FrameDecoder().feed(bytes.fromhex(frame["hex"])))
               for frame in FRAMES["frames"] if frame["outcome"] == "message"}  # fmt: skip
    data = bytes.fromhex(vector["hex"])
    for split in range(len(data) + 1):
        decoder = FrameDecoder()
        found = decoder.feed(data[:split]) + decoder.feed(data[split:])
        assert [item.reason.value if isinstance(item, BadFrame) else item for item in found] == [
            by_name.get(outcome, outcome) for outcome in vector["outcomes"]
        ]


@pytest.mark.parametrize("vector", named(RECORD_VECTORS))
def test_record(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    if vector["outcome"] == "bad record":
        with pytest.raises(MessageError) as caught:
            decode_record(raw)
        assert caught.value.field == vector["field"]
        return
    record = decode_record(raw)
    if vector["outcome"] == "unknown kind":
        assert record is None
        return
    assert record is not None
    assert (type(record).__name__, as_json(record)) == (vector["record"], vector["fields"])
    assert (encode_record(record) == raw) is vector["canonical"]


def test_every_message_and_record_has_a_vector() -> None:
    seen = {vector["message"] for vector in FRAMES["frames"] if vector["outcome"] == "message"}
    assert seen == {model.__name__ for model in REGISTRY.values() if model.__module__.startswith("protocols.")}
    kinds = {vector["header"]["kind"] for vector in FRAMES["frames"] if "header" in vector}
    assert kinds >= {int(kind) for kind in Kind}
    assert {vector.get("record") for vector in RECORD_VECTORS} >= {model.__name__ for model in RECORDS.values()}


def test_there_are_enough_of_them() -> None:
    rejected = [vector for vector in FRAMES["frames"] if vector["outcome"] != "message"]
    assert len(FRAMES["frames"]) >= 80
    assert len(rejected) >= 30
    reasons = {vector.get("reason") for vector in rejected}
    assert reasons >= {"oversize", "cobs", "short", "crc", "length"} | vectors.PHRASES.keys()


@pytest.mark.parametrize("name", ["frames.json", "records.json"])
def test_files_are_what_the_encoder_makes(name: str) -> None:
    assert FILES[name][1]() == make_vectors.rendered()[name]


def test_encoder_shares_no_code_with_the_product() -> None:
    tree = ast.parse((make_vectors.HERE / "make_vectors.py").read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module or "")
        elif isinstance(node, ast.Name):
            assert node.id not in ("__import__", "eval", "exec"), "no way round the imports"
    assert imported == {"json", "re", "struct", "collections.abc", "pathlib", "typing"}
