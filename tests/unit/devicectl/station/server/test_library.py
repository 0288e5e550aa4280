from pathlib import Path

import pytest

from devicectl.campaign.scenario_file import ScenarioFileError
from devicectl.station.ready import DEMONSTRATION, READY
from devicectl.station.server.library import library_of


def a_file(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(f"lesson: {{title: One of {folder.name}}}\n", encoding="utf-8")
    return str(path)


def test_lessons_that_are_named_come_first_and_each_once(tmp_path: Path) -> None:
    own = a_file(tmp_path, "own")
    found = library_of(["link-loss", own, "link-loss", own], demo=True)
    assert list(found)[:3] == [DEMONSTRATION, "link-loss", "own"] and set(READY) < set(found)
    assert found["own"].title == f"One of {tmp_path.name}"


@pytest.mark.parametrize("name", ["own", "suction-leak"])
def test_file_that_would_hide_another_lesson_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    given = [a_file(tmp_path / "one", "own"), a_file(tmp_path / "two", name)]
    with pytest.raises(ScenarioFileError) as caught:
        library_of(given)
    assert str(caught.value).endswith(f"another lesson has the name {name}: rename {given[1]}")
    assert "\n" not in str(caught.value)
