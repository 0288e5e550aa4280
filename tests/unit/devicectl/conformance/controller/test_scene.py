"""A scene says what its device is, and a run how its command ended."""

from devicectl.conformance.controller.scene import USUAL, End, Run, Scene
from devicectl.conformance.controller.tape import Tape


def test_the_parameters_of_a_scene_count_more_than_the_usual_ones() -> None:
    scenario = Scene("x", faults=[{"fault": "reboot"}], parameters={"needles": 3}).scenario(9)
    assert scenario == {
        "seed": 9,
        "start": {"parameters": {**USUAL, "needles": 3}},
        "faults": [{"fault": "reboot"}],
    }


def test_an_end_names_its_limit_and_the_last_words() -> None:
    run = Run(Scene("x", limit_s=9), Tape(), End.KILLED, words="waiting")
    assert run.told == f"{End.KILLED} (20 s for HELLO); it said last: waiting"
    assert Run(Scene("x"), Tape(), code=-9).told == "it ended by itself; signal 9"
    assert Run(Scene("x"), Tape(), code=3).told == "it ended by itself; exit code 3"
    assert Run(Scene("x"), Tape(), End.NOT_STARTED, words="x: none").told == "x: none"
