"""The product's version, as its metadata has it."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("devicectl")
except PackageNotFoundError:  # run from a source tree that was never installed
    VERSION = "0+source"
