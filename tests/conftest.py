"""What all tests share: how many examples and seeds, and that a missing program fails where it must be there."""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import settings

# An example has no deadline: a busy machine is not a defect. The suite's own timeout ends what hangs.
settings.register_profile("default", deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=2_000)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--seeds N`: sessions of a statistical test; its bounds are made for 30 or more."""
    parser.addoption("--seeds", type=int, default=30, help="how many seeds a statistical test runs")


@pytest.fixture(scope="session")
def seeds(request: pytest.FixtureRequest) -> range:
    """The seeds of a statistical test."""
    return range(1, int(request.config.getoption("--seeds")) + 1)


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of a system program; where it is missing the test is skipped, and in CI fails."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{name} is not installed, and CI must have it: see .ci/run")
            pytest.skip(f"{name} is not installed")
        return path

    return find
