"""The plan of one session: how many cores, how dense, how deep, where, and what the operator says.

Law: what no device could do is refused when a plan is made, with the numbers: a value outside the model's ranges, or a
target far beyond its zones. How many cores a cell takes is the device's to say, by its needles, their diameter and its
cap: what it cannot do it refuses when the session is opened. What lies between takes both for granted.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from devicectl.errors import DevicectlError
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S, MAX_DEPTH_UM, MAX_TARGET_CORES, MIN_DEPTH_UM
from protocols.text.findings import first_finding
from protocols.text.names import one_form
from protocols.text.values import ValuesError

MAX_PUNCTURES_PER_CELL: Final = 200
"""No device takes more in a cell of 1 cm2: the highest cap that one can be given. Its own is 63 unless it says so."""

MIN_COVERAGE_PERCENT: Final = 4.0
MAX_COVERAGE_PERCENT: Final = 8.0
"""4 % to 8 % of the skin in the treated area is removed; a plan outside is refused."""

MIN_DEPTH_MM: Final = MIN_DEPTH_UM / 1_000
MAX_DEPTH_MM: Final = MAX_DEPTH_UM / 1_000

MAX_ZONES: Final = 64
MAX_ZONE_CM2: Final = 1_000
"""Together they keep a plan within SESSION_OPEN's tail array and the 16 bits of a cell's number."""


class PlanError(DevicectlError, ValuesError):
    """A plan cannot be taken; its text is one line. `source` is the file or option, `key` None for the whole."""

    exit_code = 2


def _is_hundredths(percent: float) -> float:
    if abs(percent * 100 - round(percent * 100)) > 1e-6:
        raise ValueError("the device takes it in hundredths of a percent")
    return percent


def _is_half_steps(depth_mm: float) -> float:
    if depth_mm * 2 != round(depth_mm * 2):
        raise ValueError("the depth is set in steps of 0.5 mm")
    return depth_mm


def _fits_32_bytes(text: str) -> str:
    text = one_form(text)
    if len(text.encode(errors="replace")) > 32 or not text.isprintable():
        raise ValueError("it travels in 32 bytes of UTF-8")
    return text


_Text = Annotated[str, Field(min_length=1), AfterValidator(_fits_32_bytes)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Zone(_Frozen):
    """An area of skin that is numbed and treated as one, cut into cells of 1 cm2."""

    name: Annotated[_Text, Field(title="what people call it", description="a name of 1 to 32 bytes, each zone its own")]
    area_cm2: Annotated[
        int,
        Field(
            title="how many cells of 1 cm2 it has",
            ge=1,
            le=MAX_ZONE_CM2,
            description=f"a whole number of cm2 from 1 to {MAX_ZONE_CM2}",
        ),
    ]


class Operator(_Frozen):
    """Words and deeds of the automatic operator on the human side of the procedure."""

    anesthesia_method: Annotated[
        _Text, Field(title="how the zones are numbed, for the log", description="a text of 1 to 32 bytes")
    ] = "lidocaine injection"
    anesthesia_age_s: Annotated[
        int,
        Field(
            title="how long ago that was, when the session is opened",
            ge=0,
            le=MAX_ANESTHESIA_AGE_S,
            description=f"whole seconds since the injection, from 0 to {MAX_ANESTHESIA_AGE_S}",
        ),
    ] = 0
    confirmed_by: Annotated[
        _Text, Field(title="who confirms that each zone is numb, for the log", description="a text of 1 to 32 bytes")
    ] = "automatic operator"


DEFAULT_ZONES: Final = (
    Zone(name="cheek left", area_cm2=70),
    Zone(name="cheek right", area_cm2=70),
    Zone(name="jawline left", area_cm2=30),
    Zone(name="jawline right", area_cm2=30),
    Zone(name="submental", area_cm2=40),
)
"""Assumption: 240 cm2, of which 10,000 cores at 6 % need 212 to 215."""


class Plan(_Frozen):
    """A session's plan.

    Raises:
        pydantic.ValidationError: a value outside its range, or a target that no device could reach in its zones.
            `make_plan` says the same in one line.
    """

    target_cores: Annotated[
        int,
        Field(
            title="the session ends when the device has counted so many",
            ge=1,
            le=MAX_TARGET_CORES,
            description=f"a whole number of cores from 1 to {MAX_TARGET_CORES}",
        ),
    ] = 10_000
    coverage_percent: Annotated[
        float,
        Field(
            title="how much of the skin in each cell is removed before the hand moves on",
            ge=MIN_COVERAGE_PERCENT,
            le=MAX_COVERAGE_PERCENT,
            allow_inf_nan=False,
            description="a number from 4 to 8, the percentage of skin to remove, in steps of 0.01",
        ),
        AfterValidator(_is_hundredths),
    ] = 6.0
    depth_mm: Annotated[
        float,
        Field(
            title="how deep the needles go",
            ge=MIN_DEPTH_MM,
            le=MAX_DEPTH_MM,
            allow_inf_nan=False,
            description=f"a number of mm from {MIN_DEPTH_MM} to {MAX_DEPTH_MM} in steps of 0.5",
        ),
        AfterValidator(_is_half_steps),
    ] = 3.0
    zones: Annotated[
        tuple[Zone, ...],
        Field(
            title="the areas that are treated, in this order",
            strict=False,
            min_length=1,
            max_length=MAX_ZONES,
            description=f"a list of 1 to {MAX_ZONES} zones",
        ),
    ] = DEFAULT_ZONES
    operator: Operator = Field(
        title="what the automatic operator says and does",
        default=Operator(),
        description="a mapping of the operator's settings",
    )

    @property
    def coverage_bp(self) -> int:
        """The coverage in hundredths of a percent, as it travels."""
        return round(self.coverage_percent * 100)

    @property
    def depth_um(self) -> int:
        """The depth in micrometers, as it travels."""
        return round(self.depth_mm * 1_000)

    @property
    def cells(self) -> int:
        """Number of cells of 1 cm2 in all zones."""
        return sum(zone.area_cm2 for zone in self.zones)

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [zone.name for zone in self.zones]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise _Misfit(f"zones.{index}.name", name, "must be another name: an earlier zone has it")
        most = self.cells * MAX_PUNCTURES_PER_CELL
        if self.target_cores > most:
            cells = f"{self.cells} cells x {MAX_PUNCTURES_PER_CELL} punctures, more than any device takes"
            raise _Misfit("target_cores", self.target_cores, f"must be at most {most}: {cells}; more area makes room")
        return self


class _Misfit(ValueError):
    """Conflict between two keys, on its way through pydantic."""

    def __init__(self, key: str, value: object, right: str) -> None:
        super().__init__(f"{key} {right}")
        self.key, self.value, self.right = key, value, right


def make_plan(values: Mapping[str, object], source: str = "plan") -> Plan:
    """A plan from plain values; keys left out have their defaults.

    To change one key of a plan: `make_plan({**plan.model_dump(), "target_cores": 300}, "--target-cores")`.

    Raises:
        PlanError: names `source`, the first key at fault, its value, and what would be right.
    """
    try:
        return Plan.model_validate(values)
    except ValidationError as error:
        raise _explain(error, source) from error


def _explain(error: ValidationError, source: str) -> PlanError:
    """The first of pydantic's findings in our own words."""
    cause = error.errors(include_url=False)[0].get("ctx", {}).get("error")
    if isinstance(cause, _Misfit):
        return PlanError(source, cause.key, cause.value, cause.right)
    found = first_finding(error, Plan, "a plan")
    return PlanError(source, ".".join(map(str, found.steps)) or None, found.value, found.right)
