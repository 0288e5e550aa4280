import json
import re

import jsonschema
import pytest

from devicectl.station.server.control.api import Api
from devicectl.station.server.control.forms import NothingForm
from devicectl.station.server.control.openapi import document
from devicectl.station.server.control.operations import OPERATIONS, Operation

DOCUMENT = document("1.2.3")


def test_document_has_each_operation_once() -> None:
    found = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert found == {(one.method.lower(), one.path.replace(":int", "")) for one in OPERATIONS}
    names = [one.handler for one in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.handler)
def test_each_operation_is_done_by_a_method_with_its_sentence(operation: Operation) -> None:
    assert getattr(Api, operation.handler).__doc__
    assert operation.sentence.endswith(".") and operation.who


def test_each_reference_leads_to_a_schema() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert names <= set(schemas)
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert name == NothingForm.__name__ or schema.get("description"), name


def test_body_and_station_are_said_where_they_are_needed() -> None:
    for one in OPERATIONS:
        said = DOCUMENT["paths"][one.path.replace(":int", "")][one.method.lower()]
        assert ("requestBody" in said) is (one.form is not NothingForm)
        assert ("parameters" in said) is ("{station" in one.path)


def test_security_is_a_bearer_token() -> None:
    assert DOCUMENT["openapi"] == "3.1.0" and DOCUMENT["security"] == [{"token": []}]
