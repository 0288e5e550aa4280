"""Types: uses of them that mypy must find wrong, and bounds on what it is told not to look at."""

import contextlib
import io
import tokenize
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from mypy import api

from tests.architecture.tree import ROOT, modules

MAX_ANY: Final = 120
"""`Any` in the product, imports and all. What comes from a library without types, and what a table of many kinds
gives back, has no better type; the rest has `object`, a protocol class or a type variable."""
MAX_IGNORED: Final = 8
"""Lines of the product that mypy is told to pass."""

HEAD: Final = """\
from devicectl.recorder import Log
from devicectl.session.procedures import Procedure, ask
from protocols.language import messages as M
"""

RIGHT: Final = """
def count() -> Procedure[int]:
    done = yield from ask(M.Count(cycle_no=1))
    return done.total_cores_counted
"""

SNIPPETS: Final = {
    """
def count() -> Procedure[int]:
    done = yield from ask(M.Count(cycle_no=1))
    return done.wait_s
""": '"CountDone" has no attribute "wait_s"',
    """
def count() -> Procedure[M.PunchDone]:
    return (yield from ask(M.Count(cycle_no=1)))
""": 'got "CountDone", expected "PunchDone"',
    """
def pause() -> Procedure[M.PauseDone]:
    return (yield from ask(M.PauseDone()))
""": 'has incompatible type "PauseDone"; expected "Command',
    """
class Half:
    where = "here"

log: Log = Half()
""": 'expression has type "Half", variable has type "Log"',
}
"""Snippet that must not pass -> what is said of it."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What mypy says of a snippet, with the tree's own settings: all in one run, which takes as long as one alone."""
    folder = tmp_path_factory.mktemp("snippets")
    paths = {snippet: folder / f"snippet_{number}.py" for number, snippet in enumerate((RIGHT, *SNIPPETS))}
    for snippet, path in paths.items():
        path.write_text(HEAD + snippet, encoding="utf-8")
    with contextlib.chdir(ROOT):
        found, problem, code = api.run(["--config-file", "pyproject.toml", *map(str, paths.values())])
    assert code == 1 and not problem, (found, problem)
    return lambda snippet: "".join(line for line in found.splitlines(True) if paths[snippet].name in line)


@pytest.mark.timeout(300)
def test_right_use_passes(said: Callable[[str], str]) -> None:
    assert not said(RIGHT)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("snippet", SNIPPETS, ids=SNIPPETS.values())
def test_wrong_use_does_not_pass(said: Callable[[str], str], snippet: str) -> None:
    assert SNIPPETS[snippet] in said(snippet)


def _tokens(code: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(code).readline)


def _anys(code: str) -> int:
    """Count the word in code, and not in comments and texts; an annotation in quotes is a text."""
    return sum(token.type == tokenize.NAME and token.string == "Any" for token in _tokens(code))


def _ignored(code: str) -> int:
    return sum(token.type == tokenize.COMMENT and "type: ignore" in token.string for token in _tokens(code))


def _count(of: Callable[[str], int]) -> dict[str, int]:
    counts = {name: of(path.read_text(encoding="utf-8")) for name, path in modules()}
    return {name: count for name, count in counts.items() if count}


def test_few_values_are_of_any_type() -> None:
    found = _count(_anys)
    assert sum(found.values()) < MAX_ANY, found


def test_few_lines_are_passed_by() -> None:
    found = _count(_ignored)
    assert sum(found.values()) < MAX_IGNORED, found


def test_only_code_is_counted() -> None:
    code = """from typing import Any  # Any
def f(x: Any) -> Any:  # type: ignore[misc]
    "Any, and a type: ignore."
"""
    assert (_anys(code), _ignored(code)) == (3, 1)
