"""The hand's place: which cell is next, whichever ways the hand has gone."""

from devicectl.session.place import Place
from devicectl.session.plan import make_plan

PLAN = make_plan({"target_cores": 6, "zones": [{"name": "left", "area_cm2": 3}, {"name": "right", "area_cm2": 2}]})
"""Five cells, numbered 0 to 2 in the zone 0 and 3 to 4 in the zone 1."""


def way(place: Place, cells: int, cycles_left: int = 0) -> list[tuple[int, int] | None]:
    """The next cells, one after another, each left with so many cycles."""
    gone: list[tuple[int, int] | None] = []
    for _ in range(cells):
        cell = place.next_cell(PLAN)
        gone.append(cell)
        if cell is not None:
            place.arrive(PLAN, *cell, 16)
            place.cycles_left = cycles_left
    return gone


def test_cells_that_are_used_up_follow_each_other_through_all_zones_and_end() -> None:
    place = Place()
    assert way(place, 6) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), None]
    assert place.at == (1, 1)


def test_after_the_last_cell_those_that_still_take_a_cycle_are_gone_to_again() -> None:
    assert way(Place(), 7, cycles_left=1)[4:] == [(1, 1), (0, 0), (0, 1)]


def test_the_next_cell_is_that_after_the_one_a_person_has_chosen_and_what_was_left_out_comes_last() -> None:
    place = Place()
    way(place, 1)
    place.arrive(PLAN, 1, 0, 16)
    place.cycles_left = 0
    assert way(place, 4) == [(1, 1), (0, 1), (0, 2), None]


def test_a_cell_that_takes_no_cycle_on_arrival_is_used_up_and_one_that_takes_some_again_is_not() -> None:
    place = Place()
    place.arrive(PLAN, 0, 0, 0)
    place.arrive(PLAN, 0, 1, 0)
    place.arrive(PLAN, 0, 0, 4)
    assert way(place, 5) == [(0, 2), (1, 0), (1, 1), (0, 0), None]


def test_a_cell_whose_place_was_lost_is_gone_to_again_however_often() -> None:
    place = Place()
    way(place, 2)
    place.lose({0, 1})
    place.lose({0, 1})
    assert (place.at, place.cycles_left) == (None, 0)
    assert place.next_cell(PLAN) == (0, 1)


def test_a_place_that_is_lost_before_any_cell_is_the_first_one() -> None:
    place = Place()
    place.lose(set())
    assert place.next_cell(PLAN) == (0, 0)


def test_another_hosts_session_goes_on_in_the_cell_that_was_begun_last() -> None:
    place = Place()
    place.lose({0, 1, 2})
    assert place.next_cell(PLAN) == (0, 2)
    place.lose({0, 1, 2})
    assert way(place, 4) == [(0, 2), (1, 0), (1, 1), None]


def test_a_cell_that_the_plan_does_not_have_is_no_place_to_go_on_from() -> None:
    place = Place()
    place.lose({0, 99})
    assert place.next_cell(PLAN) == (0, 1)


def test_a_cell_that_a_person_has_left_early_stays_one_to_go_to_however_often_the_place_is_lost() -> None:
    place = Place()
    way(place, 2, cycles_left=3)
    place.lose({0, 1})
    place.lose({0, 1})
    assert way(place, 5) == [(0, 1), (0, 2), (1, 0), (1, 1), (0, 0)]
