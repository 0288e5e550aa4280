"""Words: those that no file of the tree has, and those that no docstring of product and benchmarks begins with.

The first are manufacturers' product names, registry hosts, machines and open ends.
"""

import ast
import hashlib
import itertools
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from tests.architecture.tree import ROOT, modules, of_export, texts, tracked

# By the beginning of their SHA-256, so that this file does not hold them either.
BANNED_WORDS: Final = frozenset(
    (
        "053ea4804ef1bb33",
        "072db272c2e069d8",
        "0dc11026ac75c015",
        "3ea125d0bff386e6",
        "487b91042c7cf27a",
        "60965168ce762e94",
        "7d3194f79e645c42",
        "8b5bb5eb9d758455",
        "9495278a74715c7e",
        "a4aa2ac280bb8d1a",
        "c70eca6b0f88f44d",
        "c857d09db23e6822",
        "c899567ee9068517",
        "d6d7019ca9fcbf07",
        "d9703838b0fee039",
        "e680c440a2e92079",
    )
)
"""Products of manufacturers; hosts of package registries (which one is used is for the machine to say); brand names of
tools that have no part in the product."""

_WORD: Final = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_PLACE: Final = re.compile(r"(?<![\w.)>}])/(?:home|root|work|Users|opt)/\w")
_OPEN_END: Final = re.compile("TO" + r"DO(?!\(#?\d+\))\b|FIX" + r"ME\b|X" + r"XX\b")


NO_BEGINNING: Final = frozenset(
    (
        *("What", "Whatever", "Whether", "Which", "Whichever", "Who", "Whoever", "Whom", "Whose"),
        *("Where", "Wherever", "When", "Whenever", "Why", "How", "However"),
        *("Of", "As", "That", "Than", "If", "Unless", "Because", "Though", "Although", "While", "Since", "Until"),
    )
)
"""A docstring begins with a verb or a noun: the reader then knows at once that it does something, or what it is."""


@cache
def _banned(word: str) -> bool:
    return hashlib.sha256(word.encode()).hexdigest()[:16] in BANNED_WORDS


def _words(line: str) -> set[str]:
    found: set[str] = set()
    for token in _WORD.findall(line.lower()):
        pieces = re.split(r"([.-])", token)
        # "a.b.c" is also "b.c" and "c", and each piece by itself.
        found.update("".join(pieces[start:]) for start in range(0, len(pieces), 2))
        found.update(pieces[::2])
    return found


def _lines() -> list[tuple[str, str]]:
    return [(f"{name}:{number}", line) for name, text in texts() for number, line in enumerate(text.splitlines(), 1)]


def test_no_banned_word() -> None:
    assert not [place for place, line in _lines() if any(map(_banned, _words(line)))]


def test_no_path_of_one_machine() -> None:
    assert not [place for place, line in _lines() if _PLACE.search(line)]


def test_no_open_end_without_a_number() -> None:
    assert not [place for place, line in _lines() if _OPEN_END.search(line)]


def test_the_ban_bites() -> None:
    assert _PLACE.search("see " + "/home" + "/someone/log.sqlite")
    assert not _PLACE.search("{root}/v1/{site}/{device}/")
    assert _OPEN_END.search("TO" + "DO: later")
    assert not _OPEN_END.search("TO" + "DO(12): later")
    assert _words("see a.b-c") == {"see", "a.b-c", "b-c", "c", "a", "b"}


def test_an_export_has_the_same_files() -> None:
    """Without version control the same files are looked at."""
    assert {path for path in of_export(ROOT) if ".git" not in path.relative_to(ROOT).parts} == set(tracked())


def _beginnings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and first word of every docstring of a module; a constant's and an attribute's follow it."""
    for node in ast.walk(tree):
        texts: list[tuple[int, str | None]] = []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            texts.append((getattr(node, "lineno", 1), ast.get_docstring(node)))
        body = getattr(node, "body", None)  # of a lambda it is no list
        for before, after in itertools.pairwise(body if isinstance(body, list) else ()):
            if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
                value = after.value
                texts.append((after.lineno, str(value.value) if isinstance(value, ast.Constant) else None))
        for line, text in texts:
            if text and (word := re.match(r"\w+", text)):
                yield line, word[0]


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    benchmarks = [(path.stem, path) for path in sorted((ROOT / "benchmarks").rglob("*.py"))]
    assert benchmarks
    stiff = [
        f"{name}:{line} {word}"
        for name, path in (*modules(), *benchmarks)
        for line, word in _beginnings(ast.parse(path.read_text(encoding="utf-8")))
        if word in NO_BEGINNING
    ]
    assert not stiff


def test_every_kind_of_docstring_is_looked_at() -> None:
    code = """\"Of a module\"
class C:
    "What"
    LIMIT = 7
    "Where it ends"
    def f(self):
        "How it is"
        self.x: int = 7
        "As it was"
        async def g(): "if"
"""
    found = [(1, "Of"), (2, "What"), (5, "Where"), (6, "How"), (9, "As"), (10, "if")]
    assert sorted(_beginnings(ast.parse(code))) == found
