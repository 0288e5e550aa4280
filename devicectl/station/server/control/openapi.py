"""The OpenAPI document of the control API, made of its table.

Law: pure.
"""

from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from devicectl.station.server.control.forms import NothingForm, Trouble
from devicectl.station.server.control.operations import JSON, OPERATIONS, Operation
from protocols.capture.packet import JsonObject

REFERENCES: Final = "#/components/schemas/{model}"
INTRODUCTION: Final = (
    "Drives lessons on simulated handpieces. TRAINING SIMULATOR - NOT A MEDICAL DEVICE. The token of a link, "
    "/enter/TOKEN, is the bearer token of its view. Views come over the WebSocket /ws/{view}/{station}: see "
    "docs/station.md."
)


def document(version: str) -> JsonObject:
    """Return the document."""
    models: set[type[BaseModel]] = {Trouble}
    models |= {one.form for one in OPERATIONS if one.form is not NothingForm}
    models |= {answer for one in OPERATIONS for answer in one.answers}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=REFERENCES)
    return {
        "openapi": "3.1.0",
        "info": {"title": "devicectl station", "version": version, "description": INTRODUCTION},
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }


def _paths() -> JsonObject:
    paths: dict[str, JsonObject] = {}
    for operation in OPERATIONS:
        path = operation.path.replace(":int", "")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return dict(paths)


def _operation(operation: Operation) -> JsonObject:
    return {
        "operationId": operation.handler,
        "summary": operation.sentence,
        "description": f"For: {', '.join(sorted(operation.who))}.",
        **dict(_request(operation)),
        "responses": {
            "200": {"description": "Done.", "content": {operation.media: {"schema": _schema(operation)}}},
            "4XX": {"description": "Refused.", "content": {JSON: {"schema": _reference(Trouble)}}},
        },
    }


def _request(operation: Operation) -> Iterator[tuple[str, object]]:
    if "{station" in operation.path:
        where = {"name": "station", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
        yield "parameters", [where]
    if operation.form is not NothingForm:
        yield "requestBody", {"content": {JSON: {"schema": _reference(operation.form)}}}


def _schema(operation: Operation) -> JsonObject:
    shapes = [_reference(answer) for answer in operation.answers] or [{"type": "string"}]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _reference(model: type[BaseModel]) -> JsonObject:
    return {"$ref": REFERENCES.format(model=model.__name__)}
