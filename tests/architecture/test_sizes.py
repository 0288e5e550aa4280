"""How long the modules are. Above the limit a module needs a reason.

python -m tests.architecture.test_sizes        prints the longest
"""

import statistics
from collections import Counter
from typing import Final

from tests.architecture.tree import ROOT, modules, tracked

LIMIT_LINES: Final = 400
"""Above this, ask why; the aim is 60 to 250."""

MAX_MODULES: Final = 15
"""In one folder, without its __init__: a reader takes in a list of so many names."""

TOP: Final = {
    *(".ci", ".github", ".gitignore", ".pre-commit-config.yaml"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md"),
    *("MANIFEST.in", "pyproject.toml", "pytest_handpiece.py", "setup.py"),
    *(
        "benchmarks",
        "build_tools",
        "devicectl",
        "docs",
        "examples",
        "findings",
        "firmware_sim",
        "handpiece_shell",
        "protocols",
    ),
    "tests",
}
"""Everything at the tree's top, so that nobody's scratch folder is committed with it."""

REASONS: Final[dict[str, str]] = {}
"""Longer module -> why it is one."""


def sizes() -> dict[str, int]:
    """Lines of every module, the longest first."""
    found = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def test_long_modules_have_a_reason() -> None:
    assert {name for name, lines in sizes().items() if lines > LIMIT_LINES} <= set(REASONS)


def test_reasons_are_of_modules_that_there_are() -> None:
    assert set(REASONS) <= set(sizes())


def test_half_of_the_modules_are_short() -> None:
    assert statistics.median(sizes().values()) <= 250


if __name__ == "__main__":
    for module, lines in list(sizes().items())[:20]:
        print(f"{lines:5} {module}")
    print(f"{statistics.median(sizes().values()):5.0f} median of {len(sizes())}")


def test_no_folder_is_crowded() -> None:
    sources = (path.relative_to(ROOT) for path in tracked() if path.suffix == ".py" and path.name != "__init__.py")
    crowded = {str(folder): count for folder, count in Counter(path.parent for path in sources).items()}
    assert not {folder: count for folder, count in crowded.items() if count > MAX_MODULES}


def test_nothing_unknown_is_at_the_top() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP
