"""The summary: the product's names, and what it calls a success."""

import json
from dataclasses import replace

import pytest

from devicectl.summary import Summary

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
    coverage_percent=5.55555,
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
    assert written["coverage_percent"] == 5.556
    assert written["cores_evacuated"] is None and written["alarms"] == {"MC-0601": 2}


def test_of_a_session_that_is_not_known_the_json_has_the_same_names() -> None:
    written = Summary.unknown(device="SIM-00000007", state="none")
    assert list(written) == list(SUMMARY.to_json())
    assert {name for name, value in written.items() if value is not None} == {"device", "state"}


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
