"""A campaign's profile: for each kind of fault its chance to be in a session, how often it fires, and its values.

    kinds:
      drop: {on: 0.3, times: [1, 3], when: [time, piece], pieces: [1, 5], share: {least: 0.1, most: 1}}

A value, or each of a list of which one is drawn, or anything between two. What a profile leaves out of a kind is as
usual; kinds that it leaves out are never drawn.

Law: data, checked when it is made. It reads no file and draws nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from devicectl.campaign.many.scene import Scene, misfits
from devicectl.errors import DevicectlError
from devicectl.simulation.scenario_form import MAX_BAUD
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import FaultError, fault_of, missing_needle
from firmware_sim.faults.kind import Kind
from firmware_sim.model.parameters import Parameters
from protocols.text.findings import Finding, did_you_mean, first_finding
from protocols.text.values import Place, Steps, Values, ValuesError

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
Drawn = Value | list[Value] | Between
"""Values of a quantity: one, several of which one is drawn, or anything between two."""
Chance = Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")]
Milliseconds = Annotated[int, Field(ge=1, le=600_000)]


class KindProfile(BaseModel):
    """One kind in a profile. Every other key is a quantity of the kind, with the values that are drawn."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, Drawn]

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
    def values(self) -> Mapping[str, Drawn]:
        """The values of each quantity that is named."""
        return self.__pydantic_extra__


class Profile(_Frozen):
    """Chances of a session. Shares and chances are from 0 to 1."""

    mqtt: Annotated[Chance, Field(description="a number from 0 to 1: the share of sessions over MQTT's wire")] = 0.25
    baud: Annotated[
        list[Annotated[int, Field(ge=0, le=MAX_BAUD)]],
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
    scenes: Annotated[
        dict[str, Scene], Field(description="a mapping of scenes, such as {hot: {on: 0.1, start: {...}}}")
    ] = {}


def each_of(values: Drawn) -> Sequence[Value]:
    """Return the values of which one is drawn, or both ends of what lies between."""
    if isinstance(values, Between):
        return values.least, values.most
    return values if isinstance(values, list) else [values]


def make_profile(
    values: Mapping[str, object], source: str = "profile", places: Mapping[Steps, Place] | None = None
) -> Profile:
    """Return a profile from plain values; keys left out have their defaults. `places` are those of the values, if any.

    Raises:
        ProfileError: names `source`, the first key at fault, its value, and what would be right.
    """
    try:
        profile = Profile.model_validate(values)
        wrong = next(_misfits(profile), None)
    except ValidationError as error:
        wrong = _explain(error)
    if wrong is None:
        return profile
    where = Values(dict(values), places or {}).where(wrong.steps, of_key=wrong.of_key)
    raise ProfileError(source, where or None, wrong.value, wrong.right)


def _explain(error: ValidationError) -> Finding:
    first = error.errors(include_url=False)[0]
    steps = first["loc"][:3]
    if steps[:1] == ("kinds",) and len(steps) == 3 and steps[2] not in KindProfile.model_fields:
        right = "must be a value, a list of values, or {least: ..., most: ...} in this order"
        return Finding(steps, first["input"], right)
    return first_finding(error, Profile, "a profile")


def _misfits(profile: Profile) -> Iterator[Finding]:
    """Yield the kinds that the catalogue has not, and the values that a fault of their kind cannot have."""
    for name, of_kind in profile.kinds.items():
        kind = CATALOGUE.get(name)
        if kind is None:
            right = f"there is no such fault{did_you_mean(name, CATALOGUE)}"
            yield Finding(("kinds", name), None, right, of_key=True)
            continue
        for key, drawn in of_kind.values.items():
            yield from _of_values(kind, key, drawn)
    yield from misfits(profile.scenes)


def _of_values(kind: Kind, key: str, drawn: Drawn) -> Iterator[Finding]:
    steps = ("kinds", kind.name, key)
    if kind.quantity(key) is None:
        named = (*KindProfile.model_fields, *(one.name for one in kind.quantities))
        right = f"is no key of a {kind.name} here: those are {', '.join(named)}{did_you_mean(key, named)}"
        yield Finding(steps, None, right, of_key=True)
        return
    if drawn == []:
        yield Finding(steps, drawn, "must have a value, of which one is drawn")
    for value in each_of(drawn):
        if key == "for_ms" and not value:
            yield Finding(steps, value, "must be above 0: a session has to end after its last fault")
        try:
            missing = missing_needle(fault_of({"fault": kind.name, key: value}), Parameters().needles)
        except FaultError as error:
            yield Finding(steps, None, error.reason)
        else:
            if missing:
                yield Finding(steps, value, missing)
