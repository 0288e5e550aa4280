"""Every kind of the catalogue, alone in a session: it has its effect, and the session is right at its end."""

import asyncio
from dataclasses import replace
from typing import Any, Final

import pytest

from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.scenario import MQTT, SERIAL, Scenario
from devicectl.campaign.trial import Trial
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import declare
from firmware_sim.faults.kind import Target
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.mqtt.wire import Publication
from tests.world import SHORT, a_plan

FOR_MS: Final = 2_000
"""Duration of those that would last to the end of the run: a session ends only without most of them."""
VALUES: Final[dict[str, dict[str, Any]]] = {
    "log_slow": {"for_ms": 20_000},
    "retract_jammed": {"for_ms": 500},
    "disk_full": {"for_ms": 500},
}
WHEN: Final = {
    "pump_stalled": "vacuum_kpa < -54",
    "torn_write": "write(30)",
    "lost_write": "write(30)",
    "short_write": "write(30)",
    "crash_before_commit": "commit(3)",
    "crash_after_commit": "commit(3)",
    "log_full": "commit(3)",
}


def trial_of(kind: str, **values: Any) -> Trial:
    row = CATALOGUE[kind]
    if row.lasts and not values and row.quantity("pieces") is None:
        values = {"for_ms": FOR_MS}
    fault = declare(kind, WHEN.get(kind, 'cycle == 4 and phase == "suction"'), **values)
    wire = MQTT if row.target is Target.BROKER else SERIAL
    return Trial(Scenario(seed=3, plan=a_plan(40), parameters=SHORT, faults=(fault,), wire=wire))


@pytest.mark.parametrize("kind", CATALOGUE)
def test_each_kind_has_its_effect_and_the_session_is_right_at_its_end(kind: str) -> None:
    trial = trial_of(kind, **VALUES.get(kind, {}))
    verdict = asyncio.run(trial.run())
    assert verdict.good, verdict  # a session that a person has to end early is right, and not completed
    assert [fired.kind for fired in verdict.fired] == [kind]


@pytest.mark.parametrize("arrives", [0, 1])
@pytest.mark.parametrize("direction", ["host", "device"])
def test_a_publication_lost_before_its_puback_breaks_the_connection_and_costs_no_core(
    arrives: int, direction: str
) -> None:
    trial = trial_of("publish_lost", arrives=arrives, direction=direction)
    assert asyncio.run(trial.run()).word == "right"
    assert any(change.endswith("> RECOVERING") for what, change in trial.verdict.seen if what == "host")
    sent = [(at_us, data) for at_us, where, data in trial.recording if where == f"{direction}>"]
    heard = [data for _, where, data in trial.recording if where == f">{'device' if direction == 'host' else 'host'}"]
    struck = next(fired.at_us for fired in trial.verdict.fired)
    lost = [data for at_us, data in sent if at_us == struck]
    assert (lost[-1] in heard) == bool(arrives)


def test_a_stale_command_is_refused_and_reported_and_carried_out_by_nobody() -> None:
    trial = trial_of("stale_command")
    assert asyncio.run(trial.run()).word == "right"
    assert set(trial.device.board.alarms.active) == {RETAINED_COMMAND}
    given = [at for at, one in enumerate(trial.recording) if isinstance(one.data, Publication) and one.data.retain]
    assert [trial.recording[at].where for at in given] == [">device"]
    assert trial.verdict.seen["refusal", "E_ARGUMENT"] == 1


def test_a_slow_log_delays_the_acknowledgement_and_loses_nothing() -> None:
    def acknowledged_after(trial: Trial) -> int:
        assert asyncio.run(trial.run()).word == "right"
        reading = Reading(trial.recording)
        *_, last = (said for said in reading.host_sent if said.frame.name == "JournalAck")
        pages = [said.at_us for said in reading.device_sent if said.frame.name == "JournalPage"]
        return last.at_us - max(at_us for at_us in pages if at_us <= last.at_us)

    quick = Scenario(seed=3, plan=a_plan(40), parameters=SHORT)
    slow = replace(quick, faults=(declare("log_slow", by_ms=700, for_ms=60_000),))
    assert acknowledged_after(Trial(quick)) < 100_000
    assert acknowledged_after(Trial(slow)) >= 700_000
