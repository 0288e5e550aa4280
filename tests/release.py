"""Judges whether a tag may release this tree; the release workflow runs it before it builds.

    python -m tests.release v0.1.0

Law: the standard library alone, since nothing is installed by then.
"""

import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


VERSION_FILE: Final = "handpiece_shell/version.py"


def version_of(module: str) -> str:
    """Return the version in the text of `VERSION_FILE`."""
    (version,) = re.findall(r'^VERSION: Final = "(.+)"$', module, re.MULTILINE)
    return str(version)


def fault_of(tag: str, *, version: str, changelog: str) -> str | None:
    """Return in one line why `tag` may not release the version, or None if it may."""
    if tag != f"v{version}":
        return f"the tag is {tag}; {VERSION_FILE} has version {version}, so it would have to be v{version}"
    latest = re.search(r"^## (.+)$", changelog, re.MULTILINE)
    heading = "nothing" if latest is None else latest[1]
    if not re.fullmatch(re.escape(version) + r" - \d{4}-\d\d-\d\d", heading):
        return f"CHANGELOG.md begins with {heading}; right would be {version} - and the release's date, YYYY-MM-DD"
    return None


def main() -> None:
    """Exit with the fault of the tag in the first argument, if it has one."""
    module, changelog = ((ROOT / name).read_text(encoding="utf-8") for name in (VERSION_FILE, "CHANGELOG.md"))
    sys.exit(fault_of(sys.argv[1], version=version_of(module), changelog=changelog))


if __name__ == "__main__":
    main()
