"""How the branch coverage of the pure core is judged: `make coverage` measures it, which takes minutes."""

import tomllib

from tests.architecture.outside import pure_coverage
from tests.architecture.tree import ROOT


def test_the_pure_core_is_what_the_import_contract_lists() -> None:
    pure = pure_coverage.pure(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))
    assert {"protocols.link", "firmware_sim.memory", "devicectl.session"} <= set(pure)


def test_what_sinks_is_named() -> None:
    assert pure_coverage.faults({"whole": 100.0}) == []
    assert pure_coverage.faults({"whole": 100.0, "sunk": 99.99}) == ["sunk: 99.99 %, bound 100.0 %"]
