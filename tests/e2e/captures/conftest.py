"""tshark with the dissector, for the tests of this folder."""

from collections.abc import Callable

import pytest

from tests.e2e.captures.shark import Shark


@pytest.fixture(scope="session")
def shark(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Shark:
    """tshark, with nothing in its way of its user's."""
    return Shark(program("tshark"), tmp_path_factory.mktemp("shark"))
