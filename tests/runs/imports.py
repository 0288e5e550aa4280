"""The test modules, imported before they are collected: each process of a run begins with others of them.

Why: what was never imported is compiled, by pytest with its own assertions, which takes longer than all the rest of the
collection. Processes that go through the same modules in the same order compile each of them at the same time; now each
compiles its part, and finds the others' kept.
"""

import contextlib
import gc
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest


def part_of(places: Sequence[Path], left_out: Sequence[Path], part: int, parts: int) -> list[Path]:
    """The test modules in these folders that this process imports first: one of `parts`, of much the same size."""
    found = sorted({path for place in places if place.is_dir() for path in place.rglob("test_*.py")})
    return [path for path in found if not any(path.is_relative_to(other) for other in left_out)][part::parts]


def import_first(modules: Sequence[Path], root: Path) -> None:
    """Import these; what cannot be imported is told, or passed over, by who collects it."""
    for path in modules:
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))


@contextlib.contextmanager
def without_garbage() -> Iterator[None]:
    """Look for no garbage meanwhile, and later in nothing that there is at its end.

    Fifteen thousand tests and their modules stay to the end of a run: to go through them again and again finds nothing.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
