"""Other hosts: what they ask for is refused, a viewer's STOP is not, and none leaves a port behind."""

import pytest

from devicectl.campaign.scenario import MQTT, SERIAL
from devicectl.campaign.trial import Trial
from firmware_sim.faults.catalogue import OTHERS
from firmware_sim.faults.fault import declare
from tests.unit.devicectl.campaign.trials import events, right


def answers(trial: Trial) -> set[str]:
    """Codes by which other hosts were answered."""
    assert [port.name for port in trial.device.ports] == ["sim"]
    return {event["code"] for _, event in events(trial, "other_host") if "code" in event}


def test_a_viewer_stops_the_device_and_goes() -> None:
    trial = right(declare("stopped_by_viewer", 'cycle == 3 and phase == "suction"'))
    assert answers(trial) == {"E_AUTH"}
    assert "SAFE" in [event["state"] for _, event in events(trial, "state")]


@pytest.mark.parametrize("wire", [SERIAL, MQTT])
@pytest.mark.parametrize(
    ("who", "code"),
    list(zip(OTHERS, ["E_BUSY", "E_VERSION", "E_SCHEMA", "E_UNKNOWN_MESSAGE"], strict=True)),
)
def test_another_host_is_refused_and_changes_nothing(who: str, code: str, wire: str) -> None:
    trial = right(declare("other_host", "cycle == 3", who=who), wire=wire)
    assert answers(trial) == {code}
    assert "SAFE" not in [event["state"] for _, event in events(trial, "state")]
    assert trial.verdict.seen["refusal", code] + trial.verdict.seen["nak", code]


def test_a_rival_before_the_session_and_in_one_that_nobody_controls_is_refused_by_what_it_asks_for() -> None:
    nobody = declare("host_crash", 'state == "anesthesia_wait"')
    before, later = declare("other_host", 'frame("HELLO", 1)'), declare("other_host", 'frame("HELLO", 2)')
    trial = right(before, nobody, later)
    assert answers(trial) == {"E_RANGE", "E_STATE", "E_CYCLE_GAP", "E_EXPIRED", "E_INTERLOCK"}
    assert trial.verdict.seen["interlock", "2"] == 1


@pytest.mark.parametrize("kind", ["stopped_by_viewer", "other_host"])
def test_a_device_without_power_is_asked_nothing(kind: str) -> None:
    trial = right(declare("brown_out", 'at("1 s")', for_ms=500), declare(kind, 'at("1200 ms")'))
    assert not events(trial, "other_host")


def test_power_that_goes_at_a_visit_takes_the_visitor_with_it() -> None:
    moment = 'cycle == 3 and phase == "suction"'
    trial = right(declare("lost_write", moment), declare("other_host", moment))
    assert answers(trial) == set()
    assert len(events(trial, "boot")) == 1
