"""Reading a user's file: what cannot be read is refused in one line, and its suffix says what it is."""

from pathlib import Path

import pytest

from handpiece_shell.values_file import read_values
from protocols.text.values import MAX_FILE_SIZE, Form, ValuesError

FORM = Form("a plan", "target_cores: 10000")


def written(folder: Path, text: str, name: str = "plan.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    right = "missing.yaml: cannot be read: No such file or directory; name a plan in YAML or JSON$"
    with pytest.raises(ValuesError, match=right):
        read_values(tmp_path / "missing.yaml", "missing.yaml", FORM)


@pytest.mark.parametrize("path", ["/", "/dev/null"])
def test_what_is_no_regular_file_is_not_opened(path: str) -> None:
    with pytest.raises(ValuesError, match=f"{path}: is no regular file: must be a plan in YAML or JSON"):
        read_values(Path(path), path, FORM)


def test_a_file_of_the_greatest_size_is_read_and_a_larger_one_is_not(tmp_path: Path) -> None:
    text = "a: 1 #".ljust(MAX_FILE_SIZE, "#")
    assert read_values(written(tmp_path, text), "a plan", FORM).values == {"a": 1}
    with pytest.raises(ValuesError, match="is over 65536 bytes: must be a plan in YAML or JSON"):
        read_values(written(tmp_path, text + "#"), "a plan", FORM)


def test_the_suffix_in_any_case_tells_json(tmp_path: Path) -> None:
    assert read_values(written(tmp_path, "{a: 1}", "p.yml"), "a plan", FORM).values == {"a": 1}
    with pytest.raises(ValuesError, match="^a plan: line 1, column 2: is no JSON: "):
        read_values(written(tmp_path, "{a: 1}", "P.Json"), "a plan", FORM)
