"""The targets of the benchmarks: each finds its figure, and one that is not met, or not measured, is told."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report, targets

RESULTS: dict[str, Any] = json.loads((Path(targets.__file__).parent / "results.json").read_text("utf-8"))


def spoil(results: Any, factor: float) -> Any:
    """The same with every figure that many times as large."""
    if isinstance(results, dict):
        return {key: spoil(value, factor) for key, value in results.items()}
    return results * factor if isinstance(results, (int, float)) and not isinstance(results, bool) else results


@pytest.mark.parametrize("target", targets.TARGETS, ids=lambda target: target.what)
def test_the_results_have_each_figure_and_a_bound_can_be_missed(target: targets.Target) -> None:
    figure = target.find(RESULTS)
    assert figure is not None and figure > 0
    if target.most is not None:
        assert not target.met(figure * 1000)
    if target.least is not None:
        assert not target.met(figure / 1000)


def test_the_committed_results_meet_every_bound() -> None:
    assert [target.what for target, _, met in targets.judge(RESULTS) if not met] == []


def test_what_is_missed_is_told() -> None:
    slow = {**RESULTS, "mqtt": spoil(RESULTS["mqtt"], 100)}
    missed = [target.what for target, _, met in targets.judge(slow) if not met]
    assert missed == ["MQTT: command to DONE less the motion, ms", "MQTT: the same over a bare round trip as far apart"]
    assert report.page(slow).count("**no**") == 2


def test_what_was_not_measured_is_not_met() -> None:
    bare = copy.deepcopy(RESULTS)
    bare["mqtt"] = {}
    bare["codec"]["ratios"].clear()
    missed = {target.what for target, figure, met in targets.judge(bare) if figure is None and not met}
    assert missed == {
        "encode over pymavlink",
        "decode over pymavlink",
        "MQTT: command to DONE less the motion, ms",
        "MQTT: the same over a bare round trip as far apart",
    }
    assert report.page(bare).count("**no**") == 4


def test_what_needs_a_compiler_or_valgrind_may_lack() -> None:
    bare = copy.deepcopy(RESULTS)
    bare["instructions"] = {}
    bare["codec"]["compiled"] = {}
    del bare["campaign"]["compiled"], bare["campaign"]["compiled_logged"]
    del bare["trials"]["compiled"]
    for name in [*bare["session"]]:
        if name.startswith("compiled"):
            del bare["session"][name]
    bare["servers"]["round_trips_of_compiled"] = {}
    lacking = [(target, met) for target, figure, met in targets.judge(bare) if figure is None]
    assert len(lacking) == 16
    assert all(met and target.may_lack for target, met in lacking)
    page = report.page(bare)
    assert page.count("**no**") == 0
    assert page.count("not measured") == 16
    assert "core compiled" not in page
    assert "valgrind is not installed" in page


def test_an_aim_that_is_not_reached_is_shown_beside_the_figure() -> None:
    less, more = targets.Target("less", ("figure",), most=4, aim=2), targets.Target("more", ("figure",), least=1, aim=2)
    assert [less.reached(figure) for figure in (1.9, 2.0, 2.1, None)] == [True, True, False, None]
    assert [more.reached(figure) for figure in (1.9, 2.0, 2.1, None)] == [False, True, True, None]
    assert targets.Target("none", ("figure",), most=4).reached(1) is None
    page = report.page(RESULTS)
    for target, figure, _ in targets.judge(RESULTS):
        if target.aim is not None:
            assert f"| {target.aim:g} | {figure:.3g} |" in page
