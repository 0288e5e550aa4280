"""Limits follow the machine: those of a test, and those inside it."""

import pytest
import pytest_timeout

from firmware_sim.clock import monotonic
from tests import conftest
from tests import patience as measured
from tests.patience import MOST, deadline, look, patience


def slowness(monkeypatch: pytest.MonkeyPatch, *, load: float, stretch: float) -> float:
    monkeypatch.setattr(measured, "_load", lambda: load)
    monkeypatch.setattr(measured, "_stretch", lambda: stretch)
    monkeypatch.setattr(measured._Measure, "at", None)
    monkeypatch.setattr(measured._Measure, "factor", 0.0)
    look()
    return patience(1.0)


@pytest.mark.parametrize(
    ("load", "stretch", "factor"),
    [(0.1, 0.3, 1.0), (4.0, 1.0, 4.0), (1.0, 7.0, 7.0), (3.0, 7.0, 7.0), (900.0, 1.0, MOST)],
)
def test_a_limit_is_as_much_longer_as_the_machine_is_slower(
    monkeypatch: pytest.MonkeyPatch, load: float, stretch: float, factor: float
) -> None:
    assert slowness(monkeypatch, load=load, stretch=stretch) == factor
    before = monotonic()
    assert factor <= (deadline(1.0) - before) / 1e6 < factor + 5


def test_a_look_is_not_taken_twice_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert slowness(monkeypatch, load=4.0, stretch=1.0) == 4.0
    monkeypatch.setattr(measured, "_load", lambda: 9.0)
    look()
    assert patience(1.0) == 4.0


def test_pytests_own_limit_follows_too(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    hooks = request.config.hook.pytest_timeout_set_timer.get_hookimpls()
    assert hooks[-1].function is conftest.pytest_timeout_set_timer, "it is asked first, and answers"
    set_to: list[float] = []
    settings = pytest_timeout.get_env_settings(request.config)._replace(timeout=60.0)
    monkeypatch.setattr(pytest_timeout, "pytest_timeout_set_timer", lambda item, given: set_to.append(given.timeout))
    slowness(monkeypatch, load=3.0, stretch=1.0)
    conftest.pytest_timeout_set_timer(request.node, settings)
    assert set_to == [180.0]
