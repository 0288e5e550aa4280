"""A scenario's file: what is right becomes a scenario, and what is wrong is one line with its place."""

import json
from pathlib import Path
from typing import Final

import pytest

from devicectl.campaign.scenario import Expectations, Person, Scenario
from devicectl.campaign.scenario_file import ScenarioFileError, read_scenario
from devicectl.errors import DevicectlError
from devicectl.session.plan import Plan, make_plan
from firmware_sim.faults.fault import declare

WHOLE: Final = """\
name: a lost answer
seed: 12
wire: mqtt
start:
  parameters: {anesthesia_wait_s: 1}
  cartridge_cycles: 4000
  canister_ml: 12.5
plan:
  target_cores: 20
  zones:
    - {name: chin, area_cm2: 4}
faults:
  - fault: drop
    when: frame("COUNT_DONE", 2)
    direction: device
  - {fault: reboot, when: 'cycle == 3 and phase == "suction"'}
person: {waits_ms: [10, 20], abandons: 0.5, heard: 0}
expect:
  state: aborted
  reconciled: null
  alarms: [MC-0401]
  no_alarms: [MC-1601]
  refusals: [E_INTERLOCK]
  interlocks: [4]
  cores_counted: [20, 24]
  at_most_s: 60
"""


def written(folder: Path, text: str, name: str = "lab.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str, name: str = "lab.yaml") -> str:
    """The error's line, without the file."""
    path = written(folder, text, name)
    with pytest.raises(ScenarioFileError) as caught:
        read_scenario(path)
    line = str(caught.value)
    assert "\n" not in line and line.startswith((f"{path}: ", f"{path} = ")) and len(line) < len(str(path)) + 600
    assert isinstance(caught.value, DevicectlError) and caught.value.exit_code == 2
    return line.removeprefix(f"{path}: ")


def test_every_key_is_read(tmp_path: Path) -> None:
    assert read_scenario(written(tmp_path, WHOLE)) == Scenario(
        name="a lost answer",
        seed=12,
        wire="mqtt",
        parameters={"anesthesia_wait_s": 1},
        cartridge_cycles=4000,
        canister_ml=12.5,
        plan=make_plan({"target_cores": 20, "zones": [{"name": "chin", "area_cm2": 4}]}),
        faults=(
            declare("drop", 'frame("COUNT_DONE", 2)', direction="device"),
            declare("reboot", 'cycle == 3 and phase == "suction"'),
        ),
        person=Person(waits_ms=(10, 20), abandons=0.5, heard=0.0),
        expect=Expectations(
            state="aborted",
            reconciled=None,
            alarms=(401,),
            no_alarms=(1601,),
            refusals=("E_INTERLOCK",),
            interlocks=(4,),
            cores_counted=(20, 24),
            at_most_s=60,
        ),
    )


def test_what_is_left_out_is_as_usual(tmp_path: Path) -> None:
    assert read_scenario(written(tmp_path, "{}")) == Scenario(plan=Plan())
    found = read_scenario(written(tmp_path, "baud: 115200\nexpect: {cores_counted: 30, state: null}"))
    assert (found.baud, found.expect) == (115_200, Expectations(state=None, cores_counted=(30, 30)))


def test_json_is_read_as_yaml_is(tmp_path: Path) -> None:
    text = json.dumps({"seed": 3, "faults": [{"fault": "reboot", "when": "cycle == 2"}]})
    assert read_scenario(written(tmp_path, text, "lab.json")) == read_scenario(written(tmp_path, text))


WRONG: Final = {
    "an unknown key": ("seed: 1\nsede: 2", "line 2, column 1: sede = 2: is no key of a scenario here: those are name,"),
    "the nearest key": ("seed: 1\nsede: 2", "; did you mean seed?"),
    "a wire": ("wire: radio", "line 1, column 7: wire = 'radio': must be serial or mqtt"),
    "a text for a number": ("\nbaud: fast", "line 2, column 7: baud = 'fast': must be a whole number of bits a second"),
    "a key of start": ("start:\n  canister_l: 3", "line 2, column 3: start.canister_l: is no key here; did you mean"),
    "a parameter": (
        "start:\n  parameters:\n    needle: 3",
        "line 3, column 13: start.parameters.needle: no such param",
    ),
    "a seed": ("seed: -1", "line 1, column 7: seed: must be a whole number from 0 to"),
    "a key of a plan": ("plan: {zone: []}", "line 1, column 8: plan.zone = []: is no key of a plan here: those are"),
    "a zone": ("plan:\n  zones:\n  - {name: a, area_cm2: 0}", "line 3, column 25: plan.zones[0].area_cm2 = 0: must be"),
    "a zone without area": (
        "plan:\n  zones:\n  - {name: a}",
        "line 3, column 5: plan.zones[0].area_cm2: is missing: must",
    ),
    "a key of a zone": (
        "plan:\n  zones:\n  - {nam: a, area_cm2: 1}",
        "line 3, column 6: plan.zones[0].nam = 'a': is no key of a plan here: those are name, area_cm2; did you mean n",
    ),
    "a plan of a list": ("plan: []", "line 1, column 7: plan = []: must be a mapping with the keys of a plan's file"),
    "a kind": (
        "faults:\n- fault: dorp",
        "line 2, column 10: faults[0].fault: there is no fault 'dorp'; did you mean drop?",
    ),
    "a quantity": (
        "faults:\n- fault: drop\n  piece: 2",
        "line 3, column 3: faults[0].piece: a drop has direction, pieces, share, for_ms; did you mean pieces?",
    ),
    "a range": (
        "faults:\n- {fault: drop, share: 2}",
        "line 2, column 24: faults[0].share: must be a number from 0 to 1",
    ),
    "a trigger": (
        "faults:\n- fault: drop\n  when: cycle = 3",
        "line 3, column 15: faults[0].when: must be one of == != < <= > >=, not =",
    ),
    "a person": ("person: {waits: [1]}", "line 1, column 10: person.waits = [1]: is no key of a scenario here: those"),
    "a wait": (
        "person: {waits_ms: [-1]}",
        "line 1, column 21: person.waits_ms[0] = -1: must be a list of 1 to 20 times",
    ),
    "an ending": (
        "expect: {state: won}",
        "line 1, column 17: expect.state = 'won': must be completed, aborted, or null",
    ),
    "an alarm": (
        "expect: {alarms: [MC-0402]}",
        "line 1, column 19: expect.alarms[0] = 'MC-0402': must be a list of alarms",
    ),
    "a refusal": ("expect: {refusals: [E_NO]}", "expect.refusals[0] = 'E_NO': must be a list of codes of E_UNKNOWN"),
    "an interlock": (
        "expect: {interlocks: [99]}",
        "expect.interlocks[0] = 99: must be a list of the numbers of interlocks",
    ),
    "bounds of three": (
        "expect: {cores_counted: [1, 2, 3]}",
        "expect.cores_counted = [1, 2, 3]: must be a whole number, or",
    ),
    "a truth for a count": (
        "expect: {cores_counted: true}",
        "expect.cores_counted = True: must be a whole number, or a",
    ),
    "no time": ("expect: {at_most_s: 0}", "expect.at_most_s = 0: must be a number of seconds up to 86400"),
    "a key twice": ("seed: 1\nseed: 2", "line 2, column 1: seed = 2: is there twice: must be there once"),
    "no mapping": ("- seed", "= ['seed']: must be a mapping, for example `seed: 7`"),
    "broken": ("a: [", "line 1, column 5: is no YAML"),
    # what cannot happen
    "a cycle beyond the plan": (
        "plan: {target_cores: 20, zones: [{name: a, area_cm2: 1}]}\nfaults:\n- {fault: reboot, when: cycle == 400}",
        "line 3, column 25: faults[0].when = 'cycle == 400': never holds: this plan has room for at most",
    ),
    "a broker on a serial line": (
        "faults:\n- fault: broker_killed",
        "line 2, column 10: faults[0].fault = 'broker_killed': cannot happen on a serial line: write `wire: mqtt`",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), WRONG.values(), ids=WRONG)
def test_an_error_is_one_line_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in refused(tmp_path, text)


def test_an_error_in_json_has_its_place_too(tmp_path: Path) -> None:
    assert refused(tmp_path, '{\n "seed": 1,\n "wire": "radio"}', "lab.json").startswith("line 3, column 10: wire = ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(
        ScenarioFileError, match="none.yaml: cannot be read: No such file or directory; name a scenario"
    ):
        read_scenario(path)
