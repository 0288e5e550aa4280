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
    slow = {**RESULTS, "session": spoil(RESULTS["session"], 10)}
    missed = [target.what for target, _, met in targets.judge(slow) if not met]
    assert missed == ["default session over the floor"]
    assert report.page(slow).count("**no**") == 1


def test_what_was_not_measured_is_not_met() -> None:
    bare = copy.deepcopy(RESULTS)
    bare["mqtt"] = {}
    bare["codec"]["ratios"].clear()
    bare["servers"]["first_answer_s"].clear()
    bare["servers"]["round_trips_of_ours"].clear()
    assert sum(figure is None and not met for _, figure, met in targets.judge(bare)) == 7
    assert sum(figure is None and met for _, figure, met in targets.judge(bare)) == 2, "what has an aim and no bound"
    assert report.page({**bare, "servers": RESULTS["servers"]}).count("**no**") == 4
