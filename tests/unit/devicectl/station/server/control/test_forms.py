import pytest
from pydantic import ValidationError

from devicectl.station.server.control.forms import ActForm, Form, LinkForm, PaceForm, RewindForm, StartForm


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"station": 1},
        {"scenario": "a", "text": "b"},
        {"resume": 1, "discard": 1},
        {"scenario": "a", "seed": -1},
        {"scenario": "a", "seed": "1"},
        {"scenario": "a", "station": 9},
        {"scenario": "a", "trainee": "x" * 61},
        {"scenario": "a", "other": 1},
        {"text": "x" * 65_537},
        {"scenario": None},
    ],
)
def test_start_is_of_one_lesson_and_nothing_else(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StartForm.model_validate(given)


@pytest.mark.parametrize("given", [{"scenario": "a"}, {"text": "b"}, {"resume": 1, "station": 8}, {"discard": 1}])
def test_start_takes_each_kind_of_lesson(given: dict[str, object]) -> None:
    assert StartForm.model_validate(given).model_dump(exclude_none=True) == given


@pytest.mark.parametrize("speed", [0, 0.04, 61, -1, float("inf"), float("nan"), "fast", True])
def test_speed_has_limits(speed: object) -> None:
    with pytest.raises(ValidationError):
        PaceForm.model_validate({"speed": speed})


@pytest.mark.parametrize("speed", [0.05, 1, 60])
def test_speed_may_be_a_whole_number(speed: float) -> None:
    assert PaceForm.model_validate({"speed": speed}).speed == speed


@pytest.mark.parametrize("to_ms", [-1, 1.5, "1", True, 10**12])
def test_time_to_go_back_to_is_a_whole_number(to_ms: object) -> None:
    with pytest.raises(ValidationError):
        RewindForm.model_validate({"to_ms": to_ms})


@pytest.mark.parametrize("form", [StartForm, ActForm, PaceForm, RewindForm, LinkForm])
def test_each_key_says_what_is_right_for_it(form: type[Form]) -> None:
    """What is wrong is answered by "NAME: must be", and this."""
    assert [name for name, field in form.model_fields.items() if not field.description] == []
