"""What the wire writes fits its schema, and what the wire would not write does not."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from referencing import Registry, Resource

from protocols.language.enums import Kind, RecordKind, WireEnum
from protocols.language.message import Message
from protocols.language.messages import Event, Hello, JournalPage, Nak, Refused
from protocols.language.records import RECORD_SIZE, RECORDS, encode_record
from protocols.language.structs import Struct
from protocols.link.header import RETRANSMIT
from protocols.mqtt.bodies import RECORD_FIELDS, encode_body, record_of
from protocols.published import schemas
from protocols.published.schemas import CATALOGUE, SNAPSHOTS
from tests.property.strategies import instances
from tests.unit.protocols.language.altered import altered

DOCUMENT: Final = schemas.document()
REGISTRY: Final[Registry[Any]] = Registry().with_resource("schemas.json", Resource.from_contents(DOCUMENT))
ANY: Final = jsonschema.Draft202012Validator(DOCUMENT)
"""Takes what fits the schema of one body, and of no other."""
NUMBERS: Final = st.integers(1, 0xFFFF)
FEW: Final = 10
"""Examples of each message: the models differ more than their values do, and the validator is slow."""
PLAIN: Final[dict[Any, st.SearchStrategy[Any]]] = {
    bool: st.booleans(),
    int: st.integers(0, 2**63),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(st.characters(exclude_categories=["Cs"])),
}
OTHER: Final[dict[Any, tuple[Any, ...]]] = {bool: (0, "true"), int: (-1, 0.5, "1"), float: ("1", True), str: (1, True)}
"""What JSON could have in place of a value, and a schema does not take."""
WITH_RECORDS: Final = (Event, JournalPage)


@cache
def judge(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": f"schemas.json#/$defs/{name}"}, registry=REGISTRY)


def fits(name: str, body: Any) -> bool:
    return judge(name).is_valid(body)


def body_of(message: Message, number: int, flags: int = 0) -> dict[str, Any]:
    linked = 0 if isinstance(message, Hello) else number
    asked = message.KIND in (Kind.COMMAND, Kind.REPLY, Kind.PROGRESS) or message.__class__.__name__ in (
        "Hello",
        "Welcome",
        "Nak",
    )
    body: dict[str, Any] = json.loads(encode_body(message, number, linked, number if asked else 0, flags))
    return body


records = st.sampled_from(list(RECORDS.values())).flatmap(instances).map(lambda record: encode_record(record))  # type: ignore[arg-type]


def messages(model: type[Message]) -> st.SearchStrategy[Any]:
    """Lawful messages; those that carry records carry real ones, or what no version knows."""
    if model not in WITH_RECORDS:
        return instances(model)
    name = "record" if model is Event else "records"
    raw = st.one_of(records, st.binary(min_size=RECORD_SIZE, max_size=RECORD_SIZE))
    several = raw if model is Event else st.lists(raw, max_size=6).map(b"".join)
    return st.builds(lambda message, value: altered(message, **{name: value}), instances(model), several)


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.__name__)
@settings(max_examples=FEW)
@given(data=st.data())
def test_what_is_written_fits(model: type[Message], data: st.DataObject) -> None:
    judge(model.__name__).validate(body_of(data.draw(messages(model)), data.draw(NUMBERS)))


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.__name__)
@settings(max_examples=2)
@given(data=st.data())
def test_what_is_not_written_does_not_fit(model: type[Message], data: st.DataObject) -> None:
    body = body_of(data.draw(messages(model)), data.draw(NUMBERS))
    ANY.validate(body)
    payload = body["payload"]
    wrong = [
        {**body, "more": 1},
        {**body, "message": "Nobody"},
        {**body, "seq": 0x10000},
        {**body, "flags": ["SIGNED"]},
        {**body, "payload": {**payload, "more": 1}},
        {**body, "payload": [payload]},
        {key: value for key, value in body.items() if key != "seq"},
        {key: value for key, value in body.items() if key != "payload"},
    ]
    wrong += [{**body, "payload": {key: payload[key] for key in payload if key != name}} for name in payload]
    wrong += [{**body, "payload": {**payload, name: None}} for name in payload]
    wrong += [{**body, "payload": {**payload, name: {}}} for name in payload]
    wrong += [{**body, "payload": {**payload, name: bad}} for name, bad in beyond(model)]
    wrong += [body_of(other.unchecked(), 1) for other in CATALOGUE if other is not model and not other.FIELDS]
    for one in wrong:
        assert not fits(model.__name__, one), one


def beyond(model: type[Struct]) -> list[tuple[str, Any]]:
    """For each field of a message what is just beyond its range."""
    found: list[tuple[str, Any]] = []
    for name, field in model.FIELDS.items():
        if issubclass(field.kind, WireEnum):
            found += [(name, "NO_SUCH"), (name, 1)]
        elif field.wire.code == "Q":
            found += [(name, bad) for bad in (1, "", "-1", "0x1", "1.0", "1" * 21)]
        elif field.kind is int:
            found += [(name, field.range.low - 1), (name, field.range.high + 1), (name, 0.5), (name, "1")]
        elif field.kind is bool:
            found += [(name, 0), (name, "true")]
        elif field.kind is str:
            found += [(name, "\0"), (name, "x" * 300), (name, 1)]
        elif field.kind is float:
            found += [(name, "1"), (name, True)]
        elif (model, name) in RECORD_FIELDS:
            found += [(name, "00"), (name, [{}]), (name, [{"raw": "00"}]), (name, [{"raw": "00" * RECORD_SIZE}] * 8)]
        elif field.kind is bytes:
            found += [(name, "0"), (name, "0g"), (name, "AB"), (name, "00" * 300), (name, [0])]
        else:
            assert field.kind is tuple, f"{model.__name__}.{name} is not judged"
            found += [(name, [-1]), (name, [0x10000]), (name, [0] * 300), (name, ["1"]), (name, 1)]
    return found


@pytest.mark.parametrize("model", RECORDS.values(), ids=lambda model: model.__name__)
@settings(max_examples=FEW)
@given(data=st.data())
def test_records(model: type[Struct], data: st.DataObject) -> None:
    body = json.loads(json.dumps(record_of(encode_record(data.draw(instances(model))))))  # type: ignore[arg-type]
    judge(schemas.ANY_RECORD).validate(body)
    wrong = [{**body, "more": 1}, {**body, "record": "Nothing"}, {**body, "raw": "00" * RECORD_SIZE}]
    wrong += [{key: value for key, value in body.items() if key != name} for name in body]
    wrong += [{**body, name: bad} for name, bad in beyond(model)]
    for one in wrong:
        assert not fits(schemas.ANY_RECORD, one), one


@given(st.binary(min_size=RECORD_SIZE, max_size=RECORD_SIZE))
def test_whatever_stands_in_a_journal(raw: bytes) -> None:
    judge(schemas.ANY_RECORD).validate(json.loads(json.dumps(record_of(raw))))


def shown(annotation: Any) -> st.SearchStrategy[Any]:
    """What a device may show where an annotation stands: no number of its is negative."""
    if items := get_args(annotation):
        return st.lists(shown(items[0]), max_size=4).map(tuple)
    if issubclass(annotation, WireEnum):
        return st.sampled_from(annotation)
    if issubclass(annotation, BaseModel):
        fields = {name: shown(field.annotation) for name, field in annotation.model_fields.items()}
        return st.builds(annotation, **fields)
    return PLAIN[annotation]


@pytest.mark.parametrize("model", SNAPSHOTS, ids=lambda model: model.__name__)
@settings(max_examples=FEW)
@given(data=st.data())
def test_snapshots(model: type[Any], data: st.DataObject) -> None:
    body = json.loads(data.draw(shown(model)).to_body())
    judge(model.__name__).validate(body)
    ANY.validate(body)
    for wrong in spoiled(model, body):
        assert not fits(model.__name__, wrong), wrong


def spoiled(model: type[BaseModel], body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A snapshot with a key more, one less, or a value that cannot stand there; so too what a list in it has first."""
    yield {**body, "more": 1}
    for name, field in model.model_fields.items():
        kind, items = field.annotation, get_args(field.annotation)
        yield {key: value for key, value in body.items() if key != name}
        yield from ({**body, name: bad} for bad in (None, {}, *OTHER.get(kind, ("NO_SUCH", 1))))
        if items and body[name]:
            yield from ({**body, name: [one, *body[name][1:]]} for one in spoiled(items[0], body[name][0]))


@pytest.mark.parametrize("model", [model for model in CATALOGUE if model.KIND is Kind.COMMAND])
@settings(max_examples=5)
@given(data=st.data())
def test_a_command_may_say_that_it_was_sent_before(model: type[Message], data: st.DataObject) -> None:
    body = body_of(data.draw(messages(model)), 7, RETRANSMIT)
    assert body["flags"] == ["RETRANSMIT"]
    judge(model.__name__).validate(body)
    assert not fits(model.__name__, {**body, "flags": ["REPLAYED"]})


@pytest.mark.parametrize("model", [Nak, Refused])
@settings(max_examples=5)
@given(data=st.data())
def test_what_answers_a_command_without_a_number_has_none(model: type[Message], data: st.DataObject) -> None:
    body = json.loads(encode_body(data.draw(messages(model)), 1, 1, 0))
    assert "correlation_id" not in body
    judge(model.__name__).validate(body)


def test_every_enumerator_is_listed() -> None:
    kinds = set(WireEnum.__subclasses__()) - {RecordKind}  # in a body a record is told by its name
    assert len(kinds) > 10
    for kind in kinds:
        assert DOCUMENT["$defs"][kind.__name__]["enum"] == [one.name for one in kind]
