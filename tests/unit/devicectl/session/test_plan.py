"""The plan: its ranges, its geometry, and what it is not."""

import math
import unicodedata
from typing import Any

import pytest
from pydantic import ValidationError

from devicectl.errors import DevicectlError
from devicectl.session.plan import Plan, PlanError, Zone, make_plan


def refused(values: dict[str, Any]) -> PlanError:
    with pytest.raises(PlanError) as caught:
        make_plan(values, "plan.yaml")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250
    return caught.value


# --- the plan itself


def test_the_default_is_the_model_s_session() -> None:
    plan = Plan()
    assert (plan.target_cores, plan.coverage_bp, plan.depth_um, plan.cells) == (10_000, 600, 3_000, 240)
    assert [zone.area_cm2 for zone in plan.zones] == [70, 70, 30, 30, 40]
    assert plan.operator.anesthesia_method == "lidocaine injection"
    assert plan.operator.confirmed_by == "automatic operator"


def test_what_no_device_could_do_in_its_zones_is_refused_with_the_numbers() -> None:
    assert make_plan({"target_cores": 48_000}).target_cores == 48_000
    error = refused({"target_cores": 48_001})
    assert (error.key, error.value) == ("target_cores", 48_001)
    assert "must be at most 48000: 240 cells x 200 punctures, more than any device takes" in str(error)


def test_built_in_code_it_refuses_as_well() -> None:
    with pytest.raises(ValidationError, match="240 cells"):
        Plan(target_cores=50_000)


def test_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Plan().target_cores = 3


def test_travels_as_json() -> None:
    plan = Plan(target_cores=20, coverage_percent=4.25, zones=(Zone(name="chin", area_cm2=9),))
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert make_plan(plan.model_dump()) == plan


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no number": ({"target_cores": "many"}, "target_cores = 'many': must be a whole number of cores from 1 to 1000000"),
    "a truth": ({"target_cores": True}, "target_cores = True: must be a whole number"),
    "a fraction": ({"target_cores": 10.5}, "target_cores = 10.5: must be a whole number"),
    "none": ({"target_cores": 0}, "target_cores = 0: must be a whole number of cores from 1"),
    "huge": ({"target_cores": 10**100}, "target_cores = a number of more than 70 digits: must be"),
    "too thin": ({"coverage_percent": 3.99}, "coverage_percent = 3.99: must be a number from 4 to 8"),
    "too dense": ({"coverage_percent": 8.01}, "coverage_percent = 8.01: must be a number from 4 to 8"),
    "NaN": ({"coverage_percent": math.nan}, "coverage_percent = nan: must be a number from 4 to 8"),
    "infinite": ({"depth_mm": math.inf}, "depth_mm = inf: must be a number of mm from 0.5 to 4.0"),
    "too fine for the wire": ({"coverage_percent": 6.005}, "coverage_percent = 6.005: must be a number from 4 to 8"),
    "between steps": ({"depth_mm": 3.1}, "depth_mm = 3.1: must be a number of mm from 0.5 to 4.0 in steps of 0.5"),
    "too shallow": ({"depth_mm": 0.0}, "depth_mm = 0.0: must be a number of mm"),
    "too deep": ({"depth_mm": 4.5}, "depth_mm = 4.5: must be a number of mm"),
    "no zone": ({"zones": []}, "zones = []: must be a list of 1 to 64 zones"),
    "zones as a text": ({"zones": "cheek"}, "zones = 'cheek': must be a list of 1 to 64 zones"),
    "a zone as a number": ({"zones": [3]}, "zones.0 = 3: must be a mapping with the keys name, area_cm2"),
    "a zone without area": (
        {"zones": [{"name": "chin"}]},
        "zones.0.area_cm2: is missing: must be a whole number of cm2",
    ),
    "a zone of half a cell": (
        {"zones": [{"name": "chin", "area_cm2": 0.5}]},
        "zones.0.area_cm2 = 0.5: must be a whole",
    ),
    "a zone's stray key": (
        {"zones": [{"name": "chin", "area_cm2": 9, "depth": 3}]},
        "zones.0.depth = 3: is no key of a plan here: those are name, area_cm2",
    ),
    "a zone without a name": ({"zones": [{"name": "", "area_cm2": 9}]}, "zones.0.name = '': must be a name of 1 to 32"),
    "two zones of a name": (
        {"zones": [{"name": "chin", "area_cm2": 200}, {"name": "chin", "area_cm2": 90}]},
        "zones.1.name = 'chin': must be another name: an earlier zone has it",
    ),
    "a stray key": ({"targt_cores": 3}, "targt_cores = 3: is no key of a plan here: those are target_cores, coverage"),
    "the operator as a text": ({"operator": "me"}, "operator = 'me': must be a mapping of the operator's settings"),
    "a long name": ({"operator": {"confirmed_by": "x" * 33}}, "operator.confirmed_by = 'xxxxx"),
    "a name of two lines": ({"operator": {"confirmed_by": "a\nb"}}, r"operator.confirmed_by = 'a\nb': must be a text"),
    "33 bytes in 11 letters": ({"operator": {"confirmed_by": "\u20ac" * 11}}, "operator.confirmed_by = '\u20ac"),
    "an old injection": (
        {"operator": {"anesthesia_age_s": 86_401}},
        "operator.anesthesia_age_s = 86401: must be whole",
    ),
}


@pytest.mark.parametrize(("values", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refuses_in_one_line_that_says_what_would_be_right(values: dict[str, Any], sentence: str) -> None:
    assert f"plan.yaml: {sentence}" in str(refused(values))


def test_a_long_value_is_shortened() -> None:
    error = refused({"target_cores": "x" * 10_000})
    assert "..." in str(error) and error.value == "x" * 10_000


def test_the_error_is_one_of_the_program_s() -> None:
    assert isinstance(refused({"depth_mm": 9}), DevicectlError)


# --- its file


def test_a_name_has_one_unicode_form() -> None:
    composed, apart = (unicodedata.normalize(form, "Wänge é") for form in ("NFC", "NFD"))
    zone = Zone(name=apart, area_cm2=10)
    assert zone.name == composed and zone == Zone(name=composed, area_cm2=10)
    operator = make_plan({"operator": {"confirmed_by": apart, "anesthesia_method": apart}}).operator
    assert operator.confirmed_by == operator.anesthesia_method == composed
    with pytest.raises(PlanError, match="an earlier zone has it"):
        make_plan({"zones": [{"name": name, "area_cm2": 10} for name in (composed, apart)]})


def test_a_name_is_measured_in_the_form_that_travels() -> None:
    name = 10 * "\u00e4" + 12 * "x"  # 32 bytes composed, 42 apart
    assert Zone(name=unicodedata.normalize("NFD", name), area_cm2=1).name == name


@pytest.mark.parametrize("values", [[], 5, "text"])
def test_what_is_no_mapping(values: Any) -> None:
    with pytest.raises(PlanError) as caught:
        make_plan(values, "mine")
    assert caught.value.key is None
    assert str(caught.value).startswith(f"mine = {values!r}: must be a mapping with the keys target_cores, ")
