"""The reference of the Python API: the public names of `devicectl` and the pytest fixtures, with their docstrings.

Law: signatures are copied from the source as it is formatted, so that the page is the same on every Python.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import devicectl
import pytest_handpiece

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Connect": ("connect", "Handpiece"),
    "Run a session": ("Session", "CycleResult", "Summary"),
    "Plan it": ("Plan", "Zone", "load_plan"),
}
"""Heading -> its names, in the order in which a reader needs them. Exceptions follow, each below its base."""

MODELS: Final = ("Plan", "Zone")
"""Whose fields are the keys of a plan's file, on a page of their own."""

INTRODUCTION: Final = """\
Made from the docstrings of `devicectl` and of its pytest plugin. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.

`import devicectl` brings these names and nothing else; each is imported when it is first used. A plan's keys are on
[their own page](../plan.md), the device's parameters, which a URL takes as options, on [another](parameters.md)."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def page() -> str:
    """Return the page's text."""
    sections = [f"# Python API\n\n{INTRODUCTION}"]
    for title, names in GROUPS.items():
        sections += [f"## {title}", *(section for name in names for section in _public(name))]
    sections += ["## Errors", *(section for name in errors() for section in _error(name))]
    sections += ["## pytest fixtures", "How they are used is on the page [pytest](../pytest.md).", *_fixtures()]
    return "\n\n".join(sections) + "\n"


def errors() -> list[str]:
    """Return the names of the public exceptions, each below its base."""
    found = [value for name in devicectl.__all__ if _is_error(value := getattr(devicectl, name))]
    return [error.__name__ for error in sorted(found, key=_lineage)]


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _lineage(error: type) -> list[str]:
    return [base.__name__ for base in reversed(error.__mro__)]


# --- what the source says ------------------------------------------------------------------------------------------


@cache
def _module(value: Any) -> tuple[list[str], ast.Module]:
    text = inspect.getsource(value)
    return text.splitlines(), ast.parse(text)


def _definition(value: Any) -> tuple[list[str], Any]:
    """Return the source lines of a module, and its node that defines `value`."""
    lines, module = _module(inspect.getmodule(value))
    return lines, next(node for node in module.body if getattr(node, "name", None) == value.__name__)


def _header(lines: list[str], node: _Function) -> str:
    """Return the signature as it is in the source: all above the body, without the last colon."""
    text = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1])).partition("  #")[0]
    signature = re.sub(r'-> "(.+)"$', r"-> \1", text.rstrip().removesuffix(":"))
    return f"@classmethod\n{signature}" if "classmethod" in _decorators(node) else signature


def _decorators(node: _Function) -> list[str]:
    return [ast.unparse(decorator) for decorator in node.decorator_list]


def _text(node: Any) -> str:
    """Return a docstring as Markdown: what it raises as a list."""
    text, _, raised = (ast.get_docstring(node) or "").partition("\nRaises")
    if not raised:
        return text
    condition, _, rows = raised.partition(":\n")
    items = re.sub(r"^(\w[\w., ]*): ", r"- `\1`: ", textwrap.dedent(rows), flags=re.MULTILINE)
    return f"{text.rstrip()}\n\nRaises{condition}:\n\n{textwrap.dedent(items).rstrip()}"


# --- sections ------------------------------------------------------------------------------------------------------


def _public(name: str) -> Iterator[str]:
    value = getattr(devicectl, name)
    lines, node = _definition(value)
    yield f"### `{name}`"
    if isinstance(value, type):
        yield _text(node)
        yield from _members(name, lines, node)
    else:
        header = _header(lines, node)
        if any("contextmanager" in decorator for decorator in _decorators(node)):
            header = re.sub(r"AsyncIterator\[(.+)\]$", r"\1", header).replace("async def", "async with", 1)
        yield f"```python\n{header}\n```"
        yield _text(node)


def _members(owner: str, lines: list[str], node: ast.ClassDef) -> Iterator[str]:
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    if fields and owner not in MODELS:
        pairs = [(ast.unparse(field.target), ast.unparse(field.annotation).replace("|", r"\|")) for field in fields]
        yield "\n".join(["| field | type |", "| --- | --- |", *(f"| `{name}` | `{kind}` |" for name, kind in pairs)])
    for item in node.body:
        if isinstance(item, _Function) and not item.name.startswith("_"):
            yield f"#### `{owner}.{item.name}`"
            if "property" in _decorators(item) and item.returns is not None:
                yield f"```python\n{item.name}: {ast.unparse(item.returns)}\n```"
            else:
                yield f"```python\n{_header(lines, item)}\n```"
            yield _text(item)


def _error(name: str) -> Iterator[str]:
    error = getattr(devicectl, name)
    bases = " and ".join(f"`{base.__name__}`" for base in error.__bases__)
    yield f"### `{name}`\n\nA {bases}; a program that it ends has exit code {error.exit_code}."
    yield _text(_definition(error)[1])


def _fixtures() -> Iterator[str]:
    _, module = _module(pytest_handpiece)
    for node in module.body:
        if isinstance(node, _Function) and _is_fixture(node):
            kind = "" if node.returns is None else ast.unparse(node.returns).replace("'", "")
            given = re.sub(r"^(?:Async)?Iterator\[(.+)\]$", r"\1", kind)
            yield f"### `{node.name}`\n\n```python\n{node.name}: {given}\n```"
            yield _text(node)


def _is_fixture(node: _Function) -> bool:
    made = any(decorator.startswith("pytest.fixture") for decorator in _decorators(node))
    return not node.name.startswith("_") and (made or isinstance(node, ast.AsyncFunctionDef))
