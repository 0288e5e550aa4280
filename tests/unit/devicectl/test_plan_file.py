"""A plan's file: what it says is the plan, and what is wrong with it is one line."""

from pathlib import Path

import pytest

from devicectl.plan_file import load_plan
from devicectl.session.plan import Plan, PlanError


def written(folder: Path, text: str | bytes, name: str = "plan.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reads_yaml(tmp_path: Path) -> None:
    text = """\
    # a short one
    target_cores: 300
    coverage_percent: 5
    depth_mm: 2.5
    zones:
      - {name: "submental", area_cm2: 40}
    operator:
      confirmed_by: trainer
    """
    plan = load_plan(written(tmp_path, text))
    assert (plan.target_cores, plan.coverage_percent, plan.depth_mm, plan.cells) == (300, 5.0, 2.5, 40)
    assert plan.operator.confirmed_by == "trainer"


def test_reads_json_with_tabs_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, b'\xef\xbb\xbf{\n\t"target_cores":\t300\n}', "plan.JSON")
    assert load_plan(path).target_cores == 300


@pytest.mark.parametrize("text", ["{}", "{} # nothing", "---\n{}\n..."])
def test_what_is_left_out_has_its_default(tmp_path: Path, text: str) -> None:
    assert load_plan(written(tmp_path, text)) == Plan()


def test_the_error_names_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "depth_mm: 9")
    with pytest.raises(PlanError) as caught:
        load_plan(str(path))
    assert caught.value.source == str(path)
    assert str(caught.value).startswith(f"{path}: depth_mm = 9: must be")


NUMBERS: dict[str, tuple[str, str, str]] = {
    "NaN in JSON": ("p.json", '{"depth_mm": NaN}', "depth_mm = nan: must be a number of mm"),
    "NaN in YAML": ("p.yaml", "depth_mm: .nan", "depth_mm = '.nan': must be a number of mm"),
    "an endless number": ("p.yaml", "target_cores: " + "9" * 5_000, "target_cores = '999"),
    "an endless number in JSON": ("p.json", '{"target_cores": ' + "9" * 5_000 + "}", "target_cores = '999"),
}


@pytest.mark.parametrize(("name", "text", "sentence"), NUMBERS.values(), ids=NUMBERS)
def test_a_files_number_that_is_none_is_refused_as_a_value(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    path = written(tmp_path, text, name)
    with pytest.raises(PlanError) as caught:
        load_plan(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ") and "\n" not in line
    assert sentence in line and len(line) < len(str(path)) + 200


def test_a_file_that_is_no_plan_ends_a_program_with_2(tmp_path: Path) -> None:
    with pytest.raises(
        PlanError, match="plan.yaml: line 1, column 4: has an alias or anchor: must spell the value out"
    ) as caught:
        load_plan(written(tmp_path, "a: &x 1"))
    assert caught.value.exit_code == 2 and isinstance(caught.value, ValueError)
