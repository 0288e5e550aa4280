"""Sections, tables and lists."""

from devicectl.station.debrief.markup import element
from devicectl.station.debrief.tables import figure, listing, section, table


def test_a_table_has_heads_of_its_columns_and_rows() -> None:
    made = table(("Time", "What"), [("0:01", "<stop>")], "nothing")
    assert made.count('scope="col"') == 2 and made.count('scope="row"') == 1
    assert "<td>&lt;stop&gt;</td>" in made and "nothing" not in made


def test_a_table_without_a_row_is_a_sentence() -> None:
    assert table(("Time",), [], "Nothing happened.") == '<p class="soft">Nothing happened.</p>'


def test_a_wide_table_can_be_scrolled_by_the_keyboard() -> None:
    assert table(("Time",), [("1",)], "").startswith('<div class="wide" tabindex="0">')


def test_sections_lists_and_figures() -> None:
    assert section("Notes", element("p", "a")) == "<section><h2>Notes</h2><p>a</p></section>"
    assert listing(["<a>"]) == "<ul><li>&lt;a&gt;</li></ul>"
    assert figure(element("svg"), "so & so") == "<figure><svg></svg><figcaption>so &amp; so</figcaption></figure>"
