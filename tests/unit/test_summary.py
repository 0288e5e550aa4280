"""The summary: the product's names, and coverage by hand."""

import json
import math
from dataclasses import replace

import pytest

from devicectl.summary import Summary, coverage_percent

SUMMARY = Summary(
    session_id=3,
    simulated=True,
    seed=7,
    device="SIM-00000007",
    course=None,
    state="completed",
    target_cores=300,
    cores_counted=301,
    cores_evacuated=None,
    punctures=309,
    cycles=103,
    needles=3,
    coverage_percent=5.5,
    treated_area_cm2=7,
    session_seconds=61.5,
    wall_seconds=0.2,
    reconciled=True,
    alarms={"MC-0601": 2},
    log="log.sqlite",
)


def test_its_json_has_the_products_names_in_its_order() -> None:
    names = (
        "session_id simulated seed device course state target_cores cores_counted cores_evacuated punctures cycles "
        "needles coverage_percent treated_area_cm2 session_seconds wall_seconds reconciled alarms log"
    )
    written = json.loads(json.dumps(SUMMARY.to_json()))
    assert list(written) == names.split()
    assert written["cores_evacuated"] is None and written["alarms"] == {"MC-0601": 2}


@pytest.mark.parametrize(
    ("state", "reconciled", "succeeded"),
    [
        ("completed", True, True),
        ("completed", False, False),
        ("aborted", True, False),
        ("faulted", False, False),
        ("open", False, False),
    ],
)
def test_success_is_completed_and_reconciled(state: str, reconciled: bool, succeeded: bool) -> None:
    assert replace(SUMMARY, state=state, reconciled=reconciled).succeeded is succeeded


@pytest.mark.parametrize(
    ("cores", "area_cm2", "core_um", "percent"),
    [
        (0, 0, 400, 0.0),
        (10, 0, 400, 0.0),
        (0, 5, 400, 0.0),
        (48, 1, 400, 100 * 48 * math.pi * 0.2**2 / 100),
        (10_000, 213, 400, 5.9),
        (100, 2, 500, 100 * 100 * math.pi * 0.25**2 / 200),
    ],
)
def test_coverage(cores: int, area_cm2: int, core_um: int, percent: float) -> None:
    assert coverage_percent(cores, area_cm2, core_um) == pytest.approx(percent, abs=0.001)
