"""A map of cells: each with its number, shaded by how far it was filled."""

from devicectl.station.debrief.drawings.cells import Cell, ZoneMap, draw_cells, say_cells

ZONE = ZoneMap("cheek", 5, [Cell(0, 60, 50, 60), Cell(3, 15, 9, 60), Cell(4, 90, 70, 60)])


def test_each_cell_of_the_zone_is_drawn_and_those_begun_have_a_number() -> None:
    drawn = draw_cells(ZONE)
    assert drawn.count("<rect") == 5 and drawn.count("<text") == 3
    assert drawn.count('class="cell level-none"') == 2
    assert 'class="cell level-1"' in drawn and drawn.count('class="cell level-4"') == 2


def test_it_is_said_in_words() -> None:
    said = "cheek: of 5 cells 3 were begun, 2 are full. Most punctures: 90 in cell 5, 150 % of the plan's 60."
    assert say_cells(ZONE) == said
    assert say_cells(ZoneMap("cheek", 5, [])) == "cheek: none of its 5 cells was begun."


def test_without_a_limit_nothing_is_full() -> None:
    assert Cell(0, 5, 5, 0).percent == 0
    assert "0 are full" in say_cells(ZoneMap("cheek", 1, [Cell(0, 5, 5, 0)]))


def test_a_zone_of_any_size_has_a_place_for_each_cell() -> None:
    for cells in (1, 2, 70, 1_000):
        assert draw_cells(ZoneMap("cheek", cells, [])).count("<rect") == cells
