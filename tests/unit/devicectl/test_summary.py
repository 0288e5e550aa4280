"""The summary: the product's names, and what it calls a success."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from devicectl.summary import Summary
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, CloseReason
from protocols.language.records import Action, AlarmChanged
from tests.integration.log.log_builders import a_cycle
from tests.unit.devicectl.scripted_device import Desk, a_plan

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


# --- of a session


def of(desk: Desk, **changes: Any) -> Summary:
    values: dict[str, Any] = {
        "plan": a_plan(), "course": "course 3", "session_id": 5, "log": "log.sqlite", "wall_seconds": 9.0,
    }  # fmt: skip
    return Summary.of(desk.engine, **(values | changes))


def test_before_the_opening_all_counts_are_zero_and_the_device_is_named() -> None:
    desk = Desk()
    desk.run(desk.engine.connect())
    assert of(desk, session_id=None, log=None) == Summary(
        session_id=None,
        simulated=True,
        seed=7,
        device="SIM-0007",
        course="course 3",
        state="open",
        target_cores=6,
        cores_counted=0,
        cores_evacuated=None,
        punctures=0,
        cycles=0,
        needles=3,
        coverage_percent=0.0,
        treated_area_cm2=0,
        session_seconds=0.0,
        wall_seconds=9.0,
        reconciled=False,
        alarms={},
        log=None,
    )


def test_counts_are_those_of_the_journal_and_alarms_those_that_were_raised() -> None:
    desk = Desk().numbed()
    desk.write(Action(event_no=1, uptime_ms=0, message_id=M.Arm.ID, zone=0, cell=0), a_cycle(0, 1, uptime_ms=2_500))
    raised: dict[str, Any] = {"code": 601, "interlock": 6, "priority": AlarmPriority.LOW}
    for state in (AlarmState.ACTIVE, AlarmState.INACTIVE, AlarmState.ACTIVE):
        desk.write(AlarmChanged(event_no=1, uptime_ms=0, state=state, **raised))
    desk.run(desk.engine.session()[1].read())
    summary = of(desk)
    assert (summary.state, summary.reconciled, summary.cores_evacuated) == ("open", False, None)
    assert (summary.cycles, summary.punctures, summary.cores_counted, summary.treated_area_cm2) == (1, 3, 2, 1)
    assert summary.coverage_percent == pytest.approx(100 * 2 * math.pi / 4 * 0.4**2 / 100)
    assert summary.alarms == {"MC-0601": 2} and summary.session_seconds == 2.5


def test_after_the_end_it_has_the_state_the_truth_and_the_wall_time_of_the_end() -> None:
    desk = Desk().opened()
    truth = {"cycles_commanded": 0, "cycles_completed": 0, "punctures": 0, "cores_counted": 0, "clogs": 0}
    desk.will(M.TruthGet, M.TruthGetDone(session_no=1, cores_evacuated=4, **truth))
    desk.run(desk.engine.close(CloseReason.ABORTED, 2.0))
    summary = of(desk)
    assert (summary.state, summary.reconciled, summary.wall_seconds) == ("aborted", True, 2.0)
    assert summary.cores_evacuated == 4 and not summary.succeeded


def test_a_session_whose_counts_differ_is_not_reconciled() -> None:
    desk = Desk().opened()
    counts = dict.fromkeys(("completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    desk.will(M.SessionClose, M.SessionCloseDone(session_no=1, cycles=1, **counts))
    desk.run(desk.engine.close(CloseReason.COMPLETED, 2.0))
    assert (of(desk).state, of(desk).reconciled, of(desk).succeeded) == ("completed", False, False)


def test_hardware_has_no_seed() -> None:
    desk = Desk(allow_hardware=True)
    desk.shown["simulated"] = False
    desk.opened()
    assert (of(desk).simulated, of(desk).seed) == (False, None)
