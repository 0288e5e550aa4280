"""Every limit in real time follows the machine: what hangs is ended, and what is slow is not.

python -m tests.architecture.test_limits        prints those that do not
"""

import ast
from collections.abc import Iterator
from typing import Final, TypeGuard

import pytest

from tests.architecture.tree import ROOT

LIMITED: Final = {("asyncio", "timeout"): 0, ("asyncio", "wait_for"): 1}
"""Functions that take a limit -> which of their arguments it is."""
KEYWORD: Final = "timeout"
METHODS: Final = ("communicate", "settimeout")
MEANT: Final = {
    "asyncio.timeout(0.15)": "it is to end before the step does",
    "self.socket.settimeout(max(seconds, 0.001))": "what is left of a limit that follows",
    "self.incoming.get(timeout=max(seconds, 0.001))": "the same",
    "pytest_timeout.get_env_settings(request.config)._replace(timeout=60.0)": "what is to be multiplied",
}
"""Limits that are what is tested -> why they are fixed."""


def _limits(call: ast.Call) -> Iterator[ast.expr]:
    yield from (given.value for given in call.keywords if given.arg == KEYWORD)
    if isinstance(call.func, ast.Attribute):
        where = LIMITED.get((getattr(call.func.value, "id", ""), call.func.attr))
        if call.func.attr in METHODS:
            where = 0
        if where is not None and where < len(call.args):
            yield call.args[where]


def _is_fixed(limit: ast.expr) -> bool:
    """A number, or a constant's name, that nothing multiplies by what the machine can do."""
    parts = list(ast.walk(limit))
    if any(isinstance(part, ast.Call) and getattr(part.func, "id", "") == "patience" for part in parts):
        return False
    numbers = [part for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, (int, float))]
    return bool(numbers) or any(isinstance(part, ast.Name) and part.id.isupper() for part in parts)


def _is_a_fixed_limit(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and any(map(_is_fixed, _limits(node)))


def fixed() -> list[str]:
    """Where a limit is fixed."""
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if _is_a_fixed_limit(call) and ast.unparse(call) not in MEANT:
                found.append(f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)[:80]}")
    return found


def test_every_limit_follows_the_machine() -> None:
    assert fixed() == [], "write patience(), or patience(seconds), of tests.patience"


@pytest.mark.parametrize(
    "text",
    ["run(x, timeout=50)", "asyncio.timeout(5)", "asyncio.wait_for(x, 2.0)", "p.communicate(timeout=WAIT_S)"],
)
def test_what_is_fixed_is_found(text: str) -> None:
    assert _is_a_fixed_limit(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    "text", ["run(x, timeout=patience())", "asyncio.timeout(patience(5))", "open(timeout=None)", "sql(timeout=left)"]
)
def test_what_follows_is_not(text: str) -> None:
    assert not _is_a_fixed_limit(ast.parse(text, mode="eval").body)


if __name__ == "__main__":
    print("\n".join(fixed()))
