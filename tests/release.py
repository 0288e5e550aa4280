"""Judges whether a tag may release this tree; the release workflow runs it before it builds.

    python -m tests.release v0.1.0

Law: the standard library alone, since nothing is installed by then.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def version_of(project: str) -> str:
    """Return the version in the text of a pyproject.toml."""
    version: str = tomllib.loads(project)["project"]["version"]
    return version


def fault_of(tag: str, *, version: str, changelog: str) -> str | None:
    """Return in one line why `tag` may not release the version, or None if it may."""
    if tag != f"v{version}":
        return f"the tag is {tag}; pyproject.toml has version {version}, so it would have to be v{version}"
    latest = re.search(r"^## (.+)$", changelog, re.MULTILINE)
    heading = "nothing" if latest is None else latest[1]
    if not re.fullmatch(re.escape(version) + r" - \d{4}-\d\d-\d\d", heading):
        return f"CHANGELOG.md begins with {heading}; right would be {version} - and the release's date, YYYY-MM-DD"
    return None


def main() -> None:
    """Exit with the fault of the tag in the first argument, if it has one."""
    project, changelog = ((ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "CHANGELOG.md"))
    sys.exit(fault_of(sys.argv[1], version=version_of(project), changelog=changelog))


if __name__ == "__main__":
    main()
