"""Pictures: three charts over one time, and a map for each zone."""

from devicectl.station.debrief.pictures import density, over_time
from tests.unit.devicectl.station.debrief.samples import empty_facts, full_facts


def test_each_picture_has_its_text_twin() -> None:
    vacuum, cores, share = over_time(full_facts())
    assert "Shown: 60 kPa all the time. True: 50 kPa all the time. Ada: 38 kPa." in vacuum
    assert "Counted: 0 cores at 0:00.0, 4 cores at 0:04.0. Really came out: 1 cores at 0:00.0" in cores
    assert "Target: 400 cores." in cores
    assert "Punctures with a core: 50 % all the time." in share
    assert all(one.count("<figcaption>") == one.count("<svg") == 1 for one in (vacuum, cores, share))


def test_a_map_has_a_table_of_the_cells_that_were_begun() -> None:
    made = "".join(density(full_facts().zones))
    assert "Ada: of 70 cells 1 were begun, 1 are full." in made
    assert "<td>60</td><td>50</td><td>100 %</td>" in made


def test_a_lesson_without_a_session_has_no_map_and_empty_charts() -> None:
    assert "No session was opened." in "".join(density(empty_facts().zones))
    assert all("never known" in one for one in over_time(empty_facts()))
