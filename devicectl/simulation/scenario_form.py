"""The form of a scenario's file: its keys, what each is, and what is right for it; and the same as a JSON Schema.

Law: pure. Start and faults are read by the device's own reader, which `firmware-sim serve` has as well, the plan by
that of a plan's file, a lesson by that of `devicectl station`: here is what is left, and the schema of the whole.
"""

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from devicectl.session.plan import Plan
from devicectl.simulation.lesson_form import LessonForm
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.kind import Kind, Quantity
from firmware_sim.faults.scenario import MAX_CANISTER_ML, MAX_CARTRIDGE_CYCLES, MAX_FAULTS, MAX_SEED
from firmware_sim.faults.trigger import MAX_LENGTH
from firmware_sim.model.constants import PARAMETERS
from firmware_sim.model.interlocks import ALARMS, INTERLOCKS
from protocols.capture.packet import JsonObject
from protocols.language.enums import Code
from protocols.language.messages.procedure import MAX_TARGET_CORES
from protocols.published.schemas import DIALECT

MAX_NAME: Final = 100
MAX_BAUD: Final = 4_000_000
"""Bits a second; the fastest that USB bridges for serial lines offer."""
MAX_RUN_S: Final = 86_400
MAX_WAIT_MS: Final = 3_600_000
LABELS: Final = {rule.label: code for code, rule in ALARMS.items()}
"""Label of an alarm, as people read it -> its code."""
REFUSALS: Final = tuple(code.name for code in Code if code.name.startswith("E_"))
BUILT: Final = tuple(number for number, row in INTERLOCKS.items() if row.built)
"""Interlocks that a device can refuse by."""


def _as_bounds(value: object) -> object:
    return [value, value] if type(value) is int else value


def _among(known: Collection[object]) -> AfterValidator:
    def check(value: object) -> object:
        if value not in known:
            raise ValueError("it is not among those that there are")
        return value

    return AfterValidator(check)


_Label = Annotated[str, _among(LABELS), WithJsonSchema({"enum": list(LABELS)})]
_Refusal = Annotated[str, _among(REFUSALS), WithJsonSchema({"enum": list(REFUSALS)})]
_Interlock = Annotated[int, _among(BUILT), WithJsonSchema({"enum": list(BUILT)})]
_Alarms = Annotated[
    list[_Label], Field(max_length=len(LABELS), description="a list of alarms of docs/generated/alarms.md: [MC-0401]")
]
_Count = Annotated[int, Field(ge=0, le=MAX_TARGET_CORES)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PersonForm(_Form):
    """Someone who starts the host again when it has ended before its session has."""

    waits_ms: Annotated[
        list[Annotated[int, Field(ge=0, le=MAX_WAIT_MS)]],
        Field(
            title="waits before a start, of which one is drawn",
            min_length=1,
            max_length=20,
            description=f"a list of 1 to 20 times in ms, each from 0 to {MAX_WAIT_MS}",
        ),
    ] = [1_000]
    abandons: Annotated[
        float,
        Field(
            title="share of starts at which the session is closed as aborted though it could be resumed",
            ge=0,
            le=1,
            description="a number from 0 to 1",
        ),
    ] = 0.0
    heard: Annotated[
        float,
        Field(
            title="share of starts before which the device hears that the host has gone",
            ge=0,
            le=1,
            description="a number from 0 to 1",
        ),
    ] = 1.0


class ExpectForm(_Form):
    """Outcome that a run has to have. What is left out is not looked at, but for `state` and `reconciled`."""

    state: Annotated[
        Literal["completed", "aborted"] | None,
        Field(title="how the session was closed", description="completed, aborted, or null for either"),
    ] = "completed"
    reconciled: Annotated[
        bool | None,
        Field(title="host and device agree on every count", description="true, false, or null for either"),
    ] = True
    alarms: Annotated[_Alarms, Field(title="alarms that were raised at some time")] = []
    no_alarms: Annotated[_Alarms, Field(title="alarms that were raised at no time")] = []
    refusals: Annotated[
        list[_Refusal],
        Field(
            title="codes by which the device refused a command at some time",
            description=f"a list of codes of {', '.join(REFUSALS)}",
        ),
    ] = []
    interlocks: Annotated[
        list[_Interlock],
        Field(
            title="interlocks by which the device refused a command at some time",
            description="a list of the numbers of interlocks that are built, as in docs/generated/alarms.md",
        ),
    ] = []
    cores_counted: Annotated[
        list[_Count] | None,
        BeforeValidator(_as_bounds),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "integer", "minimum": 0, "maximum": MAX_TARGET_CORES},
                    {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2},
                    {"type": "null"},
                ]
            }
        ),
        Field(
            title="cores that the device has counted",
            min_length=2,
            max_length=2,
            description="a whole number, or a list of the least and the most",
        ),
    ] = None
    at_most_s: Annotated[
        float | None,
        Field(
            title="virtual time in which the run is over",
            gt=0,
            le=MAX_RUN_S,
            description=f"a number of seconds up to {MAX_RUN_S}",
        ),
    ] = None


class ScenarioForm(_Form):
    """Keys of a scenario's file."""

    name: Annotated[
        str,
        Field(
            title="what people call it",
            max_length=MAX_NAME,
            description=f"a text of at most {MAX_NAME} characters",
        ),
    ] = ""
    seed: Annotated[
        Any,
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_SEED}),
        Field(title="what every draw of the run follows from", description="a whole number from 0"),
    ] = 1
    wire: Annotated[
        Literal["serial", "mqtt"],
        Field(title="wire between host and device, in `devicectl run`", description="serial or mqtt"),
    ] = "serial"
    baud: Annotated[
        int,
        Field(
            title="speed of the serial line, in `devicectl run`; 0: frames take no time",
            ge=0,
            le=MAX_BAUD,
            description=f"a whole number of bits a second from 0 to {MAX_BAUD}",
        ),
    ] = 0
    start: Annotated[object, Field(title="how the device is at the beginning", description="a mapping")] = {}
    plan: Annotated[
        JsonObject, Field(title="plan of the session", description="a mapping with the keys of a plan's file")
    ] = {}
    faults: Annotated[object, Field(title="what goes wrong, and when", description="a list of faults")] = []
    person: PersonForm = Field(
        title="someone who starts the host again when it has ended before its session has",
        default=PersonForm(),
        description="a mapping",
    )
    expect: ExpectForm = Field(
        title="what the run has to come to", default=ExpectForm(), description="a mapping of expectations"
    )
    lesson: Annotated[
        object, Field(title="the part for a class, which `devicectl station` reads", description="a mapping")
    ] = {}


def schema() -> JsonObject:
    """Return the JSON Schema of a scenario's file."""
    made = ScenarioForm.model_json_schema()
    plan, lesson = Plan.model_json_schema(), LessonForm.model_json_schema()
    definitions = {
        **made.pop("$defs"),
        **plan.pop("$defs"),
        **lesson.pop("$defs"),
        "Plan": plan,
        "Lesson": lesson,
        "Fault": {"oneOf": _faults()},
    }
    definitions["ItemForm"]["properties"]["fault"] = {"$ref": "#/$defs/Fault"}
    of_whole = {
        "plan": {"$ref": "#/$defs/Plan"},
        "lesson": {"$ref": "#/$defs/Lesson"},
        "start": _start(),
        "faults": {"type": "array", "maxItems": MAX_FAULTS, "items": {"$ref": "#/$defs/Fault"}},
    }
    for name, part in of_whole.items():
        made["properties"][name] = {"title": made["properties"][name]["title"], **part}
    return {"$schema": DIALECT, **made, "title": "Scenario", "$defs": dict(sorted(definitions.items()))}


def _start() -> JsonObject:
    parameters = {
        parameter.name: {
            "type": "integer" if parameter.whole else "number",
            "minimum": 0 if parameter.zero_is_off else parameter.minimum,
            "maximum": parameter.maximum,
            "default": parameter.default,
        }
        for parameter in PARAMETERS
    }
    return _mapping(
        {
            "parameters": _mapping(parameters),
            "cartridge_cycles": {"type": "integer", "minimum": 0, "maximum": MAX_CARTRIDGE_CYCLES},
            "canister_ml": {"type": "number", "minimum": 0, "maximum": MAX_CANISTER_ML},
        }
    )


def _faults() -> list[JsonObject]:
    return [_fault(kind) for kind in CATALOGUE.values()]


def _fault(kind: Kind) -> JsonObject:
    keys = {
        "fault": {"const": kind.name},
        "when": {"type": "string", "maxLength": MAX_LENGTH},
        **{quantity.name: _quantity(quantity) for quantity in kind.quantities},
    }
    return {"title": kind.name, "description": kind.sentence, **_mapping(keys), "required": ["fault"]}


def _quantity(quantity: Quantity) -> JsonObject:
    about = {"description": quantity.help, "default": quantity.usual}
    if quantity.words:
        return {"enum": list(quantity.words), **about}
    kind = "integer" if quantity.whole else "number"
    return {"type": kind, "minimum": quantity.least, "maximum": quantity.most, **about}


def _mapping(properties: JsonObject) -> JsonObject:
    return {"type": "object", "properties": properties, "additionalProperties": False}
