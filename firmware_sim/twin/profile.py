"""The profile: the file that says what may differ, and by how much. And the same as a JSON Schema.

    name: bench 3
    device: {seed: 7, parameters: {needles: 2}}
    fields: {PunchDone.depth_um: 500, Welcome.boot_count: ignore}
    times: {within_ms: 40, not_judged: [Arm, Reposition]}

A profile is laid over the one that comes with the package: what it does not name is as there.

Law: pure. A rule that names no field there is would mask nothing, and is refused with the nearest name.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from firmware_sim.errors import ParameterError, UnknownParameterError
from firmware_sim.model.parameters import Parameters
from firmware_sim.twin.masks import EXACT, IGNORE, Masks, names_of
from firmware_sim.twin.reactions import Limit
from protocols.capture.packet import JsonObject
from protocols.language.message import REGISTRY
from protocols.language.records import RECORDS
from protocols.published.schemas import DIALECT
from protocols.text.findings import did_you_mean, first_finding
from protocols.text.values import Form, Values, ValuesError

FORM: Final = Form("a profile of a twin", "fields: {PunchDone.depth_um: 500}")
NOUN: Final = FORM.noun
MAX_SEED: Final = 2**64 - 1
MAX_MS: Final = 3_600_000
MAX_BAUD: Final = 4_000_000
_STRUCTS: Final = {
    **{model.__name__: model for model in REGISTRY.values()},
    **{model.__name__: model for model in RECORDS.values()},
}
FIELDS: Final = tuple(names_of(_STRUCTS))
"""Names that a rule of `fields` may have."""
COMMANDS: Final = tuple(sorted({model.__name__ for model in REGISTRY.values() if model.LANE is not None}))
_RULE: Final = f"{IGNORE}, {EXACT}, or a number from 0 on: the greatest difference"


def _as_rule(value: object) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value in (IGNORE, EXACT) or (number and 0 <= float(str(value)) < float("inf")):
        return value
    raise ValueError(_RULE)


_Rule = Annotated[
    str | float,
    BeforeValidator(_as_rule),
    WithJsonSchema({"anyOf": [{"enum": [IGNORE, EXACT]}, {"type": "number", "minimum": 0}]}),
]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DeviceForm(_Form):
    """The simulated device, where the recording does not say how it was: one of a real device does not."""

    seed: Annotated[
        int | None,
        Field(
            title="seed of the simulated device; else that of the recording, else 1",
            ge=0,
            le=MAX_SEED,
            description=f"a whole number from 0 to {MAX_SEED}",
        ),
    ] = None
    parameters: Annotated[
        dict[str, float],
        Field(
            title="parameters of the simulated device, by name",
            strict=False,
            description="a number for each parameter, as {needles: 2}",
        ),
    ] = {}


class CommandTimes(_Form):
    """Limit of one command's times."""

    within_ms: Annotated[
        float, Field(title="difference that is right", ge=0, le=MAX_MS, description=f"a number from 0 to {MAX_MS}")
    ] = 0
    within_percent: Annotated[
        float,
        Field(
            title="the same as a share of the recorded time", ge=0, le=10_000, description="a number from 0 to 10000"
        ),
    ] = 0

    def limit(self) -> Limit:
        """Return both as one limit."""
        return Limit(self.within_ms, self.within_percent)


class TimesForm(CommandTimes):
    """Limits of reaction times: the larger of both counts, for median and 95th percentile."""

    commands: Annotated[
        dict[str, CommandTimes],
        Field(title="limits of single commands", description="a mapping of commands, as {Arm: {within_ms: 500}}"),
    ] = {}
    baud: Annotated[
        int | None,
        Field(
            title="speed of the recorded line, whose time is taken off; else as in its device URL",
            ge=0,
            le=MAX_BAUD,
            description=f"a whole number of bits a second up to {MAX_BAUD}, 0 for a line that takes no time",
        ),
    ] = None
    not_judged: Annotated[
        list[str],
        Field(title="commands that take their own time", description="a list of commands, as [Reposition]"),
    ] = []

    def limits(self) -> dict[str, Limit | None]:
        """Return the limits of single commands, None for one that is not judged."""
        own: dict[str, Limit | None] = {name: one.limit() for name, one in self.commands.items()}
        return own | dict.fromkeys(self.not_judged)


class Profile(_Form):
    """Keys of a profile."""

    name: Annotated[
        str,
        Field(
            title="name of the profile, for twin.json",
            min_length=1,
            max_length=100,
            description="a text of 1 to 100 characters",
        ),
    ] = "unnamed"
    device: DeviceForm = Field(
        title="the simulated device", default=DeviceForm(), description="a mapping with seed and parameters"
    )
    fields: Annotated[
        dict[str, _Rule],
        Field(title="rules by Message.field, *.field or Message.*", description=f"a rule for each field: {_RULE}"),
    ] = {}
    times: TimesForm = Field(
        title="limits of reaction times",
        default=TimesForm(),
        description="a mapping with within_ms, within_percent and commands",
    )

    def masks(self) -> Masks:
        """Return its rules, of which none has been used."""
        return Masks(self.fields)

    def over(self, below: "Profile") -> "Profile":
        """Return this profile laid over another one: what it sets counts."""
        own, times = self.model_dump(exclude_unset=True), self.times.model_dump(exclude_unset=True)
        base = below.model_dump()
        commands = {**base["times"]["commands"], **times.get("commands", {})}
        return Profile.model_validate(
            {
                **base,
                **own,
                "device": {**base["device"], **own.get("device", {})},
                "fields": {**base["fields"], **own.get("fields", {})},
                "times": {**base["times"], **times, "commands": commands},
            }
        )


def make_profile(values: Values, source: str) -> Profile:
    """Return the profile that a file's values are; `source` names the file in an error.

    Raises:
        ValuesError: one of them is none of a profile's; it names the place, and what would be right.
    """
    try:
        profile = Profile.model_validate(values.values)
    except ValidationError as error:
        found = first_finding(error, Profile, NOUN)
        where = values.where(found.steps, of_key=found.of_key)
        raise ValuesError(source, where or None, found.value, found.right) from error
    _refuse_names(values, source, "fields", profile.fields, FIELDS, "field of a message or record")
    _refuse_names(values, source, "times.commands", profile.times.commands, COMMANDS, "command")
    for index, name in enumerate(profile.times.not_judged):
        if name not in COMMANDS:
            where = values.where(("times", "not_judged", index))
            raise ValuesError(source, where, name, f"is no command{did_you_mean(name, COMMANDS)}")
    try:
        Parameters(profile.device.parameters)
    except ParameterError as error:
        of_key = isinstance(error, UnknownParameterError)
        where = values.where(("device", "parameters", error.name), of_key=of_key)
        raise ValuesError(source, where, None, error.reason) from error
    return profile


def _refuse_names(
    values: Values, source: str, place: str, given: Mapping[str, object], known: tuple[str, ...], noun: str
) -> None:
    for name in given:
        if name not in known:
            where = values.where((*place.split("."), name), of_key=True)
            raise ValuesError(source, where, None, f"is no {noun}{did_you_mean(name, known)}")


def schema() -> JsonObject:
    """Return the JSON Schema of a profile's file."""
    made = Profile.model_json_schema()
    made["properties"]["fields"]["propertyNames"] = {"enum": list(FIELDS)}
    times = made["$defs"]["TimesForm"]["properties"]
    times["commands"]["propertyNames"] = times["not_judged"]["items"] = {"enum": list(COMMANDS)}
    return {"$schema": DIALECT, **made, "title": "Profile of a twin"}
