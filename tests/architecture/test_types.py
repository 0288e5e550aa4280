"""What mypy must find: types that hold only because a wrong use of them does not pass."""

import contextlib
from collections.abc import Callable
from typing import Final

import pytest
from mypy import api

from tests.architecture.tree import ROOT

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
