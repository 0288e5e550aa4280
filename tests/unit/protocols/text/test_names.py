"""Names in one Unicode form, and what no name has."""

import unicodedata

import pytest

from protocols.text.names import has_control, one_form


@pytest.mark.parametrize("name", ["", "plain", "Frühjahr", "é", "한글", "\udcff", "Ω"])
def test_one_form(name: str) -> None:
    forms = {one_form(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}
    assert forms == {one_form(name)} == {unicodedata.normalize("NFC", name)}


@pytest.mark.parametrize(
    ("text", "has"), [("", False), ("a b", False), ("zwölf €\udcff", False), ("a\r", True), ("\x1b", True),
                      ("\x7f", True), ("\x80", True), ("\x9f", True), ("\xa0", False)],
)  # fmt: skip
def test_control_characters(text: str, has: bool) -> None:
    assert has_control(text) is has
