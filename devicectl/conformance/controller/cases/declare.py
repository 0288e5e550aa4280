"""Declaration of a case for a controller: the scene that it needs, and the judge of what came of it.

Law: values. Cases that name one scene are judged by one run of the command.
"""

from typing import NamedTuple

from devicectl.conformance.case import Case, Need
from devicectl.conformance.controller.checks import Judge
from devicectl.conformance.controller.scene import Run, Scene
from devicectl.conformance.rules import Duty


class Trial(NamedTuple):
    """A scene and its judge."""

    scene: Scene
    judge: Judge

    def judge_run(self, run: Run) -> None:
        """Judge a run of the scene."""
        self.judge(run)


def case(name: str, title: str, rules: str, scene: Scene, judge: Judge, *needs: Need) -> Case:
    """Make a case for a controller; `rules` are numbers without their HLP-."""
    numbers = tuple(f"HLP-{rule}" for rule in rules.split())
    return Case(name, title, numbers, Duty.HOST, Trial(scene, judge).judge_run, frozenset(needs))


def scene_of(one: Case) -> Scene:
    """Return the scene of a case."""
    trial = getattr(one.run, "__self__", None)
    assert isinstance(trial, Trial), "each case of a controller is made by `case`"
    return trial.scene
