"""Build steps that pyproject.toml cannot say: the extension modules, where the core is to be compiled."""

from compiled_core import extensions
from setuptools import setup

setup(ext_modules=extensions())
