"""The device in C, built once a run, and a bench of it for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.c_device import built_device
from tests.integration.c_device.built_device import Bench, Host


@pytest.fixture(scope="session")
def built(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which it was built with the sanitizers."""
    return built_device.device(program, tmp_path_factory)


@pytest.fixture
def bench(built: Path) -> Iterator[Bench]:
    """A device that has just been started."""
    with built_device.bench(built) as made:
        yield made


@pytest.fixture
def host(bench: Bench) -> Host:
    """A host at its first port, without a link as yet."""
    return Host(bench)
