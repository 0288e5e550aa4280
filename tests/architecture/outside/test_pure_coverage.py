"""How the branch coverage of the pure core is judged: `make coverage` measures it, which takes minutes."""

import tomllib

import pytest

from tests.architecture.outside import pure_coverage
from tests.architecture.tree import ROOT


def test_each_bound_is_of_a_pure_package_and_below_all() -> None:
    pure = pure_coverage.pure(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))
    assert set(pure_coverage.BELOW) <= set(pure)
    assert all(bound < pure_coverage.BOUND for bound in pure_coverage.BELOW.values())
    assert {"protocols.link", "firmware_sim.memory", "devicectl.session"} <= set(pure)


def test_what_sinks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pure_coverage, "BELOW", {"held": 97.0, "gone": 98.0})
    assert pure_coverage.faults({"whole": 100.0, "held": 97.1}) == ["gone: has a bound and is not there"]
    monkeypatch.setattr(pure_coverage, "BELOW", {"held": 97.0})
    assert pure_coverage.faults({"whole": 99.99, "held": 97.1}) == ["whole: 99.99 %, bound 100.0 %"]
    assert pure_coverage.faults({"whole": 100.0, "held": 96.99}) == ["held: 96.99 %, bound 97.0 %"]
