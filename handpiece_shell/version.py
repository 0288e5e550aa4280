"""The product's version, as its metadata has it, and what kind of build it is."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

try:
    VERSION = version("devicectl")
except PackageNotFoundError:  # run from a source tree that was never installed
    VERSION = "0+source"


def is_compiled() -> bool:
    """True if the modules that run for every frame are compiled, and not read from their sources."""
    spec = find_spec("protocols.link.header")
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")


def version_text() -> str:
    """The version for people: it says so where the core is compiled."""
    return f"{VERSION} (compiled core)" if is_compiled() else VERSION
