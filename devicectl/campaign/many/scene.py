"""A scene of a profile: a beginning, a plan and faults that belong together, and that kinds drawn apart hardly make.

    no_home_after_a_punch:
      on: 0.01
      faults:
        - {fault: retract_sensor_stuck, when: 'cycle == {cycle} and phase == "punch"', for_ms: 1000}
        - {fault: pressure_frozen, when: 'cycle == {cycle} and phase == "punch"', kpa: -20, for_ms: 1000}

`{cycle}` is one cycle of the session, drawn once for the scene. The rest is as in a scenario's file.

Law: data, checked when its profile is made.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from devicectl.session.plan import Plan, PlanError, make_plan
from firmware_sim.faults.fault import missing_needle
from firmware_sim.faults.scenario import ScenarioError, Start, read_start
from firmware_sim.model.parameters import Parameters
from protocols.capture.packet import JsonObject
from protocols.text.findings import Finding
from protocols.text.values import Steps

_CYCLE: Final = "{cycle}"
_OF_CYCLES: Final = ("target_cores", "zones")
"""Keys of a plan that follow from the cycles of a session."""


class Scene(BaseModel):
    """One scene, with its chance to be in a session."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    on: Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")]
    start: Annotated[JsonObject, Field(description="a mapping, as `start` of a scenario")] = {}
    plan: Annotated[JsonObject, Field(description="a mapping with keys of a plan's file")] = {}
    faults: Annotated[list[JsonObject], Field(description="a list of faults, as in a scenario")] = []


class Laid(NamedTuple):
    """A scene in one session."""

    start: Start
    plan: JsonObject


def lay(scene: Scene, cycle: int) -> Laid:
    """Return a scene with its cycle.

    Raises:
        ScenarioError: its start or its faults cannot be.
    """
    faults = [{**fault, **_of_cycle(fault, cycle)} for fault in scene.faults]
    return Laid(read_start({"start": scene.start, "faults": faults}), scene.plan)


def _of_cycle(fault: JsonObject, cycle: int) -> JsonObject:
    when = fault.get("when")
    return {"when": when.replace(_CYCLE, str(cycle))} if isinstance(when, str) else {}


def misfits(scenes: Mapping[str, Scene]) -> Iterator[Finding]:
    """Yield what scenes ask for that cannot be."""
    for name, scene in scenes.items():
        yield from _of_plan(scene.plan, ("scenes", name, "plan"))
        try:
            start = lay(scene, 1).start
        except ScenarioError as error:
            yield Finding(("scenes", name, *error.steps), None, error.reason, of_key=error.of_key)
            continue
        needles = Parameters(start.parameters).needles
        for index, fault in enumerate(start.faults):
            steps: Steps = ("scenes", name, "faults", index)
            if fault.kind.lasts and not fault.for_us:
                right = "must have for_ms above 0: a session has to end after its last fault"
                yield Finding(steps, None, right)
            missing = missing_needle(fault, needles)
            if missing:
                yield Finding((*steps, "needle"), fault.values["needle"], missing)


def _of_plan(plan: JsonObject, steps: Steps) -> Iterator[Finding]:
    for key in _OF_CYCLES:
        if key in plan:
            yield Finding((*steps, key), None, "must be left out: it follows from the cycles of a session", of_key=True)
    try:
        make_plan({**Plan().model_dump(mode="json"), **plan})
    except PlanError as error:
        within = () if error.key is None else tuple(error.key.split("."))
        yield Finding((*steps, *within), error.value, error.right)
