"""The product's version, and what kind of build it is.

The package's metadata is made from this module: to read the version there takes as long as to start Python.
"""

from typing import Final

VERSION: Final = "0.1.0"


def version_text() -> str:
    """Return the version for people: it says so where the core is compiled."""
    return f"{VERSION} (compiled core)" if is_compiled() else VERSION


def is_compiled() -> bool:
    """Return true if the modules that run for every frame are compiled, and not read from their sources."""
    from importlib.util import find_spec

    spec = find_spec("protocols.link.header")
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")
