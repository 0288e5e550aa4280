"""Whose `protocols` it is that Python finds."""

from pathlib import Path

import protocols
from devicectl.testing.names import has_another, hidden


def test_ours_is_known() -> None:
    assert hidden() is None
    assert not has_another(str(Path(protocols.__path__[0]).parent))


def test_a_users_own_folder_of_that_name_is_known(tmp_path: Path) -> None:
    assert not has_another(str(tmp_path))
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols" / "__init__.py").touch()
    assert has_another(str(tmp_path))
