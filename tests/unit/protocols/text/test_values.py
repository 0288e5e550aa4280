"""A file of values: plain ones are read with their places, and everything else is refused in one line."""

import json
from typing import Any

import pytest

from protocols.text.values import (
    MAX_DEPTH,
    MAX_FILE_SIZE,
    Form,
    Mark,
    Place,
    Values,
    ValuesError,
    decode_values,
    parse_json,
    parse_yaml,
)

FORM = Form("a plan", "target_cores: 10000")


def decoded(text: str | bytes, name: str = "p.yaml") -> Values:
    raw = text if isinstance(text, bytes) else text.encode()
    return decode_values(raw, "a plan", FORM, is_json=name.endswith(".json"))


BAD_FILES: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("p.yaml", "", "must be a mapping"),
    "a list": ("p.yaml", "- 1", r"= [1]: must be a mapping"),
    "a text": ("p.yaml", "hello", "= 'hello': must be a mapping"),
    "not UTF-8": ("p.yaml", b"depth_mm: \xff", "is not UTF-8 at byte 10"),
    "NUL bytes": ("p.yaml", b"a: \0", "is no YAML: "),
    "too big": ("p.yaml", b"#" * (MAX_FILE_SIZE + 1), "is over 65536 bytes"),
    "broken YAML": ("p.yaml", "zones: [", "line 1, column 9: is no YAML: "),
    "a tab": ("p.yaml", "zones:\n\t- 1", "line 2, column 1: is no YAML: "),
    "an alias": ("p.yaml", "a: &x 1\nb: *x", "line 1, column 4: has an alias or anchor"),
    "an alias of nothing": ("p.yaml", "b: *x", "line 1, column 4: has an alias or anchor"),
    "a billion laughs": ("p.yaml", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "has an alias or anchor"),
    "a merge": ("p.yaml", "a: &x {depth_mm: 3}\nb:\n  <<: *x", "has an alias or anchor"),
    "a tag": ("p.yaml", "target_cores: !!python/object/apply:os.getcwd []", "line 1, column 15: has a tag"),
    "an ordinary tag": ("p.yaml", "target_cores: !!int 3", "line 1, column 15: has a tag"),
    "a key twice": ("p.yaml", "depth_mm: 3\ndepth_mm: 2", "line 2, column 1: depth_mm = 2: is there twice"),
    "a key twice inside": ("p.yaml", "zones:\n- {name: a, name: b}", "line 2, column 13: name = 'b': is there twice"),
    "a number as a key": ("p.yaml", "1: 2", "line 1, column 1 = 1: is no key of a plan"),
    "a list as a key": ("p.yaml", "? [a]\n: 2", "= ['a']: is no key of a plan"),
    "two documents": ("p.yaml", "{}\n---\n{}", "has more than one document"),
    "too deep": ("p.yaml", "a: " + "[" * 21 + "]" * 21, "is nested deeper than 20 levels"),
    "bottomless": ("p.yaml", "[" * 60_000, "is nested deeper than 20 levels"),
    "broken JSON": ("p.json", '{\n"a": }', "line 2, column 6: is no JSON: "),
    "a key twice in JSON": ("p.json", '{"a": 1, "a": 2}', "a = 2: is there twice"),
    "too deep in JSON": ("p.json", '{"a": ' + "[" * 21 + "]" * 21 + "}", "is nested deeper than 20 levels"),
    "bottomless JSON": ("p.json", "[" * 60_000, "is nested deeper than 20 levels"),
}


@pytest.mark.parametrize(("name", "text", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_refuses_a_file(name: str, text: str | bytes, sentence: str) -> None:
    with pytest.raises(ValuesError) as caught:
        decoded(text, name)
    line = str(caught.value)
    assert line.startswith(("a plan: ", "a plan = ")) and "\n" not in line
    assert sentence in line and len(line) < 200


def test_a_depth_of_twenty_is_read() -> None:
    nested = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    for name in ("p.yaml", "p.json"):
        assert "a" in decoded('{"a": ' + nested + "}", name).values


SCALARS: dict[str, Any] = {
    "12": 12, "-3": -3, "010": "010", "0x10": "0x10", "12:30": "12:30", "1_000": "1_000", "0": 0, "1.50": 1.5,
    "1e3": 1000.0, "+.5": 0.5, "5.": 5.0, ".": ".", "e3": "e3", "true": True, "false": False, "yes": "yes",
    "on": "on", "null": None, "~": None, "": None, "2024-01-01": "2024-01-01", '"12"': "12", "'true'": "true",
}  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_means_what_it_means_in_json(text: str) -> None:
    value = decoded(f"a: {text}").values["a"]
    assert value == SCALARS[text] and type(value) is type(SCALARS[text])


def test_every_json_value_reads_alike_in_both() -> None:
    value: Any = {"a": [1, -2.5, True, None, "x y", {"b": []}]}
    for name in ("p.yaml", "p.json"):
        assert decoded(json.dumps(value), name).values == value


def test_each_value_of_yaml_has_its_place_and_that_of_its_key() -> None:
    found = decoded("seed: 7\nfaults:\n  - fault: drop\n    when: >-\n      cycle == 3\n  - {fault: flip}\n")
    assert found.values == {"seed": 7, "faults": [{"fault": "drop", "when": "cycle == 3"}, {"fault": "flip"}]}
    assert found.places == {
        ("seed",): Place(Mark(1, 1), Mark(1, 7)),
        ("faults",): Place(Mark(2, 1), Mark(3, 3)),
        ("faults", 0): Place(Mark(3, 5), Mark(3, 5)),
        ("faults", 0, "fault"): Place(Mark(3, 5), Mark(3, 12)),
        ("faults", 0, "when"): Place(Mark(4, 5), Mark(4, 11), None),
        ("faults", 1): Place(Mark(6, 5), Mark(6, 5)),
        ("faults", 1, "fault"): Place(Mark(6, 6), Mark(6, 13)),
    }


def test_a_number_of_forty_characters_is_one_and_a_longer_one_is_a_text() -> None:
    digits = "9" * 40
    for text, value in ((digits, int(digits)), (digits + "9", digits + "9")):
        assert parse_json(text, "a plan", FORM) == parse_yaml(text, "a plan", FORM, {}) == value


def test_a_text_without_a_document_is_no_value() -> None:
    assert parse_yaml("", "a plan", FORM, {}) is None and parse_yaml("# nothing", "a plan", FORM, {}) is None


def test_quoted_and_block_texts_stay_texts() -> None:
    assert decoded("a: '12'\nb: |\n  12\nc: 12").values == {"a": "12", "b": "12\n", "c": 12}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (5, " = 5"),
        ("x" * 58, f" = '{'x' * 58}'"),
        ("x" * 59, f" = '{'x' * 56}..."),
        (2**256 - 1, f" = {str(2**256 - 1)[:57]}..."),
        (2**256, " = a number of more than 70 digits"),
    ],
)
def test_an_error_shows_its_value_in_at_most_sixty_characters(value: object, shown: str) -> None:
    assert str(ValuesError("p.yaml", "a.b", value, "must be right")) == f"p.yaml: a.b{shown}: must be right"
    assert str(ValuesError("p.yaml", None, value, "must be right")) == f"p.yaml{shown}: must be right"


def test_an_error_names_its_parts() -> None:
    error = ValuesError("p.yaml", "a", 5, "must be right")
    assert (error.source, error.key, error.value, error.right) == ("p.yaml", "a", 5, "must be right")
    assert isinstance(error, ValueError)


def test_a_place_is_shown_with_line_column_and_key() -> None:
    found = decoded("start: {needles: 4}\nfaults:\n  - {fault: drop, when: cycle = 3}\n")
    assert found.where(("faults", 0, "when")) == "line 3, column 25: faults[0].when"
    assert found.where(("faults", 0, "when"), of_key=True) == "line 3, column 19: faults[0].when"
    assert found.where(("faults", 0, "when"), column=7) == "line 3, column 31: faults[0].when"
    assert found.where(("start", "parameters")) == "line 1, column 8: start.parameters"
    quoted = decoded("when: 'cycle = 3'")
    assert quoted.where(("when",)) == "line 1, column 7: when"
    assert quoted.where(("when",), column=7) == "line 1, column 14: when"
    assert decoded('{"seed": 1}', "p.json").where(("seed",)) == "line 1, column 10: seed"


@pytest.mark.parametrize(
    "text", ["when: >\n  cycle\n  = 3\n", "when: cycle\n  = 3\n", '"when": "cycle \\\n  = 3"', "when: 'it''s = 3'"]
)
def test_a_text_that_is_not_there_as_it_is_has_characters_and_no_columns(text: str) -> None:
    found = decoded(text)
    assert found.where(("when",)) == f"line 1, column {text.index(':') + 3}: when"
    assert found.where(("when",), column=7) == f"line 1, column {text.index(':') + 3}: when, character 7"


def test_a_key_is_shown_short_and_on_one_line() -> None:
    assert decoded('"a\\n\\e[1m": 1').where(("a\n\x1b[1m",), of_key=True) == r"line 1, column 1: a\n\x1b[1m"
    assert decoded(f"? {'k' * 2_000}\n: 1").where(("k" * 2_000,), of_key=True) == f"line 1, column 3: {'k' * 57}..."
    with pytest.raises(ValuesError, match=r"line 2, column 1: a\\n = 2: is there twice"):
        decoded('"a\\n": 1\n"a\\n": 2')


def test_a_json_text_that_is_no_yaml_has_no_places() -> None:
    key = "k" * 1_100  # YAML's keys end before
    assert decoded(json.dumps({key: 1}), "p.json").where((key,)) == f"{'k' * 57}..."
