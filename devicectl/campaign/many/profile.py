"""A campaign's profile: for each kind of fault its chance to be in a session, how often it fires, and its values.

    kinds:
      drop: {on: 0.3, times: [1, 3], when: [time, piece], pieces: [1, 5], share: {least: 0.1, most: 1}}

A value, or each of a list of which one is drawn, or anything between two. What a profile leaves out of a kind is as
usual; kinds that it leaves out are never drawn.

Law: data, checked when it is made. It reads no file and draws nothing.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from devicectl.errors import DevicectlError
from firmware_sim.errors import SimulatorError
from firmware_sim.faults.catalogue import CATALOGUE, nearest
from firmware_sim.faults.fault import fault_of
from firmware_sim.faults.kind import Kind
from protocols.text.values import ValuesError

SHORT_MS: Final = 1_000
"""Duration of a fault whose profile names none, where it would else last to the end of the run."""
When = Literal["time", "phase", "state", "frame", "piece", "write", "commit", "resume"]
WHENS: Final[tuple[str, ...]] = get_args(When)


class ProfileError(DevicectlError, ValuesError):
    """A profile cannot be taken; its text is one line."""

    exit_code = 2


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Between(_Frozen):
    """Any number from `least` to `most`."""

    least: int | float
    most: int | float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError("least must not be above most")
        return self


Value = int | float | str
Values = Value | list[Value] | Between
Chance = Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")]
Milliseconds = Annotated[int, Field(ge=1, le=600_000)]


class KindProfile(BaseModel):
    """One kind in a profile. Every other key is a quantity of the kind, with the values that are drawn."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, Values]

    on: Chance
    times: Annotated[
        list[Annotated[int, Field(ge=1, le=100)]],
        Field(min_length=1, description="a list of whole numbers from 1 to 100, of which one is drawn"),
    ] = [1]
    when: Annotated[
        list[When], Field(min_length=1, description=f"a list of {', '.join(WHENS)}, of which one is drawn")
    ] = ["time"]
    bursts: Chance = 0.0
    """Chance that one comes again, two to six times within a few seconds."""

    @property
    def values(self) -> Mapping[str, Values]:
        """The values of each quantity that is named."""
        return self.__pydantic_extra__


class Profile(_Frozen):
    """Chances of a session. Shares and chances are from 0 to 1."""

    mqtt: Annotated[Chance, Field(description="a number from 0 to 1: the share of sessions over MQTT's wire")] = 0.25
    baud: Annotated[
        list[Annotated[int, Field(ge=0, le=10_000_000)]],
        Field(
            min_length=1, description="a list of rates of a serial line, of which one is drawn; 0: a line without one"
        ),
    ] = [0]
    waits_ms: Annotated[
        list[Milliseconds],
        Field(min_length=1, description="a list of milliseconds that a person waits before starting the host again"),
    ] = [1_000]
    abandons: Annotated[
        Chance, Field(description="a number from 0 to 1: the share of starts that close the session as aborted")
    ] = 0.0
    heard: Annotated[
        Chance, Field(description="a number from 0 to 1: the share of hosts whose end the device hears at once")
    ] = 1.0
    kinds: Annotated[dict[str, KindProfile], Field(description="a mapping of kinds, such as {drop: {on: 0.3}}")]

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: dict[str, KindProfile]) -> dict[str, KindProfile]:
        for name, profile in kinds.items():
            kind = CATALOGUE.get(name)
            if kind is None:
                near = nearest(name)
                raise ValueError(f"there is no fault {name!r}{f'; did you mean {near}?' if near else ''}")
            for key, values in profile.values.items():
                _check(kind, key, values)
        return kinds


def _check(kind: Kind, key: str, values: Values) -> None:
    """See that each value is one that a fault of this kind may have.

    Raises:
        ValueError: it is not.
    """
    if kind.quantity(key) is None:
        named = (*KindProfile.model_fields, *(one.name for one in kind.quantities))
        near = get_close_matches(key, named, n=1)
        raise ValueError(f"{kind.name} has no {key}{f'; did you mean {near[0]}?' if near else ''}")
    for value in each_of(values):
        if key == "for_ms" and not value:
            raise ValueError(f"{kind.name}: for_ms must be above 0: a session has to end after its last fault")
        try:
            fault_of({"fault": kind.name, key: value})
        except SimulatorError as error:
            raise ValueError(f"{kind.name}: {error}") from error


def each_of(values: Values) -> Sequence[Value]:
    """Return the values of which one is drawn, or both ends of what lies between."""
    if isinstance(values, Between):
        return values.least, values.most
    return values if isinstance(values, list) else [values]


def make_profile(values: Mapping[str, object], source: str = "profile") -> Profile:
    """Return a profile from plain values; keys left out have their defaults.

    Raises:
        ProfileError: names `source`, the first key at fault, its value, and what would be right.
    """
    try:
        return Profile.model_validate(values)
    except ValidationError as error:
        raise _explain(error, source) from error


def _explain(error: ValidationError, source: str) -> ProfileError:
    first = error.errors(include_url=False)[0]
    location = first["loc"]
    key = ".".join(str(step) for step in location[:3]) or None
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, ValueError):
        return ProfileError(source, key, None, str(cause))
    model: type[BaseModel] = KindProfile if location[:1] == ("kinds",) and len(location) > 2 else Profile
    name = str(location[2] if model is KindProfile else location[0]) if location else ""
    field = model.model_fields.get(name)
    if first["type"] == "extra_forbidden" and model is Profile:
        near = get_close_matches(name, Profile.model_fields, n=1)
        known = f"did you mean {near[0]}?" if near else f"those are {', '.join(Profile.model_fields)}"
        return ProfileError(source, key, None, f"is no key of a profile; {known}")
    right = (
        field.description
        if field is not None
        else "a value, a list of values, or {least: ..., most: ...} in this order"
    )
    if first["type"] == "missing":
        return ProfileError(source, key, None, f"is missing: must be {right}")
    return ProfileError(source, key, first["input"], f"must be {right}")
