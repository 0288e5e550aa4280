"""The repository of examples/ci: its tests pass, and those with faults over every transport that it names."""

import shutil

import pytest

from tests.architecture.tree import ROOT
from tests.integration.plugin.test_plugin_faults import URLS


@pytest.mark.parametrize("url", URLS)
def test_the_example_passes(pytester: pytest.Pytester, url: str) -> None:
    shutil.copytree(ROOT / "examples" / "ci", pytester.path, dirs_exist_ok=True)
    which = () if url == "sim://" else ("-k", "twice or cut")
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--handpiece-url", url, *which)
    run.assert_outcomes(**({"passed": 6} if not which else {"passed": 2, "deselected": 4}))
